//! `health`: asks the relay on this machine for a sign of life, for containers that have no other program to ask with.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use super::tell;
use crate::api::Config;

const TIMEOUT: Duration = Duration::from_secs(3);

/// Prints what the relay says and exits with 0 when it is well, with 1 otherwise.
pub(super) fn ask(config: &Config) -> ExitCode {
    let address = reachable(config.listen);
    match status_line(address) {
        Ok(line) if line.split(' ').nth(1) == Some("200") => {
            tell(io::stdout(), &format!("{address}: ok\n"));
            ExitCode::SUCCESS
        }
        Ok(line) => {
            tell(io::stderr(), &format!("{address}: answered {line:?}\n"));
            ExitCode::FAILURE
        }
        Err(fault) => {
            tell(io::stderr(), &format!("{address}: {fault}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Where a relay that listens on `address` can be asked from its own machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn status_line(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut head = Vec::new();
    stream.take(1_024).read_to_end(&mut head)?;
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_on_all_addresses_is_asked_on_the_local_one() {
        let reach = |text: &str| reachable(text.parse().unwrap()).to_string();
        assert_eq!(reach("0.0.0.0:8000"), "127.0.0.1:8000");
        assert_eq!(reach("[::]:8000"), "[::1]:8000");
        assert_eq!(reach("192.0.2.1:8000"), "192.0.2.1:8000");
    }
}
