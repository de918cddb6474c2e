//! Files in the folder of plugins that cannot be used: each is named with what to do, and the relay serves.

use std::path::Path;

use super::{expect_pass, guest, hostile, patient, say};
use crate::support::Relay;

/// What the log says of a plugin that could not be loaded.
fn fault(relay: &Relay, plugin: &str) -> String {
    let lines = relay.log().into_iter().filter_map(|line| serde_json::from_str::<serde_json::Value>(&line).ok());
    let mut faults = lines.filter(|line| line["message"] == "a plugin could not be loaded" && line["plugin"] == plugin);
    let fault = faults.next().unwrap_or_else(|| panic!("{plugin} was loaded"));
    fault["fault"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_no_filter_is_refused_with_what_to_do() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/plugins");
    let expected = std::fs::read_to_string(folder.join("expected.txt")).unwrap();
    let cases: Vec<(&str, &str)> =
        expected.lines().filter(|line| !line.starts_with('#')).map(|line| line.split_once(": ").unwrap()).collect();
    assert!(cases.len() > 5);
    let mut relay = Relay::with();
    for (file, _) in &cases {
        relay = relay.file(&format!("plugins/{file}"), &std::fs::read_to_string(folder.join(file)).unwrap());
    }
    let relay = relay.start().await;
    for (file, text) in cases {
        let found = fault(&relay, file.strip_suffix(".wat").unwrap());
        assert!(found.contains(text), "{file}: `{text}` is not in `{found}`");
    }
    expect_pass(&relay, "hello", "hello").await;
}

#[tokio::test]
async fn a_component_that_is_cut_short_is_refused() {
    let whole = guest("hostile");
    let relay = Relay::with().plugin("short", "", &whole[..whole.len() / 2]).start().await;
    let found = fault(&relay, "short");
    assert!(found.contains("WebAssembly"), "{found}");
}

#[tokio::test]
async fn a_component_of_another_digest_is_refused_and_its_policy_holds() {
    let relay = hostile(&format!("on_failure = 'reject'\nsha256 = '{}'", "0".repeat(64))).start().await;
    assert!(fault(&relay, "hostile").contains("and the manifest says 0000"));
    assert_eq!(say(&relay, "hello").await.status, 403);
}

#[tokio::test]
async fn a_manifest_at_fault_is_named_with_its_line() {
    let relay = hostile("mode = 'observe'\nmdoe = 'x'").start().await;
    let found = fault(&relay, "hostile");
    assert!(found.contains("plugin.toml:2: unknown field `mdoe`"), "{found}");
}

#[tokio::test]
async fn a_policy_holds_though_its_manifest_is_at_fault() {
    let relay = hostile("on_failure = 'reject'\nmdoe = 'x'").start().await;
    assert_eq!(say(&relay, "hello").await.status, 403);
}

#[tokio::test]
async fn a_folder_with_neither_code_nor_source_is_named() {
    let relay = Relay::with().file("plugins/mine/plugin.toml", "").start().await;
    let found = fault(&relay, "mine");
    assert!(found.starts_with("plugins/mine: there is no filter.wasm, and no source"), "{found}");
}

#[tokio::test]
async fn a_bare_component_works_with_defaults() {
    let relay = patient(Relay::with()).file_of("plugins/bare.wasm", &guest("hostile")).start().await;
    super::expect_refusal(&relay, "reject x", "x").await;
}
