//! Stored state survives crashes, damaged files and full disks.

mod child;
mod format_1;
mod records;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tempfile::TempDir;

use self::records::{held_message, random};
use super::*;
use crate::fixtures::{address, at, mute, request, room, rule};
use crate::model::{Actor, ModerationLevel, Penalty, SanctionKind, Target};
use crate::moderation::PenaltyRequest;

/// All settings at their defaults.
fn config() -> Config {
    Config::declare(&mut crate::settings::SettingsSource::new().root().section("moderation", ""))
}

/// Opens the state in a file, or in memory.
fn open(file: Option<PathBuf>, now: Timestamp) -> Result<State, StoreError> {
    State::open(&config(), &store::Config { file }, now)
}

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("moderation.redb")
    }

    fn open(&self, now: Timestamp) -> Result<State, StoreError> {
        open(Some(self.path()), now)
    }

    fn refused(&self) -> String {
        self.open(at(0)).map(drop).expect_err("an error").to_string()
    }
}

/// Returns the whole state as text.
fn shown(state: &State) -> String {
    let sanctions = state.sanctions().entries_for_tests();
    let levels = state.levels().all();
    let held: Vec<String> = state.held().list().iter().map(|held| format!("{held:?}")).collect();
    format!("{sanctions:#?}\n{levels:?}\n{held:#?}\n{:?}", state.setting("preset"))
}

/// Fills a state with some of everything.
fn fill(state: &State) {
    let sanctions = state.sanctions();
    for second in 0..3 {
        sanctions.impose(request("hans", Penalty::Ladder, rule("no-spam")), at(second)).unwrap();
    }
    let lifted = sanctions.impose(mute("eve", Some(3_600)), at(4)).unwrap();
    sanctions.lift(lifted.id, at(5)).unwrap();
    sanctions.impose(mute("mallory", None), at(6)).unwrap();
    let ban = Penalty::Fixed(SanctionKind::Ban, Some(Duration::from_hours(1)));
    let ban = request("x", ban, rule("no-spam"));
    sanctions.impose(PenaltyRequest { target: Target::Address(address(7)), room: None, ..ban }, at(7)).unwrap();
    for n in 0..5 {
        let held = held_message(n);
        state.held().hold(held.recorded, held.reason, held.held_by, at(8)).unwrap();
    }
    let middle = state.held().list()[2].id();
    state.held().take(middle).unwrap();
    state.levels().set(Some(room("QGIS")), ModerationLevel::Slow { seconds: 7 }, Some(at(3_000)));
    state.levels().set(None, ModerationLevel::Newcomers, None);
    state.set_setting("preset", "strict");
    // A restart drops ended sanctions, so drop them now.
    state.prune(at(9));
}

#[track_caller]
fn same(one: &str, other: &str) {
    let differs = one.lines().zip(other.lines()).find(|(one, other)| one != other);
    assert!(one == other, "{differs:?}");
}

#[tokio::test]
async fn a_restart_changes_nothing() {
    let place = Place::new();
    let state = place.open(at(0)).unwrap();
    fill(&state);
    let before = shown(&state);
    state.close().await.unwrap();
    for _ in 0..2 {
        let state = place.open(at(9)).unwrap();
        same(&shown(&state), &before);
        state.close().await.unwrap();
    }
    let state = place.open(at(9)).unwrap();
    let next = state.sanctions().impose(mute("kim", None), at(9)).unwrap();
    assert_eq!(next.id, 7, "numbers go on after a shutdown in order");
}

#[tokio::test]
async fn ended_sanctions_are_gone_after_a_restart() {
    let place = Place::new();
    let state = place.open(at(0)).unwrap();
    fill(&state);
    state.close().await.unwrap();
    let state = place.open(at(100 * 86_400)).unwrap();
    let kept: Vec<u64> = state.sanctions().in_force(at(100 * 86_400)).iter().map(|sanction| sanction.id).collect();
    assert_eq!((kept, state.sanctions().len()), (vec![5], 1));
    assert_eq!(state.levels().all().len(), 1);
    assert_eq!(state.held().expired(at(100 * 86_400)).len(), 4, "held messages are for somebody to decide on");
}

/// A copy of the open file is what a crash leaves behind.
#[tokio::test]
async fn a_crash_loses_no_saved_state_and_ids_are_not_reused() {
    let place = Place::new();
    let state = place.open(at(0)).unwrap();
    fill(&state);
    state.flush().await.unwrap();
    let (before, copy) = (shown(&state), Place::new());
    fs::copy(place.path(), copy.path()).unwrap();
    let state = copy.open(at(9)).unwrap();
    same(&shown(&state), &before);
    let next = state.sanctions().impose(mute("kim", None), at(9)).unwrap();
    assert!(next.id > 1_000, "ids may have been assigned after the copy: {}", next.id);
}

/// Copies are taken while the file is being written; each has everything that was saved before the copy began.
#[tokio::test]
async fn a_crash_during_a_write_loses_no_saved_state() {
    let place = Place::new();
    let state = Arc::new(place.open(at(0)).unwrap());
    let saved = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let writing = tokio::spawn({
        let (state, saved) = (Arc::clone(&state), Arc::clone(&saved));
        async move {
            for n in 0..300 {
                let id = state.sanctions().impose(mute(&format!("name{n}"), None), at(n)).unwrap().id;
                state.sanctions().impose(mute(&format!("other{n}"), Some(1)), at(n)).unwrap();
                state.flush().await.unwrap();
                saved.store(id, Ordering::Release);
            }
        }
    });
    while !writing.is_finished() {
        let (copy, least) = (Place::new(), saved.load(Ordering::Acquire));
        let copied = tokio::task::spawn_blocking({
            let (from, to) = (place.path(), copy.path());
            move || torn_copy(&from, &to)
        });
        copied.await.unwrap();
        let state = copy.open(at(0)).unwrap();
        let kept: Vec<u64> = state.sanctions().in_force(at(1_000)).iter().map(|sanction| sanction.id).collect();
        let wanted: Vec<u64> = (1..=least).step_by(2).collect();
        assert!(kept.starts_with(&wanted), "{least}: {kept:?}");
        state.close().await.unwrap();
    }
    writing.await.unwrap();
}

/// Copies a file in the order in which a crash would keep its parts: what the head points to must exist already.
fn torn_copy(from: &Path, to: &Path) {
    // The head is read first, so that what it points to is at least as new. If pages were reused in the meantime, the
    // head has changed; such a copy cannot result from a crash and is taken again.
    loop {
        let head = read_head(from);
        let mut copy = fs::read(from).unwrap();
        if read_head(from) == head {
            copy[..head.len()].copy_from_slice(&head);
            fs::write(to, copy).unwrap();
            return;
        }
    }
}

fn read_head(path: &Path) -> Vec<u8> {
    use std::os::unix::fs::FileExt as _;
    let mut head = vec![0; 4_096];
    fs::File::open(path).unwrap().read_exact_at(&mut head, 0).unwrap();
    head
}

#[tokio::test]
async fn a_second_relay_cannot_open_a_file_in_use() {
    let place = Place::new();
    let state = place.open(at(0)).unwrap();
    let refused = place.refused();
    assert!(refused.contains("moderation.redb: another relay is using this moderation store"), "{refused}");
    state.close().await.unwrap();
    drop(state);
    place.open(at(0)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn the_file_is_private_and_made_private() {
    let place = Place::new();
    place.open(at(0)).unwrap().close().await.unwrap();
    assert_eq!(mode(&place.path()), 0o600);
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o664)).unwrap();
    place.open(at(0)).unwrap().close().await.unwrap();
    assert_eq!(mode(&place.path()), 0o600);
    let names: Vec<_> = fs::read_dir(place.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["moderation.redb"], "no temporary file is left");
}

#[tokio::test]
async fn an_empty_file_is_an_empty_store() {
    let place = Place::new();
    fs::write(place.path(), "").unwrap();
    let state = place.open(at(0)).unwrap();
    fill(&state);
    state.close().await.unwrap();
    assert_eq!(place.open(at(9)).unwrap().held().len(), 4);
}

#[test]
fn other_files_are_left_unchanged() {
    for (bytes, error) in [
        (b"[server]\nlisten = \"127.0.0.1:8000\"\n".to_vec(), "not a moderation store; the file is left unchanged"),
        (b"re".to_vec(), "not a moderation store"),
        (vec![0; 100_000], "not a moderation store"),
        (b"redb\x1a\x0a\xa9\x0d\x0a".to_vec(), "the file is damaged and left unchanged"),
        (
            [b"redb\x1a\x0a\xa9\x0d\x0a".to_vec(), vec![0xff; 100_000]].concat(),
            "the file is damaged and left unchanged",
        ),
    ] {
        let place = Place::new();
        fs::write(place.path(), &bytes).unwrap();
        let refused = place.refused();
        assert!(refused.contains(&place.path().display().to_string()) && refused.contains(error), "{refused}");
        assert_eq!(fs::read(place.path()).unwrap(), bytes);
    }
}

#[test]
fn a_folder_and_a_missing_path_are_errors_that_name_them() {
    let place = Place::new();
    fs::create_dir(place.path()).unwrap();
    assert!(place.refused().contains("moderation.redb: "), "{}", place.refused());
    let refused = open(Some(place.folder.path().join("nowhere/x.redb")), at(0)).map(drop).unwrap_err().to_string();
    assert!(refused.contains("nowhere/x.redb: the moderation store cannot be opened"), "{refused}");
}

/// A probe reports the same errors as a start.
#[test]
fn a_probe_reports_the_errors_of_a_start_and_changes_nothing() {
    for bytes in
        [b"hello".to_vec(), b"red".to_vec(), [b"redb\x1a\x0a\xa9\x0d\x0a".to_vec(), vec![0xff; 9_000]].concat()]
    {
        let place = Place::new();
        fs::write(place.path(), &bytes).unwrap();
        assert_eq!(probe_store(&place.path()).unwrap_err().to_string(), place.refused());
        assert_eq!(fs::read(place.path()).unwrap(), bytes);
    }
    let place = Place::new();
    probe_store(&place.path()).unwrap();
    assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 0);
    fs::create_dir(place.path()).unwrap();
    assert_eq!(probe_store(&place.path()).unwrap_err().to_string(), place.refused());
    let nowhere = place.folder.path().join("nowhere/x.redb");
    let refused = open(Some(nowhere.clone()), at(0)).map(drop).unwrap_err();
    assert_eq!(probe_store(&nowhere).unwrap_err().to_string(), refused.to_string());
}

#[tokio::test]
async fn a_store_in_use_passes_a_probe_which_does_not_block_it() {
    let place = Place::new();
    let state = place.open(at(0)).unwrap();
    fill(&state);
    probe_store(&place.path()).unwrap();
    state.flush().await.unwrap();
    let before = fs::read(place.path()).unwrap();
    probe_store(&place.path()).unwrap();
    assert_eq!(fs::read(place.path()).unwrap(), before);
    state.close().await.unwrap();
    probe_store(&place.path()).unwrap();
    place.open(at(0)).unwrap().close().await.unwrap();
}

#[tokio::test]
async fn a_state_with_an_unusable_file_starts_in_memory() {
    let place = Place::new();
    fs::write(place.path(), "hello").unwrap();
    let (state, error) = State::open_or_in_memory(&config(), &store::Config { file: Some(place.path()) }, at(0));
    assert!(matches!(error, Some(StoreError::NotAStore { .. })), "{error:?}");
    fill(&state);
    state.flush().await.unwrap();
    state.close().await.unwrap();
    assert_eq!(fs::read(place.path()).unwrap(), b"hello");
}

#[test]
fn the_database_of_another_program_is_left_unchanged() {
    let place = Place::new();
    let database = redb::Database::create(place.path()).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(redb::TableDefinition::<u64, u64>::new("its own")).unwrap().insert(1, 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let before = fs::read(place.path()).unwrap();
    assert!(place.refused().contains("not a moderation store"), "{}", place.refused());
    assert_eq!(fs::read(place.path()).unwrap(), before);
}

#[tokio::test]
async fn a_file_of_a_later_version_is_left_unchanged() {
    let place = Place::new();
    place.open(at(0)).unwrap().close().await.unwrap();
    let database = redb::Database::open(place.path()).unwrap();
    let transaction = database.begin_write().unwrap();
    let meta = redb::TableDefinition::<&str, u64>::new("gischat-relay moderation");
    transaction.open_table(meta).unwrap().insert("format", 3).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let before = fs::read(place.path()).unwrap();
    let refused = place.refused();
    assert!(refused.contains("format 3 is not supported, this version reads formats 1 to 2"), "{refused}");
    assert_eq!(fs::read(place.path()).unwrap(), before);
}

/// If any byte changes, either nothing is lost, or it is an error and the file is left unchanged.
#[tokio::test]
async fn damage_is_an_error_and_leaves_the_file_unchanged() {
    let place = Place::new();
    let state = place.open(at(0)).unwrap();
    fill(&state);
    let before = shown(&state);
    state.close().await.unwrap();
    let whole = fs::read(place.path()).unwrap();
    // Only bytes in use; most of the file is empty.
    let used: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] != 0).collect();
    let (mut reported, mut random) = (0, random());
    for _ in 0..120 {
        let (copy, mut bytes) = (Place::new(), whole.clone());
        let place_of_damage = used[usize::try_from(random() % used.len() as u64).unwrap()];
        bytes[place_of_damage] ^= 1 << (random() % 8);
        fs::write(copy.path(), &bytes).unwrap();
        match copy.open(at(9)) {
            Ok(state) => {
                same(&shown(&state), &before);
                state.close().await.unwrap();
            }
            Err(error) => {
                reported += 1;
                let text = error.to_string();
                assert!(text.contains(&copy.path().display().to_string()), "byte {place_of_damage}: {text}");
                assert_eq!(fs::read(copy.path()).unwrap(), bytes, "byte {place_of_damage}");
            }
        }
    }
    assert!(reported > 0);
    for length in [1, 9, 300, 4_096, 5_000, whole.len() / 2, whole.len() - 1] {
        let copy = Place::new();
        fs::write(copy.path(), &whole[..length]).unwrap();
        assert!(copy.open(at(9)).is_err(), "{length}");
        assert_eq!(fs::read(copy.path()).unwrap(), whole[..length]);
    }
}

#[tokio::test]
async fn without_a_file_nothing_is_written_and_callers_do_not_wait() {
    let state = open(None, at(0)).unwrap();
    fill(&state);
    state.flush().await.unwrap();
    state.close().await.unwrap();
    assert_eq!(state.store_figures(), None);
    assert!(state.sanctions().take_changes().items.is_empty(), "changes are not tracked");
}

#[tokio::test]
async fn waiting_on_a_closed_store_is_an_error() {
    let place = Place::new();
    let state = place.open(at(0)).unwrap();
    state.close().await.unwrap();
    state.close().await.unwrap();
    state.flush().await.unwrap();
    state.set_setting("preset", "open");
    assert!(matches!(state.flush().await, Err(StoreError::Closed)));
}

#[test]
fn too_many_changes_become_a_change_of_everything() {
    let mut changes = ChangeTracker::new(Arc::new(ChangeNotifier::default()));
    (0..65_536).for_each(|key| changes.mark(key));
    let taken = changes.take();
    assert_eq!((taken.keys.len(), taken.is_everything), (65_536, false));
    (0..100_000).for_each(|key| changes.mark(key));
    changes.put_back(taken.keys, taken.is_everything);
    let taken = changes.take();
    assert_eq!((taken.keys.len(), taken.is_everything), (0, true));
    assert!(changes.take().is_empty());
}
