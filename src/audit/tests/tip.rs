//! The last line of a log, kept elsewhere.

use super::*;

/// A log of three lines, and its tip.
fn closed(dir: &Path) -> (PathBuf, LogTip) {
    let (mut log, shared) = log(&config(dir, Recording::All, Texts::Off), now(0), nothing_in_force());
    log.add_decision(&recorded("x", Outcome::Pass, now(1)));
    log.close(now(2)).unwrap();
    let tip = shared.tip().unwrap();
    (dir.join(tip.file.to_string()), tip)
}

#[test]
fn a_tip_round_trips_as_text() {
    let dir = TempDir::new().unwrap();
    let (_, tip) = closed(dir.path());
    assert_eq!(tip.line, 3);
    assert_eq!(tip.to_string().parse(), Ok(tip));
    for wrong in ["", "audit-2026-11-23.jsonl:3", "audit-2026-11-23.jsonl:3 ab", "key:3 ab"] {
        assert!(wrong.parse::<LogTip>().is_err(), "{wrong}");
    }
}

#[test]
fn a_log_that_goes_on_still_has_its_tip() {
    let dir = TempDir::new().unwrap();
    let (_, tip) = closed(dir.path());
    tip.verify(dir.path()).unwrap();
    let (_next, _) = log(&config(dir.path(), Recording::All, Texts::Off), now(3), nothing_in_force());
    tip.verify(dir.path()).unwrap();
}

#[test]
fn a_removed_and_a_replaced_last_line_and_a_removed_file_are_told_apart() {
    let dir = TempDir::new().unwrap();
    let (path, tip) = closed(dir.path());
    let text = fs::read_to_string(&path).unwrap();
    let without_last = text.trim_end().rsplit_once('\n').unwrap().0.to_owned() + "\n";
    fs::write(&path, &without_last).unwrap();
    assert!(matches!(tip.verify(dir.path()), Err(TipError::NoLine { line: 3, .. })));
    fs::write(&path, without_last.clone() + text.lines().next().unwrap() + "\n").unwrap();
    assert!(matches!(tip.verify(dir.path()), Err(TipError::OtherHash { line: 3, .. })));
    fs::remove_file(&path).unwrap();
    assert!(matches!(tip.verify(dir.path()), Err(TipError::NoFile(_))));
}
