//! A minimal HTTP client for the relay that runs with this configuration on this machine.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Largest response that is read, in bytes.
const MAX_RESPONSE: u64 = 8 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// An HTTP response.
pub(super) struct HttpResponse {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Returns the address at which a relay that listens on `address` can be reached from its own machine.
pub(super) fn local_address(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Sends a request without a body, addressed to `host`. `timeout` limits each read and write.
///
/// # Errors
/// If the relay cannot be reached, does not respond in time, or the response is not HTTP.
pub(super) fn call(
    address: SocketAddr,
    host: &str,
    method: &str,
    path: &str,
    token: Option<&str>,
    timeout: Duration,
) -> io::Result<HttpResponse> {
    let mut stream = TcpStream::connect_timeout(&address, CONNECT_TIMEOUT)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    let token = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    let length = if method == "POST" { "Content-Length: 0\r\n" } else { "" };
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{token}{length}Connection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(MAX_RESPONSE).read_to_end(&mut answer)?;
    parse(&answer).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the response is not HTTP"))
}

/// Parses a response that ends with its connection.
fn parse(answer: &[u8]) -> Option<HttpResponse> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some(HttpResponse { status, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_on_all_addresses_is_reached_through_loopback() {
        let reach = |text: &str| local_address(text.parse().unwrap()).to_string();
        assert_eq!(reach("0.0.0.0:8000"), "127.0.0.1:8000");
        assert_eq!(reach("[::]:8000"), "[::1]:8000");
        assert_eq!(reach("192.0.2.1:8000"), "192.0.2.1:8000");
    }

    #[test]
    fn a_response_that_is_not_http_is_rejected() {
        assert!(parse(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n{}").is_some_and(|a| a.status == 200 && a.body == "{}"));
        for answer in ["", "SSH-2.0\r\n\r\n", "HTTP/1.1 2\r\n\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 é00\r\n\r\n"] {
            assert!(parse(answer.as_bytes()).is_none(), "{answer}");
        }
    }
}
