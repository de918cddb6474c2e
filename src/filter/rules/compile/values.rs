//! Single values of a rule.

use std::sync::Arc;

use super::Compiler;
use super::names::{NAME_HELP, is_name};
use crate::filter::rules::faults::{Faults, did_you_mean, quoted};
use crate::filter::rules::written::{At, Field, Texts, Written};
use crate::matching::Views;
use crate::model::{Outcome, RoomName};

const MAX_REASON_CHARS: usize = 300;
/// Longest text of a case, in bytes; and the most cases of a rule.
const MAX_CASE_BYTES: usize = 4_000;
const MAX_CASES: usize = 1_000;

const DEFAULT_REASON: &str = "This message breaks a rule of this instance.";
/// What a sender is told who must not learn which rule it was.
const HIDDEN_REASON: &str = "This message was not accepted.";

impl Written {
    /// A fault of this rule.
    pub(super) fn fault(&self, faults: &mut Faults<'_>, line: usize, what: &str) {
        faults.add(line, format!("{}: {what}", self.name));
    }
}

impl Compiler<'_> {
    pub(super) fn clause(&self, written: &Written, faults: &mut Faults<'_>) -> Option<Arc<str>> {
        let At { value, line } = written.clause.as_ref()?;
        let wanted = value.trim();
        if self.clauses.contains(&wanted) {
            return Some(wanted.into());
        }
        let near = did_you_mean(wanted, self.clauses.iter().copied());
        let lines: Vec<String> = self.clauses.iter().map(|clause| quoted(clause)).collect();
        let lines =
            if lines.is_empty() { "RULES is empty".to_owned() } else { format!("RULES has {}", lines.join(", ")) };
        let help = if near.is_empty() { format!("; {lines}") } else { near };
        written.fault(faults, *line, &format!("`clause` {} is no line of RULES{help}", quoted(wanted)));
        None
    }

    /// What the sender is told: the reason of the rule in the language of the instance, and the clause that it keeps.
    pub(super) fn reason(&self, written: &Written, clause: Option<&str>, faults: &mut Faults<'_>) -> Arc<str> {
        if let Some(reason) = &written.reason {
            let texts: Vec<&At<String>> = match reason {
                Texts::One(text) => vec![text],
                Texts::Each(texts) => texts.iter().map(|(_, text)| text).collect(),
            };
            for text in texts {
                check_reason(written, text, faults);
            }
        }
        let own = written.reason.as_ref().map(|reason| match reason {
            Texts::One(text) => text.value.as_str(),
            Texts::Each(texts) => in_language(texts, &self.instance.main_lang),
        });
        match (own, clause) {
            (own, _) if written.hidden => own.unwrap_or(HIDDEN_REASON).into(),
            (Some(own), Some(clause)) if own.contains(clause) => own.into(),
            (Some(own), Some(clause)) => format!("{own} ({clause})").into(),
            (Some(own), None) => own.into(),
            (None, clause) => clause.unwrap_or(DEFAULT_REASON).into(),
        }
    }

    pub(super) fn rooms(&self, written: &Written, faults: &mut Faults<'_>) -> Vec<RoomName> {
        let mut rooms = Vec::with_capacity(written.rooms.len());
        for At { value, line } in &written.rooms {
            let named = RoomName::parse(value).ok().filter(|named| self.instance.rooms.contains(named));
            if named.is_none() {
                let hint = did_you_mean(value, self.instance.rooms.iter().map(RoomName::as_str));
                written.fault(faults, *line, &format!("there is no room {}{hint}", quoted(value)));
            }
            rooms.extend(named);
        }
        rooms
    }
}

fn check_reason(written: &Written, At { value, line }: &At<String>, faults: &mut Faults<'_>) {
    let length = value.chars().count();
    if value.trim().is_empty() {
        written.fault(faults, *line, "`reason` is empty");
    } else if length > MAX_REASON_CHARS {
        let what = format!("`reason` has {length} characters; the limit is {MAX_REASON_CHARS}");
        written.fault(faults, *line, &what);
    }
}

/// The text in this language; else in its main form (`pt` for `pt-BR`), in English, in the first one that is there.
fn in_language<'t>(texts: &'t [(String, At<String>)], tag: &str) -> &'t str {
    let main = tag.split('-').next().unwrap_or(tag);
    let found = [tag, main, "en"].into_iter().find_map(|tag| texts.iter().find(|(of, _)| of.eq_ignore_ascii_case(tag)));
    found.or(texts.first()).map_or(DEFAULT_REASON, |(_, text)| text.value.as_str())
}

pub(super) fn mask(written: &Written, faults: &mut Faults<'_>) -> char {
    let Some(At { value, line }) = &written.mask else { return '*' };
    if written.asked.is_some_and(|asked| asked != Outcome::Replace) {
        written.fault(faults, *line, "`mask` is for the verdict replace");
    }
    let mut chars = value.chars();
    match (chars.next(), chars.next()) {
        (Some(mask), None) if is_visible(mask) => mask,
        _ => {
            written.fault(faults, *line, "`mask` must be one visible character");
            '*'
        }
    }
}

/// Whether a character stands for itself: no blank, mark, filler, or sign that changes how others are shown. Whatever a
/// text can hide a word with is none.
fn is_visible(c: char) -> bool {
    let mut views = Views::default();
    views.read(c.encode_utf8(&mut [0; 4]));
    !c.is_control() && !views.clean().trim().is_empty() && !unicode_normalization::char::is_combining_mark(c)
}

pub(super) fn labels(written: &Written, faults: &mut Faults<'_>) -> Vec<Arc<str>> {
    for At { value, line } in &written.labels {
        if !is_name(value) {
            written.fault(faults, *line, &format!("label {} {NAME_HELP}", quoted(value)));
        }
    }
    if let (Some(first), Some(asked)) = (written.labels.first(), written.asked)
        && asked != Outcome::Pass
    {
        written.fault(faults, first.line, "`labels` are for the verdict label");
    }
    written.labels.iter().map(|label| label.value.as_str().into()).collect()
}

pub(super) fn check_cases(written: &Written, faults: &mut Faults<'_>) {
    let cases = || written.refuses.iter().chain(&written.accepts);
    if let Some(first) = cases().nth(MAX_CASES) {
        written.fault(faults, first.line, &format!("has more than {MAX_CASES} cases"));
    }
    for At { value, line } in cases().take(MAX_CASES) {
        if value.len() > MAX_CASE_BYTES {
            written.fault(faults, *line, &format!("a case is {} bytes; the limit is {MAX_CASE_BYTES}", value.len()));
        }
    }
    let looks = &written.patterns;
    let at_text = !looks.any.is_empty()
        || !looks.all.is_empty()
        || !looks.words.is_empty()
        || looks.words_file.is_some()
        || written.conditions.iter().any(crate::filter::rules::conditions::Condition::is_of_text);
    if !at_text && let Some(first) = cases().next() {
        let what = "has cases and nothing that looks at a text: they would tell nothing";
        written.fault(faults, first.line, what);
    }
}

/// A nickname is no text: some things cannot be asked of it, or done with it.
pub(super) fn check_field(written: &Written, faults: &mut Faults<'_>) {
    if written.field != Field::Nickname {
        return;
    }
    if written.asked == Some(Outcome::Replace) {
        written.fault(faults, written.line, "a nickname cannot be replaced; use the verdict reject");
    }
    if written.conditions.iter().any(|condition| !condition.is_of_nickname()) {
        let what = "`links`, `mentions`, `repetition` and `language` are for the field text";
        written.fault(faults, written.line, what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_a_character_that_can_be_seen() {
        for seen in ['*', '#', '-', '█', '·', 'x', 'é', '🙈', '♥', '〇', '…'] {
            assert!(is_visible(seen), "{seen:?}");
        }
        for unseen in [
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
            assert!(!is_visible(unseen), "{unseen:?}");
        }
    }
}
