//! Which member holds which nickname, found by what names look like.

use std::collections::HashMap;

use crate::model::{Looks, Nickname, SenderId};

/// The nicknames of a room. No two members hold names that share a look.
#[derive(Debug, Default)]
pub(super) struct Nicknames {
    by_look: HashMap<Box<str>, SenderId>,
    changes: u64,
}

impl Nicknames {
    /// Who, other than `except`, holds a name with one of these looks.
    pub(super) fn holder(&self, looks: &Looks, except: Option<SenderId>) -> Option<SenderId> {
        looks.iter().filter_map(|look| self.by_look.get(look)).copied().find(|&id| Some(id) != except)
    }

    /// A number that changes whenever somebody takes or frees a name: what was found before holds as long as it stays.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// Notes that `id` holds `nickname`, which nobody else holds.
    pub(super) fn hold(&mut self, nickname: &Nickname, id: SenderId) {
        self.changes += 1;
        for look in nickname.looks().iter() {
            self.by_look.insert(look.into(), id);
        }
    }

    /// Frees a name.
    pub(super) fn release(&mut self, nickname: &Nickname) {
        self.changes += 1;
        for look in nickname.looks().iter() {
            self.by_look.remove(look);
        }
    }
}
