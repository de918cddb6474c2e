//! Parts of the relay that it runs without: which ones, and why.
//!
//! One place holds this for the whole program ([`Degraded`]): the parts below report to it, `/status` and the calls of
//! moderators read it, and its changes become notes in the feed.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

/// A part that the relay can run without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The plugins, all or some of them.
    Plugins,
    /// The folder of compiled plugins.
    Cache,
    /// The file of the moderation state.
    Store,
    /// The audit log.
    Audit,
}

impl Part {
    /// All parts, in the order in which they are listed.
    pub const ALL: [Self; 4] = [Self::Plugins, Self::Cache, Self::Store, Self::Audit];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plugins => "plugins",
            Self::Cache => "cache",
            Self::Store => "store",
            Self::Audit => "audit",
        }
    }

    /// What does not work without it, for the operator.
    #[must_use]
    pub fn consequence(self) -> &'static str {
        match self {
            Self::Plugins => "messages are not checked by plugins that are not loaded",
            Self::Cache => "every start compiles the plugins again",
            Self::Store => "the end of the relay loses sanctions, held messages and levels that are set from now on",
            Self::Audit => "decisions and acts of moderators are not recorded",
        }
    }
}

/// A part that the relay runs without, or would run without.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Degradation {
    /// Which part.
    pub part: Part,
    /// Why, with its place.
    pub reason: Arc<str>,
}

impl Degradation {
    /// A part with the reason for its absence.
    pub fn new(part: Part, reason: impl Into<Arc<str>>) -> Self {
        Self { part, reason: reason.into() }
    }
}

/// The parts that a running relay is without now.
#[derive(Debug, Default)]
pub struct Degraded {
    parts: watch::Sender<BTreeMap<Part, Cause>>,
}

/// Why a part is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cause {
    reason: Arc<str>,
    /// Whether the log and the feed have the reason already.
    is_told: bool,
}

impl Degraded {
    /// Notes that the relay runs without a part, and logs it unless the reason is the same as before.
    pub fn begin(&self, Degradation { part, reason }: Degradation) {
        if self.insert(part, &reason, false) {
            let consequence = part.consequence();
            tracing::error!(part = part.as_str(), %reason, consequence, "the relay runs degraded");
        }
    }

    /// As [`Degraded::begin`], for a reason that the log and the feed have already.
    pub fn begin_told(&self, Degradation { part, reason }: Degradation) {
        self.insert(part, &reason, true);
    }

    fn insert(&self, part: Part, reason: &Arc<str>, is_told: bool) -> bool {
        self.parts.send_if_modified(|parts| {
            let is_new = parts.get(&part).is_none_or(|known| known.reason != *reason);
            if is_new {
                parts.insert(part, Cause { reason: Arc::clone(reason), is_told });
            }
            is_new
        })
    }

    /// Notes that a part works, and logs it if it did not.
    pub fn end(&self, part: Part) {
        if self.parts.send_if_modified(|parts| parts.remove(&part).is_some()) {
            tracing::info!(part = part.as_str(), "the relay no longer runs degraded in this part");
        }
    }

    /// Whether the relay runs without this part.
    #[must_use]
    pub fn contains(&self, part: Part) -> bool {
        self.parts.borrow().contains_key(&part)
    }

    /// The parts that are missing, with their reasons.
    #[must_use]
    pub fn list(&self) -> Vec<Degradation> {
        let parts = self.parts.borrow();
        parts.iter().map(|(part, cause)| Degradation::new(*part, Arc::clone(&cause.reason))).collect()
    }

    /// Follows the changes, from a relay that lacks nothing on.
    #[must_use]
    pub fn changes(&self) -> Changes {
        let mut parts = self.parts.subscribe();
        parts.mark_changed();
        Changes { parts, known: BTreeMap::new() }
    }
}

/// The changes of [`Degraded`]. Those that come together may be seen as one.
#[derive(Debug)]
pub struct Changes {
    parts: watch::Receiver<BTreeMap<Part, Cause>>,
    known: BTreeMap<Part, Cause>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A part is missing, or for another reason than before.
    Began(Degradation),
    /// A part works again.
    Ended(Part),
}

impl Changes {
    /// Waits for the next changes, those aside that were told where they happened; `None` when no more can come.
    ///
    /// # Cancel safety
    /// Dropping the future loses no change.
    pub async fn next(&mut self) -> Option<Vec<Change>> {
        self.parts.changed().await.ok()?;
        let mut now = self.parts.borrow_and_update().clone();
        now.retain(|_, cause| !cause.is_told);
        let ended = self.known.keys().filter(|part| !now.contains_key(part));
        let ended = ended.map(|part| Change::Ended(*part));
        let began = now.iter().filter(|(part, cause)| self.known.get(part) != Some(*cause));
        let began = began.map(|(part, cause)| Change::Began(Degradation::new(*part, Arc::clone(&cause.reason))));
        let changes = ended.chain(began).collect();
        self.known = now;
        Some(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(reason: &str) -> Degradation {
        Degradation::new(Part::Store, reason)
    }

    #[test]
    fn parts_are_listed_in_one_order_with_their_last_reason() {
        let degraded = Degraded::default();
        for missing in [Degradation::new(Part::Audit, "a"), store("b"), store("c")] {
            degraded.begin(missing);
        }
        assert_eq!(degraded.list(), [store("c"), Degradation::new(Part::Audit, "a")]);
        degraded.end(Part::Store);
        assert!(!degraded.contains(Part::Store) && degraded.contains(Part::Audit));
    }

    #[tokio::test]
    async fn a_change_is_seen_once_and_one_that_was_told_is_left_out() {
        let degraded = Degraded::default();
        let mut changes = degraded.changes();
        degraded.begin(store("a"));
        degraded.begin_told(Degradation::new(Part::Plugins, "b"));
        assert_eq!(changes.next().await, Some(vec![Change::Began(store("a"))]));
        degraded.begin(store("a"));
        degraded.end(Part::Plugins);
        degraded.end(Part::Store);
        assert_eq!(changes.next().await, Some(vec![Change::Ended(Part::Store)]));
        drop(degraded);
        assert_eq!(changes.next().await, None);
    }
}
