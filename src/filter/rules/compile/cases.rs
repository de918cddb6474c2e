//! The cases that rules bring along: what they must hit, and what not.

use crate::filter::rules::conditions::Where;
use crate::filter::rules::faults::{Faults, quoted};
use crate::filter::rules::look::Look;
use crate::filter::rules::matcher::{Budget, Exhausted, Haystack, Scratch};
use crate::filter::rules::rule::Scene;
use crate::filter::rules::set::Rules;
use crate::filter::rules::written::{At, Written};
use crate::matching::char_span;

/// A text that a rule must hit, or must not.
pub(super) struct Case {
    rule: usize,
    /// What faults call the rule.
    name: String,
    text: At<String>,
    refuses: bool,
    /// The number of its file, from 1 on.
    pub(super) file: usize,
}

impl Case {
    /// The cases of a rule in the file of that number.
    pub(super) fn all(rule: usize, file: usize, written: &Written) -> Vec<Self> {
        let case = |text: &At<String>, refuses| {
            let (name, text) = (written.name.clone(), text.clone());
            Self { rule, name, text, refuses, file }
        };
        let refused = written.refuses.iter().map(|text| case(text, true));
        refused.chain(written.accepts.iter().map(|text| case(text, false))).collect()
    }
}

/// Tries each rule with its own cases. Rooms, hours, senders and what was said before are taken as they must be.
pub(super) fn run<'c>(rules: &Rules, cases: impl Iterator<Item = &'c Case>, faults: &mut Faults<'_>) {
    let mut scratch = Scratch::default();
    for Case { rule, name, text: At { value, line }, refuses, .. } in cases {
        match (rules.hit_by(*rule, value, &mut scratch), refuses) {
            (Ok(Some(_)), true) | (Ok(None), false) => {}
            (Err(Exhausted), _) => {
                let text = format!(
                    "{name}: {} sets off more of its patterns than may run on a message; write them as fewer, with `|`",
                    quoted(value)
                );
                faults.add(*line, text);
            }
            (Ok(None), true) => {
                let text = format!("{name}: does not hit {}, which its `refuses` names", quoted(value));
                faults.add(*line, text);
            }
            (Ok(Some(place)), false) => {
                let place = place.map_or_else(String::new, |at| format!(" at {}..{}", at.start, at.end));
                let text = format!("{name}: hits {}{place}, which its `accepts` names", quoted(value));
                faults.add(*line, text);
            }
        }
    }
}

impl Rules {
    /// Where one rule hits a text, in code points, if it does.
    fn hit_by(&self, number: usize, text: &str, scratch: &mut Scratch) -> Result<Option<Where>, Exhausted> {
        let Some(rule) = self.rules.get(number) else { return Ok(None) };
        let matcher = self.matcher(rule.field);
        scratch.read(matcher, text, self.rules.len());
        if !scratch.triggered.contains(&number) {
            return Ok(None);
        }
        let scene = Scene {
            hay: Haystack::of(text, &scratch.views),
            look: Look::at(text, scratch.views.clean()),
            quoted: false,
            recall: None,
            scratch,
            matcher,
        };
        let hit = rule.hit(number, &scene, &mut Budget::of_enforced())?;
        Ok(hit.map(|place| place.map(|bytes| char_span(text, bytes))))
    }
}
