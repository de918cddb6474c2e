//! Tests with the state in a child process, which is killed or runs out of disk space.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::*;

/// The task of the child, and its file.
const PART: &str = "TEST_PART";
const FILE: &str = "TEST_FILE";

/// Starts this program again with a task.
fn child(part: &str, path: &Path) -> Child {
    let own = module_path!().split_once("::").unwrap().1;
    // Exceeding the file size limit must be an error, not a signal.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "--ignored", "--nocapture", &format!("{own}::play")]);
    command.env(PART, part).env(FILE, path).stdout(Stdio::piped()).spawn().unwrap()
}

#[tokio::test]
#[ignore = "other tests start it in a process of its own"]
async fn play() {
    let (Ok(part), Ok(path)) = (std::env::var(PART), std::env::var(FILE)) else { return };
    let state = open(Some(path.into()), at(0)).unwrap();
    match part.as_str() {
        "write for ever" => write_for_ever(&state).await,
        "run out of disk" => run_out_of_disk(&state).await,
        other => panic!("{other}"),
    }
}

async fn write_for_ever(state: &State) {
    for n in 0.. {
        let id = state.sanctions().impose(mute(&format!("name{n}"), None), at(n)).unwrap().id;
        // A change for which nobody waits.
        state.sanctions().impose(mute(&format!("other{n}"), Some(1)), at(n)).unwrap();
        let held = held_message(u64::try_from(n).unwrap());
        state.held().hold(held.recorded, held.reason, held.held_by, at(n)).ok();
        state.flush().await.unwrap();
        println!("\nsaved {id}");
        std::io::stdout().flush().unwrap();
    }
}

#[test]
fn no_saved_state_is_lost_when_the_process_is_killed() {
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

/// Limits the size of files that this process writes.
fn limit(bytes: Option<u64>) {
    let Rlimit { maximum, .. } = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, Rlimit { current: bytes, maximum }).unwrap();
}

async fn run_out_of_disk(state: &State) {
    state.flush().await.unwrap();
    limit(Some(1 << 16));
    for n in 0..2_000 {
        state.sanctions().impose(mute(&format!("name{n}"), None), at(n)).unwrap();
    }
    assert!(matches!(state.flush().await, Err(StoreError::WriteFailed)));
    assert!(
        state.sanctions().strongest(&room("QGIS"), "name1999", address(7), at(2_000)).is_some(),
        "state stays in effect"
    );
    let figures = state.store_figures().unwrap();
    assert!(figures.errors > 0 && figures.is_behind, "{figures:?}");
    assert!(state.flush().await.is_err(), "the next call fails again");
    limit(None);
    state.flush().await.unwrap();
    state.sanctions().impose(mute("after", None), at(0)).unwrap();
    state.flush().await.unwrap();
    assert!(!state.store_figures().unwrap().is_behind);
    println!("\nsaved 2001");
}

#[test]
fn a_full_disk_blocks_no_caller_and_writing_catches_up_when_there_is_room() {
    let place = Place::new();
    let child = child("run out of disk", &place.path());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("saved 2001"), "{said}");
    let state = place.open(at(0)).unwrap();
    let kept = state.sanctions().in_force(at(10_000));
    assert_eq!((kept.len(), kept.last().map(|sanction| sanction.id)), (2_001, Some(2_001)));
}
