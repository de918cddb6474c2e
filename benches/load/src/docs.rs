//! Writes `PERFORMANCE.md` and its plots. Only the text between marks is replaced.

mod tables;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::entrants::Entrant;
use crate::section::Section;
use crate::workload::Workload;

const FIGURES: [&str; 2] = ["<!-- figures -->", "<!-- /figures -->"];
const HISTORY: [&str; 2] = ["<!-- history -->", "<!-- /history -->"];

/// The document before the first measurement.
const EMPTY: &str = include_str!("performance.md");

/// The results to write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Results<'a> {
    /// Facts about the machine.
    pub(crate) facts: &'a Value,
    pub(crate) entrants: &'a [Entrant],
    pub(crate) sections: &'a [Section],
    pub(crate) runs: u32,
}

/// Writes all documents in `folder`.
///
/// # Errors
/// If a file cannot be read or written, or has lost its marks.
pub(crate) fn write(folder: &Path, results: &Results<'_>) -> Result<()> {
    let plots = folder.join("performance");
    fs::create_dir_all(&plots).with_context(|| format!("cannot make {}", plots.display()))?;
    let path = folder.join("PERFORMANCE.md");
    let old = if path.exists() {
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?
    } else {
        EMPTY.to_owned()
    };
    let text = between(&old, FIGURES, &results.figures())?;
    let text = last_between(&text, HISTORY, &results.history())?;
    for workload in [Workload::Members, Workload::Rooms] {
        if let Some(svg) = results.plot(workload).svg() {
            let path = plots.join(format!("{}.svg", workload.name()));
            fs::write(&path, svg).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Returns `text` with `new` between two marks.
///
/// # Errors
/// If the marks are missing.
fn between(text: &str, [start, end]: [&str; 2], new: &str) -> Result<String> {
    let Some((before, (_, after))) = text.split_once(start).and_then(|(a, b)| Some((a, b.split_once(end)?))) else {
        bail!("no `{start}` with a `{end}` after it");
    };
    Ok(format!("{before}{start}\n{new}\n{end}{after}"))
}

/// Returns `text` with `new` as another line before the second mark.
///
/// # Errors
/// If the marks are missing.
fn last_between(text: &str, marks: [&str; 2], new: &str) -> Result<String> {
    let old = text.split_once(marks[0]).and_then(|(_, rest)| rest.split_once(marks[1])).map_or("", |(old, _)| old);
    between(text, marks, &format!("{}\n{new}", old.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goals::LINES;

    #[test]
    fn text_around_the_marks_is_kept() {
        let text = "before\n<!-- figures -->\nold\n<!-- /figures -->\nafter\n";
        assert_eq!(
            between(text, FIGURES, "new").expect("marks"),
            "before\n<!-- figures -->\nnew\n<!-- /figures -->\nafter\n"
        );
        assert!(between("no marks", FIGURES, "new").is_err());
        assert!(between("<!-- /figures --><!-- figures -->", FIGURES, "new").is_err());
    }

    #[test]
    fn history_grows_at_its_end() {
        let once = last_between(EMPTY, HISTORY, "| one |").expect("marks");
        let twice = last_between(&once, HISTORY, "| two |").expect("marks");
        assert!(twice.contains("|\n| one |\n| two |\n<!-- /history -->"), "{twice}");
    }

    #[test]
    fn the_history_has_a_column_for_each_of_its_figures() {
        let head = EMPTY.lines().find(|line| line.starts_with("| date")).expect("a table");
        let titles: Vec<&str> = head.trim_matches('|').split('|').map(str::trim).collect();
        let lines: Vec<&str> = LINES.iter().filter_map(|line| line.history).collect();
        assert_eq!(titles.len(), lines.len() + 3);
        assert!(titles.iter().skip(3).zip(lines).all(|(title, line)| title.starts_with(line)), "{titles:?}");
    }

    #[test]
    fn the_initial_document_has_marks_for_figures() {
        assert!(between(EMPTY, FIGURES, "new").is_ok());
    }
}
