//! Tests of the whole log: writing, damage, reading, checking.

mod checking;
mod privacy;
mod reading;
mod running;
mod space;
mod tip;
mod writing;

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

use super::handle::{ACT_RESERVE, MAX_QUEUED_DECISIONS};
use super::key::HashKeys;
use super::log::LogFiles;
use super::shared::{AuditFailure, AuditShared};
use super::*;
use crate::fixtures::{address, at, decision, jane, matched, plugin, room, rule, sanction, sender};
use crate::model::{
    Act, ActKind, ActiveLevel, Actor, Address, Basis, ConnectionId, Decision, JudgedMessage, Match, Message,
    MessageKind, ModerationLevel, Outcome, Reason, ReasonCode, Sanction, SanctionKind, Sender, SenderContext, Target,
    TraceStep,
};

/// The 23rd of November 2026, at midnight.
const MIDNIGHT: i64 = 1_795_392_000;
const DAY: u64 = 86_400;

fn now(seconds: u64) -> LogTime {
    LogTime::new(at(MIDNIGHT + i64::try_from(seconds).unwrap()), Duration::from_secs(seconds))
}

fn config(dir: &Path, record: Recording, texts: Texts) -> Config {
    Config { record, dir: Some(dir.to_owned()), texts, max_file_mib: 1, max_total_mib: 4_096, retention_days: 30 }
}

fn nothing_in_force() -> SnapshotFn {
    Box::new(StateSnapshot::default)
}

/// A log that writes on the test's own thread.
fn log(config: &Config, start: LogTime, in_force: SnapshotFn) -> (LogFiles, Arc<AuditShared>) {
    let dir = config.dir.clone().unwrap();
    folder::create(&dir).unwrap();
    let shared = Arc::new(AuditShared::new(HashKeys::open(&dir, start.at).unwrap()));
    let mut log = LogFiles::new(config.clone(), dir, Uuid::new_v4(), in_force, Arc::clone(&shared));
    log.rotate(start).unwrap();
    log.flush(false).unwrap();
    (log, shared)
}

fn recorded(text: &str, outcome: Outcome, at: LogTime) -> JudgedMessage {
    let kind = MessageKind::Text { avatar: Some("mIconAvatar.svg".to_owned()), text: text.to_owned() };
    let message = Message { at: at.at, ..Message::new("jane", kind) };
    let reason =
        (outcome != Outcome::Pass).then(|| Reason::new(ReasonCode::Rule, format!("{text:?} is not said here")));
    let step = TraceStep { filter: "shape", verdict: outcome, matched: None, took: Duration::from_nanos(1_250) };
    let decision = Decision { reason, decided_by: Some("shape"), trace: vec![step], ..decision(message, outcome) };
    let context = SenderContext {
        registered: true,
        connected: Duration::new(3, 7),
        accepted: 5,
        refused: 1,
        ..SenderContext::default()
    };
    let sender = Sender {
        connection: Some(ConnectionId(9)),
        address: address(7),
        context: SenderContext { since_start: at.since_start + Duration::from_nanos(1), member_count: 3, ..context },
        ..sender()
    };
    JudgedMessage::new(decision, sender)
}

fn kicked(at: LogTime) -> Act {
    let kind = ActKind::Kicked { member: ConnectionId(9), nickname: None };
    Act { at: at.at, since_start: at.since_start, actor: jane(), room: Some(room("QGIS")), kind }
}

fn banned(cause: Actor, reason: &str) -> Act {
    let sanction = Sanction {
        target: Target::Address(address(7)),
        at: now(1).at,
        reason: reason.into(),
        actor: cause.clone(),
        ..sanction(SanctionKind::Ban)
    };
    let LogTime { at, since_start, .. } = now(1);
    Act { at, since_start, actor: cause, room: None, kind: ActKind::Sanctioned { sanction } }
}

/// Puts the files of two days into a folder, two per day, with each type of line.
fn two_days(dir: &Path) {
    static FILES: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    let files = FILES.get_or_init(|| {
        let dir = TempDir::new().unwrap();
        write_two_days(dir.path());
        files(dir.path()).into_iter().map(|name| (name.clone(), fs::read(dir.path().join(name)).unwrap())).collect()
    });
    for (name, bytes) in files {
        fs::write(dir.join(name), bytes).unwrap();
    }
}

fn write_two_days(dir: &Path) {
    let config = config(dir, Recording::All, Texts::Full);
    for (run, start) in [0, 100, DAY, DAY + 100].into_iter().enumerate() {
        let (mut log, shared) = log(&config, now(start), nothing_in_force());
        for i in 0..3 {
            let at = now(start + i);
            log.rotate(at).unwrap();
            log.add_decision(&recorded(&format!("text {run}.{i}"), Outcome::Reject, at));
        }
        log.add_act(kicked(now(start + 3)), now(start + 3));
        shared.add_lost(2);
        log.add_losses(now(start + 4));
        log.close(now(start + 5)).unwrap();
    }
}

fn lines_of(path: &Path) -> Vec<Line> {
    read_lines(fs::read(path).unwrap().as_slice()).collect::<Result<_, _>>().unwrap()
}

fn files(dir: &Path) -> Vec<String> {
    folder::list(dir).unwrap().iter().map(ToString::to_string).collect()
}

/// The error of each day, if any.
fn errors(dir: &Path) -> Vec<String> {
    check(dir).unwrap().days.into_iter().filter_map(|day| day.error).map(|error| error.to_string()).collect()
}

fn all_bytes(dir: &Path) -> String {
    files(dir).iter().map(|name| fs::read_to_string(dir.join(name)).unwrap()).collect()
}
