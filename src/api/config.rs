//! Settings of the ports.

use std::net::SocketAddr;
use std::time::Duration;

use crate::live::client::{ForwardedHeader, Origins, TrustedProxies};
use crate::settings::{Quotes, Section, Setting};

/// Settings of the ports and of what comes in through them.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to serve.
    pub listen: SocketAddr,
    /// Where to serve figures, if not beside everything else.
    pub metrics_listen: Option<SocketAddr>,
    /// Whose word on a client's address is taken.
    pub proxies: TrustedProxies,
    /// Pages that may connect.
    pub origins: Origins,
    /// Connections in all.
    pub max_connections: usize,
    /// How long the head of a request, and so a handshake, may take.
    pub handshake_timeout: Duration,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// Longest body of a request, in bytes.
    pub max_body_bytes: usize,
}

impl Config {
    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        let mut seconds =
            |key, doc| Duration::from_secs(section.read(Setting::new(key, 10_u64).doc(doc).within(1..=3_600)));
        let handshake_timeout =
            seconds("handshake_timeout_seconds", "How long the head of a request may take to arrive.");
        let request_timeout = seconds("request_timeout_seconds", "How long a request may take, its body included.");
        let listen = section.read(
            Setting::new("listen", SocketAddr::from(([127, 0, 0, 1], 8000)))
                .doc("Address and port to serve on; port 0 takes a free one.")
                .env(&["LISTEN"]),
        );
        let metrics_listen = section.read(
            Setting::new("metrics_listen", None)
                .doc("Address and port for /metrics alone. When not set: the main port, for clients on this machine.")
                .env(&["METRICS_LISTEN"]),
        );
        if metrics_listen == Some(listen) && listen.port() != 0 {
            section.fault("metrics_listen", format!("{listen} is the address of LISTEN already; choose another port"));
        }
        Self {
            listen,
            metrics_listen,
            proxies: TrustedProxies {
                networks: section.read(
                    Setting::new("trusted_proxies", Vec::new())
                        .doc("Proxies whose word on a client's address is taken: addresses and networks.")
                        .env(&["TRUSTED_PROXIES"]),
                ),
                header: section.read(
                    Setting::new("forwarded_header", ForwardedHeader::XForwardedFor)
                        .doc("The header in which these proxies write the client's address."),
                ),
            },
            origins: Origins(
                section.read(
                    Setting::new("origins", Vec::new())
                        .doc("Web pages that may connect, such as `https://maps.example`. Empty: any.")
                        .env(&["ORIGINS"])
                        .quotes(Quotes::List(&Quotes::Never))
                        .check(|origins| check_origins(origins)),
                ),
            ),
            max_connections: section.read(
                Setting::new("max_connections", 20_000_usize)
                    .doc("Connections in all; further ones are answered with 503.")
                    .within(1..=10_000_000),
            ),
            handshake_timeout,
            request_timeout,
            max_body_bytes: section.read(
                Setting::new("max_body_bytes", 65_536_usize)
                    .doc("Longest body of a request, in bytes.")
                    .within(1_024..=104_857_600),
            ),
        }
    }
}

/// An origin as browsers write it: scheme, host and port, no path.
fn check_origins(origins: &[String]) -> Result<(), String> {
    for origin in origins {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        if authority.is_none_or(|authority| authority.is_empty() || authority.contains('/')) {
            return Err(format!(
                "{origin:?} is not an origin: it needs a scheme and a host and no path, as in https://maps.example"
            ));
        }
    }
    Ok(())
}
