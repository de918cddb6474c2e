//! The `Host` of a request: whether it is valid (RFC 9112, 3.2), and whether the relay answers to it.
//!
//! A web page can have its own name resolve to 127.0.0.1 and then talk to a relay on the visitor's machine as if the relay
//! were its own server. The name in `Host` gives it away.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Version, header};

use crate::live::proxies::TrustedProxies;

/// The host of a request, without its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// An address.
    Ip(IpAddr),
    /// A name in lower case, without a dot at its end.
    Name(String),
}

/// The hosts that the relay answers to.
#[derive(Clone, Debug)]
pub struct HostCheck {
    /// Hosts by which clients may address the relay. If empty, only pages on this machine are restricted.
    pub hosts: Vec<Host>,
    /// Proxies, whose requests carry the hosts of their clients.
    pub proxies: TrustedProxies,
}

/// Request extension: whether the host is one of this machine or listed.
#[derive(Clone, Copy, Debug)]
pub(super) struct HostIsOwn(pub(super) bool);

/// Why a request is refused because of its host.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// There is no `Host`.
    #[error("the request has no `Host`")]
    Missing,
    /// There are several.
    #[error("the request has more than one `Host`")]
    Repeated,
    /// It is not a host.
    #[error("`Host` is not a name or address with an optional port")]
    Invalid,
    /// A page on this machine addresses the relay by another name.
    #[error(
        "pages on this machine must address the relay as localhost, 127.0.0.1 or [::1]; list other names in server.hosts, and \
         a proxy in TRUSTED_PROXIES"
    )]
    NotLocal,
    /// The host is not listed.
    #[error("this host is not listed in server.hosts")]
    NotListed,
}

impl Host {
    /// Parses a host with an optional port.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (ip, port) = rest.split_once(']')?;
            (Self::Ip(IpAddr::from(ip.parse::<Ipv6Addr>().ok()?).to_canonical()), port)
        } else {
            let (name, port) = text.split_at_checked(text.find(':').unwrap_or(text.len()))?;
            (Self::from_name(name)?, port)
        };
        let digits = if port.is_empty() { "" } else { port.strip_prefix(':')? };
        let is_port =
            digits.is_empty() || (digits.bytes().all(|b| b.is_ascii_digit()) && digits.parse::<u16>().is_ok());
        is_port.then_some(host)
    }

    /// A name (RFC 3986, 3.2.2) or an IPv4 address.
    fn from_name(name: &str) -> Option<Self> {
        if let Ok(ip) = name.parse::<Ipv4Addr>() {
            return Some(Self::Ip(ip.into()));
        }
        let mut bytes = name.bytes();
        while let Some(byte) = bytes.next() {
            let is_valid = match byte {
                b'%' => {
                    bytes.next().zip(bytes.next()).is_some_and(|(a, b)| a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
                }
                byte => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte),
            };
            if !is_valid {
                return None;
            }
        }
        let name = name.strip_suffix('.').unwrap_or(name);
        (!name.is_empty()).then(|| Self::Name(name.to_ascii_lowercase()))
    }

    /// Parses an item of `server.hosts`: a name or address without a port.
    #[must_use]
    pub fn from_setting(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Some(Self::Ip(ip.to_canonical()));
        }
        let has_port = !text.ends_with(']') && text.contains(':');
        Self::parse(text.as_bytes()).filter(|_| !has_port && !text.contains(['*', '%', ',']))
    }

    fn is_loopback(&self) -> bool {
        match self {
            Self::Ip(ip) => ip.is_loopback(),
            Self::Name(name) => name == "localhost",
        }
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Ip(IpAddr::V4(ip)) => write!(f, "{ip}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl HostCheck {
    /// Whether the host is one of this machine or listed.
    fn is_own(&self, host: &Host) -> bool {
        host.is_loopback() || self.hosts.contains(host)
    }

    /// Checks a request from `peer`.
    pub(super) fn check(
        &self,
        peer: IpAddr,
        version: Version,
        target: Option<&Authority>,
        headers: &HeaderMap,
    ) -> Result<HostIsOwn, HostError> {
        let Some(host) = requested(version, target, headers)? else { return Ok(HostIsOwn(true)) };
        let peer = peer.to_canonical();
        if self.hosts.is_empty() {
            let has_origin = headers.get(header::ORIGIN).is_some_and(|origin| !origin.is_empty());
            let is_page_here = has_origin && peer.is_loopback() && !self.proxies.trusts(peer);
            return match self.is_own(&host) {
                false if is_page_here => Err(HostError::NotLocal),
                is_own => Ok(HostIsOwn(is_own)),
            };
        }
        // Commands and health checks on this machine need no entry.
        let is_local = peer.is_loopback() && host.is_loopback();
        if is_local || self.hosts.contains(&host) { Ok(HostIsOwn(true)) } else { Err(HostError::NotListed) }
    }
}

/// Returns the host that a request is for: that of its target, else that of its header. HTTP/1.0 may have none.
fn requested(version: Version, target: Option<&Authority>, headers: &HeaderMap) -> Result<Option<Host>, HostError> {
    let mut values = headers.get_all(header::HOST).iter();
    let (value, None) = (values.next(), values.next()) else { return Err(HostError::Repeated) };
    let named = value.map(HeaderValue::as_bytes).map(|host| Host::parse(host).ok_or(HostError::Invalid)).transpose()?;
    if named.is_none() && version == Version::HTTP_11 {
        return Err(HostError::Missing);
    }
    match target {
        Some(target) => Host::parse(target.as_str().as_bytes()).map(Some).ok_or(HostError::Invalid),
        None => Ok(named),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::proxies::ForwardedHeader;

    fn parsed(text: &str) -> Option<String> {
        Host::parse(text.as_bytes()).map(|host| host.to_string())
    }

    fn check(hosts: &[&str], peer: &str, headers: &[(header::HeaderName, &str)]) -> Result<bool, String> {
        let hosts = hosts.iter().map(|host| Host::from_setting(host).unwrap()).collect();
        let proxies = TrustedProxies::new(["127.0.0.9/32".parse().unwrap()], ForwardedHeader::XForwardedFor);
        let headers: HeaderMap = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        let checked = HostCheck { hosts, proxies }.check(peer.parse().unwrap(), Version::HTTP_11, None, &headers);
        checked.map(|HostIsOwn(own)| own).map_err(|error| error.to_string())
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_an_optional_port() {
        for (text, host) in [
            ("chat.example", "chat.example"),
            ("Chat.Example.:8000", "chat.example"),
            ("127.0.0.1:8000", "127.0.0.1"),
            ("[::1]:8000", "[::1]"),
            ("[::ffff:127.0.0.1]", "127.0.0.1"),
            ("relay:", "relay"),
            ("a%20b", "a%20b"),
        ] {
            assert_eq!(parsed(text).as_deref(), Some(host), "{text}");
        }
        for text in
            ["", ".", ":80", "a b", "a/b", "a b/@", "me@a", "a:b", "a:99999", "a:1:2", "::1", "[::1", "[a]", "a%2", "é"]
        {
            assert_eq!(parsed(text), None, "{text}");
        }
        assert_eq!(Host::parse(b"a\x80"), None);
    }

    #[test]
    fn a_page_on_this_machine_needs_a_loopback_host_unless_a_proxy_passes_it_on() {
        let page = |peer, host| check(&[], peer, &[(header::HOST, host), (header::ORIGIN, "http://evil.example")]);
        for host in ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "127.8.9.1", "[::1]:8000"] {
            assert_eq!(page("127.0.0.1", host), Ok(true), "{host}");
        }
        for host in ["evil.example:8000", "localhost.evil.example", "192.0.2.1", "128.0.0.1", "[::2]", "127.0.0.1.evil"]
        {
            for peer in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
                assert_eq!(page(peer, host), Err(HostError::NotLocal.to_string()), "{peer} {host}");
            }
            for peer in ["192.0.2.7", "127.0.0.9"] {
                assert_eq!(page(peer, host), Ok(false), "{peer} {host}");
            }
            assert_eq!(check(&[], "127.0.0.1", &[(header::HOST, host)]), Ok(false), "{host}");
        }
    }

    #[test]
    fn with_listed_hosts_every_request_needs_one_of_them() {
        let listed = |peer, host| check(&["Chat.Example", "192.0.2.1", "::2"], peer, &[(header::HOST, host)]);
        for host in ["chat.example", "CHAT.example:443", "192.0.2.1:8000", "[::2]"] {
            assert_eq!(listed("192.0.2.7", host), Ok(true), "{host}");
        }
        for host in ["evil.example", "192.0.2.2", "x.chat.example", "localhost"] {
            assert_eq!(listed("192.0.2.7", host), Err(HostError::NotListed.to_string()), "{host}");
        }
        assert_eq!(listed("127.0.0.1", "localhost:8000"), Ok(true));
        assert_eq!(listed("127.0.0.1", "evil.example"), Err(HostError::NotListed.to_string()));
    }

    #[test]
    fn the_host_of_an_absolute_target_counts() {
        let target: Authority = "evil.example".parse().unwrap();
        let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("localhost"))]);
        let host = requested(Version::HTTP_11, Some(&target), &headers).unwrap();
        assert_eq!(host, Some(Host::Name("evil.example".to_owned())));
    }

    #[test]
    fn an_item_of_the_setting_has_no_port_scheme_or_wildcard() {
        for text in ["chat.example", "192.0.2.1", "::1", "[::1]", "chat.example."] {
            assert!(Host::from_setting(text).is_some(), "{text}");
        }
        for text in ["chat.example:443", "https://chat.example", "*.example", "a/b", "", "[::1]:80"] {
            assert!(Host::from_setting(text).is_none(), "{text}");
        }
    }
}
