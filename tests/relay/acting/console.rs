//! A moderator's console that listens to the stream.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::moderation::TOKEN;
use crate::support::Relay;

const TIMEOUT: Duration = Duration::from_secs(20);

/// A console that listens.
pub(super) struct Console(BufReader<TcpStream>);

#[derive(Debug)]
pub(super) struct Event {
    pub(super) id: Option<u64>,
    pub(super) name: String,
    pub(super) data: String,
}

impl Event {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Console {
    pub(super) async fn open(relay: &Relay, last: Option<u64>) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // Unread data must stay with the relay, not in socket buffers.
        socket.set_recv_buffer_size(4_096).unwrap();
        let mut stream = socket.connect(relay.address()).await.unwrap();
        let last = last.map_or_else(String::new, |id| format!("Last-Event-ID: {id}\r\n"));
        let head = format!(
            "GET /moderation/decisions/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n{last}\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut console = Self(BufReader::new(stream));
        assert!(console.line().await.unwrap().starts_with("HTTP/1.1 200 "));
        while !console.line().await.unwrap().is_empty() {}
        console
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).await.unwrap();
        (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// The next event; `None` when the stream has ended.
    pub(super) async fn next(&mut self) -> Option<Event> {
        timeout(TIMEOUT, self.read_event()).await.expect("nothing comes")
    }

    async fn read_event(&mut self) -> Option<Event> {
        let mut event = Event { id: None, name: String::new(), data: String::new() };
        loop {
            let line = self.line().await?;
            match line.split_once(": ") {
                Some(("id", id)) => event.id = id.parse().ok(),
                Some(("event", name)) => name.clone_into(&mut event.name),
                Some(("data", data)) => data.clone_into(&mut event.data),
                _ if line.is_empty() && !event.name.is_empty() => return Some(event),
                // Lengths of chunks, comments, and the ends of chunks.
                _ => {}
            }
        }
    }
}
