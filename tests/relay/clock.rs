//! A wall clock that is set while the relay runs, by libfaketime. Other clocks go on.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::moderation::{call, moderated};
use crate::support::{Relay, RelayBuilder};

const HINT: &str = "libfaketime is missing; `make test` installs what the tests need";
const RULES: &str = "[[rule]]\nid = 'links'\nwords = ['look']\nverdict = 'hold'\n\
                     [[rule]]\nid = 'spam'\nwords = ['casino']\nverdict = 'reject'\n";

/// A folder with a file that tells by how much the wall clock is off.
struct WallClock(tempfile::TempDir);

impl WallClock {
    fn new() -> Self {
        let clock = Self(tempfile::tempdir().unwrap());
        clock.set("+0");
        clock
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("offset")
    }

    fn set(&self, offset: &str) {
        let new = self.0.path().join("new");
        std::fs::write(&new, offset).unwrap();
        std::fs::rename(new, self.file()).unwrap();
    }

    fn of(&self, relay: RelayBuilder) -> RelayBuilder {
        let multiarch = std::fs::read_dir("/usr/lib").unwrap().map(|folder| folder.unwrap().path());
        let library = |folder: PathBuf| folder.join("faketime/libfaketime.so.1");
        let library = multiarch.map(library).find(|library| library.exists()).expect(HINT);
        moderated(relay)
            .file("rules.toml", RULES)
            .env("LD_PRELOAD", library.to_str().unwrap())
            .env("FAKETIME_TIMESTAMP_FILE", self.file().to_str().unwrap())
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    }
}

async fn put(relay: &Relay, text: &str) -> u16 {
    relay.put_line("QGIS", "anna", text, &[]).await.status
}

/// The files of the audit log with decisions or acts.
fn audit_files(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut logs: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|kind| kind == "jsonl")).collect();
    logs.sort();
    logs
}

#[tokio::test]
async fn a_clock_that_is_a_month_ahead_for_a_moment_deletes_nothing_of_the_audit_log() {
    let clock = WallClock::new();
    let folder = clock.0.path().join("audit");
    let relay = clock
        .of(Relay::builder())
        .env("RELAY__MODERATION__AUDIT__DIR", folder.to_str().unwrap())
        .env("RELAY__MODERATION__AUDIT__RECORD", "all")
        .start()
        .await;
    assert_eq!(put(&relay, "casino").await, 403);
    relay.wait_until(1, async || audit_files(&folder).len()).await;
    let first = audit_files(&folder);
    clock.set("+31d");
    assert_eq!(put(&relay, "casino").await, 403);
    let has_new = async || audit_files(&folder).iter().any(|file| !first.contains(file));
    relay.wait_until(true, has_new).await;
    clock.set("+0");
    assert_eq!(put(&relay, "casino").await, 403);
    assert!(audit_files(&folder).starts_with(&first), "{first:?} {:?}", audit_files(&folder));
}

#[tokio::test]
async fn a_clock_that_is_set_ahead_ends_no_wait_for_a_moderator() {
    let clock = WallClock::new();
    let relay = clock.of(Relay::builder()).start().await;
    for number in 1..4 {
        assert_eq!(put(&relay, &format!("look {number}")).await, 202);
        // The metric and the end of waits are checked every second.
        relay.wait_until(f64::from(number), async || relay.metric("gischat_held_messages").await).await;
        clock.set(&format!("+{number}d"));
    }
    let held = call(&relay, "GET", "/moderation/held", "").await.json();
    let texts: Vec<&Value> = held["held"].as_array().unwrap().iter().map(|held| &held["text"]).collect();
    assert_eq!(texts, [&json!("look 1"), &json!("look 2"), &json!("look 3")]);
}
