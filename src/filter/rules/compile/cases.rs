//! Test cases in rules: texts that a rule must hit (`refuses`) or must not hit (`accepts`).

use crate::filter::rules::conditions::HitSpan;
use crate::filter::rules::document::RuleEntry;
use crate::filter::rules::matcher::{BudgetExhausted, Haystack, RegexBudget, Scratch};
use crate::filter::rules::rule::MatchContext;
use crate::filter::rules::set::RuleSet;
use crate::filter::rules::text_features::TextFeatures;
use crate::matching::char_span;
use crate::settings::{FileErrors, Located, backticked};

/// A text that a rule must or must not hit.
pub(super) struct RuleCase {
    rule: usize,
    /// The name of the rule in errors.
    name: String,
    text: Located<String>,
    must_hit: bool,
    /// The number of its file, counted from 1.
    pub(super) file: usize,
}

impl RuleCase {
    /// Returns the cases of a rule. `file` is the number of its file.
    pub(super) fn from_entry(rule: usize, file: usize, entry: &RuleEntry) -> Vec<Self> {
        let case = |text: &Located<String>, must_hit| {
            let (name, text) = (entry.name.clone(), text.clone());
            Self { rule, name, text, must_hit, file }
        };
        let refuses = entry.refuses.iter().map(|text| case(text, true));
        refuses.chain(entry.accepts.iter().map(|text| case(text, false))).collect()
    }
}

/// Runs the cases of each rule. Conditions on rooms, hours, sender and repetition are assumed to hold.
pub(super) fn run<'c>(rules: &RuleSet, cases: impl Iterator<Item = &'c RuleCase>, errors: &mut FileErrors<'_>) {
    let mut scratch = Scratch::default();
    for RuleCase { rule, name, text: Located { value, line }, must_hit, .. } in cases {
        match (rules.find_rule_hit(*rule, value, &mut scratch), must_hit) {
            (Ok(Some(_)), true) | (Ok(None), false) => {}
            (Err(BudgetExhausted), _) => {
                let text = format!(
                    "{name}: {} triggers more of its patterns than may run on one message; combine them with `|`",
                    backticked(value)
                );
                errors.add(*line, text);
            }
            (Ok(None), true) => {
                let text = format!("{name}: does not hit {}, which `refuses` lists", backticked(value));
                errors.add(*line, text);
            }
            (Ok(Some(span)), false) => {
                let at = span.map_or_else(String::new, |span| format!(" at {}..{}", span.start, span.end));
                let text = format!("{name}: hits {}{at}, which `accepts` lists", backticked(value));
                errors.add(*line, text);
            }
        }
    }
}

impl RuleSet {
    /// Returns where one rule hits a text, in code points.
    fn find_rule_hit(
        &self,
        number: usize,
        text: &str,
        scratch: &mut Scratch,
    ) -> Result<Option<HitSpan>, BudgetExhausted> {
        let Some(rule) = self.rules.get(number) else { return Ok(None) };
        let matcher = self.matcher(rule.field);
        scratch.scan(matcher, text, self.rules.len());
        if !scratch.triggered.contains(&number) {
            return Ok(None);
        }
        let context = MatchContext {
            hay: Haystack::new(text, &scratch.views),
            features: TextFeatures::new(text, scratch.views.clean()),
            is_quoted: false,
            recall: None,
            scratch,
            matcher,
        };
        let hit = rule.find_hit(number, &context, &mut RegexBudget::enforced())?;
        Ok(hit.map(|span| span.map(|bytes| char_span(text, bytes))))
    }
}
