//! Keys of targets, by which offences are found.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::offence::family_key;
use crate::model::{Address, Target};

/// A key of a target. Offences of targets that share a key count together. That of a sender or connection is its address,
/// since it may change its nickname and connect again.
#[derive(Clone, Debug)]
pub(super) enum TargetKey {
    Skeleton(Box<str>),
    Address(Address),
}

impl TargetKey {
    pub(super) fn keys_of(target: &Target) -> Box<[Self]> {
        match target {
            Target::Nickname(nickname) => {
                nickname.skeletons().iter().map(|skeleton| Self::Skeleton(skeleton.into())).collect()
            }
            Target::Address(address) | Target::Sender { address, .. } | Target::Connection { address, .. } => {
                [Self::Address(*address)].into()
            }
        }
    }
}

/// A group of targets that may affect each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum TargetFamily {
    Names(Arc<str>),
    Address(Address),
}

impl TargetFamily {
    pub(super) fn new(target: &Target) -> Self {
        match target {
            Target::Nickname(nickname) => Self::Names(family_key(nickname).into()),
            Target::Address(address) | Target::Sender { address, .. } | Target::Connection { address, .. } => {
                Self::Address(*address)
            }
        }
    }
}

/// Removes a number from those of a key, and the key with its last number.
pub(super) fn remove_id<K, Q>(ids_of: &mut HashMap<K, Vec<u64>>, key: &Q, id: u64)
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
