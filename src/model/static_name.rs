//! Names that are constants of the program, read from a file.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Deserializer};

/// The name of a filter or of a field of a message.
pub(super) type StaticName = &'static str;

/// Most names that are taken from files, and the longest of them: they stay in memory.
const MAX_NAMES: usize = 256;
const MAX_LENGTH: usize = 64;
const UNKNOWN: StaticName = "unknown";

static INTERNED: Mutex<BTreeSet<StaticName>> = Mutex::new(BTreeSet::new());

/// Returns a name that lives as long as the program. A program has few such names: a file with hundreds is not one of
/// the relay's, and the names beyond the limit become `unknown`.
fn intern(name: &str) -> StaticName {
    intern_in(&mut INTERNED.lock().unwrap_or_else(PoisonError::into_inner), name)
}

fn intern_in(interned: &mut BTreeSet<StaticName>, name: &str) -> StaticName {
    if let Some(known) = interned.get(name) {
        return known;
    }
    if interned.len() >= MAX_NAMES || name.len() > MAX_LENGTH {
        return UNKNOWN;
    }
    let name: StaticName = Box::leak(Box::from(name));
    interned.insert(name);
    name
}

/// Deserializes a name.
pub(super) fn required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StaticName, D::Error> {
    String::deserialize(deserializer).map(|name| intern(&name))
}

/// Deserializes a name, or null.
pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<StaticName>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.as_deref().map(intern))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_names_in_a_file_do_not_fill_the_memory() {
        let mut interned = BTreeSet::new();
        assert_eq!(intern_in(&mut interned, "rules"), "rules");
        assert_eq!(intern_in(&mut interned, &"x".repeat(65)), "unknown");
        let unknown = (0..1_000).filter(|n| intern_in(&mut interned, &format!("made up {n}")) == "unknown").count();
        assert!(unknown >= 700, "{unknown}");
    }
}
