//! Unusable files in the plugins folder: each is reported with advice, and the relay serves.

use std::path::Path;

use serde_json::json;

use super::{expect_pass, guest, hostile, say, with_long_deadlines};
use crate::support::{Client, Relay};

/// The logged error of a plugin that could not be loaded.
fn load_error(relay: &Relay, plugin: &str) -> String {
    let lines = relay.log().into_iter().filter_map(|line| serde_json::from_str::<serde_json::Value>(&line).ok());
    let mut failures = lines.filter(|line| line["message"] == "plugin could not be loaded" && line["plugin"] == plugin);
    let failure = failures.next().unwrap_or_else(|| panic!("{plugin} was loaded"));
    failure["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_invalid_component_is_refused_with_advice() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/plugins");
    let expected = std::fs::read_to_string(folder.join("expected.txt")).unwrap();
    let cases: Vec<(&str, &str)> =
        expected.lines().filter(|line| !line.starts_with('#')).map(|line| line.split_once(": ").unwrap()).collect();
    assert!(cases.len() > 5);
    let mut relay = Relay::builder();
    for (file, _) in &cases {
        relay = relay.file(&format!("plugins/{file}"), &std::fs::read_to_string(folder.join(file)).unwrap());
    }
    let relay = relay.start().await;
    for (file, text) in cases {
        let found = load_error(&relay, file.strip_suffix(".wat").unwrap());
        assert!(found.contains(text), "{file}: `{text}` is not in `{found}`");
    }
    expect_pass(&relay, "hello", "hello").await;
}

#[tokio::test]
async fn a_truncated_component_is_refused() {
    let whole = guest("hostile");
    let relay = Relay::builder().plugin("short", "", &whole[..whole.len() / 2]).start().await;
    let found = load_error(&relay, "short");
    assert!(found.contains("WebAssembly"), "{found}");
}

#[tokio::test]
async fn a_component_with_the_wrong_digest_is_rejected_and_its_failure_policy_applies() {
    let relay = hostile(&format!("on_failure = 'reject'\nsha256 = '{}'", "0".repeat(64))).start().await;
    assert!(load_error(&relay, "hostile").contains("the manifest says 0000"));
    assert_eq!(say(&relay, "hello").await.status, 403);
}

#[tokio::test]
async fn the_failure_policy_of_a_plugin_that_cannot_be_loaded_applies_to_contents() {
    let relay = hostile(&format!("on_failure = 'reject'\nsha256 = '{}'", "0".repeat(64))).start().await;
    let mut anna = Client::connect(relay.address(), "/channel/QGIS/ws").await;
    anna.drain().await;
    anna.send(json!({"type": "crs", "author": "anna", "crs_wkt": "", "crs_authid": "EPSG:4326"})).await;
    assert_eq!(anna.drain().await[0]["type"], "uncompliant");
}

#[tokio::test]
async fn an_invalid_manifest_is_named_with_its_line() {
    let relay = hostile("mode = 'observe'\nmdoe = 'x'").start().await;
    let found = load_error(&relay, "hostile");
    assert!(found.contains("plugin.toml:2: unknown field `mdoe`"), "{found}");
}

#[tokio::test]
async fn a_failure_policy_applies_even_if_the_manifest_is_invalid() {
    let relay = hostile("on_failure = 'reject'\nmdoe = 'x'").start().await;
    assert_eq!(say(&relay, "hello").await.status, 403);
}

#[tokio::test]
async fn a_folder_with_neither_code_nor_source_is_named() {
    let relay = Relay::builder().file("plugins/mine/plugin.toml", "").start().await;
    let found = load_error(&relay, "mine");
    assert!(found.starts_with("plugins/mine: there is no filter.wasm, and no source"), "{found}");
}

#[tokio::test]
async fn a_bare_component_works_with_defaults() {
    let relay = with_long_deadlines(Relay::builder()).file_bytes("plugins/bare.wasm", &guest("hostile")).start().await;
    super::expect_refusal(&relay, "reject x", "x").await;
}
