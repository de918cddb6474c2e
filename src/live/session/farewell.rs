//! How a connection ends.

use std::io;
use std::net::Shutdown;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{READ_BUFFER, Session, writer::Unsent};
use crate::live::outbox::Closing;
use crate::wire::frame::{self, CloseCode, Violation};

/// Why a session comes to its end.
#[derive(Debug)]
pub(super) enum End {
    /// The connection is gone.
    Gone,
    /// No answer to a ping.
    Silent,
    /// The client closes.
    Asked(Option<u16>),
    /// The client broke the rules of the wire.
    Broke(Violation),
    /// A message took too long to arrive.
    Endless,
    /// There is no memory left for unfinished messages.
    NoMemory,
    /// The relay closes.
    Told(Closing),
}

impl End {
    /// What the relay's close frame says, when the relay is the one who closes.
    fn words(&self) -> Option<(CloseCode, String)> {
        match self {
            Self::Gone | Self::Silent | Self::Asked(_) => None,
            Self::Broke(violation) => Some((violation.close_code(), violation.to_string())),
            Self::Endless => Some((CloseCode::Policy, "a message took too long to arrive".to_owned())),
            Self::NoMemory => Some((CloseCode::TryAgainLater, "too many long messages at once".to_owned())),
            Self::Told(closing) => Some((closing.code, closing.reason.to_owned())),
        }
    }
}

impl Session {
    /// Takes leave: what is queued, a close frame, and then a while for the client to take both and close its side.
    /// A client that does not is reset.
    pub(super) async fn part(self, end: End, mut unsent: Unsent) {
        let words = end.words();
        let close = match (&end, &words) {
            (End::Asked(code), _) => frame::close_echo(*code),
            (_, Some((code, reason))) => frame::close(*code, reason),
            // Nobody is there to take leave of.
            (_, None) => return,
        };
        if let Some((code, reason)) = &words {
            let code = code.number();
            self.live.metrics.count_close(code);
            tracing::info!(code, reason, room = %self.room.name(), address = %self.sender.address, "closing a connection");
        }
        if words.is_some_and(|(code, _)| code == CloseCode::TryAgainLater) {
            // Only the frame under way is finished: what has waited too long is not sent at all.
            unsent.keep_begun();
        } else {
            let _closing_already = self.outbox.take(&mut unsent.frames);
        }
        unsent.frames.push_back(close);
        let leave = timeout(self.live.config.close_timeout, async {
            unsent.write_all(&self.stream).await?;
            socket2::SockRef::from(&self.stream).shutdown(Shutdown::Write)?;
            read_off(&self.stream).await
        });
        if !matches!(leave.await, Ok(Ok(()))) {
            // The system would go on for minutes to send to somebody who does not read. A socket that cannot be told
            // so is gone already.
            let _gone = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        }
    }
}

/// Reads and forgets until the client closes its side. Closing a socket with unread data would reset it, and the
/// client could lose the close frame that it was just sent.
async fn read_off(stream: &TcpStream) -> io::Result<()> {
    loop {
        stream.readable().await?;
        match READ_BUFFER.with_borrow_mut(|buffer| stream.try_read(buffer)) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => {}
            Err(fault) => return Err(fault),
        }
    }
}
