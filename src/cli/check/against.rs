//! `check --against FILE`: which rules would hit texts that are known to be fine.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::super::table::{Align, Table};
use super::super::terminal::printable;
use super::super::{BAD_ARGUMENTS, tell};
use crate::config::Config;
use crate::filter::Finding;
use crate::filter::rules::Rules;
use crate::model::{Address, Basis, Facts, Kind, Match, Message, Mode, RoomName, Sender, Span, Verdict};

/// Longest text that is looked at, in bytes; the rest of a longer line is left out.
const MAX_TEXT: u64 = 16 << 10;
/// Hits of a rule that are shown.
const SHOWN: usize = 3;
/// Code points shown before and behind a hit.
const AROUND: usize = 20;

/// What one rule hits.
struct Hits {
    mode: Mode,
    source: String,
    count: u64,
    first: Vec<String>,
}

/// Holds the texts against the rules, in every room and at any hour. 0 when they would all be let through as they are.
pub(super) fn run(file: &Path, newcomer: bool, config: &Config, rules: &Rules) -> ExitCode {
    let Some(room) = config.instance.rooms.first() else { return ExitCode::FAILURE };
    let sender = sender(newcomer, room.clone());
    let mut hits: BTreeMap<String, Hits> = BTreeMap::new();
    let (mut texts, mut acts) = (0, false);
    let read = each_line(file, |line, text| {
        texts += 1;
        let message = Message::new("somebody", Kind::Text { avatar: None, text: text.to_owned() });
        let Finding { verdict, matches } = rules.examine_everywhere(&message, &sender);
        acts |= verdict != Verdict::Pass;
        // What looks at the name has not looked at the text.
        for matched in matches.iter().filter(|matched| matched.field.is_none()) {
            note(&mut hits, matched, line, text);
        }
    });
    if let Err(fault) = read {
        tell(io::stderr(), &format!("error: {}: {fault}\n", file.display()));
        return ExitCode::from(BAD_ARGUMENTS);
    }
    tell(io::stdout(), &report(texts, &hits));
    if acts { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Somebody in this room, who has just come or has been there for long.
fn sender(newcomer: bool, room: RoomName) -> Sender {
    let known = Facts { registered: true, connected: Duration::from_hours(1), accepted: 100, ..Facts::default() };
    Sender {
        connection: None,
        address: Address::from(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        room,
        facts: if newcomer { Facts::default() } else { known },
    }
}

/// Calls `each` with the number and the text of every line that is not blank.
fn each_line(file: &Path, mut each: impl FnMut(usize, &str)) -> io::Result<()> {
    let mut reader = BufReader::new(File::open(file)?);
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        if reader.by_ref().take(MAX_TEXT).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        let whole = bytes.ends_with(b"\n");
        let text = String::from_utf8_lossy(&bytes);
        if !text.trim().is_empty() {
            each(line, text.trim());
        }
        if !whole {
            skip_line(&mut reader)?;
        }
    }
    Ok(())
}

/// Reads on to the end of the line.
fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        let (used, ended) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        reader.consume(used);
        if ended {
            return Ok(());
        }
    }
}

fn note(hits: &mut BTreeMap<String, Hits>, matched: &Match, line: usize, text: &str) {
    let Basis::Rule { id, source, .. } = &matched.basis else { return };
    let of_rule = hits.entry(id.to_string()).or_insert_with(|| Hits {
        mode: matched.mode,
        source: source.to_string(),
        count: 0,
        first: Vec::new(),
    });
    of_rule.count += 1;
    if of_rule.first.len() < SHOWN {
        of_rule.first.push(format!("line {line}: {}", excerpt(text, matched.span)));
    }
}

/// The place of a hit in brackets, with some of the text around it.
fn excerpt(text: &str, span: Option<Span>) -> String {
    let Some(Span(start, end)) = span else {
        let shown: String = text.chars().take(AROUND * 3).collect();
        return printable(&shown);
    };
    let part = |from: usize, until: usize| -> String { text.chars().skip(from).take(until - from).collect() };
    let before = part(start.saturating_sub(AROUND), start);
    let (hit, after) = (part(start, end), part(end, end + AROUND));
    format!("{}[{}]{}", printable(&before), printable(&hit), printable(&after))
}

fn report(texts: u64, hits: &BTreeMap<String, Hits>) -> String {
    if hits.is_empty() {
        return format!("{texts} texts, and no rule hits one\n");
    }
    let columns = [
        ("rule", Align::Left),
        ("at", Align::Left),
        ("mode", Align::Left),
        ("hits", Align::Right),
        ("of texts", Align::Right),
    ];
    let mut table = Table::new(columns);
    for (id, Hits { mode, source, count, first }) in hits {
        #[expect(clippy::cast_precision_loss, reason = "a share of three digits")]
        let share = *count as f64 * 100.0 / texts as f64;
        let cells =
            [id.clone(), printable(source), mode.as_str().to_owned(), count.to_string(), format!("{share:.3} %")];
        table.add(cells, first.clone());
    }
    format!("{texts} texts\n\n{}", table.text())
}
