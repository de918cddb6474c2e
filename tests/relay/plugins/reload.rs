//! Changes of the plugin folder while the relay runs.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{expect_pass, expect_refusal, guest, hostile, say, with_long_deadlines};
use crate::support::{Relay, RelayBuilder};

/// Writes a temporary file and renames it, as editors do.
pub(super) fn place(relay: &Relay, name: &str, bytes: &[u8]) {
    let path = relay.directory().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let temporary = path.with_extension("part");
    std::fs::write(&temporary, bytes).unwrap();
    std::fs::rename(temporary, path).unwrap();
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
async fn a_running_relay_loads_a_new_plugin() {
    let relay = with_long_deadlines(Relay::builder()).env("RATE_LIMITS", "off").start().await;
    expect_pass(&relay, "reject x", "reject x").await;
    place(&relay, "plugins/new/filter.wasm", &guest("hostile"));
    until(&relay, "reject x", 403).await;
}

#[tokio::test]
async fn a_changed_manifest_takes_effect() {
    let relay = hostile("mode = 'observe'").start().await;
    expect_pass(&relay, "reject x", "reject x").await;
    place(&relay, "plugins/hostile/plugin.toml", b"mode = 'enforce'");
    until(&relay, "reject x", 403).await;
}

#[tokio::test]
async fn a_removed_plugin_no_longer_filters() {
    let relay = hostile("").start().await;
    expect_refusal(&relay, "reject x", "x").await;
    std::fs::remove_dir_all(relay.directory().join("plugins/hostile")).unwrap();
    until(&relay, "reject x", 200).await;
}

#[tokio::test]
async fn an_invalid_plugin_is_named_and_its_old_version_keeps_running() {
    let relay = hostile("").start().await;
    place(&relay, "plugins/hostile/filter.wasm", b"no wasm");
    relay.wait_until(true, async || logged(&relay, "the previous version keeps running")).await;
    assert!(logged(&relay, "is neither binary nor text WebAssembly"));
    expect_refusal(&relay, "reject x", "x").await;
}

#[tokio::test]
async fn sighup_reloads_the_folder() {
    let relay = hostile("mode = 'observe'").start().await;
    place(&relay, "plugins/hostile/plugin.toml", b"mode = 'enforce'");
    relay.signal("HUP");
    relay.wait_until(true, async || logged(&relay, "reloading settings, rules and plugins")).await;
    until(&relay, "reject x", 403).await;
}

#[tokio::test]
async fn an_unchanged_plugin_keeps_its_stored_data() {
    let relay = hostile("").start().await;
    expect_refusal(&relay, "count visits", "1").await;
    place(&relay, "plugins/other/plugin.toml", b"");
    let named = async || u64::from(relay.log().iter().any(|line| line.contains("there is no filter.wasm")));
    relay.wait_until(1, named).await;
    expect_refusal(&relay, "count visits", "2").await;
}

#[tokio::test]
async fn every_message_gets_a_verdict_while_plugins_change() {
    let relay = hostile("").env("RELAY__FILTER__BREAKERS__ENABLED", "false").start().await;
    for n in 0..8 {
        place(&relay, "plugins/hostile/plugin.toml", format!("version = '{n}'").as_bytes());
        relay.signal("HUP");
        for _ in 0..25 {
            expect_refusal(&relay, "reject x", "x").await;
        }
    }
}

#[tokio::test]
async fn compiled_plugins_are_cached_in_a_private_folder() {
    let relay = hostile("").start().await;
    let cache = relay.directory().join("plugins/.cache");
    assert_eq!(std::fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
    let artifacts =
        |cache: &Path| std::fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let before = artifacts(&cache);
    assert_eq!(before.len(), 1, "{before:?}");
    // A damaged artifact is recompiled, not trusted.
    let mut bytes = std::fs::read(&before[0]).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&before[0], &bytes).unwrap();
    place(&relay, "plugins/hostile/plugin.toml", b"version = '2'");
    relay.wait_until(true, async || logged(&relay, "cached plugin is damaged; compiling it again")).await;
    expect_refusal(&relay, "reject x", "x").await;
}

/// A relay with a filter in Python, which takes seconds to compile.
fn with_python() -> RelayBuilder {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/polite-words/filter.wasm");
    let python = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; `make plugins`", path.display()));
    let manifest = "[settings]\nwords = ['casino']\naction = 'reject'\nreason = 'No games.'";
    with_long_deadlines(Relay::builder()).env("RATE_LIMITS", "off").plugin("polite", manifest, &python)
}

#[tokio::test]
async fn the_relay_serves_while_a_plugin_is_compiled() {
    let relay = with_python().start().await;
    expect_pass(&relay, "the casino", "the casino").await;
    let started = std::time::Instant::now();
    while say(&relay, "the casino").await.status != 403 {
        assert!(started.elapsed().as_secs() < 180, "the plugin was not compiled in time");
    }
    expect_refusal(&relay, "the casino", "No games.").await;
    // Compilation ran in a separate process, which has released its memory.
    assert!(!logged(&relay, "cannot start a process"));
    let peak = relay.peak_memory();
    assert!(peak < 256 * 1024 * 1024, "the relay has grown to {peak} bytes");
}

#[tokio::test]
async fn compilation_does_not_delay_shutdown() {
    let relay = with_python().start().await;
    relay.wait_until(true, async || logged(&relay, "reloading plugins")).await;
    relay.signal("TERM");
    let (status, log) = relay.wait();
    assert!(status.success(), "{status}");
    assert!(!log.iter().any(|line| line.contains("drain timed out")), "{log:#?}");
}

#[tokio::test]
async fn sighup_retries_invalid_plugins() {
    let relay = with_long_deadlines(Relay::builder()).plugin("bad", "", b"no wasm").start().await;
    let errors = || relay.log().iter().filter(|line| line.contains("plugin could not be loaded")).count();
    assert_eq!(errors(), 1);
    relay.signal("HUP");
    relay.wait_until(2, async || errors()).await;
}

#[tokio::test]
async fn an_invalid_plugin_is_reported_once_whatever_else_changes() {
    let relay = hostile("").start().await;
    place(&relay, "plugins/hostile/filter.wasm", b"no wasm");
    relay.wait_until(true, async || logged(&relay, "the previous version keeps running")).await;
    place(&relay, "plugins/other/filter.wasm", b"no wasm either");
    relay.wait_until(true, async || logged(&relay, "plugins/other")).await;
    let reports = relay.log().iter().filter(|line| line.contains("the previous version keeps running")).count();
    assert_eq!(reports, 1);
}

#[tokio::test]
async fn a_plugin_that_is_not_ready_at_the_start_is_loaded_later() {
    let slow = hostile("settings.configure = 'spin 200000000'\nlimits.configure_ms = 30000");
    let relay = slow.env("RELAY__FILTER__PLUGINS__START_WAIT_MS", "1").start().await;
    assert!(logged(&relay, "plugin loading deferred: not ready yet"), "{:#?}", relay.log());
    until(&relay, "reject x", 403).await;
}
