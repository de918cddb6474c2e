//! `check` while a relay is running.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{AUDIT, STORE, audited, mute, plain, with_plugin};
use crate::support::program;

/// All files below a folder with their bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

#[tokio::test]
async fn check_does_not_disturb_a_running_relay() {
    let variables = [(STORE, "moderation.db"), ("RELAY__MODERATION__AUDIT__RECORD", "all"), (AUDIT, "audit")];
    let relay = with_plugin(audited(plain(), "audit"), "plugins/raw", "").env(STORE, "moderation.db").start().await;
    mute(&relay, "anna").await;
    let before = files(relay.directory());
    assert!(before.len() >= 5, "a store, a log with its key, and a plugin: {:?}", before.keys());
    for _ in 0..3 {
        let output = program::relay(relay.directory(), &["check"], &variables);
        assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    }
    assert!(before == files(relay.directory()), "a file is another one");
    mute(&relay, "otto").await;
    assert_eq!(relay.put_line("QGIS", "otto", "hello", &[]).await.status, 403);
    assert_eq!(relay.get("/status").await.json().get("degraded"), None);
}

#[tokio::test]
async fn check_accepts_a_store_that_is_being_written() {
    let relay = plain().env(STORE, "moderation.db").start().await;
    let directory = relay.directory().to_owned();
    let checking = tokio::task::spawn_blocking(move || {
        for _ in 0..5 {
            let output = program::relay(&directory, &["check"], &[(STORE, "moderation.db")]);
            assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""), "{output:?}");
        }
    });
    let mut n = 0;
    while !checking.is_finished() {
        mute(&relay, &format!("anna{n}")).await;
        n += 1;
    }
    checking.await.unwrap();
}
