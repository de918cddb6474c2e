//! The origin of a request: the client's address, also behind trusted proxies, and the page that sent it.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

use crate::model::Address;
use crate::names::named;

named! {
    /// The header that carries the client's address.
    ///
    /// Only one is read: a proxy passes the other one on unchanged, as the client wrote it.
    pub enum ForwardedHeader {
        /// `X-Forwarded-For`, set by most proxies.
        XForwardedFor = "x-forwarded-for",
        /// `Forwarded` (RFC 7239).
        Forwarded = "forwarded",
    }
}

/// The client of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The client's IP address.
    pub ip: IpAddr,
    /// Whether an untrusted proxy is in between, so that the address may be that of the proxy.
    pub behind_unknown_proxy: bool,
}

impl Client {
    /// Returns the address used for limits and bans.
    #[must_use]
    pub fn address(self) -> Address {
        Address::from(self.ip)
    }

    /// Whether the client is on this machine.
    #[must_use]
    pub fn is_local(self) -> bool {
        self.ip.to_canonical().is_loopback() && !self.behind_unknown_proxy
    }
}

/// Proxies trusted to report the client's address.
#[derive(Clone, Debug)]
pub struct TrustedProxies {
    /// The networks of the proxies.
    pub networks: Vec<IpNet>,
    /// The header that they set.
    pub header: ForwardedHeader,
}

/// Maximum number of addresses read from the header, from the right.
const MAX_HOPS: usize = 16;

impl TrustedProxies {
    /// Returns the client of a request from `peer` with `headers`.
    ///
    /// Reads the header from the right, where the nearest proxy wrote, for as long as the addresses belong to trusted
    /// proxies. The first other address is the client's; entries to the left of it are unverified.
    #[must_use]
    pub fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> Client {
        let mut ip = peer.ip().to_canonical();
        if !self.trusts(ip) {
            let names = ["x-forwarded-for", "forwarded", "x-real-ip"];
            return Client { ip, behind_unknown_proxy: names.iter().any(|name| headers.contains_key(*name)) };
        }
        let header = match self.header {
            ForwardedHeader::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
            ForwardedHeader::Forwarded => header::FORWARDED,
        };
        let lines: Vec<&str> = headers.get_all(header).iter().filter_map(|line| line.to_str().ok()).collect();
        let hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
        for hop in hops.take(MAX_HOPS) {
            let hop = match self.header {
                ForwardedHeader::XForwardedFor => parse_node(hop),
                ForwardedHeader::Forwarded => parse_forwarded(hop),
            };
            // The client is hidden behind this proxy, which stands for it.
            let Some(hop) = hop else { return Client { ip, behind_unknown_proxy: true } };
            ip = hop;
            if !self.trusts(ip) {
                break;
            }
        }
        Client { ip, behind_unknown_proxy: false }
    }

    /// Whether `ip`, in canonical form, is a trusted proxy.
    #[must_use]
    pub fn trusts(&self, ip: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&ip))
    }
}

/// Parses an element of `Forwarded`, such as `for="[2001:db8::1]:4711";proto=https`.
fn parse_forwarded(element: &str) -> Option<IpAddr> {
    let pair = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, node) = pair.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    parse_node(node.trim().trim_matches('"'))
}

/// Parses an address with or without a port; an IPv6 address with or without brackets.
fn parse_node(node: &str) -> Option<IpAddr> {
    let node = node.trim();
    let bare = node.strip_prefix('[').and_then(|node| node.split_once(']')).map_or(node, |(ip, _)| ip);
    let ip: Option<IpAddr> = bare.parse().ok();
    ip.or_else(|| bare.parse::<SocketAddr>().ok().map(|socket| socket.ip())).map(|ip| ip.to_canonical())
}

/// Origins of pages that may connect. Empty means any.
#[derive(Clone, Debug, Default)]
pub struct Origins(pub Vec<String>);

impl Origins {
    /// Whether a request with these headers is allowed: unless it has an `Origin` that is neither listed nor the
    /// relay's own. Clients other than browsers send no `Origin`.
    #[must_use]
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN).filter(|origin| !self.0.is_empty() && !origin.is_empty()) else {
            return true;
        };
        let Ok(origin) = origin.to_str() else { return false };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let own = origin.split_once("://").map(|(_, authority)| authority);
        (own.is_some() && own == host) || self.lists(origin)
    }

    /// Whether `origin` is listed, or all are allowed.
    #[must_use]
    pub fn lists(&self, origin: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|listed| listed.eq_ignore_ascii_case(origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], header: ForwardedHeader, peer: &str, headers: &[(&'static str, &str)]) -> Client {
        let networks = trusted.iter().map(|net| net.parse().unwrap()).collect();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        TrustedProxies { networks, header }.client(SocketAddr::new(peer.parse().unwrap(), 1), &map)
    }

    fn by_x(trusted: &[&str], peer: &str, lines: &[&str]) -> String {
        let headers: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
        client(trusted, ForwardedHeader::XForwardedFor, peer, &headers).ip.to_string()
    }

    #[test]
    fn without_a_trusted_proxy_the_peer_is_the_client_whatever_it_says() {
        assert_eq!(by_x(&[], "192.0.2.1", &["198.51.100.9"]), "192.0.2.1");
        assert_eq!(by_x(&["10.0.0.0/8"], "192.0.2.1", &["198.51.100.9"]), "192.0.2.1");
    }

    #[test]
    fn a_trusted_proxys_word_is_taken_and_the_clients_own_is_not() {
        assert_eq!(by_x(&["10.0.0.0/8"], "10.0.0.1", &["198.51.100.9"]), "198.51.100.9");
        assert_eq!(by_x(&["10.0.0.0/8"], "10.0.0.1", &["127.0.0.1, 198.51.100.9"]), "198.51.100.9");
        assert_eq!(by_x(&["10.0.0.0/8"], "10.0.0.1", &["127.0.0.1", "198.51.100.9"]), "198.51.100.9");
    }

    #[test]
    fn a_row_of_trusted_proxies_is_walked_through() {
        assert_eq!(by_x(&["10.0.0.0/8"], "10.0.0.1", &["1.2.3.4, 198.51.100.9, 10.9.9.9"]), "198.51.100.9");
        assert_eq!(by_x(&["10.0.0.0/8"], "10.0.0.1", &["10.3.3.3, 10.2.2.2"]), "10.3.3.3");
    }

    #[test]
    fn an_invalid_address_leaves_the_proxy_as_the_client() {
        for junk in ["unknown", "", "999.1.1.1", "1.2.3.4, junk", "_hidden"] {
            assert_eq!(by_x(&["10.0.0.0/8"], "10.0.0.1", &[junk]), "10.0.0.1", "{junk}");
        }
    }

    #[test]
    fn addresses_may_have_ports_and_brackets() {
        for (node, ip) in [
            ("198.51.100.9:4711", "198.51.100.9"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("::ffff:198.51.100.9", "198.51.100.9"),
        ] {
            assert_eq!(by_x(&["10.0.0.1"].map(|_| "10.0.0.0/8"), "10.0.0.1", &[node]), ip, "{node}");
        }
    }

    #[test]
    fn the_forwarded_header_is_read_if_configured() {
        let at = |value| {
            let headers = [("forwarded", value), ("x-forwarded-for", "1.2.3.4")];
            client(&["10.0.0.0/8"], ForwardedHeader::Forwarded, "10.0.0.1", &headers).ip.to_string()
        };
        assert_eq!(at("for=198.51.100.9;proto=https"), "198.51.100.9");
        assert_eq!(at("proto=https;For=\"[2001:db8::1]:4711\""), "2001:db8::1");
        assert_eq!(at("for=127.0.0.1, for=198.51.100.9"), "198.51.100.9");
        assert_eq!(at("for=_secret"), "10.0.0.1");
    }

    #[test]
    fn a_client_behind_an_unknown_proxy_is_not_local() {
        let direct = client(&[], ForwardedHeader::XForwardedFor, "127.0.0.1", &[]);
        let proxied = client(&[], ForwardedHeader::XForwardedFor, "127.0.0.1", &[("x-forwarded-for", "192.0.2.1")]);
        assert_eq!((direct.is_local(), proxied.is_local()), (true, false));
    }

    #[test]
    fn only_listed_origins_and_the_relays_own_may_connect() {
        let origins = Origins(vec!["https://maps.example".to_owned()]);
        let allow = |origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert("host", "chat.example".parse().unwrap());
            if let Some(origin) = origin {
                headers.insert("origin", origin.parse().unwrap());
            }
            (origins.allow(&headers), Origins::default().allow(&headers))
        };
        assert_eq!(allow(None), (true, true));
        assert_eq!(allow(Some("https://maps.example")), (true, true));
        assert_eq!(allow(Some("https://chat.example")), (true, true));
        assert_eq!(allow(Some("https://evil.example")), (false, true));
        assert_eq!(allow(Some("null")), (false, true));
    }
}
