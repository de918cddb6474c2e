//! `check --against FILE`: shows which rules match texts that are known to be harmless.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::super::table::{Align, Table};
use super::super::terminal::printable;
use super::super::{BAD_ARGUMENTS, print_to};
use crate::config::Config;
use crate::filter::Finding;
use crate::filter::rules::RuleSet;
use crate::model::{Address, Basis, Match, Message, MessageKind, Mode, RoomName, Sender, SenderContext, Span, Verdict};

/// Longest text that is checked, in bytes. The rest of a longer line is ignored.
const MAX_TEXT: u64 = 16 << 10;
/// Most hits shown per rule.
const SHOWN: usize = 3;
/// Code points shown before and after a hit.
const AROUND: usize = 20;

/// The hits of one rule.
struct RuleHits {
    mode: Mode,
    source: String,
    count: u64,
    first: Vec<String>,
}

/// Checks the texts against the rules, for every room and hour. Exits with 0 if all texts would pass unchanged.
pub(super) fn run(file: &Path, newcomer: bool, config: &Config, rules: &RuleSet) -> ExitCode {
    let Some(room) = config.instance.rooms.first() else { return ExitCode::FAILURE };
    let sender = sender(newcomer, room.clone());
    let mut hits: BTreeMap<String, RuleHits> = BTreeMap::new();
    let (mut texts, mut acts) = (0, false);
    let read = each_line(file, |line, text| {
        texts += 1;
        let message = Message::new("somebody", MessageKind::Text { avatar: None, text: text.to_owned() });
        let Finding { verdict, matches } = rules.examine_ignoring_rooms_and_hours(&message, &sender);
        acts |= verdict != Verdict::Pass;
        // Skip matches on the nickname.
        for matched in matches.iter().filter(|matched| matched.field.is_none()) {
            note(&mut hits, matched, line, text);
        }
    });
    if let Err(error) = read {
        print_to(io::stderr(), &format!("error: {}: {error}\n", file.display()));
        return ExitCode::from(BAD_ARGUMENTS);
    }
    print_to(io::stdout(), &report(texts, &hits));
    if acts { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Returns a sender in this room: a newcomer, or a long-standing member.
fn sender(newcomer: bool, room: RoomName) -> Sender {
    let known = SenderContext {
        registered: true,
        connected: Duration::from_hours(1),
        accepted: 100,
        ..SenderContext::default()
    };
    Sender {
        connection: None,
        address: Address::from(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        room,
        context: if newcomer { SenderContext::default() } else { known },
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

/// Skips to the end of the line.
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

fn note(hits: &mut BTreeMap<String, RuleHits>, matched: &Match, line: usize, text: &str) {
    let Basis::Rule { id, source, .. } = &matched.basis else { return };
    let of_rule = hits.entry(id.to_string()).or_insert_with(|| RuleHits {
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

/// Returns a hit in brackets with some of the text around it.
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

fn report(texts: u64, hits: &BTreeMap<String, RuleHits>) -> String {
    if hits.is_empty() {
        return format!("{texts} texts, no rule matches\n");
    }
    let columns = [
        ("rule", Align::Left),
        ("at", Align::Left),
        ("mode", Align::Left),
        ("hits", Align::Right),
        ("of texts", Align::Right),
    ];
    let mut table = Table::new(columns);
    for (id, RuleHits { mode, source, count, first }) in hits {
        #[expect(clippy::cast_precision_loss, reason = "a share of three digits")]
        let share = *count as f64 * 100.0 / texts as f64;
        let cells = [id.clone(), printable(source), mode.to_string(), count.to_string(), format!("{share:.3} %")];
        table.add(cells, first.clone());
    }
    format!("{texts} texts\n\n{}", table.text())
}
