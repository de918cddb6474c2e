//! Compiles the conditions on places.

use super::RuleFile;
use crate::filter::rules::conditions::{AreaFileError, PlaceCondition, SidedArea};
use crate::filter::rules::document::{Field, RuleEntry, RuleKind};
use crate::model::Outcome;
use crate::places::{Length, LengthError};
use crate::settings::{FileErrors, backticked};

/// Compiles the condition of a rule on places, with the text of its area; `Some(None)` if it has none, `None` after an
/// error.
#[expect(clippy::option_option, reason = "the outer one tells of an error")]
pub(super) fn compile(
    file: &RuleFile<'_>,
    entry: &RuleEntry,
    errors: &mut FileErrors<'_>,
) -> Option<Option<(PlaceCondition, String)>> {
    if entry.places.is_empty() && entry.round_to.is_none() {
        let Some((_, line)) = entry.unknown_crs else { return Some(None) };
        entry.error(errors, line, "`unknown_crs` has no effect without `within`, `outside` or `round_to`");
        return None;
    }
    let are_keys_valid = check_keys(entry, errors);
    let round_to = round_to(entry, errors);
    let area = area(file, entry, errors);
    let ((area, text), round_to) = Some((area?, round_to?)).filter(|_| are_keys_valid)?;
    let default = if entry.outcome == Some(Outcome::Pass) { Outcome::Pass } else { Outcome::Hold };
    let unknown = Some(entry.unknown_crs.map_or(default, |(outcome, _)| outcome)).filter(|it| *it != Outcome::Pass);
    Some(Some((PlaceCondition { area, round_to, unknown }, text)))
}

/// Reports keys that could never have an effect together. Returns whether there are none.
fn check_keys(entry: &RuleEntry, errors: &mut FileErrors<'_>) -> bool {
    let (key, line) = match (entry.places.first(), &entry.round_to) {
        (Some(place), _) => (place.side.key(), place.file.line),
        (None, Some(length)) => ("round_to", length.line),
        (None, None) => return true,
    };
    let mut is_valid = true;
    let mut error = |line: usize, text: &str| {
        entry.error(errors, line, text);
        is_valid = false;
    };
    if entry.places.len() > 1 {
        let last = entry.places.iter().map(|place| place.file.line).max().unwrap_or(line);
        error(last, "a rule has either `within` or `outside`");
    }
    if entry.field == Field::Nickname {
        error(line, &format!("`{key}` does not apply to nicknames"));
    }
    if let Some(kind) = entry.kinds.iter().find(|kind| !kind.has_place()) {
        let text = format!("`{key}` never holds for the kind `{}`, which is at no place", kind.as_str());
        error(entry.kinds_line, &text);
    }
    if entry.has_text_conditions() {
        error(line, &format!("`{key}` never holds for a text; put the conditions on the text into another rule"));
    }
    match (&entry.round_to, entry.outcome) {
        (None, Some(Outcome::Replace)) => error(line, "a place can only be replaced with `round_to`; add it"),
        (Some(length), Some(outcome)) if outcome != Outcome::Replace => {
            error(length.line, "`round_to` applies only to the verdict `replace`");
        }
        _ => {}
    }
    if entry.round_to.is_some() && entry.kinds.contains(&RuleKind::GeoJson) {
        error(entry.kinds_line, "layers cannot be rounded; `round_to` applies to positions and extents");
    }
    is_valid
}

/// Reads the length to round to; `Some(None)` if there is none, `None` after an error.
#[expect(clippy::option_option, reason = "the outer one tells of an error")]
fn round_to(entry: &RuleEntry, errors: &mut FileErrors<'_>) -> Option<Option<Length>> {
    let Some(length) = &entry.round_to else { return Some(None) };
    let parsed = length.value.parse().map_err(|error: LengthError| {
        entry.error(errors, length.line, &format!("`round_to` {}: {error}", backticked(&length.value)));
    });
    parsed.ok().map(Some)
}

/// Reads the area, and the text of its file. `None` after an error.
fn area(file: &RuleFile<'_>, entry: &RuleEntry, errors: &mut FileErrors<'_>) -> Option<(Option<SidedArea>, String)> {
    let Some(place) = entry.places.first() else { return Some((None, String::new())) };
    let (key, line) = (place.side.key(), place.file.line);
    match SidedArea::load(place, file.base) {
        Ok((area, text)) => Some((Some(area), text)),
        Err(AreaFileError::File(error)) => {
            entry.error(errors, line, &format!("`{key}` {} {error}", backticked(&place.file.value)));
            None
        }
        Err(AreaFileError::Area(path, error)) => {
            entry.error(errors, line, &format!("`{key}` {}: {error}", backticked(&path.display().to_string())));
            None
        }
    }
}
