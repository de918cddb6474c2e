//! A WebSocket client.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{PATIENCE, line};

/// One connection to a room.
#[derive(Debug)]
pub(crate) struct Client {
    socket: WebSocketStream<TcpStream>,
}

impl Client {
    /// Connects to a path.
    pub(crate) async fn connect(address: SocketAddr, path: &str) -> Self {
        Self::try_connect(address, path, &[]).await.unwrap_or_else(|fault| panic!("{path}: {fault}"))
    }

    /// Connects to a path with further headers, or gives the error; a refused handshake is [`Error::Http`].
    pub(crate) async fn try_connect(
        address: SocketAddr,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await?;
        Self::handshake(stream, address, path, headers).await
    }

    /// Makes the handshake on a connection that is there already.
    pub(crate) async fn handshake(
        stream: TcpStream,
        address: SocketAddr,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Error> {
        let mut request = format!("ws://{address}{path}").into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        let connecting = tokio_tungstenite::client_async(request, stream);
        let (socket, _) = timeout(PATIENCE, connecting).await.expect("a handshake takes too long")?;
        Ok(Self { socket })
    }

    /// Sends a JSON frame.
    pub(crate) async fn send(&mut self, frame: Value) {
        self.send_text(&frame.to_string()).await;
    }

    /// Sends a text frame.
    pub(crate) async fn send_text(&mut self, text: &str) {
        self.send_message(Message::text(text)).await;
    }

    /// Sends any frame.
    pub(crate) async fn send_message(&mut self, message: Message) {
        timeout(PATIENCE, self.socket.send(message)).await.expect("sending takes too long").unwrap();
    }

    /// The next frame, pings and pongs aside, or `None` when the connection has ended without a close frame.
    pub(crate) async fn next_message(&mut self) -> Option<Message> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("nothing is heard") {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// The next frame, which must be JSON.
    pub(crate) async fn next(&mut self) -> Value {
        match self.next_message().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
            other => panic!("a text frame was expected, not {other:?}"),
        }
    }

    /// Takes the next frame, which must be this one.
    pub(crate) async fn expect(&mut self, frame: Value) {
        assert_eq!(self.next().await, frame);
    }

    /// Takes the next frame, which must tell of a refusal with this reason.
    pub(crate) async fn expect_refusal(&mut self, reason: &str) {
        let mut refusal = line("moderation", &format!("Refused: {reason}"));
        refusal["avatar"] = "mIconWarning.svg".into();
        self.expect(refusal).await;
    }

    /// Takes frames up to this one, and gives those before it.
    pub(crate) async fn skip_until(&mut self, frame: Value) -> Vec<Value> {
        let mut skipped = Vec::new();
        loop {
            let next = self.next().await;
            if next == frame {
                return skipped;
            }
            skipped.push(next);
        }
    }

    /// Takes frames up to the close frame and gives its code and reason; `None` when there is none.
    pub(crate) async fn closed(&mut self) -> Option<(u16, String)> {
        loop {
            match self.next_message().await {
                Some(Message::Close(frame)) => return frame.map(|frame| (frame.code.into(), frame.reason.to_string())),
                Some(_) => {}
                None => return None,
            }
        }
    }

    /// Takes leave properly.
    pub(crate) async fn leave(mut self) {
        timeout(PATIENCE, self.socket.close(None)).await.expect("closing takes too long").unwrap();
        assert_eq!(self.closed().await.map(|(code, _)| code), None);
    }

    /// The TCP connection below, for tests of what no proper client does. What the client had read ahead is lost.
    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        self.socket.get_mut()
    }
}
