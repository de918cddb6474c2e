//! A relay's state in a process of its own, which may be killed or run out of disk.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::*;

/// What the child is to do, and with which file.
const PART: &str = "TEST_PART";
const FILE: &str = "TEST_FILE";

/// This same program again, playing a part.
fn child(part: &str, path: &Path) -> Child {
    let own = module_path!().split_once("::").unwrap().1;
    // What a file may not grow beyond is to be an error, not the end of the process.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "--ignored", "--nocapture", &format!("{own}::play")]);
    command.env(PART, part).env(FILE, path).stdout(Stdio::piped()).spawn().unwrap()
}

#[tokio::test]
#[ignore = "other tests start it in a process of its own"]
async fn play() {
    let (Ok(part), Ok(path)) = (std::env::var(PART), std::env::var(FILE)) else { return };
    let state = State::open(&config(Some(path.into())), at(0)).unwrap();
    match part.as_str() {
        "write for ever" => write_for_ever(&state).await,
        "run out of disk" => run_out_of_disk(&state).await,
        other => panic!("{other}"),
    }
}

async fn write_for_ever(state: &State) {
    for n in 0.. {
        let id = state.sanctions().impose(mute(&format!("name{n}"), None), at(n)).unwrap().id;
        // So that there is something under way that nobody waits for.
        state.sanctions().impose(mute(&format!("other{n}"), Some(1)), at(n)).unwrap();
        let held = held_message(u64::try_from(n).unwrap());
        state.held().hold(held.recorded, held.reason, held.cause, at(n)).ok();
        state.saved().await.unwrap();
        println!("\nsaved {id}");
        std::io::stdout().flush().unwrap();
    }
}

#[test]
fn nothing_that_was_saved_is_lost_when_the_process_is_killed() {
    for count in [1, 7, 40, 120] {
        let place = Place::new();
        let mut child = child("write for ever", &place.path());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let saved: Vec<u64> = lines.filter_map(|line| line.strip_prefix("saved ")?.parse().ok()).take(count).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        let state = place.open(at(0)).unwrap();
        let kept: Vec<u64> = state.sanctions().in_force(at(10_000)).iter().map(|sanction| sanction.id).collect();
        assert_eq!((saved.len(), kept.get(..count)), (count, Some(saved.as_slice())));
        assert!(state.held().len() >= count);
    }
}

/// Lets no file of this process grow beyond so many bytes.
fn limit(bytes: Option<u64>) {
    let Rlimit { maximum, .. } = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, Rlimit { current: bytes, maximum }).unwrap();
}

async fn run_out_of_disk(state: &State) {
    state.saved().await.unwrap();
    limit(Some(1 << 16));
    for n in 0..2_000 {
        state.sanctions().impose(mute(&format!("name{n}"), None), at(n)).unwrap();
    }
    assert!(matches!(state.saved().await, Err(StoreError::NotWritten)));
    assert!(state.sanctions().verdict(&room("QGIS"), "name1999", address(), at(2_000)).is_some(), "all holds");
    let figures = state.store_figures().unwrap();
    assert!(figures.faults > 0 && figures.behind, "{figures:?}");
    assert!(state.saved().await.is_err(), "whoever asks again is told again");
    limit(None);
    state.saved().await.unwrap();
    state.sanctions().impose(mute("after", None), at(0)).unwrap();
    state.saved().await.unwrap();
    assert!(!state.store_figures().unwrap().behind);
    println!("\nsaved 2001");
}

#[test]
fn a_full_disk_stops_nobody_and_is_caught_up_with_when_there_is_room() {
    let place = Place::new();
    let child = child("run out of disk", &place.path());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("saved 2001"), "{said}");
    let state = place.open(at(0)).unwrap();
    let kept = state.sanctions().in_force(at(10_000));
    assert_eq!((kept.len(), kept.last().map(|sanction| sanction.id)), (2_001, Some(2_001)));
}
