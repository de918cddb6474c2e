//! Why the rules in force are not those of the newest files.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

/// What keeps the newest files out of force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Since when.
    pub since: Timestamp,
    /// Each fault with its place; at least one.
    pub faults: Vec<String>,
}

/// What keeps them out now, if anything does.
#[derive(Debug, Default)]
pub(super) struct Standing(RwLock<Option<Arc<Refused>>>);

impl Standing {
    pub(super) fn get(&self) -> Option<Arc<Refused>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes note of these faults; `false` when they are the same as before, and then since when as well.
    pub(super) fn refuse(&self, faults: Vec<String>) -> bool {
        let mut standing = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = standing.as_ref().is_none_or(|refused| refused.faults != faults);
        if is_new {
            *standing = Some(Arc::new(Refused { since: Timestamp::now(), faults }));
        }
        is_new
    }

    /// The newest files are in force.
    pub(super) fn clear(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_faults_are_new_once_and_again_after_they_were_healed() {
        let standing = Standing::default();
        let faults = |text: &str| vec![text.to_owned()];
        assert_eq!(standing.get(), None);
        assert!(standing.refuse(faults("a")));
        let first = standing.get().unwrap();
        assert!(!standing.refuse(faults("a")));
        assert_eq!(standing.get().unwrap().since, first.since);
        assert!(standing.refuse(faults("b")));
        assert_eq!(standing.get().unwrap().faults, ["b"]);
        standing.clear();
        assert_eq!(standing.get(), None);
        assert!(standing.refuse(faults("b")));
    }
}
