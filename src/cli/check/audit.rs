//! `check --audit`: verifies the integrity of an audit log.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::audit::{self, CheckReport, DayReport, LineHash};
use crate::cli::print_to;
use crate::cli::table::{Align, Table};
use crate::cli::terminal::printable;

/// Prints a report by day. Exits with 1 if the log is damaged, does not exist, or has no line with the hash `head`.
pub(super) fn run(path: &Path, head: Option<LineHash>) -> ExitCode {
    let checked = match audit::check_for(path, head) {
        Ok(checked) => checked,
        Err(error) => {
            print_to(io::stderr(), &format!("gischat-relay: cannot check {}: {error}\n", path.display()));
            return ExitCode::FAILURE;
        }
    };
    print_to(io::stdout(), &report(&checked, head));
    let is_missing = head.is_some() && checked.found.is_none();
    if checked.is_valid() && !is_missing { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn report(checked: &CheckReport, head: Option<LineHash>) -> String {
    let columns = [
        ("day", Align::Left),
        ("files", Align::Right),
        ("lines", Align::Right),
        ("lost", Align::Right),
        ("", Align::Left),
        ("hash of the last line", Align::Left),
    ];
    let mut table = Table::new(columns);
    let mut wrong = 0;
    for DayReport { day, files, lines, lost, head, closed, error, notes } in &checked.days {
        wrong += usize::from(error.is_some());
        let state = match (error, closed) {
            (Some(_), _) => "DAMAGED",
            (None, true) => "intact",
            (None, false) => "intact, open",
        };
        let mut below: Vec<String> = error.iter().map(|error| printable(&error.to_string())).collect();
        below.extend(notes.iter().map(|note| printable(note)));
        let cells =
            [day.to_string(), files.to_string(), lines.to_string(), lost.to_string(), state.to_owned(), head.clone()];
        table.add(cells, below);
    }
    let mut text = if checked.days.is_empty() { String::new() } else { table.text() + "\n" };
    // Writing to a string cannot fail.
    let _infallible = match (checked.days.len(), wrong) {
        (0, _) => writeln!(text, "no audit log found"),
        (_, 0) => writeln!(text, "the audit log is intact; {}", extent(checked, head)),
        (days, wrong) => writeln!(text, "the audit log is damaged: {wrong} of {days} days"),
    };
    text
}

/// Says what an intact log proves.
fn extent(checked: &CheckReport, head: Option<LineHash>) -> String {
    match (head, &checked.found) {
        (None, _) => {
            "to detect removed last lines or a rewritten log, compare with a hash kept elsewhere (--head)".to_owned()
        }
        (Some(_), Some((file, line))) => {
            format!("the hash is that of {file}:{line}, and nothing before it was changed")
        }
        (Some(_), None) => {
            "but no line has the given hash: the last lines are missing, or the log was rewritten".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{ChainError, ChainErrorKind};

    fn day(error: Option<ChainErrorKind>, closed: bool) -> DayReport {
        let error = error.map(|what| ChainError { file: "audit-2026-11-23.jsonl".to_owned(), line: 3, kind: what });
        let day = "2026-11-23".parse().unwrap();
        DayReport { day, files: 2, lines: 7, lost: 0, head: "ab12".to_owned(), closed, error, notes: Vec::new() }
    }

    #[test]
    fn each_day_has_a_line_with_its_error_below() {
        let text = report(
            &CheckReport { days: vec![day(None, true), day(Some(ChainErrorKind::Changed), true)], found: None },
            None,
        );
        assert_eq!(
            text,
            "day         files  lines  lost           hash of the last line\n\
             2026-11-23      2      7     0  intact   ab12\n\
             2026-11-23      2      7     0  DAMAGED  ab12\n    \
             audit-2026-11-23.jsonl:3: changed: the line was modified\n\n\
             the audit log is damaged: 1 of 2 days\n"
        );
    }

    #[test]
    fn a_log_that_is_still_open_is_marked() {
        let text = report(&CheckReport { days: vec![day(None, false)], found: None }, None);
        assert!(text.contains("intact, open") && text.contains("\nthe audit log is intact;"), "{text}");
        assert_eq!(report(&CheckReport { days: Vec::new(), found: None }, None), "no audit log found\n");
    }
}
