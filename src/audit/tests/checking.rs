//! Checking the chain of hashes.

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
    let mut lines: Vec<String> = fs::read_to_string(path).unwrap().lines().map(|line| format!("{line}\n")).collect();
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
