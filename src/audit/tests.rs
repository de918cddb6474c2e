//! Tests of the whole log: writing, damage, reading, checking.

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

use super::handle::{MAX_ACTS, MAX_QUEUED};
use super::key::AddressKeys;
use super::log::LogFiles;
use super::shared::AuditShared;
use super::*;
use crate::model::{
    Act, ActKind, ActiveLevel, Actor, Address, Basis, ConnectionId, Decision, JudgedMessage, Kind, Match, Message,
    Mode, ModerationLevel, Outcome, Reason, ReasonCode, RoomName, Sanction, SanctionKind, Sender, SenderContext,
    Target, TraceStep,
};

/// The 23rd of November 2026, at midnight.
const MIDNIGHT: i64 = 1_795_392_000;
const DAY: u64 = 86_400;

fn now(seconds: u64) -> LogTime {
    let at = Timestamp::from_second(MIDNIGHT + i64::try_from(seconds).unwrap()).unwrap();
    LogTime::new(at, Duration::from_secs(seconds))
}

fn address(text: &str) -> Address {
    Address::from(text.parse::<IpAddr>().unwrap())
}

fn config(dir: &Path, record: Recording, texts: Texts) -> Config {
    Config { record, dir: Some(dir.to_owned()), texts, max_file_mib: 1, retention_days: 30 }
}

fn nothing_in_force() -> SnapshotFn {
    Box::new(StateSnapshot::default)
}

/// A log that writes on the test's own thread.
fn log(config: &Config, start: LogTime, in_force: SnapshotFn) -> (LogFiles, Arc<AuditShared>) {
    let dir = config.dir.clone().unwrap();
    folder::create(&dir).unwrap();
    let shared = Arc::new(AuditShared::new(AddressKeys::open(&dir, start.at, config.retention_days).unwrap()));
    let mut log = LogFiles::new(config.clone(), dir, Uuid::new_v4(), in_force, Arc::clone(&shared));
    log.rotate(start).unwrap();
    log.flush(false).unwrap();
    (log, shared)
}

fn recorded(text: &str, outcome: Outcome, at: LogTime) -> JudgedMessage {
    let kind = Kind::Text { avatar: Some("mIconAvatar.svg".to_owned()), text: text.to_owned() };
    let message = Message { id: Uuid::new_v4(), at: at.at, author: "jane".to_owned(), kind };
    let reason =
        (outcome != Outcome::Pass).then(|| Reason::new(ReasonCode::Rule, format!("{text:?} is not said here")));
    let step = TraceStep { filter: "shape", verdict: outcome, matched: None, took: Duration::from_nanos(1_250) };
    let decision = Decision { message, original: None, outcome, reason, decided_by: Some("shape"), trace: vec![step] };
    let facts = SenderContext {
        registered: true,
        connected: Duration::new(3, 7),
        accepted: 5,
        refused: 1,
        ..SenderContext::default()
    };
    let sender = Sender {
        connection: Some(ConnectionId(9)),
        address: address("192.0.2.7"),
        room: RoomName::parse("QGIS").unwrap(),
        context: SenderContext { since_start: at.since_start + Duration::from_nanos(1), member_count: 3, ..facts },
    };
    JudgedMessage { decision, sender }
}

fn kicked(at: LogTime) -> Act {
    let (actor, room) = (Actor::Moderator("jane".into()), RoomName::parse("QGIS").ok());
    let kind = ActKind::Kicked { member: ConnectionId(9), nickname: None };
    Act { at: at.at, since_start: at.since_start, actor, room, kind }
}

fn banned(cause: Actor, reason: &str) -> Act {
    let sanction = Sanction {
        id: 1,
        kind: SanctionKind::Ban,
        target: Target::Address(address("192.0.2.7")),
        room: None,
        at: now(1).at,
        until: None,
        reason: reason.into(),
        actor: cause.clone(),
        step: None,
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
        log.add_act(kicked(now(start + 3)));
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

mod writing {
    use super::*;

    #[test]
    fn a_log_that_is_off_leaves_no_file() {
        let dir = TempDir::new().unwrap();
        let inner = dir.path().join("audit");
        let config = config(&inner, Recording::Off, Texts::Full);
        assert!(Audit::open(&config, Uuid::new_v4(), Instant::now(), nothing_in_force()).unwrap().is_none());
        assert!(!inner.exists());
    }

    #[test]
    fn folder_and_files_are_private() {
        let dir = TempDir::new().unwrap();
        let inner = dir.path().join("a/b");
        let _log = log(&config(&inner, Recording::All, Texts::Off), now(0), nothing_in_force());
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(inner.clone()), 0o700);
        assert_eq!([mode(inner.join("audit-2026-11-23.jsonl")), mode(inner.join("key"))], [0o600; 2]);
    }

    #[test]
    fn a_new_day_and_a_restart_begin_new_files_and_continue_the_chain() {
        let dir = TempDir::new().unwrap();
        two_days(dir.path());
        assert_eq!(
            files(dir.path()),
            [
                "audit-2026-11-23.jsonl",
                "audit-2026-11-23.2.jsonl",
                "audit-2026-11-24.jsonl",
                "audit-2026-11-24.2.jsonl"
            ]
        );
        let checked = check(dir.path()).unwrap();
        assert!(checked.is_valid(), "{checked:?}");
        let seen: Vec<_> = checked.days.iter().map(|day| (day.files, day.lines, day.lost, day.closed)).collect();
        assert_eq!(seen, [(2, 14, 4, true); 2]);
    }

    #[test]
    fn midnight_begins_a_file_of_the_same_run() {
        let dir = TempDir::new().unwrap();
        let (mut log, _) = log(&config(dir.path(), Recording::All, Texts::Off), now(10), nothing_in_force());
        log.rotate(now(DAY - 1)).unwrap();
        assert_eq!(files(dir.path()).len(), 1);
        log.rotate(now(DAY)).unwrap();
        log.rotate(now(DAY - 1)).unwrap();
        log.flush(false).unwrap();
        assert_eq!(files(dir.path()).len(), 2, "a clock that is set back does not bring the day back");
        let heads: Vec<Line> = files(dir.path())
            .iter()
            .flat_map(|name| lines_of(&dir.path().join(name)))
            .filter(|line| matches!(line, Line::Start(_) | Line::State(_)))
            .collect();
        let [Line::Start(first), Line::State(second)] = heads.as_slice() else { panic!("{heads:?}") };
        assert_eq!(first.run, second.run);
        assert_eq!((second.time, second.place.file), (now(DAY), 1));
        assert!(check(dir.path()).unwrap().is_valid());
    }

    #[test]
    fn a_large_file_is_followed_by_another_one() {
        let dir = TempDir::new().unwrap();
        let (mut log, _) = log(&config(dir.path(), Recording::All, Texts::Full), now(0), nothing_in_force());
        let text = "x".repeat(60_000);
        for i in 0..40 {
            log.rotate(now(i)).unwrap();
            log.add_decision(&recorded(&text, Outcome::Pass, now(i)));
            log.flush(false).unwrap();
        }
        log.close(now(40)).unwrap();
        assert_eq!(files(dir.path()).len(), 3);
        let checked = check(dir.path()).unwrap();
        assert!(checked.is_valid() && checked.days[0].lines == 40 + 3 + 3, "{checked:?}");
        let bytes = |name: &String| fs::metadata(dir.path().join(name)).unwrap().len();
        assert!(files(dir.path()).iter().all(|name| bytes(name) < (1 << 20) + 70_000));
    }

    #[test]
    fn old_days_are_removed_at_a_start_and_at_midnight_and_nothing_else_is() {
        let dir = TempDir::new().unwrap();
        let config = Config { retention_days: 2, ..config(dir.path(), Recording::All, Texts::Off) };
        fs::write(dir.path().join("notes.txt"), "mine").unwrap();
        let (mut first, _) = log(&config, now(0), nothing_in_force());
        for day in 1..4 {
            first.rotate(now(day * DAY)).unwrap();
        }
        first.close(now(3 * DAY)).unwrap();
        let kept = ["audit-2026-11-24.jsonl", "audit-2026-11-25.jsonl", "audit-2026-11-26.jsonl"];
        assert_eq!(files(dir.path()), kept);
        let checked = check(dir.path()).unwrap();
        assert!(checked.is_valid(), "{checked:?}");
        assert_eq!(checked.days[0].notes, ["continues from 2026-11-23, which was removed"]);
        let _second = log(&config, now(6 * DAY), nothing_in_force());
        assert_eq!(files(dir.path()), ["audit-2026-11-29.jsonl"]);
        assert!(dir.path().join("notes.txt").exists());
    }

    #[test]
    fn hashes_of_addresses_change_with_the_retention_and_the_head_says_since_when() {
        let dir = TempDir::new().unwrap();
        let config = Config { retention_days: 2, ..config(dir.path(), Recording::All, Texts::Off) };
        let (mut log, _) = log(&config, now(0), nothing_in_force());
        for day in 0..4 {
            log.rotate(now(day * DAY)).unwrap();
            log.add_decision(&recorded("x", Outcome::Pass, now(day * DAY)));
        }
        log.close(now(4 * DAY)).unwrap();
        let seen: Vec<_> = files(dir.path())
            .iter()
            .map(|name| match lines_of(&dir.path().join(name)).as_slice() {
                [Line::Start(head) | Line::State(head), Line::Decision(decision), Line::End { .. }] => {
                    (head.key_since, decision.sender.address)
                }
                other => panic!("{other:?}"),
            })
            .collect();
        let [one, two, three] = seen.as_slice() else { panic!("{seen:?}") };
        assert_eq!((one.0, two.0, three.0), (now(0).at, now(2 * DAY).at, now(2 * DAY).at));
        assert!(one.1 != two.1 && two.1 == three.1);
    }

    #[test]
    fn the_head_holds_all_sanctions_in_force() {
        let dir = TempDir::new().unwrap();
        let Act { kind: ActKind::Sanctioned { sanction }, .. } = banned(Actor::Rule("no-casino".into()), "go away")
        else {
            panic!("a sanction")
        };
        let level = ActiveLevel { room: None, level: ModerationLevel::All, until: None };
        let levels = vec![level.clone()];
        let in_force: SnapshotFn =
            Box::new(move || StateSnapshot { sanctions: vec![sanction.clone(); 5_000], levels: levels.clone() });
        let (mut log, shared) = log(&config(dir.path(), Recording::All, Texts::Off), now(0), in_force);
        log.rotate(now(1)).unwrap();
        log.close(now(1)).unwrap();
        assert_eq!(files(dir.path()).len(), 1, "the head does not count towards the file size");
        let lines = lines_of(&dir.path().join("audit-2026-11-23.jsonl"));
        let [Line::Start(head), Line::End { .. }] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!((head.sanctions.len(), &head.levels), (5_000, &vec![level]));
        assert_eq!(head.sanctions[4_999].target, Target::Address(shared.keys.hash(address("192.0.2.7"))));
        assert!(check(dir.path()).unwrap().is_valid());
    }

    #[test]
    fn a_removed_file_is_followed_by_another_one() {
        let dir = TempDir::new().unwrap();
        let (mut log, _) = log(&config(dir.path(), Recording::All, Texts::Off), now(0), nothing_in_force());
        fs::rename(dir.path().join("audit-2026-11-23.jsonl"), dir.path().join("elsewhere")).unwrap();
        log.abandon_removed_file();
        log.rotate(now(1)).unwrap();
        log.flush(false).unwrap();
        assert_eq!(files(dir.path()).len(), 1);
        log.abandon_removed_file();
        log.rotate(now(2)).unwrap();
        assert_eq!(files(dir.path()).len(), 1);
    }
}

mod reading {
    use super::*;

    /// A log holds durations to a tenth of a microsecond.
    fn rounded(trace: &[TraceStep]) -> Vec<TraceStep> {
        let rounded =
            |took: Duration| Duration::from_micros(1) / 10 * u32::try_from((took.as_nanos() + 50) / 100).unwrap();
        trace.iter().map(|step| TraceStep { took: rounded(step.took), ..step.clone() }).collect()
    }

    #[test]
    fn a_decision_round_trips() {
        let dir = TempDir::new().unwrap();
        let (mut log, shared) = log(&config(dir.path(), Recording::All, Texts::Full), now(0), nothing_in_force());
        let mut all: Vec<JudgedMessage> = Vec::new();
        let mut replaced = recorded("***", Outcome::Replace, now(1));
        replaced.decision.original = Some("a \"bad\" word\n".to_owned());
        let mut like = recorded("", Outcome::Pass, now(2));
        like.decision.message.kind =
            Kind::Like { liked: "hans".to_owned(), text: "é👩\u{200d}👧\u{0}".to_owned() };
        like.sender.connection = None;
        let mut newcomer = recorded("", Outcome::Reject, now(3));
        newcomer.decision.message.kind = Kind::Newcomer;
        all.extend([replaced, like, newcomer, recorded("hello", Outcome::Hold, now(4))]);
        for recorded in &all {
            log.add_decision(recorded);
        }
        log.close(now(5)).unwrap();
        let lines = lines_of(&dir.path().join("audit-2026-11-23.jsonl"));
        let read: Vec<&LoggedDecision> = lines
            .iter()
            .filter_map(|line| if let Line::Decision(line) = line { Some(&**line) } else { None })
            .collect();
        assert_eq!(read.len(), all.len());
        for (read, JudgedMessage { decision, sender }) in read.into_iter().zip(&all) {
            let mut came = decision.message.clone();
            if let Some(original) = &decision.original {
                came.replace_text(original.clone());
                assert_eq!(read.sent.as_deref(), decision.message.text());
            }
            assert_eq!(read.message(), Some(came));
            assert_eq!((read.context(), &read.room), (sender.context.clone(), &sender.room));
            assert_eq!((read.outcome, read.by.as_deref()), (decision.outcome, decision.decided_by));
            assert_eq!(read.sender.connection, sender.connection.map(|id| id.0));
            assert_eq!(read.sender.address, shared.keys.hash(sender.address));
            assert_eq!(read.trace, rounded(&decision.trace));
            let reason = decision.reason.as_ref();
            let logged = read.reason.as_ref().map(|reason| (reason.code, reason.text.as_deref()));
            assert_eq!(logged, reason.map(|reason| (reason.code, Some(&*reason.text))));
        }
    }

    /// A log that version 0.1.0 wrote, before its lines had types.
    #[test]
    fn a_log_of_format_1_is_read_whole_and_has_the_same_form_today() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/format-1/audit");
        assert_eq!(files(&dir), ["audit-2026-11-30.jsonl", "audit-2026-11-30.2.jsonl"]);
        let checked = check(&dir).unwrap();
        assert_eq!((checked.is_valid(), checked.days[0].lines, checked.days[0].lost), (true, 77, 0), "{checked:?}");
        for (name, decisions, acts) in [("audit-2026-11-30.jsonl", 17, 20), ("audit-2026-11-30.2.jsonl", 17, 19)] {
            let text = fs::read_to_string(dir.join(name)).unwrap();
            let lines = lines_of(&dir.join(name));
            let of = |wanted: fn(&Line) -> bool| lines.iter().filter(|line| wanted(line)).count();
            assert_eq!(of(|line| matches!(line, Line::Decision(_))), decisions, "{name}");
            assert_eq!(of(|line| matches!(line, Line::Act(_))), acts, "{name}");
            assert_eq!(lines.len(), text.lines().count(), "{name}");
            for (line, written) in lines.iter().zip(text.lines()) {
                let mut written: Value = serde_json::from_str(written).unwrap();
                written.as_object_mut().unwrap().remove("hash");
                assert_eq!(serde_json::to_value(line).unwrap(), written, "{name}");
            }
        }
    }

    #[test]
    fn a_line_holds_all_fields_of_a_decision() {
        let dir = TempDir::new().unwrap();
        let (mut log, _) = log(&config(dir.path(), Recording::All, Texts::Full), now(0), nothing_in_force());
        let recorded = recorded("hello", Outcome::Reject, now(1));
        log.add_decision(&recorded);
        log.close(now(5)).unwrap();
        let text = all_bytes(dir.path());
        let line: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
        let Value::Object(shown) = serde_json::to_value(recorded.decision.view(&recorded.sender.room)).unwrap() else {
            panic!("an object")
        };
        for (key, value) in shown {
            assert_eq!(line[&key], value, "{key}");
        }
    }

    #[test]
    fn an_act_round_trips_with_its_address_hashed() {
        let dir = TempDir::new().unwrap();
        let (mut log, shared) = log(&config(dir.path(), Recording::Refusals, Texts::Off), now(0), nothing_in_force());
        let act = banned(Actor::Moderator("jane".into()), "advertising");
        assert!(log.add_act(act.clone()));
        log.close(now(5)).unwrap();
        let lines = lines_of(&dir.path().join("audit-2026-11-23.jsonl"));
        let [Line::Start(_), Line::Act(read), Line::End { .. }] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!((read.at, read.since_start), (act.at, act.since_start));
        let hash = |address| shared.keys.hash(address);
        let hashed = act.map_sanction(|sanction| sanction.map_address(hash));
        let [read, hashed] = [serde_json::to_value(&read.act), serde_json::to_value(&hashed)].map(Result::unwrap);
        assert_eq!(read, hashed);
        assert!(!all_bytes(dir.path()).contains("192.0.2"));
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped() {
        let lost = serde_json::to_string(&Line::Lost { n: 2, time: now(1), count: 3 }).unwrap();
        let text = format!("{}\n{lost}\n{}", "x".repeat(super::super::lines::MAX_LINE + 1), "{\"type\":\"end\"}");
        let lines: Vec<_> = read_lines(text.as_bytes()).map(|line| line.map_err(|bad| bad.to_string())).collect();
        let cut = "line 3: cut: the file ends within the line";
        let lost = Line::Lost { n: 2, time: now(1), count: 3 };
        assert_eq!(lines, [Err("line 1: longer than 1024 KiB".to_owned()), Ok(lost), Err(cut.to_owned())]);
    }

    #[test]
    fn texts_beyond_the_limit_are_cut_and_marked() {
        let dir = TempDir::new().unwrap();
        let (mut log, shared) = log(&config(dir.path(), Recording::All, Texts::Full), now(0), nothing_in_force());
        let longest = "\u{1}".repeat(65_536);
        log.add_decision(&recorded(&longest, Outcome::Reject, now(1)));
        log.add_decision(&recorded(&"x".repeat(3 << 20), Outcome::Reject, now(2)));
        log.close(now(5)).unwrap();
        let lines = lines_of(&dir.path().join("audit-2026-11-23.jsonl"));
        let [_, Line::Decision(one), Line::Decision(two), Line::End { .. }] = lines.as_slice() else {
            panic!("{lines:?}")
        };
        assert_eq!((one.cut, one.text.as_ref()), (false, Some(&longest)));
        assert_eq!((two.cut, two.text.as_ref().map(String::len), two.message()), (true, Some(65_536), None));
        assert_eq!(shared.stats.lost.load(Relaxed), 0);
    }
}

mod privacy {
    use super::*;

    /// A step of a plugin that quotes a text.
    fn plugin_step(quote: &str) -> TraceStep {
        let basis =
            Basis::Plugin { name: "mine".into(), took: Duration::ZERO, failure: Some(quote.into()), sanction: None };
        let matched = Match {
            requested: Outcome::Reject,
            mode: Mode::Enforce,
            exempt: false,
            basis,
            field: None,
            span: None,
            labels: vec![quote.into()],
        };
        TraceStep { filter: "plugin", verdict: Outcome::Reject, matched: Some(matched), took: Duration::ZERO }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        /// A text of letters that nothing else in the log is made of.
        #[test]
        fn neither_texts_nor_addresses_are_in_a_log_without_texts(
            text in "[А-Я]{1,200}", liked in "[а-я]{3,20}", ip in any::<[u8; 4]>(), outcome in 0..5_usize, like: bool,
        ) {
            let dir = TempDir::new().unwrap();
            let outcomes = [Outcome::Pass, Outcome::Replace, Outcome::Hold, Outcome::Shadow, Outcome::Reject];
            let outcome = outcomes[outcome];
            let (mut log, _) = log(&config(dir.path(), Recording::All, Texts::Off), now(0), nothing_in_force());
            let mut recorded = recorded(&text, outcome, now(1));
            if like {
                recorded.decision.message.kind = Kind::Like { liked, text: text.clone() };
            }
            recorded.decision.original = (outcome == Outcome::Replace).then(|| format!("{text}!"));
            recorded.decision.trace.push(plugin_step(&text));
            recorded.sender.address = Address::from(IpAddr::from(ip));
            log.add_decision(&recorded);
            log.add_act(banned(Actor::Plugin("mine".into()), &text));
            log.close(now(2)).unwrap();
            let bytes = all_bytes(dir.path());
            prop_assert!(bytes.contains("\"decision\"") && bytes.contains("\"act\""));
            prop_assert!(!bytes.chars().any(|c| ('А'..='я').contains(&c)), "{bytes}");
            let [a, b, c, d] = ip;
            for plain in [format!("{a}.{b}.{c}.{d}"), format!("{a}.{b}.{c}.")] {
                prop_assert!(!bytes.contains(&plain), "{bytes}");
            }
            prop_assert!(!bytes.contains("mIconAvatar"));
        }
    }

    #[test]
    fn only_80_characters_of_refused_texts_are_logged() {
        let dir = TempDir::new().unwrap();
        let (mut log, _) = log(&config(dir.path(), Recording::All, Texts::Refusals), now(0), nothing_in_force());
        let text = "é".repeat(81);
        for outcome in [Outcome::Pass, Outcome::Replace, Outcome::Hold, Outcome::Shadow, Outcome::Reject] {
            log.add_decision(&recorded(&text, outcome, now(1)));
        }
        log.add_decision(&recorded("short", Outcome::Reject, now(1)));
        log.close(now(5)).unwrap();
        let lines = lines_of(&dir.path().join("audit-2026-11-23.jsonl"));
        let kept: Vec<_> = lines
            .iter()
            .filter_map(|line| if let Line::Decision(line) = line { Some(line) } else { None })
            .map(|line| (line.text.as_ref().map_or(0, |text| text.chars().count()), line.cut))
            .collect();
        assert_eq!(kept, [(0, false), (0, false), (80, true), (80, true), (80, true), (5, false)]);
        assert!(!all_bytes(dir.path()).contains(&text) && !all_bytes(dir.path()).contains("not said here"));
    }
}

mod checking {
    use super::*;

    proptest! {
        #[test]
        fn each_flipped_bit_is_found(file in 0..4_usize, at: prop::sample::Index, bit in 0..8_u8) {
            let dir = TempDir::new().unwrap();
            two_days(dir.path());
            let path = dir.path().join(&files(dir.path())[file]);
            let mut bytes = fs::read(&path).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            fs::write(&path, bytes).unwrap();
            prop_assert!(!errors(dir.path()).is_empty());
            prop_assert!(!check(&path).unwrap().is_valid(), "the file alone");
        }

        #[test]
        fn each_removed_line_is_found_unless_it_is_the_very_last(file in 0..4_usize, line in 0..7_usize) {
            let dir = TempDir::new().unwrap();
            two_days(dir.path());
            let path = dir.path().join(&files(dir.path())[file]);
            edit(&path, |lines| drop(lines.remove(line)));
            prop_assert_eq!(errors(dir.path()).is_empty(), (file, line) == (3, 6));
        }

        #[test]
        fn each_pair_of_swapped_lines_is_found(file in 0..4_usize, one in 0..7_usize, two in 0..7_usize) {
            prop_assume!(one != two);
            let dir = TempDir::new().unwrap();
            two_days(dir.path());
            let path = dir.path().join(&files(dir.path())[file]);
            edit(&path, |lines| lines.swap(one, two));
            prop_assert!(!errors(dir.path()).is_empty());
        }

        #[test]
        fn each_truncated_file_is_found_unless_the_last_one_ends_with_a_line(
            file in 0..4_usize, at: prop::sample::Index,
        ) {
            let dir = TempDir::new().unwrap();
            two_days(dir.path());
            let path = dir.path().join(&files(dir.path())[file]);
            let mut bytes = fs::read(&path).unwrap();
            bytes.truncate(at.index(bytes.len()));
            let line_end = bytes.ends_with(b"\n");
            fs::write(&path, bytes).unwrap();
            prop_assert_eq!(errors(dir.path()).is_empty(), file == 3 && line_end);
        }
    }

    fn edit(path: &Path, change: impl FnOnce(&mut Vec<String>)) {
        let mut lines: Vec<String> =
            fs::read_to_string(path).unwrap().lines().map(|line| format!("{line}\n")).collect();
        change(&mut lines);
        fs::write(path, lines.concat()).unwrap();
    }

    /// Returns the errors after a change of the first file of two days.
    fn found(change: impl FnOnce(&mut Vec<String>)) -> Vec<String> {
        let dir = TempDir::new().unwrap();
        two_days(dir.path());
        edit(&dir.path().join("audit-2026-11-23.jsonl"), change);
        errors(dir.path())
    }

    #[test]
    fn an_error_names_file_line_and_kind() {
        let changed = found(|lines| lines[2] = lines[2].replace("text 0.1", "text 0.7"));
        assert_eq!(changed, ["audit-2026-11-23.jsonl:3: changed: the line was modified"]);
        let missing = found(|lines| drop(lines.drain(2..4)));
        assert_eq!(missing, ["audit-2026-11-23.jsonl:3: missing: 2 lines before this one"]);
        let swapped = found(|lines| lines.swap(2, 4));
        assert_eq!(swapped, ["audit-2026-11-23.jsonl:3: wrong order: the line was moved"]);
        let no_json = found(|lines| lines[2] = "hello\n".to_owned());
        assert_eq!(no_json, ["audit-2026-11-23.jsonl:3: not JSON: not a line of an audit log"]);
        let end = found(|lines| lines.truncate(5));
        let words = "missing: the last lines of the file, or they were replaced";
        assert_eq!(end, [format!("audit-2026-11-23.jsonl:6: {words}")]);
        let cut = found(|lines| {
            lines.truncate(5);
            lines[4].truncate(40);
        });
        assert!(cut[0].starts_with("audit-2026-11-23.jsonl:5: cut: the file ends within a line"), "{cut:?}");
    }

    #[test]
    fn a_file_that_is_missing_between_others_is_found() {
        let dir = TempDir::new().unwrap();
        two_days(dir.path());
        fs::remove_file(dir.path().join("audit-2026-11-23.jsonl")).unwrap();
        let found = ["audit-2026-11-23.2.jsonl:1: missing: file 1 of the day"];
        assert_eq!(errors(dir.path()), found);
    }

    #[test]
    fn a_day_that_ends_early_is_found_by_the_next_one() {
        let dir = TempDir::new().unwrap();
        two_days(dir.path());
        fs::remove_file(dir.path().join("audit-2026-11-23.2.jsonl")).unwrap();
        let words = "missing: the last lines of the file, or they were replaced";
        assert_eq!(errors(dir.path()), [format!("audit-2026-11-23.jsonl:8: {words}")]);
    }

    #[test]
    fn swapped_files_are_found() {
        let dir = TempDir::new().unwrap();
        two_days(dir.path());
        let [one, two] = ["audit-2026-11-23.jsonl", "audit-2026-11-24.jsonl"].map(|name| dir.path().join(name));
        let between = dir.path().join("between");
        for (from, to) in [(&one, &between), (&two, &one), (&between, &two)] {
            fs::rename(from, to).unwrap();
        }
        assert_eq!(
            errors(dir.path()),
            [
                "audit-2026-11-23.jsonl:1: wrong order: the file is number 1 of 2026-11-24",
                "audit-2026-11-24.jsonl:1: wrong order: the file is number 1 of 2026-11-23"
            ]
        );
    }

    #[test]
    fn a_missing_day_is_an_error_between_others_and_a_remark_before_them() {
        let dir = TempDir::new().unwrap();
        let (mut log, _) = log(&config(dir.path(), Recording::All, Texts::Off), now(0), nothing_in_force());
        for day in 1..3 {
            log.rotate(now(day * DAY)).unwrap();
        }
        log.close(now(2 * DAY)).unwrap();
        fs::remove_file(dir.path().join("audit-2026-11-24.jsonl")).unwrap();
        let found = ["audit-2026-11-25.jsonl:1: missing: the previous day 2026-11-24"];
        assert_eq!(errors(dir.path()), found);
        fs::remove_file(dir.path().join("audit-2026-11-23.jsonl")).unwrap();
        let checked = check(dir.path()).unwrap();
        assert!(checked.is_valid() && checked.days[0].notes.len() == 1, "{checked:?}");
    }

    #[test]
    fn an_inserted_day_is_found() {
        let dir = TempDir::new().unwrap();
        let config = config(dir.path(), Recording::All, Texts::Off);
        for start in [0, 2 * DAY, DAY] {
            log(&config, now(start), nothing_in_force()).0.close(now(start)).unwrap();
        }
        let found = ["audit-2026-11-25.jsonl:1: wrong order: 2026-11-24 did not exist when this day began"];
        assert_eq!(errors(dir.path()), found);
    }

    /// A killed run: the file ends with `left` bytes of its last line.
    fn killed_run(config: &Config, start: u64, left: usize) {
        let (mut log, _) = log(config, now(start), nothing_in_force());
        log.add_decision(&recorded("whole", Outcome::Reject, now(start)));
        log.flush(false).unwrap();
        log.add_decision(&recorded("cut", Outcome::Reject, now(start)));
        let name = files(config.dir.as_deref().unwrap()).pop().unwrap();
        let path = config.dir.as_deref().unwrap().join(name);
        let whole = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
        log.flush(false).unwrap();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..whole + left]).unwrap();
    }

    #[test]
    fn a_line_cut_by_a_crash_is_an_error_until_the_next_start_notes_it() {
        for next in [1_000, DAY, 5 * DAY] {
            let dir = TempDir::new().unwrap();
            let config = config(dir.path(), Recording::All, Texts::Off);
            killed_run(&config, 0, 57);
            let cut = errors(dir.path());
            assert!(cut[0].starts_with("audit-2026-11-23.jsonl:3: cut: the file ends within a line"), "{cut:?}");
            log(&config, now(next), nothing_in_force()).0.close(now(next)).unwrap();
            let checked = check(dir.path()).unwrap();
            assert!(checked.is_valid(), "{checked:?}");
            let note = "audit-2026-11-23.jsonl:3: cut when the relay was killed; noted by the next file";
            assert_eq!(checked.days[0].notes, [note]);
            let path = dir.path().join("audit-2026-11-23.jsonl");
            let mut bytes = fs::read(&path).unwrap();
            bytes.pop();
            fs::write(&path, bytes).unwrap();
            assert_eq!(errors(dir.path()).len(), 1, "a byte less than the next start noted");
        }
    }

    #[test]
    fn files_without_a_complete_line_are_noted_by_the_next_start() {
        let dir = TempDir::new().unwrap();
        let config = config(dir.path(), Recording::All, Texts::Off);
        killed_run(&config, 0, 57);
        for (number, text) in [(2, ""), (3, "{\"type\":\"start\",\"n\"")] {
            fs::write(dir.path().join(format!("audit-2026-11-23.{number}.jsonl")), text).unwrap();
        }
        assert_eq!(errors(dir.path()).len(), 1);
        log(&config, now(9), nothing_in_force()).0.close(now(9)).unwrap();
        let checked = check(dir.path()).unwrap();
        assert!(checked.is_valid() && checked.days[0].notes.len() == 3, "{checked:?}");
    }

    #[test]
    fn an_empty_folder_is_not_valid() {
        let dir = TempDir::new().unwrap();
        assert!(!check(dir.path()).unwrap().is_valid());
        let none = check(&dir.path().join("none")).expect_err("no such folder");
        assert_eq!(none.kind(), std::io::ErrorKind::NotFound);
    }
}

mod running {
    use super::*;
    use crate::audit::handle::WriterParts;

    fn some(text: &str, outcome: Outcome) -> Arc<JudgedMessage> {
        Arc::new(recorded(text, outcome, now(1)))
    }

    fn figures(audit: &Audit) -> [u64; 3] {
        let figures = audit.stats();
        [&figures.written, &figures.lost, &figures.unlogged_acts].map(|figure| figure.load(Relaxed))
    }

    #[tokio::test]
    async fn an_act_is_in_the_file_once_its_future_resolves() {
        let dir = TempDir::new().unwrap();
        let config = config(dir.path(), Recording::Refusals, Texts::Off);
        let audit = Audit::open(&config, Uuid::new_v4(), Instant::now(), nothing_in_force()).unwrap().unwrap();
        audit.record(some("x", Outcome::Pass));
        audit.record(some("x", Outcome::Replace));
        audit.record_act_detached(&kicked(now(1)));
        assert_eq!(audit.record_act(&kicked(now(2))).await, Ok(()));
        let lines: Vec<Line> = files(dir.path()).iter().flat_map(|name| lines_of(&dir.path().join(name))).collect();
        assert!(
            matches!(lines.as_slice(), [Line::Start(_), Line::Decision(_), Line::Act(_), Line::Act(_)]),
            "{lines:?}"
        );
        assert!(audit.close().await && audit.close().await);
        assert_eq!(audit.record_act(&kicked(now(1))).await, Err(ActLogError::Refused));
        assert_eq!(figures(&audit), [5, 1, 1]);
        assert!(check(dir.path()).unwrap().is_valid());
    }

    #[tokio::test]
    async fn everything_recorded_before_closing_is_written() {
        let dir = TempDir::new().unwrap();
        let config = config(dir.path(), Recording::All, Texts::Full);
        let audit =
            Arc::new(Audit::open(&config, Uuid::new_v4(), Instant::now(), nothing_in_force()).unwrap().unwrap());
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let audit = Arc::clone(&audit);
                std::thread::spawn(move || (0..2_000).for_each(|_| audit.record(some("hello", Outcome::Pass))))
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert!(audit.close().await);
        let checked = check(dir.path()).unwrap();
        let lines: u64 = checked.days.iter().map(|day| day.lines).sum();
        let [written, lost, _] = figures(&audit);
        assert!(checked.is_valid() && lines == written && lost == 0, "{checked:?} {written} {lost}");
    }

    #[test]
    fn a_folder_belongs_to_one_relay() {
        let dir = TempDir::new().unwrap();
        let config = config(dir.path(), Recording::All, Texts::Off);
        let first = Audit::parts(&config, Uuid::new_v4(), Instant::now(), nothing_in_force()).unwrap();
        let second = Audit::open(&config, Uuid::new_v4(), Instant::now(), nothing_in_force()).expect_err("in use");
        assert!(second.to_string().contains("another relay uses the folder"), "{second}");
        drop(first);
        assert!(Audit::open(&config, Uuid::new_v4(), Instant::now(), nothing_in_force()).is_ok());
    }

    #[test]
    fn a_probe_of_the_log_creates_nothing_and_takes_no_lock() {
        let dir = TempDir::new().unwrap();
        let config = config(&dir.path().join("a/audit"), Recording::All, Texts::Off);
        probe(&config).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let log = Audit::open(&config, Uuid::new_v4(), Instant::now(), nothing_in_force()).unwrap().unwrap();
        assert_eq!(log.failure(), None);
        let before = fs::read_dir(dir.path().join("a/audit")).unwrap().count();
        probe(&config).unwrap();
        assert_eq!(fs::read_dir(dir.path().join("a/audit")).unwrap().count(), before);
    }

    #[tokio::test]
    async fn the_first_file_is_begun_once_it_can_be_written() {
        let dir = TempDir::new().unwrap();
        // Directories block the names of the first file.
        let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let tomorrow = today.tomorrow().unwrap();
        let config = config(dir.path(), Recording::All, Texts::Off);
        for day in [today, tomorrow] {
            fs::create_dir(dir.path().join(format!("audit-{day}.jsonl"))).unwrap();
        }
        let audit = Audit::open(&config, Uuid::new_v4(), Instant::now(), nothing_in_force()).unwrap().unwrap();
        assert!(audit.failure().is_some());
        for day in [today, tomorrow] {
            fs::remove_dir(dir.path().join(format!("audit-{day}.jsonl"))).unwrap();
        }
        while audit.record_act(&kicked(now(1))).await.is_err() {}
        assert_eq!(audit.failure(), None);
    }

    #[tokio::test]
    async fn with_a_blocked_writer_lost_lines_are_counted_and_noted_and_callers_do_not_wait() {
        let dir = TempDir::new().unwrap();
        let config = config(dir.path(), Recording::All, Texts::Off);
        let (audit, parts) =
            Audit::parts(&config, Uuid::new_v4(), Instant::now(), nothing_in_force()).unwrap().unwrap();
        let message = some("x", Outcome::Pass);
        for _ in 0..MAX_QUEUED + 500 {
            audit.record(Arc::clone(&message));
        }
        assert_eq!(figures(&audit), [0, 500, 0]);
        let at_once = Duration::from_millis(1);
        assert_eq!(
            audit.record_act_within(&kicked(now(1)), at_once).await,
            Err(ActLogError::TimedOut),
            "acts have a separate limit"
        );
        for _ in 0..MAX_ACTS {
            drop(audit.record_act_within(&kicked(now(1)), at_once));
        }
        assert_eq!(audit.record_act_within(&kicked(now(1)), at_once).await, Err(ActLogError::Full));
        let WriterParts { mut writer, queue, done } = parts;
        writer.write_head();
        let thread = std::thread::spawn(move || writer.run(&queue, &done));
        // On a busy machine closing may time out; the thread continues anyway.
        let _in_time = audit.close().await;
        thread.join().unwrap();
        let checked = check(dir.path()).unwrap();
        assert!(checked.is_valid(), "{checked:?}");
        let lost = figures(&audit)[1];
        assert_eq!(checked.days.iter().map(|day| day.lost).sum::<u64>(), lost, "the log notes the loss");
    }

    #[test]
    fn the_bytes_of_queued_texts_are_bounded() {
        let dir = TempDir::new().unwrap();
        let config = config(dir.path(), Recording::All, Texts::Off);
        let (audit, _parts) =
            Audit::parts(&config, Uuid::new_v4(), Instant::now(), nothing_in_force()).unwrap().unwrap();
        let large = some(&"x".repeat(8 << 20), Outcome::Reject);
        for _ in 0..10 {
            audit.record(Arc::clone(&large));
        }
        assert_eq!(figures(&audit), [0, 3, 0]);
        audit.record(some("small", Outcome::Reject));
        assert_eq!(figures(&audit), [0, 3, 0]);
    }

    /// The part of the next test that runs in a mount namespace with a small disk.
    #[tokio::test]
    #[ignore = "run by the test below, on a disk of its own"]
    async fn on_a_small_disk() {
        let disk = PathBuf::from(std::env::var_os("AUDIT_TEST_DISK").expect("a disk"));
        let config = config(&disk.join("audit"), Recording::All, Texts::Full);
        let audit = Audit::open(&config, Uuid::new_v4(), Instant::now(), nothing_in_force()).unwrap().unwrap();
        fs::write(disk.join("others"), vec![0; 200 << 10]).unwrap();
        let text = "x".repeat(1_000);
        let errors = || audit.stats().errors.load(Relaxed);
        // Fill the disk, then the queue.
        while errors() == 0 {
            audit.record(some(&text, Outcome::Pass));
        }
        while figures(&audit)[1] == 0 {
            audit.record(some(&text, Outcome::Pass));
        }
        let full = check(config.dir.as_deref().unwrap()).unwrap();
        assert!(full.is_valid(), "a full disk leaves no cut line: {full:?}");
        assert_eq!(
            audit.record_act_within(&kicked(now(1)), Duration::from_millis(20)).await,
            Err(ActLogError::TimedOut)
        );
        let lost = figures(&audit)[1];
        Command::new("mount").args(["-o", "remount,size=64m"]).arg(&disk).status().unwrap();
        // Writing is retried after at most five seconds.
        loop {
            if audit.record_act(&kicked(now(2))).await.is_ok() {
                break;
            }
        }
        assert!(audit.close().await);
        let checked = check(config.dir.as_deref().unwrap()).unwrap();
        assert!(checked.is_valid(), "{checked:?}");
        let said: u64 = checked.days.iter().map(|day| day.lost).sum();
        assert!(said >= lost && said == figures(&audit)[1], "{said} {lost}");
        assert_eq!(checked.days.iter().map(|day| day.lines).sum::<u64>(), figures(&audit)[0]);
        println!("the small disk was full");
    }

    #[test]
    fn a_full_disk_blocks_no_caller_and_the_log_continues_when_there_is_room_again() {
        let dir = TempDir::new().unwrap();
        let script = "mount -t tmpfs -o size=512k tmpfs \"$AUDIT_TEST_DISK\" || exit 77; exec \"$@\"";
        let module = module_path!().split_once("::").unwrap().1;
        let child = Command::new("unshare")
            .args(["-rm", "sh", "-c", script, "sh"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", &format!("{module}::on_a_small_disk"), "--ignored", "--nocapture"])
            .env("AUDIT_TEST_DISK", dir.path())
            .output();
        match child {
            Ok(child) if child.status.success() => {
                assert!(String::from_utf8_lossy(&child.stdout).contains("the small disk was full"), "{child:?}");
            }
            Ok(child) if !String::from_utf8_lossy(&child.stdout).contains("running 1 test") => {
                eprintln!("not tested: no disk can be mounted here: {}", String::from_utf8_lossy(&child.stderr));
            }
            Ok(child) => panic!("{}", String::from_utf8_lossy(&child.stdout)),
            Err(error) => eprintln!("not tested: there is no `unshare` here: {error}"),
        }
    }
}
