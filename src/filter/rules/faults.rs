//! What is wrong with a rules file, collected.

use std::path::Path;

use strsim::osa_distance;

use crate::settings::{Fault, Place};

/// More faults than this are counted and not listed.
const MAX_LISTED: usize = 100;

/// The faults found so far, each with the line of the rules file that brought it up.
pub(super) struct Faults<'p> {
    file: &'p Path,
    found: Vec<(usize, Fault)>,
}

impl<'p> Faults<'p> {
    pub(super) fn new(file: &'p Path) -> Self {
        Self { file, found: Vec::new() }
    }

    /// A fault of a file as a whole.
    pub(super) fn of_file(file: &Path, text: String) -> Fault {
        Fault::new(Place::File(file.to_owned()), text)
    }

    /// Adds a fault of the rules file; line 0 stands for all of it.
    pub(super) fn add(&mut self, line: usize, text: String) {
        let file = self.file.to_owned();
        let place = if line == 0 { Place::File(file) } else { Place::Line { file, line } };
        self.found.push((line, Fault::new(place, text)));
    }

    /// Adds a fault of another file, which `line` of the rules file names.
    pub(super) fn add_elsewhere(&mut self, line: usize, place: Place, text: String) {
        self.found.push((line, Fault::new(place, text)));
    }

    /// Whether there are any.
    pub(super) fn any(&self) -> bool {
        !self.found.is_empty()
    }

    /// All faults in order of the lines, if there are any.
    pub(super) fn none_or_all(mut self) -> Result<(), Vec<Fault>> {
        if self.found.is_empty() {
            return Ok(());
        }
        self.found.sort_by_key(|&(line, _)| line);
        let unlisted = self.found.len().saturating_sub(MAX_LISTED);
        let mut list: Vec<Fault> = self.found.into_iter().take(MAX_LISTED).map(|(_, fault)| fault).collect();
        if unlisted > 0 {
            list.push(Self::of_file(self.file, format!("{unlisted} more faults")));
        }
        Err(list)
    }
}

/// `; did you mean ...?` if one of `names` is close to `written`, else nothing.
pub(super) fn did_you_mean<'n>(written: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    // A long text is no slip of the pen, and its distance would take long to find.
    if written.len() > 40 {
        return String::new();
    }
    let written = written.to_lowercase();
    let near = names.into_iter().map(|name| (osa_distance(&written, &name.to_lowercase()), name)).min();
    match near {
        Some((distance, name)) if distance <= (name.len() / 3).max(1) => format!("; did you mean `{name}`?"),
        _ => String::new(),
    }
}

/// The beginning of a text from a file, fit for a message: on one line and not too long.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown: String = text.chars().take(LONGEST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_slip_of_the_pen_is_corrected() {
        let names = ["words", "words_file", "any"];
        assert_eq!(did_you_mean("wrods", names), "; did you mean `words`?");
        assert_eq!(did_you_mean("Any", names), "; did you mean `any`?");
        assert_eq!(did_you_mean("colour", names), "");
        assert_eq!(did_you_mean(&"w".repeat(100_000), names), "");
    }

    #[test]
    fn what_is_quoted_is_short_and_on_one_line() {
        assert_eq!(quoted("a\nb"), "`a\u{fffd}b`");
        assert_eq!(quoted(&"é".repeat(61)), format!("`{}…`", "é".repeat(60)));
    }

    #[test]
    fn beyond_a_hundred_faults_are_only_counted() {
        let mut faults = Faults::new(Path::new("rules.toml"));
        (1..=130).rev().for_each(|line| faults.add(line, format!("fault {line}")));
        let list: Vec<String> = faults.none_or_all().unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(list.len(), 101);
        assert_eq!(list[0], "rules.toml:1: fault 1");
        assert_eq!(list[100], "rules.toml: 30 more faults");
    }
}
