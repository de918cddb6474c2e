//! Degraded operation: which subsystems the relay runs without, and why.
//!
//! [`Degraded`] holds this state for the whole program. Subsystems report to it, `/status` and the moderation API read
//! it, and its changes become notes in the feed.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

use crate::names::named;

named! {
    /// A subsystem that the relay can run without, in the order in which they are listed.
    #[derive(PartialOrd, Ord)]
    pub enum Subsystem {
        /// Some or all plugins.
        Plugins = "plugins",
        /// The cache of compiled plugins.
        Cache = "cache",
        /// The moderation store.
        Store = "store",
        /// The audit log.
        Audit = "audit",
        /// The threads that decode images.
        Images = "images",
    }
}

impl Subsystem {
    /// Returns the consequence of running without it, for operators.
    #[must_use]
    pub fn consequence(self) -> &'static str {
        match self {
            Self::Plugins => "messages are not checked by plugins that are not loaded",
            Self::Cache => "every start compiles the plugins again",
            Self::Store => "new sanctions, held messages and levels are lost when the relay stops",
            Self::Audit => "decisions and moderator actions are not recorded",
            Self::Images => "images are refused",
        }
    }
}

/// A subsystem that the relay runs without, or would run without.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Degradation {
    /// The subsystem.
    pub subsystem: Subsystem,
    /// The reason, with its location.
    pub reason: Arc<str>,
}

impl Degradation {
    /// Creates a degradation.
    pub fn new(subsystem: Subsystem, reason: impl Into<Arc<str>>) -> Self {
        Self { subsystem, reason: reason.into() }
    }
}

/// The subsystems that the running relay is currently without.
#[derive(Debug, Default)]
pub struct Degraded {
    missing: watch::Sender<BTreeMap<Subsystem, MissingSubsystem>>,
}

/// Why a subsystem is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct MissingSubsystem {
    reason: Arc<str>,
    /// Whether the reason is already in the log and the feed.
    is_reported: bool,
}

impl Degraded {
    /// Marks a subsystem as missing. Logs it unless the reason is unchanged.
    pub fn begin(&self, Degradation { subsystem, reason }: Degradation) {
        if self.insert(subsystem, &reason, false) {
            let consequence = subsystem.consequence();
            tracing::error!(part = subsystem.as_str(), %reason, consequence, "subsystem unavailable; the relay runs degraded");
        }
    }

    /// Like [`Degraded::begin`], for a reason that is already in the log and the feed.
    pub fn begin_reported(&self, Degradation { subsystem, reason }: Degradation) {
        self.insert(subsystem, &reason, true);
    }

    fn insert(&self, subsystem: Subsystem, reason: &Arc<str>, is_reported: bool) -> bool {
        self.missing.send_if_modified(|missing| {
            let is_new = missing.get(&subsystem).is_none_or(|known| known.reason != *reason);
            if is_new {
                missing.insert(subsystem, MissingSubsystem { reason: Arc::clone(reason), is_reported });
            }
            is_new
        })
    }

    /// Marks a subsystem as working. Logs it if the subsystem was missing.
    pub fn end(&self, subsystem: Subsystem) {
        if self.missing.send_if_modified(|missing| missing.remove(&subsystem).is_some()) {
            tracing::info!(part = subsystem.as_str(), "subsystem recovered");
        }
    }

    /// Whether the relay runs without this subsystem.
    #[must_use]
    pub fn contains(&self, subsystem: Subsystem) -> bool {
        self.missing.borrow().contains_key(&subsystem)
    }

    /// Returns the missing subsystems with their reasons.
    #[must_use]
    pub fn list(&self) -> Vec<Degradation> {
        let missing = self.missing.borrow();
        missing.iter().map(|(subsystem, entry)| Degradation::new(*subsystem, Arc::clone(&entry.reason))).collect()
    }

    /// Subscribes to changes. Subsystems that are missing already are reported as the first change.
    #[must_use]
    pub fn changes(&self) -> DegradationChanges {
        let mut missing = self.missing.subscribe();
        missing.mark_changed();
        DegradationChanges { missing, known: BTreeMap::new() }
    }
}

/// A subscription to the changes of [`Degraded`]. Changes in quick succession may be merged.
#[derive(Debug)]
pub struct DegradationChanges {
    missing: watch::Receiver<BTreeMap<Subsystem, MissingSubsystem>>,
    known: BTreeMap<Subsystem, MissingSubsystem>,
}

/// A change of [`Degraded`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DegradationChange {
    /// A subsystem went missing, or its reason changed.
    Missing(Degradation),
    /// A subsystem works again.
    Recovered(Subsystem),
}

impl DegradationChanges {
    /// Waits for the next changes, without those already reported. Returns `None` once [`Degraded`] is dropped.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future loses no change.
    pub async fn next(&mut self) -> Option<Vec<DegradationChange>> {
        self.missing.changed().await.ok()?;
        let mut now = self.missing.borrow_and_update().clone();
        now.retain(|_, entry| !entry.is_reported);
        let ended = self.known.keys().filter(|subsystem| !now.contains_key(subsystem));
        let ended = ended.map(|subsystem| DegradationChange::Recovered(*subsystem));
        let began = now.iter().filter(|(subsystem, entry)| self.known.get(subsystem) != Some(*entry));
        let began = began.map(|(subsystem, entry)| {
            DegradationChange::Missing(Degradation::new(*subsystem, Arc::clone(&entry.reason)))
        });
        let changes = ended.chain(began).collect();
        self.known = now;
        Some(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(reason: &str) -> Degradation {
        Degradation::new(Subsystem::Store, reason)
    }

    #[test]
    fn subsystems_are_listed_in_a_fixed_order_with_their_latest_reason() {
        let degraded = Degraded::default();
        for missing in [Degradation::new(Subsystem::Audit, "a"), store("b"), store("c")] {
            degraded.begin(missing);
        }
        assert_eq!(degraded.list(), [store("c"), Degradation::new(Subsystem::Audit, "a")]);
        degraded.end(Subsystem::Store);
        assert!(!degraded.contains(Subsystem::Store) && degraded.contains(Subsystem::Audit));
    }

    #[tokio::test]
    async fn a_change_is_returned_once_and_a_reported_one_is_omitted() {
        let degraded = Degraded::default();
        let mut changes = degraded.changes();
        degraded.begin(store("a"));
        degraded.begin_reported(Degradation::new(Subsystem::Plugins, "b"));
        assert_eq!(changes.next().await, Some(vec![DegradationChange::Missing(store("a"))]));
        degraded.begin(store("a"));
        degraded.end(Subsystem::Plugins);
        degraded.end(Subsystem::Store);
        assert_eq!(changes.next().await, Some(vec![DegradationChange::Recovered(Subsystem::Store)]));
        drop(degraded);
        assert_eq!(changes.next().await, None);
    }
}
