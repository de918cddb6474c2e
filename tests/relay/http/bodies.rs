//! Valid and invalid `PUT` bodies.

use serde_json::json;

use crate::support::{Client, Relay, Response, line, nb_users, send};

const LIMIT: usize = 65_536;

/// A relay and a client that receives the accepted messages.
async fn relay_with_a_witness() -> (Relay, Client) {
    let relay = Relay::builder().env("RATE_LIMITS", "off").env("RELAY__FILTER__PRESET", "off").start().await;
    let mut witness = relay.join("QGIS").await;
    witness.expect(nb_users(1)).await;
    (relay, witness)
}

/// Sends a `PUT` with these headers and this body.
async fn put_bytes(relay: &Relay, headers: &str, body: &[u8]) -> Response {
    let head = "PUT /room/QGIS/message HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n";
    send(relay.address(), &[head.as_bytes(), headers.as_bytes(), b"\r\n", body].concat()).await
}

async fn put_whole(relay: &Relay, body: &[u8]) -> Response {
    put_bytes(relay, &format!("Content-Length: {}\r\n", body.len()), body).await
}

fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let chunks =
        body.chunks(size).flat_map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
    chunks.chain(*b"0\r\n\r\n").collect()
}

#[tokio::test]
async fn bodies_without_a_content_type_and_chunked_bodies_are_accepted() {
    let (relay, mut witness) = relay_with_a_witness().await;
    let body = line("jane", "é in halves").to_string();
    for size in [1, 7, 1_000] {
        let put = put_bytes(&relay, "Transfer-Encoding: chunked\r\n", &chunked(body.as_bytes(), size)).await;
        assert_eq!((put.status, put.json()), (200, line("jane", "é in halves")), "{size}");
        witness.expect(line("jane", "é in halves")).await;
    }
    for content_type in ["", "Content-Type: text/plain\r\n", "Content-Type: application/json; charset=utf-8\r\n"] {
        let headers = format!("{content_type}Content-Length: {}\r\n", body.len());
        assert_eq!(put_bytes(&relay, &headers, body.as_bytes()).await.status, 200, "{content_type}");
        witness.expect(line("jane", "é in halves")).await;
    }
}

#[tokio::test]
async fn an_invalid_message_is_422_with_a_reason() {
    let (relay, mut witness) = relay_with_a_witness().await;
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let nested = format!(r#"{{"author":"jane","message":"hi","avatar":{deep}}}"#);
    for (body, detail) in [
        (&b""[..], "a frame must be a JSON object"),
        (b"junk", "a frame must be a JSON object"),
        (b"null", "a frame must be a JSON object"),
        (br#"["hi","jane",null]"#, "a frame must be a JSON object"),
        (br#"{"author":"jane","message":"hi""#, "the frame is not valid JSON"),
        (br#"{"author":"jane","message":"hi"} {}"#, "the frame is not valid JSON"),
        (b"\xef\xbb\xbf{}", "a frame must be a JSON object"),
        (nested.as_bytes(), "`avatar` must be a string or null"),
        (br#"{"author":"jane","author":"hans","message":"hi"}"#, "the frame has a duplicate key"),
        (b"{\"author\":\"jane\",\"message\":\"\xff\"}", "the body is not UTF-8"),
        (br#"{"author":"jane","message":"\ud800"}"#, "the frame is not valid JSON"),
        (br#"{"message":"hi"}"#, "`author` is missing"),
        (br#"{"author":"jane"}"#, "`message` is missing"),
        (br#"{"author":"jane","message":null}"#, "`message` must be a string"),
        (br#"{"author":7,"message":"hi"}"#, "`author` must be a string"),
        (br#"{"author":"jane","message":1e400}"#, "the frame is not valid JSON"),
        (br#"{"author":"jane","message":"hi","avatar":{}}"#, "`avatar` must be a string or null"),
        (br#"{"author":"internal","newcomer":"jane"}"#, "only chat messages can be sent this way"),
    ] {
        let put = put_whole(&relay, body).await;
        let shown = String::from_utf8_lossy(body);
        assert_eq!((put.status, put.json()), (422, json!({"detail": detail})), "{shown:.80}");
        assert_eq!(put.header("Content-Type"), Some("application/json"));
    }
    assert!(witness.drain().await.is_empty());
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_in_one_piece_or_in_chunks() {
    let (relay, mut witness) = relay_with_a_witness().await;
    let padded = |length: usize| {
        let bare = line("jane", "hi").to_string();
        format!("{bare}{}", " ".repeat(length - bare.len())).into_bytes()
    };
    assert_eq!(put_whole(&relay, &padded(LIMIT)).await.status, 200);
    witness.expect(line("jane", "hi")).await;

    let headers = "Transfer-Encoding: chunked\r\n";
    for put in [
        put_whole(&relay, &padded(LIMIT + 1)).await,
        put_bytes(&relay, headers, &chunked(&padded(LIMIT + 1), 10_000)).await,
    ] {
        assert_eq!((put.status, put.json()), (413, json!({"detail": "the body is longer than 65536 bytes"})));
    }
    assert!(witness.drain().await.is_empty());
}

#[tokio::test]
async fn a_truncated_body_is_not_a_message() {
    let (relay, mut witness) = relay_with_a_witness().await;
    let body = line("jane", "hi").to_string();
    // A whole message has arrived, but more data was announced.
    for headers in ["Content-Length: 1000\r\n", "Transfer-Encoding: chunked\r\n"] {
        let sent = if headers.starts_with("Content") { body.clone() } else { format!("3e8\r\n{body}") };
        let mut stream = tokio::net::TcpStream::connect(relay.address()).await.unwrap();
        let head = format!("PUT /room/QGIS/message HTTP/1.1\r\nHost: relay\r\n{headers}\r\n{sent}");
        tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
        tokio::io::AsyncWriteExt::shutdown(&mut stream).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer);
        tokio::time::timeout(crate::support::TIMEOUT, read).await.expect("no end").unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    assert!(witness.drain().await.is_empty());
}
