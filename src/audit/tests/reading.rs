//! Reading, also of files of earlier versions.

use super::*;
use crate::model::Replacement;

/// A log holds durations to a tenth of a microsecond.
fn rounded(trace: &[TraceStep]) -> Vec<TraceStep> {
    let rounded = |took: Duration| Duration::from_micros(1) / 10 * u32::try_from((took.as_nanos() + 50) / 100).unwrap();
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
        MessageKind::Like { liked: "hans".to_owned(), text: "é👩\u{200d}👧\u{0}".to_owned() };
    like.sender.connection = None;
    let mut newcomer = recorded("", Outcome::Reject, now(3));
    newcomer.decision.message.kind = MessageKind::Newcomer;
    all.extend([replaced, like, newcomer, recorded("hello", Outcome::Hold, now(4))]);
    for recorded in &all {
        log.add_decision(recorded);
    }
    log.close(now(5)).unwrap();
    let lines = lines_of(&dir.path().join("audit-2026-11-23.jsonl"));
    let read: Vec<&LoggedDecision> =
        lines.iter().filter_map(|line| if let Line::Decision(line) = line { Some(&**line) } else { None }).collect();
    assert_eq!(read.len(), all.len());
    for (read, JudgedMessage { decision, sender, .. }) in read.into_iter().zip(&all) {
        let mut came = decision.message.clone();
        if let Some(original) = &decision.original {
            came.replace(Replacement::Text(original.clone()));
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
    let (mut log, shared) = log(&config(dir.path(), Recording::NotPassed, Texts::Off), now(0), nothing_in_force());
    let act = banned(jane(), "advertising");
    assert!(log.add_act(act.clone(), now(1)));
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
    let [_, Line::Decision(one), Line::Decision(two), Line::End { .. }] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((one.cut, one.text.as_ref()), (false, Some(&longest)));
    assert_eq!((two.cut, two.text.as_ref().map(String::len), two.message()), (true, Some(65_536), None));
    assert_eq!(shared.stats.lost.load(Relaxed), 0);
}
