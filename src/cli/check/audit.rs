//! `check --audit`: whether an audit log is as the relay wrote it.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::cli::table::{Align, Table};
use crate::cli::tell;
use crate::cli::terminal::printable;
use crate::moderation::audit::{self, Checked, Day};

/// Reports day by day. Exit code 1 when anything is wrong, or there is no log.
pub(super) fn run(path: &Path) -> ExitCode {
    let checked = match audit::check(path) {
        Ok(checked) => checked,
        Err(fault) => {
            tell(io::stderr(), &format!("gischat-relay: {} cannot be checked: {fault}\n", path.display()));
            return ExitCode::FAILURE;
        }
    };
    tell(io::stdout(), &report(&checked));
    if checked.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn report(checked: &Checked) -> String {
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
    for Day { day, files, lines, lost, head, closed, fault, notes } in &checked.days {
        wrong += usize::from(fault.is_some());
        let state = match (fault, closed) {
            (Some(_), _) => "NOT WHOLE",
            (None, true) => "whole",
            (None, false) => "whole, not closed",
        };
        let mut below: Vec<String> = fault.iter().map(|fault| printable(&fault.to_string())).collect();
        below.extend(notes.iter().map(|note| printable(note)));
        let cells =
            [day.to_string(), files.to_string(), lines.to_string(), lost.to_string(), state.to_owned(), head.clone()];
        table.add(cells, below);
    }
    let mut text = if checked.days.is_empty() { String::new() } else { table.text() + "\n" };
    // Writing to a string cannot fail.
    let _infallible = match (checked.days.len(), wrong) {
        (0, _) => writeln!(text, "there is no audit log"),
        (_, 0) => {
            writeln!(text, "the audit log is whole; only who keeps these hashes elsewhere knows that it is not new")
        }
        (days, wrong) => writeln!(text, "the audit log is not whole: {wrong} of {days} days"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moderation::audit::{Fault, Wrong};

    fn day(fault: Option<Wrong>, closed: bool) -> Day {
        let fault = fault.map(|what| Fault { file: "audit-2026-11-23.jsonl".to_owned(), line: 3, what });
        let day = "2026-11-23".parse().unwrap();
        Day { day, files: 2, lines: 7, lost: 0, head: "ab12".to_owned(), closed, fault, notes: Vec::new() }
    }

    #[test]
    fn each_day_has_a_line_and_its_fault_below_it() {
        let text = report(&Checked { days: vec![day(None, true), day(Some(Wrong::Changed), true)] });
        assert_eq!(
            text,
            "day         files  lines  lost             hash of the last line\n\
             2026-11-23      2      7     0  whole      ab12\n\
             2026-11-23      2      7     0  NOT WHOLE  ab12\n    \
             audit-2026-11-23.jsonl:3: changed: the line is not as it was written\n\n\
             the audit log is not whole: 1 of 2 days\n"
        );
    }

    #[test]
    fn a_log_that_is_still_written_says_so() {
        let text = report(&Checked { days: vec![day(None, false)] });
        assert!(text.contains("whole, not closed") && text.contains("\nthe audit log is whole;"), "{text}");
        assert_eq!(report(&Checked { days: Vec::new() }), "there is no audit log\n");
    }
}
