//! The origin of a request: its client, and the page that sent it.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};

use crate::model::Address;

/// The client of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// The peer itself, by its address.
    Direct(IpAddr),
    /// A client at this address, according to a trusted proxy.
    Reported(IpAddr),
    /// The peer forwards a request of somebody else, but is not trusted: the address is that of the peer.
    Undeclared(IpAddr),
    /// The peer is a trusted proxy that reports no usable address.
    Unknown,
}

impl Client {
    /// Returns the address used for limits and bans. Clients of unknown address share one.
    #[must_use]
    pub fn address(self) -> Address {
        match self {
            Self::Direct(ip) | Self::Reported(ip) | Self::Undeclared(ip) => Address::from(ip),
            Self::Unknown => Address::UNKNOWN,
        }
    }

    /// Whether the client is on this machine. Never if there is a proxy: one that passes a header on unchanged would let
    /// its clients choose.
    #[must_use]
    pub fn is_local(self) -> bool {
        matches!(self, Self::Direct(ip) if ip.to_canonical().is_loopback())
    }
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

    #[test]
    fn only_a_direct_client_at_a_loopback_address_is_local() {
        let (loopback, mapped) = ("127.0.0.1".parse().unwrap(), "::ffff:127.0.0.1".parse().unwrap());
        assert!(Client::Direct(loopback).is_local() && Client::Direct(mapped).is_local());
        let others = [Client::Direct("192.0.2.1".parse().unwrap()), Client::Reported(loopback)];
        for client in others.into_iter().chain([Client::Undeclared(loopback), Client::Unknown]) {
            assert!(!client.is_local(), "{client:?}");
        }
    }

    #[test]
    fn clients_of_unknown_address_share_limits_with_nobody_else() {
        for ip in ["127.0.0.1", "::1", "::", "10.0.0.1"] {
            assert_ne!(Client::Unknown.address(), Client::Direct(ip.parse().unwrap()).address(), "{ip}");
        }
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
