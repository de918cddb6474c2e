//! Plugins, the sandbox and the cache.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::{RAW, expect_agreement, expect_degraded, expect_problems, logged, plain, with_plugin};
use crate::moderation::{call, notes};

const MISSING: &str = "filters: the folder cannot be read: No such file or directory (os error 2)";

#[tokio::test]
async fn a_named_folder_that_is_missing_leaves_the_relay_without_plugins() {
    expect_agreement(plain().env("PLUGINS_DIR", "filters"), "plugins", MISSING).await;
}

#[tokio::test]
async fn a_folder_that_appears_later_is_read_and_ends_the_degradation() {
    let relay = plain().env("PLUGINS_DIR", "filters").start().await;
    expect_degraded(&relay, &["plugins"]).await;
    let aside = relay.directory().join("aside");
    std::fs::create_dir_all(aside.join("raw")).unwrap();
    std::fs::write(aside.join("raw/filter.wat"), RAW).unwrap();
    std::fs::rename(aside, relay.directory().join("filters")).unwrap();
    relay.wait_until(true, async || relay.get("/status").await.json().get("degraded").is_none()).await;
    relay.wait_until(1, async || logged(&relay, "plugin loaded").len()).await;
    relay.wait_until(1, async || notes(&relay, "recovered").await.len()).await;
}

#[tokio::test]
async fn a_folder_that_vanishes_and_returns_is_degraded_meanwhile_and_its_plugins_keep_running() {
    let relay = with_plugin(plain(), "filters/raw", "").env("PLUGINS_DIR", "filters").start().await;
    let [here, away] = ["filters", "away"].map(|name| relay.directory().join(name));
    std::fs::rename(&here, &away).unwrap();
    relay.wait_until(json!(["plugins"]), async || relay.get("/status").await.json()["degraded"].clone()).await;
    let filters = call(&relay, "GET", "/moderation/filters", "").await.json();
    assert!(filters.to_string().contains(r#""plugin":"raw""#), "{filters}");
    std::fs::rename(&away, &here).unwrap();
    relay.wait_until(true, async || relay.get("/status").await.json().get("degraded").is_none()).await;
}

#[tokio::test]
async fn a_file_in_place_of_the_folder_leaves_the_relay_without_plugins() {
    let relay = plain().env("PLUGINS_DIR", "filters").file("filters", "");
    expect_agreement(relay, "plugins", "filters: the folder cannot be read: Not a directory (os error 20)").await;
}

#[tokio::test]
async fn more_than_64_plugins_leave_the_relay_without_plugins() {
    let relay = (0..65).fold(plain(), |relay, n| relay.file(&format!("plugins/p{n}.wat"), ""));
    expect_agreement(relay, "plugins", "plugins: more than 64 plugins, embedded ones included").await;
}

#[tokio::test]
async fn without_address_space_for_the_sandbox_the_relay_serves_without_plugins() {
    let limited = ["sh", "-c", "ulimit -v 16000000; exec \"$@\"", "sh"];
    let relay = plain().runner(&limited);
    let output = relay.check();
    assert!(output.stderr.starts_with("the plugin sandbox cannot be created: "), "{output:?}");
    expect_agreement(relay, "plugins", output.stderr.trim_end()).await;
}

#[tokio::test]
async fn a_plugin_that_cannot_be_loaded_is_reported_once_by_name() {
    let relay = with_plugin(plain(), "plugins/raw", "").plugin("short", "", b"no wasm");
    let problem = "plugins/short/filter.wasm: is neither binary nor text WebAssembly";
    let output = relay.check();
    assert!(output.stderr.starts_with(problem) && output.stderr.lines().count() == 1, "{output:?}");
    expect_problems(&output, &[output.stderr.trim_end()]);
    let relay = relay.start().await;
    expect_degraded(&relay, &["plugins"]).await;
    let told = logged(&relay, "plugin could not be loaded");
    assert_eq!((told.len(), told[0]["error"].as_str()), (1, Some(output.stderr.trim_end())), "{told:?}");
    assert!(logged(&relay, "subsystem unavailable; the relay runs degraded").is_empty(), "it is told already");
    let filters = call(&relay, "GET", "/moderation/filters", "").await.json();
    assert_eq!(filters["degraded"][0]["reason"], json!("plugins: not loaded: short"), "{filters}");
    std::fs::remove_dir_all(relay.directory().join("plugins/short")).unwrap();
    relay.wait_until(true, async || relay.get("/status").await.json().get("degraded").is_none()).await;
}

#[tokio::test]
async fn a_plugin_that_refuses_its_settings_is_found_by_check() {
    let relay = with_plugin(plain(), "plugins/raw", "limits.memory_mib = 0");
    let output = relay.check();
    assert!(output.status == Some(1) && output.stderr.starts_with("plugins/raw/"), "{output:?}");
    expect_degraded(&relay.start().await, &["plugins"]).await;
}

#[tokio::test]
async fn unknown_rooms_are_reported_with_the_manifest() {
    let relay = with_plugin(plain(), "plugins/raw", "rooms = ['QGIS', 'Qgsi']");
    let problem = "plugins/raw/plugin.toml: `rooms` names `Qgsi`, which is not a room of this instance";
    expect_problems(&relay.check(), &[problem]);
    let relay = relay.start().await;
    relay.wait_until(1, async || logged(&relay, problem).len()).await;
    assert_eq!(logged(&relay, problem)[0]["level"], json!("WARN"));
    let filters = call(&relay, "GET", "/moderation/filters", "").await.json();
    let plugins = filters["filters"].as_array().unwrap().iter().find(|filter| filter["filter"] == "plugin").unwrap();
    assert_eq!(plugins["plugins"][0]["unknown_rooms"], json!(["Qgsi"]), "{filters}");
    assert_eq!(relay.get("/status").await.json().get("degraded"), None, "it filters its other room");
}

#[tokio::test]
async fn an_unknown_plugin_in_the_order_is_reported() {
    let relay = with_plugin(plain(), "plugins/raw", "").env("RELAY__FILTER__PLUGINS__ORDER", "raw,rwa");
    expect_problems(&relay.check(), &["filter.plugins.order: there is no plugin `rwa`"]);
    let relay = relay.start().await;
    let told = logged(&relay, "filter.plugins.order names an unknown plugin");
    assert_eq!((told.len(), &told[0]["plugin"]), (1, &json!("rwa")));
}

#[tokio::test]
async fn a_cache_that_cannot_be_created_leaves_the_relay_without_it() {
    let relay = with_plugin(plain(), "plugins/raw", "").file("blocked", "");
    let relay = relay.env("RELAY__FILTER__PLUGINS__CACHE_DIR", "blocked");
    let problem = "blocked: the cache of compiled plugins cannot be used: Not a directory (os error 20)";
    let relay = expect_agreement(relay, "cache", problem).await;
    assert_eq!(logged(&relay, "plugin loaded").len(), 1, "it is compiled all the same");
}

#[tokio::test]
async fn a_cache_writable_by_others_is_not_used() {
    let relay = with_plugin(plain(), "plugins/raw", "");
    let cache = relay.directory().join("plugins/.cache");
    std::fs::create_dir(&cache).unwrap();
    std::fs::set_permissions(&cache, std::fs::Permissions::from_mode(0o777)).unwrap();
    let problem = "plugins/.cache: other users may write to it; it must have mode 0700 and belong to the relay's user";
    let relay = expect_agreement(relay, "cache", problem).await;
    std::fs::set_permissions(&cache, std::fs::Permissions::from_mode(0o700)).unwrap();
    relay.wait_until(true, async || relay.get("/status").await.json().get("degraded").is_none()).await;
}
