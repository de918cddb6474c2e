//! What was kept is there again, whatever happens to the program, the file and the disk.

mod child;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;

use super::records::tests::{held_message, random};
use super::*;
use crate::model::{Cause, Penalty, RoomName, SanctionKind, Target};
use crate::moderation::{Config, Level, Order, State};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn address() -> crate::model::Address {
    crate::model::Address::from(std::net::IpAddr::from([192, 0, 2, 7]))
}

fn room(name: &str) -> RoomName {
    RoomName::parse(name).unwrap()
}

/// All settings at their defaults, but for the file.
fn config(store: Option<PathBuf>) -> Config {
    let mut source = crate::settings::Source::new();
    Config { store, ..Config::declare(&mut source.root().section("moderation", "")) }
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
        State::open(&config(Some(self.path())), now)
    }

    fn refused(&self) -> String {
        self.open(at(0)).map(drop).expect_err("a fault").to_string()
    }
}

fn order(name: &str, penalty: Penalty, cause: Cause) -> Order {
    let target = Target::Nickname(crate::model::Nickname::parse(name).unwrap());
    Order { penalty, target, room: Some(room("QGIS")), reason: None, cause }
}

fn mute(name: &str, seconds: Option<u64>) -> Order {
    let penalty = Penalty::Fixed(SanctionKind::Mute, seconds.map(Duration::from_secs));
    order(name, penalty, Cause::Moderator("jane".into()))
}

fn rule() -> Cause {
    Cause::Rule("no-spam".into())
}

/// All that a state holds, as text.
fn shown(state: &State) -> String {
    let sanctions = state.sanctions().entries_for_tests();
    let levels = state.levels().all();
    let held: Vec<String> = state.held().list().iter().map(|held| format!("{held:?}")).collect();
    format!("{sanctions:#?}\n{levels:?}\n{held:#?}\n{:?}", state.setting("preset"))
}

/// A state with something of everything.
fn fill(state: &State) {
    let sanctions = state.sanctions();
    for second in 0..3 {
        sanctions.impose(order("hans", Penalty::Ladder, rule()), at(second)).unwrap();
    }
    let lifted = sanctions.impose(mute("eve", Some(3_600)), at(4)).unwrap();
    sanctions.lift(lifted.id, at(5)).unwrap();
    sanctions.impose(mute("mallory", None), at(6)).unwrap();
    let address = Target::Address(address());
    let ban = Penalty::Fixed(SanctionKind::Ban, Some(Duration::from_hours(1)));
    sanctions.impose(Order { target: address, room: None, ..order("x", ban, rule()) }, at(7)).unwrap();
    for n in 0..5 {
        let held = held_message(n);
        state.held().hold(held.recorded, held.reason, held.cause, at(8)).unwrap();
    }
    let middle = state.held().list()[2].id();
    state.held().take(middle).unwrap();
    state.levels().set(Some(room("QGIS")), Level::Slow { seconds: 7 }, Some(at(3_000)));
    state.levels().set(None, Level::Newcomers, None);
    state.set_setting("preset", "strict");
    // A restart forgets what is over; so that there is nothing that it could forget.
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
async fn what_has_ended_is_gone_after_a_restart() {
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

/// A copy of the file taken while it is open is what a crash leaves behind.
#[tokio::test]
async fn a_crash_loses_nothing_that_was_saved_and_no_number_is_given_twice() {
    let place = Place::new();
    let state = place.open(at(0)).unwrap();
    fill(&state);
    state.saved().await.unwrap();
    let (before, copy) = (shown(&state), Place::new());
    fs::copy(place.path(), copy.path()).unwrap();
    let state = copy.open(at(9)).unwrap();
    same(&shown(&state), &before);
    let next = state.sanctions().impose(mute("kim", None), at(9)).unwrap();
    assert!(next.id > 1_000, "others may have been given after the copy: {}", next.id);
}

/// Copies are taken while the file is written to; each has all that was saved before it was begun.
#[tokio::test]
async fn a_crash_in_the_middle_of_writing_loses_nothing_that_was_saved() {
    let place = Place::new();
    let state = Arc::new(place.open(at(0)).unwrap());
    let saved = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let writing = tokio::spawn({
        let (state, saved) = (Arc::clone(&state), Arc::clone(&saved));
        async move {
            for n in 0..300 {
                let id = state.sanctions().impose(mute(&format!("name{n}"), None), at(n)).unwrap().id;
                state.sanctions().impose(mute(&format!("other{n}"), Some(1)), at(n)).unwrap();
                state.saved().await.unwrap();
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

/// Copies a file in the order in which a crash would keep its parts: what the head points to must be there already.
fn torn_copy(from: &Path, to: &Path) {
    // The head is read first, so that what it points to is at least as new. Pages that are used again meanwhile would
    // make it another crash than there can be: then the head has moved on, and the copy is taken anew.
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
async fn a_second_relay_is_told_that_the_file_is_in_use() {
    let place = Place::new();
    let state = place.open(at(0)).unwrap();
    let refused = place.refused();
    assert!(refused.contains("moderation.redb: another relay is running with this file"), "{refused}");
    state.close().await.unwrap();
    drop(state);
    place.open(at(0)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn the_file_is_its_owners_alone_and_is_made_so() {
    let place = Place::new();
    place.open(at(0)).unwrap().close().await.unwrap();
    assert_eq!(mode(&place.path()), 0o600);
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o664)).unwrap();
    place.open(at(0)).unwrap().close().await.unwrap();
    assert_eq!(mode(&place.path()), 0o600);
    let names: Vec<_> = fs::read_dir(place.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["moderation.redb"], "nothing is left from making it");
}

#[tokio::test]
async fn an_empty_file_is_a_store_that_nothing_was_written_to() {
    let place = Place::new();
    fs::write(place.path(), "").unwrap();
    let state = place.open(at(0)).unwrap();
    fill(&state);
    state.close().await.unwrap();
    assert_eq!(place.open(at(9)).unwrap().held().len(), 4);
}

#[test]
fn what_is_no_store_is_left_as_it_is() {
    for (bytes, fault) in [
        (b"[server]\nlisten = \"127.0.0.1:8000\"\n".to_vec(), "is no file of gischat-relay; it is left as it is"),
        (b"re".to_vec(), "is no file of gischat-relay"),
        (vec![0; 100_000], "is no file of gischat-relay"),
        (b"redb\x1a\x0a\xa9\x0d\x0a".to_vec(), "is damaged, and left as it is"),
        ([b"redb\x1a\x0a\xa9\x0d\x0a".to_vec(), vec![0xff; 100_000]].concat(), "is damaged, and left as it is"),
    ] {
        let place = Place::new();
        fs::write(place.path(), &bytes).unwrap();
        let refused = place.refused();
        assert!(refused.contains(&place.path().display().to_string()) && refused.contains(fault), "{refused}");
        assert_eq!(fs::read(place.path()).unwrap(), bytes);
    }
}

#[test]
fn a_folder_and_a_place_that_is_not_there_are_faults_that_name_it() {
    let place = Place::new();
    fs::create_dir(place.path()).unwrap();
    assert!(place.refused().contains("moderation.redb: "), "{}", place.refused());
    let config = config(Some(place.folder.path().join("nowhere/x.redb")));
    let refused = State::open(&config, at(0)).map(drop).unwrap_err().to_string();
    assert!(refused.contains("nowhere/x.redb: the file of moderation cannot be opened"), "{refused}");
}

/// A probe finds in a file what a start finds in it.
#[test]
fn a_probe_tells_what_a_start_would_and_changes_nothing() {
    for bytes in
        [b"hello".to_vec(), b"red".to_vec(), [b"redb\x1a\x0a\xa9\x0d\x0a".to_vec(), vec![0xff; 9_000]].concat()]
    {
        let place = Place::new();
        fs::write(place.path(), &bytes).unwrap();
        assert_eq!(probe(&place.path()).unwrap_err().to_string(), place.refused());
        assert_eq!(fs::read(place.path()).unwrap(), bytes);
    }
    let place = Place::new();
    probe(&place.path()).unwrap();
    assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 0);
    fs::create_dir(place.path()).unwrap();
    assert_eq!(probe(&place.path()).unwrap_err().to_string(), place.refused());
    let nowhere = place.folder.path().join("nowhere/x.redb");
    let refused = State::open(&config(Some(nowhere.clone())), at(0)).map(drop).unwrap_err();
    assert_eq!(probe(&nowhere).unwrap_err().to_string(), refused.to_string());
}

#[tokio::test]
async fn a_store_in_use_is_fit_for_a_probe_which_keeps_nobody_from_it() {
    let place = Place::new();
    let state = place.open(at(0)).unwrap();
    fill(&state);
    probe(&place.path()).unwrap();
    state.saved().await.unwrap();
    let before = fs::read(place.path()).unwrap();
    probe(&place.path()).unwrap();
    assert_eq!(fs::read(place.path()).unwrap(), before);
    state.close().await.unwrap();
    probe(&place.path()).unwrap();
    place.open(at(0)).unwrap().close().await.unwrap();
}

#[tokio::test]
async fn a_state_whose_file_cannot_be_used_is_started_in_memory() {
    let place = Place::new();
    fs::write(place.path(), "hello").unwrap();
    let (state, error) = State::start(&config(Some(place.path())), at(0));
    assert!(matches!(error, Some(StoreError::Foreign { .. })), "{error:?}");
    fill(&state);
    state.saved().await.unwrap();
    state.close().await.unwrap();
    assert_eq!(fs::read(place.path()).unwrap(), b"hello");
}

#[test]
fn the_database_of_another_program_is_left_as_it_is() {
    let place = Place::new();
    let database = redb::Database::create(place.path()).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(redb::TableDefinition::<u64, u64>::new("its own")).unwrap().insert(1, 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let before = fs::read(place.path()).unwrap();
    assert!(place.refused().contains("is no file of gischat-relay"), "{}", place.refused());
    assert_eq!(fs::read(place.path()).unwrap(), before);
}

#[tokio::test]
async fn a_file_of_a_later_version_is_left_as_it_is() {
    let place = Place::new();
    place.open(at(0)).unwrap().close().await.unwrap();
    let database = redb::Database::open(place.path()).unwrap();
    let transaction = database.begin_write().unwrap();
    let meta = redb::TableDefinition::<&str, u64>::new("gischat-relay moderation");
    transaction.open_table(meta).unwrap().insert("format", 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let before = fs::read(place.path()).unwrap();
    let refused = place.refused();
    assert!(refused.contains("has format 2, and this version of the relay knows format 1"), "{refused}");
    assert_eq!(fs::read(place.path()).unwrap(), before);
}

/// Whatever byte is another one: either nothing is lost, or it is told and the file is left as it is.
#[tokio::test]
async fn damage_is_told_and_nothing_of_the_file_is_lost() {
    let place = Place::new();
    let state = place.open(at(0)).unwrap();
    fill(&state);
    let before = shown(&state);
    state.close().await.unwrap();
    let whole = fs::read(place.path()).unwrap();
    // Bytes that say something; most of the file is room for more.
    let used: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] != 0).collect();
    let (mut told, mut random) = (0, random());
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
            Err(fault) => {
                told += 1;
                let text = fault.to_string();
                assert!(text.contains(&copy.path().display().to_string()), "byte {place_of_damage}: {text}");
                assert_eq!(fs::read(copy.path()).unwrap(), bytes, "byte {place_of_damage}");
            }
        }
    }
    assert!(told > 0);
    for length in [1, 9, 300, 4_096, 5_000, whole.len() / 2, whole.len() - 1] {
        let copy = Place::new();
        fs::write(copy.path(), &whole[..length]).unwrap();
        assert!(copy.open(at(9)).is_err(), "{length}");
        assert_eq!(fs::read(copy.path()).unwrap(), whole[..length]);
    }
}

#[tokio::test]
async fn without_a_file_nothing_is_written_and_nobody_waits() {
    let state = State::open(&config(None), at(0)).unwrap();
    fill(&state);
    state.saved().await.unwrap();
    state.close().await.unwrap();
    assert_eq!(state.store_figures(), None);
    assert!(state.sanctions().changed().0.items.is_empty(), "what changes is not even noted");
}

#[tokio::test]
async fn after_the_end_somebody_who_waits_is_told() {
    let place = Place::new();
    let state = place.open(at(0)).unwrap();
    state.close().await.unwrap();
    state.close().await.unwrap();
    state.saved().await.unwrap();
    state.set_setting("preset", "open");
    assert!(matches!(state.saved().await, Err(StoreError::Closed)));
}

#[test]
fn more_changes_than_are_kept_apart_become_a_change_of_everything() {
    let mut changes = Changes::new(Arc::new(Bell::default()));
    (0..65_536).for_each(|key| changes.note(key));
    let taken = changes.take();
    assert_eq!((taken.keys.len(), taken.all), (65_536, false));
    (0..100_000).for_each(|key| changes.note(key));
    changes.give_back(taken.keys, taken.all);
    let taken = changes.take();
    assert_eq!((taken.keys.len(), taken.all), (0, true));
    assert!(changes.take().is_empty());
}
