//! Writing: files, their order, and what is lost.

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
        ["audit-2026-11-23.jsonl", "audit-2026-11-23.2.jsonl", "audit-2026-11-24.jsonl", "audit-2026-11-24.2.jsonl"]
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
fn old_days_are_removed_one_at_a_time_and_nothing_else_is() {
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
    let (mut second, _) = log(&config, now(6 * DAY), nothing_in_force());
    let mut left_after = |seconds| {
        second.rotate(now(6 * DAY + seconds)).unwrap();
        files(dir.path()).len()
    };
    // After an hour, the key has expired as well, and another file begins with the next one.
    assert_eq!([0, 3_599, 3_600, 7_199, 7_200, 10_800, 14_400].map(&mut left_after), [4, 4, 4, 4, 3, 2, 2]);
    assert_eq!(files(dir.path()), ["audit-2026-11-29.jsonl", "audit-2026-11-29.2.jsonl"]);
    assert!(dir.path().join("notes.txt").exists());
}

/// A time at which the wall clock is `ahead` seconds ahead.
fn ahead(ahead: u64, seconds: u64) -> LogTime {
    LogTime::new(now(ahead + seconds).at, now(seconds).since_start)
}

#[test]
fn a_clock_that_is_a_month_ahead_for_a_moment_deletes_neither_files_nor_the_key() {
    let dir = TempDir::new().unwrap();
    let config = config(dir.path(), Recording::All, Texts::Off);
    two_days(dir.path());
    let before = files(dir.path());
    let (mut log, shared) = log(&config, now(2 * DAY), nothing_in_force());
    let key_since = shared.keys.since();
    log.rotate(now(2 * DAY + 7_200)).unwrap();
    for time in [ahead(40 * DAY, 2 * DAY + 7_210), now(2 * DAY + 7_220), now(2 * DAY + 20_000)] {
        log.rotate(time).unwrap();
        log.add_decision(&recorded("x", Outcome::Pass, time));
    }
    log.close(now(2 * DAY + 20_000)).unwrap();
    let after = files(dir.path());
    assert!(before.iter().all(|name| after.contains(name)), "{before:?} {after:?}");
    assert_eq!(shared.keys.since(), key_since);
}

#[test]
fn a_start_with_a_clock_that_is_a_month_ahead_deletes_neither_files_nor_the_key() {
    let dir = TempDir::new().unwrap();
    let config = config(dir.path(), Recording::All, Texts::Off);
    two_days(dir.path());
    let before = files(dir.path());
    let first = log(&config, now(2 * DAY), nothing_in_force()).1.keys.since();
    let (mut log, shared) = log(&config, ahead(40 * DAY, 2 * DAY), nothing_in_force());
    log.rotate(ahead(40 * DAY, 2 * DAY + 3_599)).unwrap();
    let after = files(dir.path());
    assert!(before.iter().all(|name| after.contains(name)), "{before:?} {after:?}");
    assert_eq!(shared.keys.since(), first);
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
    let Act { kind: ActKind::Sanctioned { sanction }, .. } = banned(rule("no-casino"), "go away") else {
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
    assert_eq!(head.sanctions[4_999].target, Target::Address(shared.keys.hash(address(7))));
    assert!(check(dir.path()).unwrap().is_valid());
}

#[test]
fn a_removed_file_is_followed_by_another_one() {
    let dir = TempDir::new().unwrap();
    let (mut log, _) = log(&config(dir.path(), Recording::All, Texts::Off), now(0), nothing_in_force());
    fs::rename(dir.path().join("audit-2026-11-23.jsonl"), dir.path().join("elsewhere")).unwrap();
    log.rotate(now(20)).unwrap();
    log.flush(false).unwrap();
    assert_eq!(files(dir.path()).len(), 1);
    log.rotate(now(40)).unwrap();
    log.flush(false).unwrap();
    assert_eq!(files(dir.path()).len(), 1);
}

#[test]
fn a_removed_file_is_noticed_although_lines_keep_coming() {
    let dir = TempDir::new().unwrap();
    let (mut log, _) = log(&config(dir.path(), Recording::All, Texts::Off), now(0), nothing_in_force());
    fs::rename(dir.path().join("audit-2026-11-23.jsonl"), dir.path().join("elsewhere")).unwrap();
    for second in 0..=20 {
        log.rotate(now(second)).unwrap();
        log.add_decision(&recorded("x", Outcome::Pass, now(second)));
        log.flush(false).unwrap();
    }
    assert_eq!(files(dir.path()).len(), 1);
}
