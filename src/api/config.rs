//! Settings of the HTTP server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::host::{Host, HostCheck};
use crate::live::client::Origins;
use crate::live::proxies::{ForwardedHeader, TrustedProxies, check_networks};
use crate::settings::{Quotes, Section, Setting};

/// Settings of the HTTP server.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address of the main port.
    pub listen: SocketAddr,
    /// Where to serve metrics, if not on the main port.
    pub metrics_listen: Option<SocketAddr>,
    /// Proxies trusted to report a client's address.
    pub proxies: TrustedProxies,
    /// Hosts by which clients may address the relay. Empty means any, except for pages on this machine.
    pub hosts: Vec<Host>,
    /// Origins whose pages may connect.
    pub origins: Origins,
    /// Limit on the number of connections.
    pub max_connections: usize,
    /// Time limit for the head of a request, and so for a handshake.
    pub handshake_timeout: Duration,
    /// Time limit for a request.
    pub request_timeout: Duration,
    /// Longest request body, in bytes.
    pub max_body_bytes: usize,
    /// The QField plugin, which may be missing.
    pub qfield_file: PathBuf,
}

impl Config {
    /// Returns the hosts that the relay answers to.
    #[must_use]
    pub fn host_check(&self) -> HostCheck {
        HostCheck { hosts: self.hosts.clone(), proxies: self.proxies.clone() }
    }

    /// Returns the value of `Host` with which a program on this machine reaches the relay at `address`.
    #[must_use]
    pub fn host_for(&self, address: SocketAddr) -> String {
        match self.hosts.first() {
            Some(host) if !address.ip().is_loopback() => host.to_string(),
            _ => address.to_string(),
        }
    }

    /// Declares and reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        let mut seconds =
            |key, doc| Duration::from_secs(section.read(Setting::new(key, 10_u64).doc(doc).within(1..=3_600)));
        let handshake_timeout =
            seconds("handshake_timeout_seconds", "Timeout for receiving the head of a request, in seconds.");
        let request_timeout = seconds(
            "request_timeout_seconds",
            "Timeout for a request including its body, in \
                                                                  seconds.",
        );
        let listen = section.read(
            Setting::new("listen", SocketAddr::from(([127, 0, 0, 1], 8000)))
                .doc("Address and port to listen on. Port 0 picks a free port.")
                .env(&["LISTEN"]),
        );
        let metrics_listen = section.read(
            Setting::new("metrics_listen", None)
                .doc(
                    "Separate address and port for /metrics. If not set, the main port serves it to moderators, and \
                      without a token to clients that connect from this machine, not through a proxy.",
                )
                .env(&["METRICS_LISTEN"]),
        );
        if metrics_listen == Some(listen) && listen.port() != 0 {
            section.error("metrics_listen", format!("{listen} is also the address of LISTEN; choose another port"));
        }
        let networks = section.read(
            Setting::new("trusted_proxies", Vec::new())
                .doc(
                    "Proxies that are trusted to report client addresses: IP addresses and networks. If they report \
                      none, clients can neither join nor read /metrics without a token.",
                )
                .env(&["TRUSTED_PROXIES"])
                .check(|networks| check_networks(networks)),
        );
        let header = section.read(
            Setting::new("forwarded_header", ForwardedHeader::XForwardedFor)
                .doc("Header in which these proxies report the client's address. Only this one is read."),
        );
        let proxies = TrustedProxies::new(networks, header);
        let hosts: Vec<String> = section.read(
            Setting::new("hosts", Vec::new())
                .doc(
                    "Names and addresses, without a port, by which clients may address the relay: others get 400. If not \
                      set, any host is accepted, except that web pages on this machine must use localhost, 127.0.0.0/8 or \
                      [::1].",
                )
                .quotes(Quotes::List(&Quotes::Never))
                .check(|hosts| check_hosts(hosts)),
        );
        let hosts = hosts.iter().filter_map(|host| Host::from_setting(host)).collect();
        Self {
            listen,
            metrics_listen,
            proxies,
            hosts,
            origins: Origins(
                section.read(
                    Setting::new("origins", Vec::new())
                        .doc(
                            "Origins of web pages that may connect, such as `https://maps.example`. An empty list \
                              allows any origin.",
                        )
                        .env(&["ORIGINS"])
                        .quotes(Quotes::List(&Quotes::Never))
                        .check(|origins| check_origins(origins)),
                ),
            ),
            max_connections: section.read(
                Setting::new("max_connections", 20_000_usize)
                    .doc("Maximum number of connections. Further ones are answered with 503.")
                    .within(1..=10_000_000),
            ),
            handshake_timeout,
            request_timeout,
            max_body_bytes: section.read(
                Setting::new("max_body_bytes", 65_536_usize)
                    .doc("Largest request body, in bytes.")
                    .within(1_024..=104_857_600),
            ),
            qfield_file: section.read(
                Setting::new("qfield_file", PathBuf::from("qfield-plugin.zip"))
                    .doc("The QField plugin that /qfield serves, a ZIP file. It may be missing."),
            ),
        }
    }
}

fn check_hosts(hosts: &[String]) -> Result<(), String> {
    match hosts.iter().find(|host| Host::from_setting(host).is_none()) {
        Some(host) => Err(format!(
            "{host:?} is not a host; a host is a name or an address without scheme, port or `*`, such as chat.example.org"
        )),
        None => Ok(()),
    }
}

/// Checks that each is an origin as browsers write it: scheme, host and port, no path.
fn check_origins(origins: &[String]) -> Result<(), String> {
    for origin in origins {
        if origin.contains('*') {
            return Err(format!("{origin:?} holds `*`, which stands for nothing here; list every origin in full"));
        }
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        if authority.is_none_or(|authority| authority.is_empty() || authority.contains('/')) {
            return Err(format!(
                "{origin:?} is not an origin; an origin has a scheme and a host but no path, as in https://maps.example"
            ));
        }
    }
    Ok(())
}
