//! Client addresses as trusted proxies report them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::{IpNet, Ipv4Net};

use super::client::Client;
use crate::names::named;

named! {
    /// The header that carries the client's address.
    ///
    /// Only one is read: a proxy passes the others on unchanged, as the client wrote them.
    pub enum ForwardedHeader {
        /// `X-Forwarded-For`, set by most proxies.
        XForwardedFor = "x-forwarded-for",
        /// `Forwarded` (RFC 7239).
        Forwarded = "forwarded",
        /// `X-Real-IP`, with one address.
        XRealIp = "x-real-ip",
    }
}

impl ForwardedHeader {
    /// Returns the line with which nginx sets the header.
    #[must_use]
    pub fn nginx_line(self) -> &'static str {
        match self {
            Self::XForwardedFor => "proxy_set_header X-Forwarded-For $remote_addr;",
            Self::Forwarded => "proxy_set_header Forwarded 'for=\"$remote_addr\"';",
            Self::XRealIp => "proxy_set_header X-Real-IP $remote_addr;",
        }
    }

    /// Returns the elements of a line from the right, where the nearest proxy wrote.
    fn elements(self, line: &[u8]) -> impl Iterator<Item = &[u8]> {
        rsplit_outside_quotes(line, b',', self == Self::Forwarded)
    }

    fn parse(self, element: &[u8]) -> Option<IpAddr> {
        match self {
            Self::XForwardedFor | Self::XRealIp => parse_node(element),
            Self::Forwarded => parse_forwarded(element),
        }
    }
}

/// Proxies trusted to report the client's address.
#[derive(Clone, Debug)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    header: ForwardedHeader,
}

/// Maximum number of addresses read from the header, from the right.
const MAX_HOPS: usize = 16;

impl TrustedProxies {
    /// Trusts the proxies in `networks`, which set `header`. `::ffff:10.0.0.0/104` means `10.0.0.0/8`.
    #[must_use]
    pub fn new(networks: impl IntoIterator<Item = IpNet>, header: ForwardedHeader) -> Self {
        Self { networks: networks.into_iter().map(canonical).collect(), header }
    }

    /// Returns the header that the proxies set.
    #[must_use]
    pub fn header(&self) -> ForwardedHeader {
        self.header
    }

    /// Returns the client of a request from `peer` with `headers`.
    ///
    /// Reads the header from the right, for as long as the addresses belong to trusted proxies. The first other address
    /// is the client's. Nothing to the left of it is read: anybody may have written it.
    #[must_use]
    pub fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> Client {
        let ip = peer.ip().to_canonical();
        if !self.trusts(ip) {
            let is_forwarded = ForwardedHeader::ALL.iter().any(|header| headers.contains_key(header.as_str()));
            return if is_forwarded { Client::Undeclared(ip) } else { Client::Direct(ip) };
        }
        let lines = headers.get_all(self.header.as_str()).iter().rev();
        let elements = lines.flat_map(|line| self.header.elements(line.as_bytes()));
        let mut client = Client::Unknown;
        for (hop, element) in elements.enumerate() {
            let ip = if hop < MAX_HOPS { self.header.parse(element) } else { None };
            let Some(ip) = ip else { return Client::Unknown };
            client = Client::Reported(ip);
            if !self.trusts(ip) {
                break;
            }
        }
        client
    }

    /// Whether `ip`, in canonical form, is a trusted proxy.
    #[must_use]
    pub fn trusts(&self, ip: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&ip))
    }
}

/// Checks that each network in the form of IPv4 addresses within IPv6 is one of IPv4.
///
/// # Errors
/// A text that names the network.
pub fn check_networks(networks: &[IpNet]) -> Result<(), String> {
    let is_wider = |network: &&IpNet| match network {
        IpNet::V6(v6) => v6.addr().to_ipv4_mapped().is_some() && v6.prefix_len() < MAPPED_PREFIX,
        IpNet::V4(_) => false,
    };
    match networks.iter().find(is_wider) {
        Some(network) => Err(format!(
            "{network} is wider than all IPv4 addresses, ::ffff:0:0/{MAPPED_PREFIX}; write IPv4 networks as in 10.0.0.0/8"
        )),
        None => Ok(()),
    }
}

/// Length of the prefix that IPv4 addresses have within IPv6.
const MAPPED_PREFIX: u8 = 96;

/// Returns the IPv4 network that an IPv6 network stands for, or the network itself.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let mapped = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(MAPPED_PREFIX));
    mapped.and_then(|(v4, prefix)| Ipv4Net::new(v4, prefix).ok()).map_or(network, IpNet::V4)
}

/// Splits `text` at `separator`, from the right. With `has_quotes`, separators within quoted strings do not count. Reading
/// from the right, a quote that a client left open in its part does not reach the part of the proxy.
fn rsplit_outside_quotes(text: &[u8], separator: u8, has_quotes: bool) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let split = last_separator(text, separator, has_quotes).and_then(|at| text.split_at_checked(at));
        let (before, element) = match split {
            Some((before, element)) => (Some(before), element.get(1..).unwrap_or_default()),
            None => (None, text),
        };
        rest = before;
        Some(element)
    })
}

fn last_separator(text: &[u8], separator: u8, has_quotes: bool) -> Option<usize> {
    let mut quoted = false;
    for (at, byte) in text.iter().enumerate().rev() {
        if *byte == b'"' && has_quotes && !(quoted && is_escaped(text, at)) {
            quoted = !quoted;
        } else if *byte == separator && !quoted {
            return Some(at);
        }
    }
    None
}

/// Whether an odd number of backslashes precedes the position.
fn is_escaped(text: &[u8], at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// Parses an element of `Forwarded`, such as `for="[2001:db8::1]:4711";proto=https`.
fn parse_forwarded(element: &[u8]) -> Option<IpAddr> {
    let mut nodes = rsplit_outside_quotes(element, b';', true).filter_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = pair.split_at_checked(equals)?;
        name.trim_ascii().eq_ignore_ascii_case(b"for").then(|| value.get(1..).unwrap_or_default().trim_ascii())
    });
    let (node, None) = (nodes.next()?, nodes.next()) else { return None };
    match node.strip_prefix(b"\"") {
        Some(rest) => parse_node(rest.strip_suffix(b"\"")?),
        None => parse_node(node),
    }
}

/// Parses an address with or without a port; an IPv6 address with or without brackets. An address that no client can have
/// counts as none.
fn parse_node(node: &[u8]) -> Option<IpAddr> {
    let node = std::str::from_utf8(node.trim_ascii()).ok()?;
    let ip = match node.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(bracketed) => {
            let (ip, port) = bracketed?;
            is_port(port).then(|| ip.parse::<Ipv6Addr>().ok().map(IpAddr::from))?
        }
        None => node.parse().ok().or_else(|| {
            let (ip, port) = node.split_at_checked(node.find(':')?)?;
            is_port(port).then(|| ip.parse::<Ipv4Addr>().ok().map(IpAddr::from))?
        }),
    };
    ip.map(|ip| ip.to_canonical()).filter(|ip| !ip.is_unspecified())
}

/// Whether this is nothing, or a colon and a port, which a proxy may obfuscate as in `:_p80` (RFC 7239, 6.3).
fn is_port(text: &str) -> bool {
    let Some(port) = text.strip_prefix(':') else { return text.is_empty() };
    match port.strip_prefix('_') {
        Some(name) => !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)),
        None => (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests;
