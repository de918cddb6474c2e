//! Plugins embedded in the program: they run without a folder, and the folder takes precedence.
//!
//! They are embedded if they are built before the program: `make plugins`.

use serde_json::{Value, json};

use super::reload::{place, until};
use super::{LONG_DEADLINES, expect_pass, expect_refusal, guest, say, with_long_deadlines};
use crate::moderation::{call, moderated};
use crate::support::{Relay, RelayBuilder, program};

/// A link that the embedded `link-guard` refuses, and one that it allows.
const LINK: &str = "see https://casino.example/win";
const ALLOWED: &str = "see https://docs.qgis.org/latest";

const EMBEDDED: (&str, &str) = ("RELAY__FILTER__PLUGINS__EMBEDDED", "true");
const NOT_BUILT: &str = "the program was built without plugins: run `make plugins`, then build it again";

/// A relay with the embedded plugins.
fn relay() -> RelayBuilder {
    let relay = moderated(with_long_deadlines(Relay::builder())).env(EMBEDDED.0, EMBEDDED.1).env("RATE_LIMITS", "off");
    // Tests poll with messages that are refused.
    relay.env("RELAY__FILTER__BREAKERS__ENABLED", "false")
}

/// Name, source, mode and state of each plugin.
async fn plugins(relay: &Relay) -> Vec<[String; 4]> {
    let answer = call(relay, "GET", "/moderation/filters", "").await.json();
    let filters = answer["filters"].as_array().unwrap();
    let filter = filters.iter().find(|filter| filter["filter"] == "plugin").unwrap();
    let text = |plugin: &Value, key: &str| plugin[key].as_str().unwrap().to_owned();
    let plugins = filter["plugins"].as_array().unwrap().iter();
    let plugins = plugins.map(|plugin| ["plugin", "source", "mode", "state"].map(|key| text(plugin, key)));
    let plugins: Vec<_> = plugins.collect();
    assert!(!plugins.is_empty(), "{NOT_BUILT}");
    plugins
}

/// The origin of the plugin with this name.
async fn source(relay: &Relay, name: &str) -> String {
    let [_, source, ..] = plugins(relay).await.into_iter().find(|[plugin, ..]| plugin == name).unwrap();
    source
}

#[tokio::test]
async fn without_a_folder_the_embedded_plugins_observe() {
    let relay = relay().start().await;
    let observing = ["calm-caps", "flood-guard", "geofence", "link-guard"]
        .map(|name| [name, "embedded", "observe", "healthy"].map(str::to_owned));
    assert_eq!(plugins(&relay).await, observing);
    expect_pass(&relay, LINK, LINK).await;
}

#[tokio::test]
async fn embedded_plugins_without_a_folder_degrade_nothing() {
    let builder = relay();
    let check = builder.check();
    assert_eq!((check.status, check.stderr.as_str()), (Some(0), ""), "{}", check.stdout);
    let relay = builder.start().await;
    assert_eq!(relay.get("/status").await.json().get("degraded"), None);
}

#[tokio::test]
async fn embedded_plugins_run_even_if_the_configured_folder_is_missing() {
    let relay = relay().env("PLUGINS_DIR", "missing").start().await;
    assert_eq!(plugins(&relay).await.len(), 4);
    assert_eq!(relay.get("/status").await.json()["degraded"], json!(["plugins"]));
}

#[tokio::test]
async fn embedded_plugins_are_in_the_trace_of_a_trial() {
    let relay = relay().start().await;
    plugins(&relay).await;
    let body = json!({"room": "QGIS", "author": "anna", "text": LINK}).to_string();
    let decision = call(&relay, "POST", "/moderation/try", &body).await.json();
    let mut steps = decision["trace"].as_array().unwrap().iter();
    let step = steps.find(|step| step["plugin"] == "link-guard").unwrap();
    assert_eq!((&step["verdict"], &step["mode"]), (&json!("reject"), &json!("observe")), "{decision}");
}

#[test]
fn try_runs_embedded_plugins() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["try", "--room", "QGIS", "--author", "anna", LINK];
    let output = program::relay(directory.path(), &arguments, &[&LONG_DEADLINES[..], &[EMBEDDED]].concat());
    assert_eq!(output.status, Some(0), "{output:?}");
    assert!(output.stdout.contains("link-guard"), "{NOT_BUILT}; {output:?}");
}

#[tokio::test]
async fn a_folder_replaces_the_embedded_plugin_of_the_same_name() {
    let relay = relay().plugin("calm-caps", "", &guest("hostile")).start().await;
    expect_refusal(&relay, "reject x", "x").await;
    assert_eq!(source(&relay, "calm-caps").await, "folder");
    assert_eq!(source(&relay, "link-guard").await, "embedded");
}

#[tokio::test]
async fn a_file_replaces_the_embedded_plugin_of_the_same_name() {
    let relay = relay().file_bytes("plugins/calm-caps.wasm", &guest("hostile")).start().await;
    expect_refusal(&relay, "reject x", "x").await;
    assert_eq!(source(&relay, "calm-caps").await, "file");
}

#[tokio::test]
async fn a_folder_with_only_a_manifest_configures_the_embedded_plugin() {
    let relay = relay().file("plugins/link-guard/plugin.toml", "mode = 'enforce'").start().await;
    assert_eq!(source(&relay, "link-guard").await, "folder + embedded code");
    expect_refusal(&relay, LINK, "Links to casino.example are not for newcomers: please stay a little first.").await;
    // The list of allowed domains is still that of the embedded manifest.
    expect_pass(&relay, ALLOWED, ALLOWED).await;
}

#[tokio::test]
async fn settings_in_a_folder_with_only_a_manifest_apply() {
    let manifest = "mode = 'enforce'\n[settings]\nallow = ['casino.example']";
    let relay = relay().file("plugins/link-guard/plugin.toml", manifest).start().await;
    plugins(&relay).await;
    expect_pass(&relay, LINK, LINK).await;
    assert_eq!(say(&relay, ALLOWED).await.status, 403);
}

#[tokio::test]
async fn embedded_code_with_the_wrong_digest_is_rejected_and_its_failure_policy_applies() {
    let manifest = format!("mode = 'enforce'\non_failure = 'reject'\nsha256 = '{}'", "0".repeat(64));
    let relay = relay().file("plugins/link-guard/plugin.toml", &manifest).start().await;
    plugins(&relay).await;
    assert_eq!(say(&relay, "hello").await.status, 403);
    let named = relay.log().iter().any(|line| line.contains("link-guard (embedded): its SHA-256 is"));
    assert!(named, "{:#?}", relay.log());
}

#[tokio::test]
async fn removing_a_folder_restores_the_embedded_plugin() {
    let relay = relay().plugin("calm-caps", "", &guest("hostile")).start().await;
    expect_refusal(&relay, "reject x", "x").await;
    std::fs::remove_dir_all(relay.directory().join("plugins/calm-caps")).unwrap();
    until(&relay, "reject x", 200).await;
    assert_eq!(source(&relay, "calm-caps").await, "embedded");
}

#[tokio::test]
async fn adding_and_removing_a_manifest_configures_the_running_embedded_plugin() {
    let relay = relay().start().await;
    plugins(&relay).await;
    expect_pass(&relay, LINK, LINK).await;
    place(&relay, "plugins/link-guard/plugin.toml", b"mode = 'enforce'");
    until(&relay, LINK, 403).await;
    std::fs::remove_dir_all(relay.directory().join("plugins")).unwrap();
    until(&relay, LINK, 200).await;
    assert_eq!(source(&relay, "link-guard").await, "embedded");
}

#[tokio::test]
async fn embedded_plugins_are_cached_in_a_configured_cache_folder() {
    let relay = relay().env("RELAY__FILTER__PLUGINS__CACHE_DIR", "compiled").start().await;
    let plugins = plugins(&relay).await.len();
    assert_eq!(std::fs::read_dir(relay.directory().join("compiled")).unwrap().count(), plugins);
}

#[tokio::test]
async fn the_order_may_name_embedded_plugins() {
    let relay = relay().env("RELAY__FILTER__PLUGINS__ORDER", "link-guard,calm-caps").start().await;
    let names: Vec<String> = plugins(&relay).await.into_iter().map(|[name, ..]| name).collect();
    assert_eq!(names, ["link-guard", "calm-caps", "flood-guard", "geofence"]);
}
