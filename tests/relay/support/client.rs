//! A WebSocket client.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{PATIENCE, refusal};

/// One connection to a room.
#[derive(Debug)]
pub(crate) struct Client {
    socket: WebSocketStream<TcpStream>,
    /// The first message, which has arrived but is still to be read.
    first: Option<Message>,
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
    ///
    /// The first thing that the room tells has arrived then: between the answer to the handshake and that, others may
    /// join before this one.
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
        Ok(Self { socket, first: None }.arrived().await)
    }

    /// Connects from another address of this machine, such as 127.0.0.2.
    pub(crate) async fn connect_from(ip: IpAddr, address: SocketAddr, path: &str) -> Result<Self, Error> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(ip, 0))?;
        Self::handshake(socket.connect(address).await?, address, path, &[]).await
    }

    /// Connects with these frames in the same packet as the handshake.
    pub(crate) async fn connect_saying(address: SocketAddr, path: &str, frames: &[Value]) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut packet = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        .into_bytes();
        for frame in frames {
            packet.extend(masked_text(&frame.to_string()));
        }
        stream.write_all(&packet).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = timeout(PATIENCE, stream.read_u8()).await.expect("a handshake takes too long");
            head.push(byte.unwrap_or_else(|fault| panic!("{path}: {fault} after {}", String::from_utf8_lossy(&head))));
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 101 "), "{path}: {head}");
        let socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
        Self { socket, first: None }.arrived().await
    }

    async fn arrived(mut self) -> Self {
        self.first = self.next_message().await;
        self
    }

    /// Sends JSON frames so that they arrive together.
    pub(crate) async fn send_together(&mut self, frames: &[Value]) {
        for frame in frames {
            let fed = self.socket.feed(Message::text(frame.to_string()));
            timeout(PATIENCE, fed).await.expect("sending takes too long").unwrap();
        }
        timeout(PATIENCE, self.socket.flush()).await.expect("sending takes too long").unwrap();
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
        if let Some(first) = self.first.take() {
            return Some(first);
        }
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
        self.expect(refusal(reason)).await;
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

    /// Takes all that the relay had for this client when it read what the client has sent so far, as it stands on the
    /// wire: a ping is answered in its turn.
    pub(crate) async fn settle_texts(&mut self) -> Vec<String> {
        self.send_message(Message::Ping("settle".into())).await;
        let mut heard = Vec::new();
        let mut first = self.first.take().map(Ok);
        loop {
            let next = match first.take() {
                Some(first) => Some(first),
                None => timeout(PATIENCE, self.socket.next()).await.expect("a ping is not answered"),
            };
            match next {
                Some(Ok(Message::Text(text))) => heard.push(text.to_string()),
                Some(Ok(Message::Ping(_))) => {}
                Some(Ok(Message::Pong(payload))) if payload == "settle" => return heard,
                other => panic!("a text or a pong was expected, not {other:?}"),
            }
        }
    }

    /// As [`Client::settle_texts`], read as JSON.
    pub(crate) async fn settle(&mut self) -> Vec<Value> {
        self.settle_texts().await.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    /// Breaks the connection off: the relay gets a reset, no close frame.
    pub(crate) fn break_off(mut self) {
        socket2::SockRef::from(&*self.stream()).set_linger(Some(Duration::ZERO)).unwrap();
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

/// A text frame as a client writes it. A mask of zeros changes nothing.
fn masked_text(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u16::try_from(text.len()).unwrap() {
        short @ 0..126 => frame.push(0x80 | u8::try_from(short).unwrap()),
        long => {
            frame.push(0x80 | 0x7e);
            frame.extend(long.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}
