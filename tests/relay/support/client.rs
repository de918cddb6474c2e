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

use super::{TIMEOUT, refusal};

/// A connection to a room.
#[derive(Debug)]
pub(crate) struct Client {
    socket: WebSocketStream<TcpStream>,
    /// The first message, received but not yet returned.
    first: Option<Message>,
}

impl Client {
    /// Connects to a path.
    pub(crate) async fn connect(address: SocketAddr, path: &str) -> Self {
        Self::try_connect(address, path, &[]).await.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Connects to a path with extra headers. A refused handshake is [`Error::Http`].
    pub(crate) async fn try_connect(
        address: SocketAddr,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await?;
        Self::handshake(stream, address, path, headers).await
    }

    /// Performs the handshake on an open connection.
    ///
    /// Returns once the first frame has arrived: before it, other connections may join ahead of this one.
    pub(crate) async fn handshake(
        stream: TcpStream,
        address: SocketAddr,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Error> {
        Ok(Self::open(stream, address, path, headers).await?.receive_first().await)
    }

    async fn open(
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
        let (socket, _) = timeout(TIMEOUT, connecting).await.expect("handshake timed out")?;
        Ok(Self { socket, first: None })
    }

    /// Connects from another address of this machine, such as 127.0.0.2.
    pub(crate) async fn connect_from(ip: IpAddr, address: SocketAddr, path: &str) -> Result<Self, Error> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(ip, 0))?;
        Self::handshake(socket.connect(address).await?, address, path, &[]).await
    }

    /// Connects from another address of this machine, and sends a first frame before any arrives.
    pub(crate) async fn connect_and_send(
        ip: IpAddr,
        address: SocketAddr,
        path: &str,
        headers: &[(&'static str, &str)],
        first: Option<Value>,
    ) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(ip, 0)).unwrap();
        let stream = socket.connect(address).await.unwrap();
        let mut client = Self::open(stream, address, path, headers).await.unwrap();
        if let Some(frame) = first {
            client.send(frame).await;
        }
        client.receive_first().await
    }

    /// Sends these frames in the same packet as the handshake.
    pub(crate) async fn connect_with_frames(address: SocketAddr, path: &str, frames: &[Value]) -> Self {
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
            let byte = timeout(TIMEOUT, stream.read_u8()).await.expect("handshake timed out");
            head.push(byte.unwrap_or_else(|error| panic!("{path}: {error} after {}", String::from_utf8_lossy(&head))));
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 101 "), "{path}: {head}");
        let socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
        Self { socket, first: None }.receive_first().await
    }

    async fn receive_first(mut self) -> Self {
        self.first = self.next_message().await;
        self
    }

    /// Sends JSON frames together.
    pub(crate) async fn send_together(&mut self, frames: &[Value]) {
        for frame in frames {
            let fed = self.socket.feed(Message::text(frame.to_string()));
            timeout(TIMEOUT, fed).await.expect("sending timed out").unwrap();
        }
        timeout(TIMEOUT, self.socket.flush()).await.expect("sending timed out").unwrap();
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
        timeout(TIMEOUT, self.socket.send(message)).await.expect("sending timed out").unwrap();
    }

    /// Returns the next frame other than pings and pongs, or `None` if the connection ended without a close frame.
    pub(crate) async fn next_message(&mut self) -> Option<Message> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            match timeout(TIMEOUT, self.socket.next()).await.expect("no frame received") {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// Returns the next frame, which must be JSON.
    pub(crate) async fn next(&mut self) -> Value {
        match self.next_message().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
            other => panic!("expected a text frame, got {other:?}"),
        }
    }

    /// Asserts that this is the next frame.
    pub(crate) async fn expect(&mut self, frame: Value) {
        assert_eq!(self.next().await, frame);
    }

    /// Asserts that the next frame is a refusal with this reason.
    pub(crate) async fn expect_refusal(&mut self, reason: &str) {
        self.expect(refusal(reason)).await;
    }

    /// Reads up to this frame, and returns the frames before it.
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

    /// Returns the texts sent to this client in response to everything that it has sent so far: the pong to a ping
    /// comes after them.
    pub(crate) async fn drain_texts(&mut self) -> Vec<String> {
        self.send_message(Message::Ping("settle".into())).await;
        let mut texts = Vec::new();
        let mut first = self.first.take().map(Ok);
        loop {
            let next = match first.take() {
                Some(first) => Some(first),
                None => timeout(TIMEOUT, self.socket.next()).await.expect("no pong received"),
            };
            match next {
                Some(Ok(Message::Text(text))) => texts.push(text.to_string()),
                Some(Ok(Message::Ping(_))) => {}
                Some(Ok(Message::Pong(payload))) if payload == "settle" => return texts,
                other => panic!("expected a text or a pong, got {other:?}"),
            }
        }
    }

    /// As [`Client::drain_texts`], parsed as JSON.
    pub(crate) async fn drain(&mut self) -> Vec<Value> {
        self.drain_texts().await.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    /// Resets the connection without a close frame.
    pub(crate) fn reset(mut self) {
        socket2::SockRef::from(&*self.stream()).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Reads up to the close frame and returns its code and reason, if there is one.
    pub(crate) async fn wait_for_close(&mut self) -> Option<(u16, String)> {
        loop {
            match self.next_message().await {
                Some(Message::Close(frame)) => return frame.map(|frame| (frame.code.into(), frame.reason.to_string())),
                Some(_) => {}
                None => return None,
            }
        }
    }

    /// Closes the connection with a close handshake.
    pub(crate) async fn leave(mut self) {
        timeout(TIMEOUT, self.socket.close(None)).await.expect("closing timed out").unwrap();
        assert_eq!(self.wait_for_close().await.map(|(code, _)| code), None);
    }

    /// The underlying TCP stream, for behaviour that no proper client shows. Data already buffered is lost.
    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        self.socket.get_mut()
    }
}

/// Encodes a client text frame. The mask is zero, so the payload is unchanged.
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
