//! Compiles the conditions on places.

use super::RuleFile;
use crate::filter::rules::conditions::{AreaFileError, PlaceCondition};
use crate::filter::rules::document::{Field, RuleEntry};
use crate::model::Outcome;
use crate::settings::{FileErrors, backticked};

/// Compiles the condition of a rule on places, with the text of its area; `Some(None)` if it has none, `None` after an
/// error.
#[expect(clippy::option_option, reason = "the outer one tells of an error")]
pub(super) fn compile(
    file: &RuleFile<'_>,
    entry: &RuleEntry,
    errors: &mut FileErrors<'_>,
) -> Option<Option<(PlaceCondition, String)>> {
    let Some(place) = entry.places.first() else {
        if let Some((_, line)) = entry.unknown_crs {
            entry.error(errors, line, "`unknown_crs` has no effect without `within` or `outside`");
        }
        return Some(None);
    };
    let (key, line) = (place.side.key(), place.file.line);
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
    if entry.outcome == Some(Outcome::Replace) {
        error(line, "a place cannot be replaced; use another verdict");
    }
    if !is_valid {
        return None;
    }
    let default = if entry.outcome == Some(Outcome::Pass) { Outcome::Pass } else { Outcome::Hold };
    let unknown = Some(entry.unknown_crs.map_or(default, |(outcome, _)| outcome)).filter(|it| *it != Outcome::Pass);
    match PlaceCondition::load(place, file.base, unknown) {
        Ok(loaded) => Some(Some(loaded)),
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
