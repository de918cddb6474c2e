//! Client addresses behind proxies, observed by the rate limit per address.
//!
//! The bucket of an address holds one message. So two simultaneous messages from two addresses both pass, and
//! of many from one address some do not.

use crate::support::{OTHER_ADDRESS, Relay, RelayBuilder, Response, line, send};

const MANY: usize = 60;

fn relay(trusted: &str, header: &str) -> RelayBuilder {
    Relay::builder()
        .env("TRUSTED_PROXIES", trusted)
        .env("RELAY__SERVER__FORWARDED_HEADER", header)
        .env("RELAY__FILTER__RATE__PUT__BURST", "1")
        .env("RELAY__FILTER__RATE__PUT__PER_SECOND", "1")
}

/// Puts messages under ever new nicknames, with a header made from their number, until one is refused.
async fn refused_of_many(relay: &Relay, name: &str, value: impl Fn(usize) -> String) -> Option<Response> {
    for number in 0..MANY {
        let value = value(number);
        let put = relay.put_line("QGIS", &format!("author-{number}"), "hi", &[(name, &value)]).await;
        if put.status != 200 {
            return Some(put);
        }
    }
    None
}

async fn assert_one_address(relay: &Relay, name: &str, value: impl Fn(usize) -> String) {
    let refused = refused_of_many(relay, name, &value).await;
    let refused = refused.unwrap_or_else(|| panic!("`{name}: {}` and others count as many", value(0)));
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!(refused.json()["detail"].as_str().unwrap().contains("by PUT from this address"), "{refused:?}");
}

async fn assert_many_addresses(relay: &Relay, name: &str, value: impl Fn(usize) -> String) {
    let refused = refused_of_many(relay, name, &value).await;
    assert!(refused.is_none(), "`{name}: {}` and others: {refused:?}", value(0));
}

#[tokio::test]
async fn an_untrusted_peer_cannot_set_its_address() {
    for trusted in ["", "10.0.0.0/8, 192.0.2.1"] {
        let relay = relay(trusted, "x-forwarded-for").start().await;
        assert_one_address(&relay, "X-Forwarded-For", |number| format!("198.51.100.{number}")).await;
        assert_one_address(&relay, "Forwarded", |number| format!("for=198.51.100.{number}")).await;
        assert_one_address(&relay, "X-Real-Ip", |number| format!("198.51.100.{number}")).await;
    }
}

#[tokio::test]
async fn the_header_of_a_trusted_proxy_determines_the_address() {
    let relay = relay("127.0.0.0/8", "x-forwarded-for").start().await;
    assert_many_addresses(&relay, "X-Forwarded-For", |number| format!("198.51.100.{number}")).await;
    assert_many_addresses(&relay, "X-Forwarded-For", |number| format!("[2001:db8:{number:x}::1]:4711")).await;
    assert_many_addresses(&relay, "X-Forwarded-For", |number| format!("junk, 203.0.113.{number}, 127.0.0.9")).await;
}

#[tokio::test]
async fn addresses_that_the_client_wrote_itself_are_ignored() {
    let relay = relay("127.0.0.1", "x-forwarded-for").start().await;
    assert_one_address(&relay, "X-Forwarded-For", |number| format!("198.51.100.{number}, 203.0.113.7")).await;
    // The other header is the client's own: this proxy does not write it.
    assert_one_address(&relay, "Forwarded", |number| format!("for=198.51.100.{number}")).await;
    assert_one_address(&relay, "X-Real-Ip", |number| format!("198.51.100.{number}")).await;
}

#[tokio::test]
async fn the_standard_header_counts_when_the_setting_names_it() {
    let relay = relay("127.0.0.1", "forwarded").start().await;
    assert_many_addresses(&relay, "Forwarded", |number| format!("for=198.51.100.{number};proto=https")).await;
    assert_many_addresses(&relay, "Forwarded", |number| format!("For=\"[2001:db8:{number:x}::1]:4711\"")).await;
    assert_one_address(&relay, "Forwarded", |number| format!("for=198.51.100.{number}, for=203.0.113.7")).await;
    assert_one_address(&relay, "X-Forwarded-For", |number| format!("192.0.2.{number}")).await;
}

#[tokio::test]
async fn any_bytes_before_the_address_of_the_proxy_leave_it_in_force() {
    let relay = relay("127.0.0.1", "x-forwarded-for").start().await;
    assert_many_addresses(&relay, "X-Forwarded-For", |number| format!("\u{e9}\", 198.51.100.{number}")).await;
    let relay = self::relay("127.0.0.1", "forwarded").start().await;
    assert_many_addresses(&relay, "Forwarded", |number| format!("for=\"\u{e9}, for=198.51.100.{number}")).await;
}

#[tokio::test]
async fn x_real_ip_counts_when_the_setting_names_it() {
    let relay = relay("::ffff:127.0.0.1", "x-real-ip").start().await;
    assert_many_addresses(&relay, "X-Real-Ip", |number| format!("198.51.100.{number}")).await;
    assert_one_address(&relay, "X-Forwarded-For", |number| format!("192.0.2.{number}")).await;
}

#[tokio::test]
async fn a_header_in_several_lines_is_one_list() {
    let relay = relay("127.0.0.1", "x-forwarded-for").start().await;
    let mut statuses = Vec::new();
    for number in 0..MANY {
        let body = line(&format!("author-{number}"), "hi").to_string();
        let request = format!(
            "PUT /room/QGIS/message HTTP/1.1\r\nHost: relay\r\nConnection: close\r\nContent-Length: {}\r\n\
             X-Forwarded-For: 198.51.100.{number}\r\nx-forwarded-for: 203.0.113.7\r\n\r\n{body}",
            body.len()
        );
        statuses.push(send(relay.address(), request.as_bytes()).await.status);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
}

#[tokio::test]
async fn peers_at_different_addresses_are_different_clients() {
    let relay = relay("", "x-forwarded-for").start().await;
    assert_one_address(&relay, "X-Unknown", |number| number.to_string()).await;
    let mut other =
        crate::support::Client::connect_from(OTHER_ADDRESS, relay.address(), "/room/QGIS/ws").await.unwrap();
    other.drain().await;
    other.send(line("hans", "hi")).await;
    assert_eq!(other.drain().await, [line("hans", "hi")]);
}
