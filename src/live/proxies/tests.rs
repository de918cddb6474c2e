use axum::http::HeaderValue;

use super::*;

fn client(trusted: &[&str], header: ForwardedHeader, peer: &str, headers: &[(&'static str, &[u8])]) -> Client {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_bytes(value).unwrap());
    }
    let networks: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
    TrustedProxies::new(networks, header).client(SocketAddr::new(peer.parse().unwrap(), 1), &map)
}

/// The client of a request through the proxy 10.0.0.1 of 10.0.0.0/8.
fn through(header: ForwardedHeader, lines: &[&[u8]]) -> Client {
    let headers: Vec<_> = lines.iter().map(|line| (header.as_str(), *line)).collect();
    client(&["10.0.0.0/8"], header, "10.0.0.1", &headers)
}

fn by_x(lines: &[&str]) -> Client {
    through(ForwardedHeader::XForwardedFor, &lines.iter().map(|line| line.as_bytes()).collect::<Vec<_>>())
}

fn by_forwarded(line: &str) -> Client {
    through(ForwardedHeader::Forwarded, &[line.as_bytes()])
}

fn reported(ip: &str) -> Client {
    Client::Reported(ip.parse().unwrap())
}

#[test]
fn without_a_trusted_proxy_the_peer_is_the_client_whatever_it_says() {
    let peer: IpAddr = "192.0.2.1".parse().unwrap();
    for trusted in [&[] as &[_], &["10.0.0.0/8"]] {
        let at = |headers: &[_]| client(trusted, ForwardedHeader::XForwardedFor, "192.0.2.1", headers);
        assert_eq!(at(&[]), Client::Direct(peer));
        for name in ["x-forwarded-for", "forwarded", "x-real-ip"] {
            assert_eq!(at(&[(name, b"198.51.100.9")]), Client::Undeclared(peer), "{name}");
        }
    }
}

#[test]
fn a_trusted_proxys_word_is_taken_and_the_clients_own_is_not() {
    for lines in [&["198.51.100.9"] as &[_], &["127.0.0.1, 198.51.100.9"], &["127.0.0.1", "198.51.100.9"]] {
        assert_eq!(by_x(lines), reported("198.51.100.9"), "{lines:?}");
    }
}

#[test]
fn bytes_to_the_left_of_the_needed_address_do_not_matter() {
    for junk in [&b"\x80"[..], b"\xff\xfe", b"\"", b"unknown", b"for=\"", b",,", b"caf\xc3\xa9, \x80, ,"] {
        let line = [junk, b", 198.51.100.9"].concat();
        assert_eq!(through(ForwardedHeader::XForwardedFor, &[&line]), reported("198.51.100.9"), "{line:?}");
        assert_eq!(through(ForwardedHeader::XForwardedFor, &[junk, b"198.51.100.9"]), reported("198.51.100.9"));
        let line = [junk, b", for=198.51.100.9"].concat();
        assert_eq!(through(ForwardedHeader::Forwarded, &[&line]), reported("198.51.100.9"), "{line:?}");
    }
}

#[test]
fn a_row_of_trusted_proxies_is_walked_through() {
    assert_eq!(by_x(&["1.2.3.4, 198.51.100.9, 10.9.9.9"]), reported("198.51.100.9"));
    assert_eq!(by_x(&["10.3.3.3, 10.2.2.2"]), reported("10.3.3.3"));
}

#[test]
fn after_sixteen_trusted_proxies_the_client_is_unknown() {
    let row = |proxies: usize| format!("198.51.100.9{}", ", 10.1.1.1".repeat(proxies));
    assert_eq!(by_x(&[&row(15)]), reported("198.51.100.9"));
    assert_eq!(by_x(&[&row(16)]), Client::Unknown);
}

#[test]
fn without_a_usable_address_the_client_is_unknown() {
    assert_eq!(by_x(&[]), Client::Unknown);
    for junk in ["unknown", "", "999.1.1.1", "1.2.3.4, junk", "_hidden", "unix:", "1.2.3.4, ", "0.0.0.0", "::"] {
        assert_eq!(by_x(&[junk]), Client::Unknown, "{junk}");
    }
    for bytes in [&b"\x80"[..], b"1.2.3.4, \x80", b"1.2.3.4\x80"] {
        assert_eq!(through(ForwardedHeader::XForwardedFor, &[bytes]), Client::Unknown, "{bytes:?}");
    }
    for junk in ["", "for=_secret", "proto=https", "for=", "for=1.2.3.4;for=5.6.7.8", "for=\"1.2.3.4", "1.2.3.4"] {
        assert_eq!(by_forwarded(junk), Client::Unknown, "{junk}");
    }
}

#[test]
fn addresses_may_have_ports_and_brackets() {
    for (node, ip) in [
        ("198.51.100.9:4711", "198.51.100.9"),
        ("198.51.100.9:_p80", "198.51.100.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:198.51.100.9", "198.51.100.9"),
    ] {
        assert_eq!(by_x(&[node]), reported(ip), "{node}");
    }
    for node in ["198.51.100.9:", "198.51.100.9:x", "[2001:db8::1]x", "[2001:db8::1", "[198.51.100.9]"] {
        assert_eq!(by_x(&[node]), Client::Unknown, "{node}");
    }
}

#[test]
fn the_forwarded_header_is_read_if_configured() {
    for (line, ip) in [
        ("for=198.51.100.9;proto=https", "198.51.100.9"),
        ("proto=https;For=\"[2001:db8::1]:4711\"", "2001:db8::1"),
        ("for=127.0.0.1, for=198.51.100.9", "198.51.100.9"),
        ("for=198.51.100.9;", "198.51.100.9"),
    ] {
        assert_eq!(by_forwarded(line), reported(ip), "{line}");
    }
}

#[test]
fn a_quoted_string_of_the_proxy_is_one_value() {
    // The proxy repeats the host, which the client chose.
    assert_eq!(by_forwarded(r#"for=198.51.100.9;host="x, for=127.0.0.1""#), reported("198.51.100.9"));
    assert_eq!(by_forwarded(r#"for=198.51.100.9;host="x;for=127.0.0.1""#), reported("198.51.100.9"));
    assert_eq!(by_forwarded(r#"for=198.51.100.9;host="\", for=127.0.0.1""#), reported("198.51.100.9"));
}

#[test]
fn one_header_is_read_and_the_others_are_the_clients_own() {
    for header in ForwardedHeader::ALL {
        let value = |ip: &str| format!("{}{ip}", if header == ForwardedHeader::Forwarded { "for=" } else { "" });
        for other in ForwardedHeader::ALL.into_iter().filter(|other| *other != header) {
            let (own, lie) = (value("198.51.100.9"), b"127.0.0.1, for=127.0.0.1".as_slice());
            let headers = [(other.as_str(), lie), (header.as_str(), own.as_bytes())];
            let found = client(&["10.0.0.0/8"], header, "10.0.0.1", &headers);
            assert_eq!(found, reported("198.51.100.9"), "{header} {other}");
            let found = client(&["10.0.0.0/8"], header, "10.0.0.1", &headers[..1]);
            assert_eq!(found, Client::Unknown, "{header} {other}");
        }
    }
}

#[test]
fn networks_in_ipv6_form_are_the_ipv4_networks() {
    for network in ["::ffff:10.0.0.0/104", "::ffff:10.0.0.1/128", "::ffff:0:0/96"] {
        let found = client(&[network], ForwardedHeader::XRealIp, "10.0.0.1", &[("x-real-ip", b"198.51.100.9")]);
        assert_eq!(found, reported("198.51.100.9"), "{network}");
    }
    let outside = client(&["::ffff:10.0.0.0/104"], ForwardedHeader::XRealIp, "11.0.0.1", &[]);
    assert_eq!(outside, Client::Direct("11.0.0.1".parse().unwrap()));
    let wide: IpNet = "::ffff:10.0.0.0/90".parse().unwrap();
    assert!(check_networks(&[wide]).is_err_and(|error| error.starts_with("::ffff:10.0.0.0/90 is wider")));
    assert_eq!(check_networks(&["::/0".parse().unwrap(), "::ffff:0:0/96".parse().unwrap()]), Ok(()));
}
