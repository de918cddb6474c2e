//! Names that the program knows as constants, read from a file.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Most names that are taken from files, and the longest of them: what is taken stays in memory.
const MAX_KEYS: usize = 256;
const LONGEST: usize = 64;
const UNKNOWN: &str = "unknown";

static TAKEN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The name of a filter or field as it is known for as long as the program runs. There are few; a file that has
/// hundreds was made up, and those beyond that are called `unknown`.
pub(in crate::moderation::store) fn intern(name: &str) -> &'static str {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = taken.get(name) {
        return known;
    }
    if taken.len() >= MAX_KEYS || name.len() > LONGEST {
        return UNKNOWN;
    }
    let name: &'static str = Box::leak(Box::from(name));
    taken.insert(name);
    name
}
