//! Alerts by signed webhooks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::channel;

use crate::support::{Relay, TIMEOUT};

const SECRET: &str = "kohlrabi4711kohlrabi";

#[tokio::test]
async fn a_plugin_that_cannot_be_loaded_is_noted_without_logging_its_secret() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (posted, arrived) = channel();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            lines.read_line(&mut head).unwrap();
        }
        let head = head.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
        let mut body = vec![0; length];
        lines.read_exact(&mut body).unwrap();
        lines.get_mut().write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        posted.send((head, body)).unwrap();
    });
    let relay = Relay::builder()
        .file("plugins/broken/plugin.toml", "name = 'broken'\n")
        .env("RELAY__MODERATION__ALERTS__URL", &url)
        .env("RELAY__MODERATION__ALERTS__SECRET", SECRET)
        .env("LOG_LEVEL", "trace")
        .start()
        .await;
    let (head, body) = tokio::task::spawn_blocking(move || arrived.recv_timeout(TIMEOUT).unwrap()).await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&body["kind"], &body["plugin"]), (&"plugin_not_loaded".into(), &"broken".into()), "{body}");
    assert!(head.contains("x-gischat-signature: sha256=") && head.contains("x-gischat-timestamp: "), "{head}");
    relay.wait_until(1, async || relay.count("gischat_alerts_total{outcome=\"delivered\"}").await).await;
    relay.signal("TERM");
    let (status, log) = relay.wait();
    assert!(status.success());
    let log = log.join("\n");
    assert!(log.contains("alerts enabled") && !log.contains("kohlrabi"), "{log}");
}
