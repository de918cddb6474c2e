//! The folder of plugins changes while the relay runs.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{expect_pass, expect_refusal, guest, hostile, patient, say};
use crate::support::{Relay, RelayBuilder};

/// Writes a file as an editor or a copy does: aside, then in place.
pub(super) fn place(relay: &Relay, name: &str, bytes: &[u8]) {
    let path = relay.directory().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let aside = path.with_extension("part");
    std::fs::write(&aside, bytes).unwrap();
    std::fs::rename(aside, path).unwrap();
}

/// Whether the relay has logged this.
fn logged(relay: &Relay, part: &str) -> bool {
    relay.log().iter().any(|line| line.contains(part))
}

/// Waits until a message gets this status.
pub(super) async fn until(relay: &Relay, text: &str, status: u16) {
    relay.wait_until(status, async || say(relay, text).await.status).await;
}

#[tokio::test]
async fn a_plugin_that_is_dropped_into_the_folder_filters_the_running_relay() {
    let relay = patient(Relay::with()).env("RATE_LIMITS", "off").start().await;
    expect_pass(&relay, "reject x", "reject x").await;
    place(&relay, "plugins/new/filter.wasm", &guest("hostile"));
    until(&relay, "reject x", 403).await;
}

#[tokio::test]
async fn a_changed_manifest_takes_over() {
    let relay = hostile("mode = 'observe'").start().await;
    expect_pass(&relay, "reject x", "reject x").await;
    place(&relay, "plugins/hostile/plugin.toml", b"mode = 'enforce'");
    until(&relay, "reject x", 403).await;
}

#[tokio::test]
async fn a_plugin_that_is_removed_is_gone() {
    let relay = hostile("").start().await;
    expect_refusal(&relay, "reject x", "x").await;
    std::fs::remove_dir_all(relay.directory().join("plugins/hostile")).unwrap();
    until(&relay, "reject x", 200).await;
}

#[tokio::test]
async fn what_is_at_fault_leaves_the_old_one_running_and_is_named() {
    let relay = hostile("").start().await;
    place(&relay, "plugins/hostile/filter.wasm", b"no wasm");
    relay.wait_until(true, async || logged(&relay, "it runs on as it was before")).await;
    assert!(logged(&relay, "is neither WebAssembly nor its text form"));
    expect_refusal(&relay, "reject x", "x").await;
}

#[tokio::test]
async fn sighup_has_the_folder_read_again() {
    let relay = hostile("mode = 'observe'").start().await;
    place(&relay, "plugins/hostile/plugin.toml", b"mode = 'enforce'");
    relay.signal("HUP");
    relay.wait_until(true, async || logged(&relay, "reading settings, rules and plugins again")).await;
    until(&relay, "reject x", 403).await;
}

#[tokio::test]
async fn what_did_not_change_keeps_what_it_stores() {
    let relay = hostile("").start().await;
    expect_refusal(&relay, "count visits", "1").await;
    place(&relay, "plugins/other/plugin.toml", b"");
    let named = async || u64::from(relay.log().iter().any(|line| line.contains("there is no filter.wasm")));
    relay.wait_until(1, named).await;
    expect_refusal(&relay, "count visits", "2").await;
}

#[tokio::test]
async fn every_message_has_its_verdict_while_plugins_change() {
    let relay = hostile("").env("RELAY__FILTER__BRAKES__ENABLED", "false").start().await;
    for n in 0..8 {
        place(&relay, "plugins/hostile/plugin.toml", format!("version = '{n}'").as_bytes());
        relay.signal("HUP");
        for _ in 0..25 {
            expect_refusal(&relay, "reject x", "x").await;
        }
    }
}

#[tokio::test]
async fn compiled_plugins_are_kept_where_nobody_else_can_write() {
    let relay = hostile("").start().await;
    let cache = relay.directory().join("plugins/.cache");
    assert_eq!(std::fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
    let artifacts =
        |cache: &Path| std::fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let before = artifacts(&cache);
    assert_eq!(before.len(), 1, "{before:?}");
    // Damaged, it is compiled anew, not believed.
    let mut bytes = std::fs::read(&before[0]).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&before[0], &bytes).unwrap();
    place(&relay, "plugins/hostile/plugin.toml", b"version = '2'");
    relay.wait_until(true, async || logged(&relay, "is damaged and is compiled anew")).await;
    expect_refusal(&relay, "reject x", "x").await;
}

/// A relay with a filter in Python, which takes seconds to compile.
fn with_python() -> RelayBuilder {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/polite-words/filter.wasm");
    let python = std::fs::read(&path).unwrap_or_else(|fault| panic!("{}: {fault}; `make plugins`", path.display()));
    let manifest = "[settings]\nwords = ['casino']\naction = 'reject'\nreason = 'No games.'";
    patient(Relay::with()).env("RATE_LIMITS", "off").plugin("polite", manifest, &python)
}

#[tokio::test]
async fn a_plugin_that_takes_seconds_to_compile_does_not_keep_the_relay_from_serving() {
    let relay = with_python().start().await;
    expect_pass(&relay, "the casino", "the casino").await;
    let begun = std::time::Instant::now();
    while say(&relay, "the casino").await.status != 403 {
        assert!(begun.elapsed().as_secs() < 180, "it is never compiled");
    }
    expect_refusal(&relay, "the casino", "No games.").await;
    // It was compiled in a process of its own, and that took the memory along.
    assert!(!logged(&relay, "no process can be had"));
    let peak = relay.peak_memory();
    assert!(peak < 200 * 1024 * 1024, "the relay has grown to {peak} bytes");
}

#[tokio::test]
async fn who_compiles_does_not_keep_the_relay_from_ending() {
    let relay = with_python().start().await;
    relay.wait_until(true, async || logged(&relay, "reading the plugins: something has changed")).await;
    relay.signal("TERM");
    let (status, log) = relay.wait();
    assert!(status.success(), "{status}");
    assert!(!log.iter().any(|line| line.contains("some connections did not end in time")), "{log:#?}");
}

#[tokio::test]
async fn sighup_has_what_was_at_fault_tried_again() {
    let relay = patient(Relay::with()).plugin("bad", "", b"no wasm").start().await;
    let faults = || relay.log().iter().filter(|line| line.contains("a plugin could not be loaded")).count();
    assert_eq!(faults(), 1);
    relay.signal("HUP");
    relay.wait_until(2, async || faults()).await;
}

#[tokio::test]
async fn what_is_at_fault_is_told_once_whatever_else_changes() {
    let relay = hostile("").start().await;
    place(&relay, "plugins/hostile/filter.wasm", b"no wasm");
    relay.wait_until(true, async || logged(&relay, "it runs on as it was before")).await;
    place(&relay, "plugins/other/filter.wasm", b"no wasm either");
    relay.wait_until(true, async || logged(&relay, "plugins/other")).await;
    let told = relay.log().iter().filter(|line| line.contains("it runs on as it was before")).count();
    assert_eq!(told, 1);
}

#[tokio::test]
async fn what_is_not_ready_when_the_relay_starts_comes_later() {
    let slow = hostile("settings.configure = 'spin 200000000'\nlimits.configure_ms = 30000");
    let relay = slow.env("RELAY__FILTER__PLUGINS__START_WAIT_MS", "1").start().await;
    assert!(logged(&relay, "a plugin comes later: it is not ready yet"), "{:#?}", relay.log());
    until(&relay, "reject x", 403).await;
}
