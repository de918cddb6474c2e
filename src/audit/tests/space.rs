//! The space that all files take, and the share of acts.

use super::*;

/// The limit of these tests.
const MAX_MIB: u32 = 10;

fn small(dir: &Path) -> Config {
    Config { max_total_mib: MAX_MIB, ..config(dir, Recording::All, Texts::Full) }
}

/// Adds long decisions until they are lost.
fn fill(log: &mut LogFiles, shared: &AuditShared) {
    let large = recorded(&"x".repeat(60_000), Outcome::Pass, now(1));
    while shared.stats.lost.load(Relaxed) == 0 {
        log.rotate(now(1)).unwrap();
        log.add_decision(&large);
        log.flush(false).unwrap();
    }
}

fn total(dir: &Path) -> u64 {
    folder::total_bytes(dir).unwrap()
}

#[test]
fn decisions_leave_a_tenth_of_the_space_to_acts() {
    let dir = TempDir::new().unwrap();
    let (mut log, shared) = log(&small(dir.path()), now(0), nothing_in_force());
    fill(&mut log, &shared);
    assert_eq!(log.shortage(), Some(AuditFailure::OnlyActs { max_mib: MAX_MIB }));
    assert!(total(dir.path()) < 9_500_000, "{}", total(dir.path()));
    for second in 2..1_002 {
        log.rotate(now(second)).unwrap();
        assert!(log.add_act(kicked(now(second)), now(second)));
    }
    log.close(now(1_002)).unwrap();
    let checked = check(dir.path()).unwrap();
    assert!(checked.is_valid(), "{checked:?}");
    assert_eq!(checked.days[0].lost, 1, "the loss is noted before the next act");
}

#[test]
fn all_files_together_stay_within_the_limit() {
    let dir = TempDir::new().unwrap();
    let (mut log, shared) = log(&small(dir.path()), now(0), nothing_in_force());
    fill(&mut log, &shared);
    let large = banned(Actor::Relay, &"x".repeat(60_000));
    while log.add_act(large.clone(), now(1)) {
        log.flush(false).unwrap();
        log.rotate(now(1)).unwrap();
    }
    assert_eq!(log.shortage(), Some(AuditFailure::NoSpace { max_mib: MAX_MIB }));
    log.rotate(now(2 * DAY)).unwrap();
    log.close(now(2 * DAY)).unwrap();
    let limit = u64::from(MAX_MIB) << 20;
    assert!((limit..limit + 70_000).contains(&total(dir.path())), "{}", total(dir.path()));
    assert!(check(dir.path()).unwrap().is_valid());
}

#[test]
fn decisions_are_recorded_again_once_files_are_moved_away() {
    let dir = TempDir::new().unwrap();
    let (mut log, shared) = log(&small(dir.path()), now(0), nothing_in_force());
    fill(&mut log, &shared);
    for name in files(dir.path()).iter().take(3) {
        fs::remove_file(dir.path().join(name)).unwrap();
    }
    log.rotate(now(30)).unwrap();
    assert_eq!(log.shortage(), None);
    log.add_decision(&recorded("x", Outcome::Pass, now(30)));
    assert_eq!(shared.stats.lost.load(Relaxed), 1);
}

#[tokio::test]
async fn a_log_without_space_refuses_acts_at_once_and_says_why() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("audit-2026-11-20.jsonl"), vec![b'x'; 10 << 20]).unwrap();
    let config = small(dir.path());
    let audit = Audit::open(&config, Uuid::new_v4(), Instant::now(), nothing_in_force()).unwrap().unwrap();
    assert_eq!(audit.failure(), Some(AuditFailure::NoSpace { max_mib: MAX_MIB }));
    let acted = audit.record_act_within(&kicked(now(1)), Duration::from_hours(1)).await;
    assert_eq!(acted, Err(ActLogError::Failing));
    assert_eq!(files(dir.path()), ["audit-2026-11-20.jsonl"]);
}
