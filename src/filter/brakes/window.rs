//! What one rule or plugin has done to the last messages.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Config;
use crate::model::Brake;

/// Which of the last messages something refused, and which of trusted senders it hit.
#[derive(Debug)]
pub(super) struct Window {
    /// Whose it is: what is written otherwise has another one.
    pub(super) brake: Arc<Brake>,
    refused: Numbers,
    trusted: Numbers,
}

/// What it has done to a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Did {
    pub(super) refused: bool,
    pub(super) hit_trusted: bool,
}

/// What it has done too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TooMuch {
    /// It refused so many of the last messages.
    Refused(usize),
    /// It hit so many of trusted senders among them.
    Trusted(usize),
}

impl Window {
    pub(super) fn new(brake: Arc<Brake>) -> Self {
        Self { brake, refused: Numbers::default(), trusted: Numbers::default() }
    }

    /// Takes in what it did to the message of this number, of which there were so many up to now.
    pub(super) fn note(&mut self, did: Did, number: u64, seen: u64, config: &Config) -> Option<TooMuch> {
        let oldest = seen.saturating_sub(config.messages) + 1;
        let refused = self.refused.note(did.refused, number, oldest);
        let trusted = self.trusted.note(did.hit_trusted, number, oldest);
        if refused > config.may_refuse() {
            return Some(TooMuch::Refused(refused));
        }
        (trusted >= config.trusted_hits).then_some(TooMuch::Trusted(trusted))
    }
}

/// Numbers of messages, in their order. Never more than what is too much: then the window is done with.
#[derive(Debug, Default)]
struct Numbers(VecDeque<u64>);

impl Numbers {
    /// Adds a number if it `counts`, forgets those below `oldest`, and tells how many there are.
    fn note(&mut self, counts: bool, number: u64, oldest: u64) -> usize {
        if counts && number >= oldest {
            // Threads come here in nearly the order of the numbers.
            let place = self.0.iter().rposition(|other| *other <= number).map_or(0, |before| before + 1);
            self.0.insert(place, number);
        }
        while self.0.front().is_some_and(|first| *first < oldest) {
            self.0.pop_front();
        }
        self.0.len()
    }
}
