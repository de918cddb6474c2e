//! The rules in force, and how others take their place while the relay runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use super::Rules;
use crate::filter::{Answer, Config, Filter, Finding, Parts, Purpose};
use crate::model::{Message, Sender};
use crate::settings::{Fault, Place};

/// Where rules are read from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file, when the configuration names one; it must exist then.
    pub file: Option<PathBuf>,
    /// The rules of conduct, one a line, which a rule may name as its clause.
    pub clauses: String,
}

impl Source {
    /// Reads the rules; none when the default file is absent. As [`Rules::load`], no work for a thread that serves.
    ///
    /// # Errors
    /// All faults of the file.
    pub fn load(&self) -> Result<Rules, Vec<Fault>> {
        let path = self.file.as_deref().unwrap_or(Path::new(Config::DEFAULT_RULES_FILE));
        match (&self.file, path.try_exists()) {
            (None, Ok(false)) => Ok(Rules::default()),
            (Some(_), Ok(false)) => {
                let text = "does not exist, though RULES_FILE (filter.rules_file) names it";
                Err(vec![Fault::new(Place::File(path.to_owned()), text)])
            }
            _ => Rules::read(path, &self.clauses),
        }
    }
}

/// The rules in force. A message is judged by one whole set, whatever takes its place meanwhile.
#[derive(Debug)]
pub struct Current {
    source: Source,
    set: RwLock<Arc<Rules>>,
}

impl Current {
    /// These rules, as they were read from `source`.
    #[must_use]
    pub fn new(source: Source, rules: Rules) -> Self {
        Self { source, set: RwLock::new(Arc::new(rules)) }
    }

    /// Where the rules are read from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The rules as they are now.
    #[must_use]
    pub fn get(&self) -> Arc<Rules> {
        Arc::clone(&self.set.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts other rules in force at once. They have not hit anything yet.
    pub fn adopt(&self, rules: Rules) {
        let new = Arc::new(rules);
        let old = std::mem::replace(&mut *self.set.write().unwrap_or_else(PoisonError::into_inner), new);
        // To be dropped takes a large set a while, in which no message waits for the lock.
        drop(old);
    }
}

impl Filter for Arc<Current> {
    fn name(&self) -> &'static str {
        "rules"
    }

    fn examine(&self, message: &Message, _: &Sender, purpose: Purpose) -> Answer {
        let counted_at = (purpose == Purpose::Judge).then_some(message.at);
        Answer::Now(message.text().map_or(Finding::PASS, |text| self.get().examine_at(text, counted_at)))
    }

    fn parts(&self) -> Parts {
        Parts::Rules(self.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::rules::RuleFigures;
    use crate::model::{Address, Facts, Kind, Outcome, RoomName};

    fn rules(word: &str) -> Rules {
        let text = format!("[[rule]]\nid = 'r'\nwords = ['{word}']\nverdict = 'reject'");
        Rules::load(Path::new("rules.toml"), &text, Path::new(""), "").unwrap()
    }

    fn current() -> Arc<Current> {
        Arc::new(Current::new(Source { file: None, clauses: String::new() }, rules("casino")))
    }

    fn outcome(rules: &Arc<Current>, purpose: Purpose) -> Outcome {
        let message = Message::new("jane", Kind::Text { avatar: None, text: "the casino".into() });
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
        assert_eq!(outcome(&current, Purpose::Judge), Outcome::Reject);
        let before = current.get();
        current.adopt(rules("poker"));
        assert_eq!(outcome(&current, Purpose::Judge), Outcome::Pass);
        assert_eq!(before.examine("the casino").verdict.outcome(), Outcome::Reject);
    }

    #[test]
    fn a_rule_counts_its_hits_trials_aside() {
        let current = current();
        let figures = || {
            let rules = current.get();
            let mut all = rules.figures().map(|RuleFigures { hits, last_hit, .. }| (hits, last_hit.is_some()));
            all.next().unwrap()
        };
        assert_eq!(outcome(&current, Purpose::Try), Outcome::Reject);
        assert_eq!(figures(), (0, false));
        assert_eq!(outcome(&current, Purpose::Judge), Outcome::Reject);
        assert_eq!(outcome(&current, Purpose::Judge), Outcome::Reject);
        assert_eq!(figures(), (2, true));
    }
}
