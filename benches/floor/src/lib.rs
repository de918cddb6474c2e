//! The floors: the least that passing messages on can cost on a machine.
//!
//! Two programs, `gischat-floor-coalescing` and `gischat-floor-sends`, take WebSockets on the relay's path
//! `/room/{room}/ws` and pass each text on to the whole room: no JSON, no rules, no presence, no names, one thread, one
//! poll. They differ in their [`Fanout`] alone. What gischat-relay costs more is what its work costs.
//!
//! They are made to be measured against, on the loopback, by a client that means well. Fragments and binary messages
//! end a connection, nobody is asked whether they are still there, and any room exists that somebody asks for.
#![deny(unsafe_code)]
#![allow(clippy::indexing_slicing, reason = "the indices are the program's own; a wrong one must stop it")]

mod frames;
mod handshake;
mod house;

use std::env;
use std::io::{self, ErrorKind};

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

pub use crate::house::House;

/// The one socket that is no member's.
const LISTENER: Token = Token(usize::MAX);
/// Sockets read in one round at most.
const EVENTS: usize = 1_024;

/// How messages reach the members of a room.
pub trait Fanout {
    /// `frame`, ready to be sent, has come for `room`.
    fn message(&mut self, house: &mut House, room: usize, frame: &[u8]);

    /// Every socket that was ready has been read.
    fn round_ends(&mut self, house: &mut House);
}

/// Serves on the address in the variable `LISTEN` and tells it on stderr in the form of the relay's log. Does not end
/// by itself.
///
/// # Errors
/// If the address is not to be had or polling fails.
pub fn serve(mut fanout: impl Fanout) -> io::Result<()> {
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:0".to_owned());
    let mut listener =
        TcpListener::bind(address.parse().map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))?)?;
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    eprintln!(r#"{{"address":"{}"}}"#, listener.local_addr()?);
    let mut house = House::new(poll.registry().try_clone()?);
    let mut events = Events::with_capacity(EVENTS);
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other?,
        }
        for event in &events {
            if event.token() == LISTENER {
                welcome(&listener, &mut house)?;
                continue;
            }
            if event.is_writable() {
                house.writable(event.token());
            }
            if event.is_readable() {
                house.read(event.token(), &mut fanout);
            }
        }
        fanout.round_ends(&mut house);
    }
}

/// Lets in everybody who waits.
fn welcome(listener: &TcpListener, house: &mut House) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((stream, _)) => house.enter(stream)?,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            // It went while it waited.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
    }
}
