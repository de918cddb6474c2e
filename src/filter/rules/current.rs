//! The rules in force, and how others take their place while the relay runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

use super::examine::Asked;
use super::faults::Faults;
use super::memory::Memory;
use super::refused::{Refused, Standing};
use super::{Instance, Rules, files};
use crate::filter::{Answer, Filter, Now, Parts, Purpose};
use crate::model::{Message, Sender};
use crate::moderation::{Feed, Kind};
use crate::settings::{Fault, Place};

/// What faults and matches call rules that are only thought of.
pub const EXTRA: &str = "what-if";

/// Where rules are read from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file, when the configuration names one; it must exist then.
    pub file: Option<PathBuf>,
    /// What the rules may speak of.
    pub instance: Instance,
}

impl Source {
    /// Reads the rules; the starter rules alone when the default file is absent. As [`Rules::load`], no work for a
    /// thread that serves.
    ///
    /// # Errors
    /// All faults of the file.
    pub fn load(&self) -> Result<Rules, Vec<Fault>> {
        self.load_with(("", ""))
    }

    /// As [`Source::load`], with further rules; see [`Rules::load_with`].
    ///
    /// # Errors
    /// All faults of the further rules and of the file.
    pub fn load_with(&self, extra: (&str, &str)) -> Result<Rules, Vec<Fault>> {
        let path = self.path();
        let text = match (&self.file, path.try_exists()) {
            (None, Ok(false)) => String::new(),
            (Some(_), Ok(false)) => {
                let text = "does not exist, though RULES_FILE (filter.rules_file) names it";
                return Err(vec![Fault::new(Place::File(path.to_owned()), text)]);
            }
            _ => files::read_text(path).map_err(|why| vec![Faults::of_file(path, why)])?,
        };
        Rules::load_with(path, &text, path.parent().unwrap_or(Path::new("")), &self.instance, extra)
    }
}

/// The rules in force. A message is judged by one whole set, whatever takes its place meanwhile.
#[derive(Debug)]
pub struct Current {
    source: RwLock<Source>,
    set: RwLock<Arc<Rules>>,
    refused: Standing,
    /// What was said lately; it stays when the rules change.
    memory: Memory,
    /// Where raids are told of.
    feed: Arc<Feed>,
}

impl Current {
    /// These rules, as they were read from `source`. Raids are noted in `feed`.
    #[must_use]
    pub fn new(source: Source, mut rules: Rules, feed: Arc<Feed>) -> Self {
        rules.begin(Timestamp::now());
        let (source, set) = (RwLock::new(source), RwLock::new(Arc::new(rules)));
        Self { source, set, refused: Standing::default(), memory: Memory::new(), feed }
    }

    /// The same for the run of this name, from whose name follows which texts count as nearly the same.
    ///
    /// The name is to be random and known to nobody outside: who knows it could make texts that seem alike.
    #[must_use]
    pub fn of_run(self, run: &str) -> Self {
        Self { memory: Memory::of_run(run), ..self }
    }

    /// Other rules with the same idea of what is nearly the same, as if nothing had been said yet: to see what they would
    /// have done.
    #[must_use]
    pub fn beside(&self, rules: Rules) -> Self {
        let (source, set) = (RwLock::new(self.source()), RwLock::new(Arc::new(rules)));
        let (refused, memory) = (Standing::default(), self.memory.emptied());
        Self { source, set, refused, memory, feed: Arc::default() }
    }

    /// The same rules, as if nothing had been said yet. They go on counting what they hit.
    #[must_use]
    pub fn afresh(&self) -> Self {
        Self { set: RwLock::new(self.get()), ..self.beside(Rules::default()) }
    }

    /// Where the rules are read from, with the preset that was chosen last.
    #[must_use]
    pub fn source(&self) -> Source {
        self.source.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has rules read from there from now on.
    pub(in crate::filter) fn read_from(&self, source: Source) {
        *self.source.write().unwrap_or_else(PoisonError::into_inner) = source;
    }

    /// The rules as they would be with those in `text` before them, which matches show as of [`EXTRA`]; nothing is in
    /// force by that, and what brakes hold back only observes. See [`Rules::load_with`]. The files are read as they are
    /// now: no work for a thread that serves.
    ///
    /// # Errors
    /// All faults of `text`, and of the files when they are not those in force.
    pub fn with_extra(&self, text: &str) -> Result<Rules, Vec<Fault>> {
        let source = self.source();
        let mut rules = source.load_with((EXTRA, text))?;
        if source.prints().is_absent() && !self.get().prints().is_absent() {
            return Err(vec![source.gone()]);
        }
        rules.observe_as(&self.get());
        Ok(rules)
    }

    /// The rules as they are now.
    #[must_use]
    pub fn get(&self) -> Arc<Rules> {
        Arc::clone(&self.set.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts other rules in force at once. What is written as it was before keeps its figures and its brake; the rest has
    /// not hit anything yet. Not to be called by two at a time.
    pub fn adopt(&self, mut rules: Rules) {
        rules.succeed(&self.get(), Timestamp::now());
        let new = Arc::new(rules);
        let old = std::mem::replace(&mut *self.set.write().unwrap_or_else(PoisonError::into_inner), new);
        self.refused.clear();
        // Dropping a large set takes a while, in which no message should wait for the lock.
        drop(old);
    }

    /// Why the rules of the newest files are not in force; `None` when they are.
    #[must_use]
    pub fn refused(&self) -> Option<Arc<Refused>> {
        self.refused.get()
    }

    /// Takes note that the newest files are not in force, for these faults; `false` when that is known.
    pub fn refuse(&self, faults: Vec<String>) -> bool {
        self.refused.refuse(faults)
    }
}

impl Filter for Arc<Current> {
    fn name(&self) -> &'static str {
        "rules"
    }

    fn examine(&self, message: &Message, sender: &Sender, purpose: Purpose) -> Answer {
        let rules = self.get();
        let found = rules.judge(&Asked { message, sender, memory: Some(&self.memory), purpose, everywhere: false });
        for rule in &found.raids {
            let (room, id, source) = (sender.room.as_str(), &rule.id, &rule.source);
            let text = format!("many senders say nearly the same in the room {room} (rule {id}, {source})");
            self.feed.note(Kind::Raid, &text, None);
        }
        Answer::Now(found.finding)
    }

    fn parts(&self) -> Parts {
        Parts::Rules { set: self.get(), refused: self.refused() }
    }

    fn prune(&self, now: Now) {
        self.memory.prune(now.at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::rules::{Preset, RuleFigures};
    use crate::model::{Address, Facts, Kind as Said, Outcome, RoomName};

    fn rules(word: &str) -> Rules {
        let text = format!("[[rule]]\nid = 'r'\nwords = ['{word}']\nverdict = 'reject'");
        Rules::load(Path::new("rules.toml"), &text, Path::new(""), &instance()).unwrap()
    }

    fn instance() -> Instance {
        Instance { preset: Preset::Off, ..Instance::default() }
    }

    fn current() -> Arc<Current> {
        let source = Source { file: None, instance: instance() };
        Arc::new(Current::new(source, rules("casino"), Arc::default()))
    }

    fn judge(rules: &Arc<Current>, purpose: Purpose) -> Outcome {
        let message = Message::new("jane", Said::Text { avatar: None, text: "the casino".into() });
        let sender = Sender {
            connection: None,
            address: Address::from(std::net::IpAddr::from([127, 0, 0, 1])),
            room: RoomName::parse("QGIS").unwrap(),
            facts: Facts::default(),
        };
        match rules.examine(&message, &sender, purpose) {
            Answer::Now(finding) => finding.verdict.outcome(),
            later @ Answer::Later(_) => panic!("{later:?}"),
        }
    }

    #[test]
    fn other_rules_are_in_force_at_once() {
        let current = current();
        assert_eq!(judge(&current, Purpose::Judge), Outcome::Reject);
        let before = current.get();
        current.adopt(rules("poker"));
        assert_eq!(judge(&current, Purpose::Judge), Outcome::Pass);
        assert_eq!(before.figures().next().unwrap().hits, 1);
        assert_eq!(current.get().figures().next().unwrap().hits, 0);
    }

    #[test]
    fn a_rule_counts_its_hits_trials_aside() {
        let current = current();
        let figures = || {
            let rules = current.get();
            let mut all = rules.figures().map(|RuleFigures { hits, last_hit, .. }| (hits, last_hit.is_some()));
            all.next().unwrap()
        };
        assert_eq!(judge(&current, Purpose::Try), Outcome::Reject);
        assert_eq!(figures(), (0, false));
        assert_eq!(judge(&current, Purpose::Judge), Outcome::Reject);
        assert_eq!(judge(&current, Purpose::Judge), Outcome::Reject);
        assert_eq!(figures(), (2, true));
    }
}
