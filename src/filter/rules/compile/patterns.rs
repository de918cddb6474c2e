//! Collects the patterns of all rules into one matcher per field.

use std::ops::Range;

use super::RuleFile;
use super::checks::{check_effect, check_folded, check_trial};
use crate::filter::rules::document::{PatternView, RuleEntry};
use crate::filter::rules::matcher::{LiteralOwner, Matcher, RuleRegex};
use crate::filter::rules::rule::RulePatterns;
use crate::matching::{Boundary, BoundedRegex, Leniency, Literal, Literals, View as MatchView};
use crate::model::Outcome;
use crate::settings::{FileErrors, Located, backticked};

/// Most regexes, words and phrases in one field, over all rules of a file.
const MAX_PATTERNS: usize = 10_000;
/// Most regexes that run on every message.
const MAX_COSTLY: usize = 8;
/// Most regexes in one field, over all rules. Each takes up to a few hundred kilobytes.
const MAX_REGEXES: usize = 500;
/// Most regexes in `all` and `none` of one rule. They run on every text that meets its other conditions.
const MAX_CONFIRMING: usize = 16;

/// Collects the patterns of all rules of a field.
#[derive(Default)]
pub(super) struct MatcherBuilder {
    literals: Vec<OwnedLiteral>,
    owners: Vec<LiteralOwner>,
    regexes: Vec<RuleRegex>,
    unconditional: Vec<usize>,
    costly: Vec<usize>,
    patterns: usize,
}

/// A [`Literal`] that owns its text.
pub(super) struct OwnedLiteral {
    pub(super) text: String,
    pub(super) view: MatchView,
    pub(super) boundary: Boundary,
    pub(super) leniency: Leniency,
}

impl OwnedLiteral {
    fn as_literal(&self) -> Literal<'_> {
        Literal { text: &self.text, view: self.view, boundary: self.boundary, leniency: self.leniency }
    }
}

/// How a regex takes part in its rule.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RegexRole {
    /// Triggers its rule.
    Trigger,
    /// One regex of the list triggers the rule, and then all of them must match.
    OneOfAll,
    /// Runs after another pattern has triggered the rule.
    Confirmation,
}

impl MatcherBuilder {
    pub(super) fn is_full(&self) -> bool {
        self.patterns > MAX_PATTERNS
    }

    /// Starts counting patterns for the limits of another file.
    pub(super) fn reset_count(&mut self) {
        self.patterns = 0;
    }

    /// Adds a rule that is checked for every message.
    pub(super) fn add_unconditional(&mut self, rule: usize) {
        self.unconditional.push(rule);
    }

    pub(super) fn build(self, errors: &mut Vec<String>) -> Matcher {
        let literals = Literals::new(self.literals.iter().map(OwnedLiteral::as_literal)).unwrap_or_else(|error| {
            // Cannot happen in practice: each literal was checked before.
            errors.push(format!("building the matcher for words failed: {error}"));
            Literals::default()
        });
        let Self { owners, regexes, unconditional, costly, .. } = self;
        Matcher { literals, owners, regexes, unconditional, costly }
    }

    /// Adds the patterns of a rule. Returns `None` after reporting errors.
    pub(super) fn add_patterns(
        &mut self,
        rule: usize,
        file: &RuleFile<'_>,
        entry: &RuleEntry,
        errors: &mut FileErrors<'_>,
    ) -> Option<RulePatterns> {
        let patterns = &entry.patterns;
        let (regex_view, word_view) = match patterns.view {
            None => (PatternView::Original, MatchView::Clean),
            Some(PatternView::Original) => (PatternView::Original, MatchView::CaseFolded),
            Some(PatternView::Clean) => (PatternView::Clean, MatchView::Clean),
        };
        let has_alternatives = !patterns.any.is_empty() || !patterns.words.is_empty() || patterns.words_file.is_some();
        let all_role = if has_alternatives { RegexRole::Confirmation } else { RegexRole::OneOfAll };
        check_effect(entry, errors);
        if let Some(Located { line, .. }) = patterns.all.iter().chain(&patterns.none).nth(MAX_CONFIRMING) {
            let what = format!("`all` and `none` have more than {MAX_CONFIRMING} patterns; combine them with `|`");
            entry.error(errors, *line, &what);
        }
        let lists =
            [(&patterns.any, RegexRole::Trigger), (&patterns.all, all_role), (&patterns.none, RegexRole::Confirmation)];
        let [any, all, none] =
            lists.map(|(list, role)| self.add_regexes(rule, list, (role, regex_view), entry, errors));
        let before = self.literals.len();
        let are_listed_valid = self.add_listed_words(rule, entry, word_view, errors);
        let words_file_digest = self.add_words_file(rule, file, entry, word_view, errors);
        let replaces = entry.outcome == Some(Outcome::Replace) && entry.round_to.is_none();
        if replaces && !has_alternatives {
            let what = "the verdict `replace` needs `any`, `words` or `words_file` to mask, or `round_to`";
            entry.error(errors, entry.line, what);
        }
        let words_file_digest = words_file_digest.filter(|_| are_listed_valid)?;
        Some(RulePatterns {
            word_count: self.literals.len() - before,
            words_file_digest,
            any: any?,
            all: all?,
            none: none?,
        })
    }

    /// Counts one more pattern. Returns `false` beyond the limit, and reports the error the first time.
    pub(super) fn count_pattern(&mut self, line: usize, errors: &mut FileErrors<'_>) -> bool {
        self.patterns += 1;
        if self.patterns == MAX_PATTERNS + 1 {
            errors.add(line, format!("more than {MAX_PATTERNS} patterns and words"));
        }
        self.patterns <= MAX_PATTERNS
    }

    fn add_regexes(
        &mut self,
        rule: usize,
        list: &[Located<String>],
        (used_as, view): (RegexRole, PatternView),
        entry: &RuleEntry,
        errors: &mut FileErrors<'_>,
    ) -> Option<Range<usize>> {
        let first = self.regexes.len();
        let (mut is_valid, mut best) = (true, None);
        for (index, Located { value, line }) in list.iter().enumerate() {
            if !self.count_pattern(*line, errors) {
                return None;
            }
            let number = first + index;
            if number == MAX_REGEXES {
                errors.add(*line, format!("more than {MAX_REGEXES} regular expressions; use `words` where possible"));
            }
            if number >= MAX_REGEXES {
                return None;
            }
            let compiled = BoundedRegex::new(value).map_err(|error| error.to_string()).and_then(|pattern| {
                check_trial(&pattern)?;
                if view == PatternView::Clean {
                    check_folded(value)?;
                }
                if used_as == RegexRole::Trigger {
                    self.add_trigger(&pattern, number, view, entry.patterns.costly)?;
                }
                Ok(pattern)
            });
            match compiled {
                Ok(pattern) => {
                    let longest =
                        required_literals(&pattern, view).map(|(required, _)| required.iter().map(String::len).min());
                    best = best.max(longest.map(|length| (length, number)));
                    self.regexes.push(RuleRegex { pattern, rule, view });
                }
                Err(error) => {
                    entry.error(errors, *line, &format!("pattern {} {error}", backticked(value)));
                    is_valid = false;
                }
            }
        }
        if !is_valid {
            return None;
        }
        if used_as == RegexRole::OneOfAll && !list.is_empty() {
            let number = best.map_or(first, |(_, number)| number);
            let pattern = self.regexes.get(number)?.pattern.clone();
            let added = self.add_trigger(&pattern, number, view, entry.patterns.costly);
            if let (Err(error), Some(Located { value, line })) = (added, list.first()) {
                entry.error(errors, *line, &format!("pattern {} {error}", backticked(value)));
                return None;
            }
        }
        Some(first..self.regexes.len())
    }

    /// Makes a regex a candidate for texts that contain one of its required literals, or for all texts if it is costly.
    fn add_trigger(
        &mut self,
        pattern: &BoundedRegex,
        number: usize,
        view: PatternView,
        costly: bool,
    ) -> Result<(), String> {
        match required_literals(pattern, view) {
            Some((required, view)) => {
                for text in required {
                    let (text, leniency) = (text.clone(), Leniency::default());
                    self.add_literal(
                        OwnedLiteral { text, view, boundary: Boundary::Anywhere, leniency },
                        LiteralOwner::Regex(number),
                    )?;
                }
                Ok(())
            }
            None if costly && self.costly.len() < MAX_COSTLY => {
                self.costly.push(number);
                Ok(())
            }
            None if costly => Err(format!("is one `costly` pattern too many; the limit is {MAX_COSTLY}")),
            None => Err(COSTLY.to_owned()),
        }
    }

    /// Adds a literal after checking that it can be found.
    pub(super) fn add_literal(&mut self, literal: OwnedLiteral, owner: LiteralOwner) -> Result<(), String> {
        Literals::check(&literal.as_literal()).map_err(|error| error.to_string())?;
        self.literals.push(literal);
        self.owners.push(owner);
        Ok(())
    }
}

/// Returns literals of which every match contains at least one, and the view in which they are searched.
fn required_literals(pattern: &BoundedRegex, view: PatternView) -> Option<(&[String], MatchView)> {
    match view {
        PatternView::Original => pattern.required().map(|required| (required, MatchView::CaseFolded)),
        PatternView::Clean => pattern.required_letters().map(|required| (required, MatchView::Clean)),
    }
}

const COSTLY: &str = "would run on every message: no three consecutive characters occur in every match; add some, use \
                      `words`, or set `costly = true`";
