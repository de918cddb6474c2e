//! The errors that keep the newest rules files out of force.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

/// Why the newest rules files are not in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesReloadError {
    /// When these errors were first found.
    pub since: Timestamp,
    /// The errors with their locations; at least one.
    pub errors: Vec<String>,
}

/// The error of the last reload, if it failed.
#[derive(Debug, Default)]
pub(super) struct LastReloadError(RwLock<Option<Arc<RulesReloadError>>>);

impl LastReloadError {
    pub(super) fn get(&self) -> Option<Arc<RulesReloadError>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records errors. Returns `false` and keeps the time if they are the same as before.
    pub(super) fn record(&self, errors: Vec<String>) -> bool {
        let mut standing = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = standing.as_ref().is_none_or(|refused| refused.errors != errors);
        if is_new {
            *standing = Some(Arc::new(RulesReloadError { since: Timestamp::now(), errors }));
        }
        is_new
    }

    /// Clears the error, since the newest files are in force.
    pub(super) fn clear(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_errors_are_new_once_and_again_after_a_good_reload() {
        let standing = LastReloadError::default();
        let errors = |text: &str| vec![text.to_owned()];
        assert_eq!(standing.get(), None);
        assert!(standing.record(errors("a")));
        let first = standing.get().unwrap();
        assert!(!standing.record(errors("a")));
        assert_eq!(standing.get().unwrap().since, first.since);
        assert!(standing.record(errors("b")));
        assert_eq!(standing.get().unwrap().errors, ["b"]);
        standing.clear();
        assert_eq!(standing.get(), None);
        assert!(standing.record(errors("b")));
    }
}
