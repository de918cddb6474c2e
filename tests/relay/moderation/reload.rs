//! `POST /moderation/reload` and SIGHUP: rules and plugins are reloaded separately.

use serde_json::{Value, json};

use super::{call, moderated, notes};
use crate::plugins::{LONG_DEADLINES, guest};
use crate::support::{Relay, RelayBuilder, Response};

fn rules(word: &str) -> String {
    format!("[[rule]]\nid = 'no'\nwords = ['{word}']\nverdict = 'reject'\nreason = 'No {word}.'\n")
}

fn relay() -> RelayBuilder {
    let relay = moderated(Relay::builder()).file("rules.toml", &rules("casino")).env("RATE_LIMITS", "off");
    let relay = relay.env("RELAY__FILTER__PRESET", "off");
    let relay = relay.plugin("hostile", "mode = 'observe'", &guest("hostile"));
    LONG_DEADLINES.into_iter().fold(relay, |relay, (name, value)| relay.env(name, value))
}

fn write(relay: &Relay, name: &str, text: &str) {
    let path = relay.directory().join(name);
    let aside = path.with_extension("part");
    std::fs::write(&aside, text).unwrap();
    std::fs::rename(aside, path).unwrap();
}

async fn reload(relay: &Relay) -> Response {
    call(relay, "POST", "/moderation/reload", "").await
}

async fn status(relay: &Relay, text: &str) -> u16 {
    relay.put_line("QGIS", "anna", text, &[]).await.status
}

#[tokio::test]
async fn changed_rules_and_plugins_are_in_force_when_the_call_returns() {
    let relay = relay().start().await;
    assert_eq!((status(&relay, "casino").await, status(&relay, "poker").await), (403, 200));
    write(&relay, "plugins/hostile/plugin.toml", "mode = 'enforce'");
    write(&relay, "rules.toml", &rules("poker"));
    let answer = reload(&relay).await;
    let rule = json!({
        "rule": "no", "source": "rules.toml:1", "mode": "enforce", "hits": 0, "exempt_hits": 0, "trusted_hits": 0, "skipped": 0,
        "trusted_percent": null,
    });
    let unchanged = json!({"changed": [], "needs_restart": []});
    let loaded = json!({"settings": unchanged, "rules": 1, "plugins": ["hostile"], "in_force": [rule]});
    assert_eq!((answer.status, answer.json()), (200, loaded));
    assert_eq!((status(&relay, "casino").await, status(&relay, "poker").await), (200, 403));
    assert_eq!(status(&relay, "reject x").await, 403);
    let told = notes(&relay, "reloaded").await.pop().unwrap();
    assert_eq!(told["text"], "reloaded by jane; rules in force: 1, plugins: 1");
}

#[tokio::test]
async fn a_part_with_an_error_stays_as_it_was_and_the_others_take_effect() {
    // Two plugins with an error, good rules, and a plugin that would act now.
    let relay = relay().plugin("other", "", &guest("hostile")).start().await;
    write(&relay, "plugins/hostile/plugin.toml", "mode = 'enforce'");
    write(&relay, "plugins/other/filter.wasm", "no wasm");
    std::fs::create_dir(relay.directory().join("plugins/mine")).unwrap();
    write(&relay, "plugins/mine/filter.wasm", "no wasm either");
    write(&relay, "rules.toml", &rules("poker"));
    let answer = reload(&relay).await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    let answer = answer.json();
    assert_eq!(answer["detail"], "some parts were not reloaded: 2 errors", "{answer}");
    let errors: Vec<&str> = answer["errors"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(errors[0].starts_with("plugins/mine") && errors[1].starts_with("plugins/other"), "{errors:?}");
    // The running versions keep running.
    assert_eq!((answer["rules"].clone(), answer["plugins"].clone()), (json!(1), json!(["hostile", "other"])));
    assert_eq!((status(&relay, "casino").await, status(&relay, "poker").await), (200, 403));
    assert_eq!(status(&relay, "reject x").await, 403);

    // Rules with an error as well.
    write(&relay, "rules.toml", "[[rule]]\nid = 'no'\nwrods = ['bingo']\nverdict = 'reject'\n");
    let answer = reload(&relay).await.json();
    assert_eq!(answer["errors"].as_array().unwrap().len(), 4, "{answer}");
    assert!(
        answer["errors"][1].as_str().unwrap().starts_with("rules.toml:3: rule `no`: unknown key `wrods`"),
        "{answer}"
    );

    // Rules with an error, and a removed plugin.
    for plugin in ["plugins/mine", "plugins/other", "plugins/hostile"] {
        std::fs::remove_dir_all(relay.directory().join(plugin)).unwrap();
    }
    let answer = reload(&relay).await;
    assert_eq!((answer.status, answer.json()["plugins"].clone()), (422, json!([])));
    assert_eq!((status(&relay, "casino").await, status(&relay, "poker").await), (200, 403));
}

#[tokio::test]
async fn a_removed_plugin_disappears_and_is_noted_in_the_feed() {
    let relay = relay().start().await;
    relay.wait_until(1, async || notes(&relay, "plugin_loaded").await.len()).await;
    std::fs::remove_dir_all(relay.directory().join("plugins/hostile")).unwrap();
    assert_eq!(reload(&relay).await.json()["plugins"], json!([]));
    relay.wait_until(1, async || notes(&relay, "plugin_removed").await.len()).await;
    assert_eq!(notes(&relay, "plugin_removed").await[0]["plugin"], "hostile");
}

#[tokio::test]
async fn a_chain_without_rules_and_plugins_loads_none() {
    let relay = moderated(Relay::builder()).env("RELAY__FILTER__ORDER", "shape,rate").start().await;
    write(&relay, "rules.toml", "no rules");
    let answer = reload(&relay).await;
    let unchanged = json!({"changed": [], "needs_restart": []});
    let none = json!({"settings": unchanged, "rules": 0, "plugins": [], "in_force": []});
    assert_eq!((answer.status, answer.json()), (200, none));
}

#[tokio::test]
async fn sighup_reloads_the_rules_and_invalid_ones_change_nothing() {
    let relay = relay().start().await;
    write(&relay, "rules.toml", "[[rule]]\nid = 'no'\n");
    write(&relay, "plugins/hostile/plugin.toml", "mode = 'enforce'");
    relay.signal("HUP");
    relay.wait_until(1, async || notes(&relay, "rules_invalid").await.len()).await;
    let logged = async || relay.log().iter().any(|line| line.contains("reload failed; rules are unchanged"));
    relay.wait_until(true, logged).await;
    assert_eq!(status(&relay, "casino").await, 403);
    // Each part is separate: the plugin has changed.
    relay.wait_until(403, async || status(&relay, "reject x").await).await;
    relay.wait_until(1, async || notes(&relay, "reloaded").await.len()).await;
    let told = notes(&relay, "reloaded").await.remove(0);
    let text = "reloaded by a signal; rules in force: 1, plugins: 1; errors: 2; those parts are unchanged";
    assert_eq!(told["text"], text);

    write(&relay, "rules.toml", &rules("poker"));
    relay.signal("HUP");
    relay.wait_until(403, async || status(&relay, "poker").await).await;
    assert_eq!(status(&relay, "casino").await, 200);
}
