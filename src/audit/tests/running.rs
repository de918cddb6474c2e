//! The log as the relay runs it: queues, deadlines and full disks.

use futures_util::FutureExt as _;

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
    let config = config(dir.path(), Recording::NotPassed, Texts::Off);
    let audit = Audit::open(&config, Uuid::new_v4(), Instant::now(), nothing_in_force()).unwrap().unwrap();
    audit.record(some("x", Outcome::Pass));
    audit.record(some("x", Outcome::Replace));
    audit.record_act_detached(&kicked(now(1)));
    assert_eq!(audit.record_act(&kicked(now(2))).await, Ok(()));
    let lines: Vec<Line> = files(dir.path()).iter().flat_map(|name| lines_of(&dir.path().join(name))).collect();
    assert!(matches!(lines.as_slice(), [Line::Start(_), Line::Decision(_), Line::Act(_), Line::Act(_)]), "{lines:?}");
    assert_eq!([audit.close().await, audit.close().await], [Ok(()); 2]);
    assert_eq!(audit.record_act(&kicked(now(1))).await, Err(ActLogError::NotWritten));
    assert_eq!(figures(&audit), [5, 1, 1]);
    assert!(check(dir.path()).unwrap().is_valid());
}

#[tokio::test]
async fn everything_recorded_before_closing_is_written() {
    let dir = TempDir::new().unwrap();
    let config = config(dir.path(), Recording::All, Texts::Full);
    let audit = Arc::new(Audit::open(&config, Uuid::new_v4(), Instant::now(), nothing_in_force()).unwrap().unwrap());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let audit = Arc::clone(&audit);
            std::thread::spawn(move || (0..2_000).for_each(|_| audit.record(some("hello", Outcome::Pass))))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(audit.close().await, Ok(()));
    let checked = check(dir.path()).unwrap();
    let lines: u64 = checked.days.iter().map(|day| day.lines).sum();
    let [written, lost, _] = figures(&audit);
    assert!(checked.is_valid() && lines == written && lost == 0, "{checked:?} {written} {lost}");
}

#[test]
fn a_folder_belongs_to_one_relay() {
    let dir = TempDir::new().unwrap();
    let config = config(dir.path(), Recording::All, Texts::Off);
    let first = Audit::open_unstarted(&config, Uuid::new_v4(), Instant::now(), nothing_in_force()).unwrap();
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
        Audit::open_unstarted(&config, Uuid::new_v4(), Instant::now(), nothing_in_force()).unwrap().unwrap();
    let message = some("x", Outcome::Pass);
    for _ in 0..MAX_QUEUED_DECISIONS + 500 {
        audit.record(Arc::clone(&message));
    }
    assert_eq!(figures(&audit), [0, 500, 0]);
    let at_once = Duration::from_millis(1);
    assert_eq!(
        audit.record_act_within(&kicked(now(1)), at_once).await,
        Err(ActLogError::TimedOut),
        "acts have a separate limit"
    );
    for _ in 0..ACT_RESERVE {
        drop(audit.record_act_within(&kicked(now(1)), at_once));
    }
    assert_eq!(audit.record_act_within(&kicked(now(1)), at_once).await, Err(ActLogError::Full));
    let WriterParts { mut writer, queue, closed } = parts;
    writer.write_head();
    let thread = std::thread::spawn(move || writer.run(queue, &closed));
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
        Audit::open_unstarted(&config, Uuid::new_v4(), Instant::now(), nothing_in_force()).unwrap().unwrap();
    let large = some(&"x".repeat(8 << 20), Outcome::Reject);
    for _ in 0..10 {
        audit.record(Arc::clone(&large));
    }
    assert_eq!(figures(&audit), [0, 3, 0]);
    audit.record(some("small", Outcome::Reject));
    assert_eq!(figures(&audit), [0, 3, 0]);
}

/// Decisions with the longest texts that fill a file.
const FULL_FILE: u64 = 16;

/// Records so many decisions with the longest text.
fn record_long_texts(audit: &Audit, count: u64) {
    let long = some(&"x".repeat(65_536), Outcome::Pass);
    (0..count).for_each(|_| audit.record(Arc::clone(&long)));
}

#[tokio::test]
async fn every_line_that_is_not_written_is_counted_as_lost() {
    let folder = TempDir::new().unwrap();
    let dir = folder.path().join("audit");
    let config = config(&dir, Recording::All, Texts::Full);
    let (audit, parts) =
        Audit::open_unstarted(&config, Uuid::new_v4(), Instant::now(), nothing_in_force()).unwrap().unwrap();
    let WriterParts { mut writer, queue, closed } = parts;
    writer.write_head();
    // There can be no second file.
    fs::rename(&dir, folder.path().join("elsewhere")).unwrap();
    fs::write(&dir, "").unwrap();
    let decisions = FULL_FILE + 3;
    record_long_texts(&audit, decisions);
    let thread = std::thread::spawn(move || writer.run(queue, &closed));
    let result = audit.close().await;
    thread.join().unwrap();
    let [written, lost, _] = figures(&audit);
    assert_eq!(result, Err(CloseError::LinesLost { lost }));
    assert_eq!(written + lost, decisions + 2, "{written} written, with head and end");
    assert!(lost > 0);
}

#[tokio::test]
async fn a_decision_that_arrives_while_the_last_lines_are_written_is_counted_as_lost() {
    let dir = TempDir::new().unwrap();
    let config = config(dir.path(), Recording::All, Texts::Full);
    let handle: Arc<OnceLock<Arc<Audit>>> = Arc::default();
    let late = Arc::clone(&handle);
    // Called when the second file begins, after the queue was read.
    let snapshot = move || {
        if let Some(audit) = late.get() {
            audit.record(some("late", Outcome::Pass));
            let _pending = audit.close().now_or_never();
        }
        StateSnapshot::default()
    };
    let (audit, parts) =
        Audit::open_unstarted(&config, Uuid::new_v4(), Instant::now(), Box::new(snapshot)).unwrap().unwrap();
    let WriterParts { mut writer, queue, closed } = parts;
    writer.write_head();
    let audit = handle.get_or_init(|| Arc::new(audit));
    record_long_texts(audit, FULL_FILE);
    writer.run(queue, &closed);
    assert_eq!(figures(audit)[1], 1);
}

#[tokio::test]
async fn a_detached_act_that_is_not_written_is_counted_as_unlogged() {
    let dir = TempDir::new().unwrap();
    let config = config(dir.path(), Recording::All, Texts::Full);
    let audit = Audit::open(&config, Uuid::new_v4(), Instant::now(), nothing_in_force()).unwrap().unwrap();
    audit.record_act_detached(&banned(Actor::Relay, &"x".repeat(2 << 20)));
    let _closed = audit.close().await;
    assert_eq!(figures(&audit)[1..], [1, 1], "too long");
    audit.record_act_detached(&kicked(now(1)));
    assert_eq!(figures(&audit)[1..], [2, 2], "closed");

    let other = TempDir::new().unwrap();
    let config = Config { dir: Some(other.path().to_owned()), ..config };
    let (audit, parts) =
        Audit::open_unstarted(&config, Uuid::new_v4(), Instant::now(), nothing_in_force()).unwrap().unwrap();
    audit.record_act_detached(&kicked(now(1)));
    drop(parts);
    assert_eq!(audit.close().await, Err(CloseError::WriterPanicked));
    assert_eq!(figures(&audit)[1..], [1, 1], "abandoned in the queue");
    audit.record_act_detached(&kicked(now(1)));
    assert_eq!(figures(&audit)[1..], [2, 2], "the writer has ended");
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
    assert_eq!(audit.record_act_within(&kicked(now(1)), Duration::from_hours(1)).await, Err(ActLogError::Failing));
    let lost = figures(&audit)[1];
    Command::new("mount").args(["-o", "remount,size=64m"]).arg(&disk).status().unwrap();
    // Writing is retried after at most five seconds.
    loop {
        if audit.record_act(&kicked(now(2))).await.is_ok() {
            break;
        }
    }
    assert_eq!(audit.close().await, Ok(()));
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
