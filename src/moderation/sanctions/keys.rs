//! Whom an offence may be about: what targets have in common.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::offence::family;
use crate::model::{Address, Target};

/// Who may be meant by a target: those who share one of these.
#[derive(Clone, Debug)]
pub(super) enum Key {
    Look(Box<str>),
    Address(Address),
}

impl Key {
    pub(super) fn all_of(target: &Target) -> Box<[Self]> {
        match target {
            Target::Nickname(nickname) => nickname.looks().iter().map(|look| Self::Look(look.into())).collect(),
            Target::Address(address) => [Self::Address(*address)].into(),
        }
    }
}

/// Targets that may have to do with each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Family {
    Names(Arc<str>),
    Address(Address),
}

impl Family {
    pub(super) fn of(target: &Target) -> Self {
        match target {
            Target::Nickname(nickname) => Self::Names(family(nickname).into()),
            Target::Address(address) => Self::Address(*address),
        }
    }
}

/// Takes a number from those of a key, and the key with the last one.
pub(super) fn without<K, Q>(ids_of: &mut HashMap<K, Vec<u64>>, key: &Q, id: u64)
where
    K: Borrow<Q> + Eq + Hash,
    Q: Eq + Hash + ?Sized,
{
    if let Some(ids) = ids_of.get_mut(key) {
        ids.retain(|other| *other != id);
        if ids.is_empty() {
            ids_of.remove(key);
        }
    }
}
