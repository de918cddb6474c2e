//! Checks of single values of a rule.

use std::sync::Arc;

use super::RuleCompiler;
use super::names::{NAME_HELP, is_name};
use crate::filter::rules::document::{Field, ReasonTexts, RuleEntry, RuleKind};
use crate::matching::Views;
use crate::model::{Outcome, RoomName};
use crate::settings::{FileErrors, Located, backticked, did_you_mean};

const MAX_REASON_CHARS: usize = 300;
/// Longest text of a case, in bytes.
const MAX_CASE_BYTES: usize = 4_000;
/// Most cases of a rule.
const MAX_CASES: usize = 1_000;

const DEFAULT_REASON: &str = "This message breaks a rule of this instance.";
/// The reason for rules with `reveal = false`.
const HIDDEN_REASON: &str = "This message was not accepted.";

impl RuleEntry {
    /// Reports an error of this rule.
    pub(super) fn error(&self, errors: &mut FileErrors<'_>, line: usize, what: &str) {
        errors.add(line, format!("{}: {what}", self.name));
    }
}

impl RuleCompiler<'_> {
    pub(super) fn clause(&self, entry: &RuleEntry, errors: &mut FileErrors<'_>) -> Option<Arc<str>> {
        let Located { value, line } = entry.clause.as_ref()?;
        let clause = value.trim();
        if self.clauses.contains(&clause) {
            return Some(clause.into());
        }
        let near = did_you_mean(clause, self.clauses.iter().copied());
        let lines: Vec<String> = self.clauses.iter().map(|clause| backticked(clause)).collect();
        let lines =
            if lines.is_empty() { "RULES is empty".to_owned() } else { format!("RULES has {}", lines.join(", ")) };
        let help = if near.is_empty() { format!("; {lines}") } else { near };
        entry.error(errors, *line, &format!("`clause` {} is not a line of RULES{help}", backticked(clause)));
        None
    }

    /// Returns the reason for the sender: that of the rule in the main language of the instance, followed by its
    /// clause.
    pub(super) fn reason(&self, entry: &RuleEntry, clause: Option<&str>, errors: &mut FileErrors<'_>) -> Arc<str> {
        if let Some(reason) = &entry.reason {
            let texts: Vec<&Located<String>> = match reason {
                ReasonTexts::Single(text) => vec![text],
                ReasonTexts::PerLanguage(texts) => texts.iter().map(|(_, text)| text).collect(),
            };
            for text in texts {
                check_reason(entry, text, errors);
            }
        }
        let own = entry.reason.as_ref().map(|reason| match reason {
            ReasonTexts::Single(text) => text.value.as_str(),
            ReasonTexts::PerLanguage(texts) => in_language(texts, &self.instance.main_lang),
        });
        match (own, clause) {
            (own, _) if entry.is_hidden => own.unwrap_or(HIDDEN_REASON).into(),
            (Some(own), Some(clause)) if own.contains(clause) => own.into(),
            (Some(own), Some(clause)) => format!("{own} ({clause})").into(),
            (Some(own), None) => own.into(),
            (None, clause) => clause.unwrap_or(DEFAULT_REASON).into(),
        }
    }

    pub(super) fn rooms(&self, entry: &RuleEntry, errors: &mut FileErrors<'_>) -> Vec<RoomName> {
        let mut rooms = Vec::with_capacity(entry.rooms.len());
        for Located { value, line } in &entry.rooms {
            let named = value.parse().ok().filter(|named| self.instance.rooms.contains(named));
            if named.is_none() {
                let hint = did_you_mean(value, self.instance.rooms.iter().map(RoomName::as_str));
                entry.error(errors, *line, &format!("there is no room {}{hint}", backticked(value)));
            }
            rooms.extend(named);
        }
        rooms
    }
}

fn check_reason(entry: &RuleEntry, Located { value, line }: &Located<String>, errors: &mut FileErrors<'_>) {
    let length = value.chars().count();
    if value.trim().is_empty() {
        entry.error(errors, *line, "`reason` is empty");
    } else if length > MAX_REASON_CHARS {
        let what = format!("`reason` has {length} characters; the limit is {MAX_REASON_CHARS}");
        entry.error(errors, *line, &what);
    }
}

/// Returns the text in this language, else in its primary language (`pt` for `pt-BR`), in English, or the first one.
fn in_language<'t>(texts: &'t [(String, Located<String>)], tag: &str) -> &'t str {
    let primary = tag.split('-').next().unwrap_or(tag);
    let found =
        [tag, primary, "en"].into_iter().find_map(|tag| texts.iter().find(|(of, _)| of.eq_ignore_ascii_case(tag)));
    found.or(texts.first()).map_or(DEFAULT_REASON, |(_, text)| text.value.as_str())
}

pub(super) fn mask(entry: &RuleEntry, errors: &mut FileErrors<'_>) -> char {
    let Some(Located { value, line }) = &entry.mask else { return '*' };
    if entry.outcome.is_some_and(|outcome| outcome != Outcome::Replace) {
        entry.error(errors, *line, "`mask` applies only to the verdict `replace`");
    }
    let mut chars = value.chars();
    match (chars.next(), chars.next()) {
        (Some(mask), None) if is_visible(mask) => mask,
        _ => {
            entry.error(errors, *line, "`mask` must be one visible character");
            '*'
        }
    }
}

/// Whether a character is visible on its own: no blank, combining mark, filler or formatting character, and nothing
/// that could hide a word.
fn is_visible(c: char) -> bool {
    let mut views = Views::default();
    views.read(c.encode_utf8(&mut [0; 4]));
    !c.is_control() && !views.clean().trim().is_empty() && !unicode_normalization::char::is_combining_mark(c)
}

pub(super) fn labels(entry: &RuleEntry, errors: &mut FileErrors<'_>) -> Vec<Arc<str>> {
    for Located { value, line } in &entry.labels {
        if !is_name(value) {
            entry.error(errors, *line, &format!("label {} {NAME_HELP}", backticked(value)));
        }
    }
    if let (Some(first), Some(outcome)) = (entry.labels.first(), entry.outcome)
        && outcome != Outcome::Pass
    {
        entry.error(errors, first.line, "`labels` apply only to the verdict `label`");
    }
    entry.labels.iter().map(|label| label.value.as_str().into()).collect()
}

pub(super) fn check_cases(entry: &RuleEntry, errors: &mut FileErrors<'_>) {
    let cases = || entry.refuses.iter().chain(&entry.accepts);
    if let Some(first) = cases().nth(MAX_CASES) {
        entry.error(errors, first.line, &format!("has more than {MAX_CASES} cases"));
    }
    for Located { value, line } in cases().take(MAX_CASES) {
        if value.len() > MAX_CASE_BYTES {
            entry.error(errors, *line, &format!("a case is {} bytes; the limit is {MAX_CASE_BYTES}", value.len()));
        }
    }
    let patterns = &entry.patterns;
    let checks_text = !patterns.any.is_empty()
        || !patterns.all.is_empty()
        || !patterns.words.is_empty()
        || patterns.words_file.is_some()
        || entry.conditions.iter().any(crate::filter::rules::conditions::TextCondition::is_stateless);
    if !checks_text && let Some(first) = cases().next() {
        let what = "has cases but no condition on the text, so that they test nothing";
        entry.error(errors, first.line, what);
    }
}

/// Reports conditions and verdicts that do not apply to nicknames.
pub(super) fn check_field(entry: &RuleEntry, errors: &mut FileErrors<'_>) {
    if entry.field.is_in_contents() {
        check_content_field(entry, errors);
    }
    if entry.field != Field::Nickname {
        return;
    }
    if entry.outcome == Some(Outcome::Replace) {
        entry.error(errors, entry.line, "a nickname cannot be replaced; use the verdict `reject`");
    }
    if entry.conditions.iter().any(|condition| !condition.is_for_nicknames()) {
        let what = "`links`, `mentions`, `repetition` and `language` do not apply to nicknames";
        entry.error(errors, entry.line, what);
    }
}

fn check_content_field(entry: &RuleEntry, errors: &mut FileErrors<'_>) {
    let field = entry.field.as_str();
    if !entry.has_text_conditions() {
        entry.error(
            errors,
            entry.line,
            &format!("`field = \"{field}\"` has no effect without a condition on the text"),
        );
    }
    if entry.outcome == Some(Outcome::Replace) {
        entry.error(errors, entry.line, "contents cannot be replaced; use another verdict, or check the texts alone");
    }
    if entry.conditions.iter().any(|condition| !condition.is_stateless()) {
        entry.error(errors, entry.line, "`repetition` applies only to texts; remove `field`");
    }
}

/// Reports rules that could never match because of their kinds.
pub(super) fn check_kinds(entry: &RuleEntry, errors: &mut FileErrors<'_>) {
    if entry.kinds.is_empty() {
        return;
    }
    let mut error = |text: &str| entry.error(errors, entry.kinds_line, text);
    if entry.field == Field::Nickname {
        error("`kinds` does not apply to nicknames");
    }
    let has_field = |kind: &RuleKind| entry.field.is_in(*kind);
    if entry.has_text_conditions() && !entry.kinds.iter().any(has_field) {
        let what = match entry.field {
            Field::Text => "a text".to_owned(),
            field => format!("the field `{field}`"),
        };
        error(&format!("`kinds` names no kind with {what}, so the conditions on the text would never hold"));
    }
    let replaces_texts = entry.outcome == Some(Outcome::Replace) && entry.round_to.is_none();
    if replaces_texts && !entry.kinds.iter().all(has_field) {
        error("only texts can be replaced; `kinds` may name `text` and `like` here");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_a_visible_character() {
        for visible in ['*', '#', '-', '█', '·', 'x', 'é', '🙈', '♥', '〇', '…'] {
            assert!(is_visible(visible), "{visible:?}");
        }
        for invisible in [
            ' ',
            '\u{a0}',
            '\u{ad}',
            '\u{200b}',
            '\u{200d}',
            '\u{202e}',
            '\u{2066}',
            '\u{2800}',
            '\u{3164}',
            '\u{115f}',
            '\u{ffa0}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{301}',
            '\u{20dd}',
            '\u{7}',
            '\u{e0020}',
        ] {
            assert!(!is_visible(invisible), "{invisible:?}");
        }
    }
}
