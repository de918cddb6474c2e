//! The floors: minimal servers that show what forwarding messages costs at least on a machine.
//!
//! Two programs, `gischat-floor-coalescing` and `gischat-floor-sends`, accept WebSockets on the relay's path
//! `/room/{room}/ws` and forward each text to the whole room, without JSON, rules, presence or names, on one thread with
//! one poll. They differ only in their [`Fanout`]. Any additional cost of gischat-relay is the cost of its work.
//!
//! They are meant for measurements on the loopback with well-behaved clients. Fragments and binary messages end a
//! connection, clients are not pinged, and every room exists.
#![deny(unsafe_code)]
#![allow(clippy::indexing_slicing, reason = "the indices are the program's own; a wrong one must stop it")]

mod frames;
mod handshake;
mod hub;

use std::env;
use std::io::{self, ErrorKind};

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

pub use crate::hub::Hub;

/// The listening socket.
const LISTENER: Token = Token(usize::MAX);
/// Most sockets that are read in one round.
const EVENTS: usize = 1_024;

/// Delivers messages to the members of a room.
pub trait Fanout {
    /// Handles a message for `room`. `frame` is ready to be sent.
    fn message(&mut self, hub: &mut Hub, room: usize, frame: &[u8]);

    /// Called after all ready sockets were read.
    fn end_round(&mut self, hub: &mut Hub);
}

/// Serves on the address in the variable `LISTEN` and writes the address to stderr in the format of the relay's log. Runs
/// until an error occurs.
///
/// # Errors
/// If binding the address or polling fails.
pub fn serve(mut fanout: impl Fanout) -> io::Result<()> {
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:0".to_owned());
    let mut listener =
        TcpListener::bind(address.parse().map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))?)?;
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    eprintln!(r#"{{"address":"{}"}}"#, listener.local_addr()?);
    let mut hub = Hub::new(poll.registry().try_clone()?);
    let mut events = Events::with_capacity(EVENTS);
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other?,
        }
        for event in &events {
            if event.token() == LISTENER {
                accept_all(&listener, &mut hub)?;
                continue;
            }
            if event.is_writable() {
                hub.writable(event.token());
            }
            if event.is_readable() {
                hub.read(event.token(), &mut fanout);
            }
        }
        fanout.end_round(&mut hub);
    }
}

/// Accepts all waiting connections.
fn accept_all(listener: &TcpListener, hub: &mut Hub) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((stream, _)) => hub.add(stream)?,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            // The client closed while waiting.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
    }
}
