//! `GET /moderation/filters`: counters of filters, and states of plugins.

use serde_json::{Value, json};

use super::{call, moderated, notes};
use crate::plugins::{LONG_DEADLINES, guest};
use crate::support::{Relay, RelayBuilder};

const RULES: &str = "[[rule]]\nid = 'no-casino'\nwords = ['casino']\nverdict = 'reject'\n\
                     [[rule]]\nid = 'watch'\nwords = ['watch']\nverdict = 'reject'\nmode = 'observe'\n";

fn relay(manifest: &str) -> RelayBuilder {
    let relay = moderated(Relay::builder()).file("rules.toml", RULES).plugin("hostile", manifest, &guest("hostile"));
    LONG_DEADLINES
        .into_iter()
        .fold(relay, |relay, (name, value)| relay.env(name, value))
        .env("RATE_LIMITS", "off")
        .env("RELAY__FILTER__PRESET", "off")
}

async fn filters(relay: &Relay) -> Vec<Value> {
    let answer = call(relay, "GET", "/moderation/filters", "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["filters"].as_array().unwrap().clone()
}

async fn plugin(relay: &Relay) -> Value {
    filters(relay).await[4]["plugins"][0].clone()
}

fn counts([pass, replace, hold, shadow, reject]: [u64; 5]) -> Value {
    json!({"pass": pass, "replace": replace, "hold": hold, "shadow": shadow, "reject": reject})
}

async fn say(relay: &Relay, text: &str) {
    relay.put_line("QGIS", "anna", text, &[]).await;
}

#[tokio::test]
async fn filters_are_listed_in_order_and_start_at_zero() {
    let relay = relay("").env("RELAY__FILTER__ORDER", "shape,plugin,rules,rate").start().await;
    let filters = filters(&relay).await;
    assert_eq!(
        filters.iter().map(|filter| &filter["filter"]).collect::<Vec<_>>(),
        ["sanction", "shape", "plugin", "rules", "rate", "level"]
    );
    for filter in filters {
        assert_eq!(filter["counts"], counts([0; 5]));
        assert_eq!((&filter["p50_micros"], &filter["p99_micros"]), (&Value::Null, &Value::Null));
    }
}

#[tokio::test]
async fn each_filter_counts_its_verdicts_and_takes_its_time() {
    let relay = relay("").start().await;
    for text in ["hello", "", "casino", "replace x", "shadow x", "hold x", "reject x"] {
        say(&relay, text).await;
    }
    let filters = filters(&relay).await;
    for (filter, counted) in filters.iter().zip([
        [7, 0, 0, 0, 0],
        [6, 0, 0, 0, 1],
        [6, 0, 0, 0, 0],
        [5, 0, 0, 0, 1],
        [1, 1, 1, 1, 1],
        [2, 0, 0, 0, 0],
    ]) {
        assert_eq!(filter["counts"], counts(counted), "{}", filter["filter"]);
        let [p50, p99] = ["p50_micros", "p99_micros"].map(|key| filter[key].as_f64().unwrap());
        assert!(p50 <= p99, "{filter}");
    }
}

#[tokio::test]
async fn the_trace_shows_the_verdict_of_a_plugin_that_only_observes() {
    let relay = relay("version = '7'\nmode = 'observe'\nrooms = ['QGIS']\non_failure = 'reject'").start().await;
    for text in ["hello", "replace x", "shadow x", "hold x", "reject x", "reject x", "panic"] {
        say(&relay, text).await;
    }
    let plugin = plugin(&relay).await;
    for (key, value) in [
        ("plugin", json!("hostile")),
        ("version", json!("7")),
        ("mode", json!("observe")),
        ("on_failure", json!("reject")),
        ("rooms", json!(["QGIS"])),
        ("state", json!("healthy")),
        ("counts", counts([1, 1, 1, 1, 2])),
        ("failures", json!(1)),
        ("skipped", json!(0)),
    ] {
        assert_eq!(plugin[key], value, "{key}");
    }
    assert!(plugin["last_failure"]["text"].as_str().unwrap().contains("unreachable"), "{plugin}");
    assert!(plugin["last_failure"]["at"].as_str().unwrap().ends_with('Z'), "{plugin}");
    assert!(
        plugin["p99_micros"].is_f64() && plugin.get("error").is_none() && plugin.get("retry_after_seconds").is_none()
    );
}

#[tokio::test]
async fn the_trace_shows_the_match_of_a_rule_that_only_observes() {
    let relay = relay("").start().await;
    for text in ["casino", "casino watch", "watch", "hello"] {
        say(&relay, text).await;
    }
    let filters = filters(&relay).await;
    let told: Vec<_> = filters[3]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| json!([rule["rule"], rule["source"], rule["mode"], rule["hits"]]))
        .collect();
    assert_eq!(
        told,
        [json!(["no-casino", "rules.toml:1", "enforce", 2]), json!(["watch", "rules.toml:5", "observe", 2])]
    );
    assert!(filters[3]["rules"][0]["last_hit"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn a_suspended_plugin_is_shown_as_such_and_noted_in_the_feed() {
    let relay = relay("on_failure = 'reject'").start().await;
    for _ in 0..5 {
        say(&relay, "panic").await;
    }
    let suspended = plugin(&relay).await;
    assert_eq!((&suspended["state"], &suspended["failures"]), (&json!("suspended"), &json!(5)));
    assert!((1..=5).contains(&suspended["retry_after_seconds"].as_u64().unwrap()), "{suspended}");
    relay.wait_until(1, async || notes(&relay, "plugin_suspended").await.len()).await;
    let note = notes(&relay, "plugin_suspended").await.remove(0);
    assert_eq!(note["plugin"], "hostile");
    let text = note["text"].as_str().unwrap();
    assert!(text.starts_with("failed too often; suspended for 5 s; last failure: "), "{text}");
    // After the suspension it is probed, and is healthy.
    relay.wait_until(json!("probing"), async || plugin(&relay).await["state"].clone()).await;
    say(&relay, "hello").await;
    assert_eq!(plugin(&relay).await["state"], "healthy");
    relay.wait_until(1, async || notes(&relay, "plugin_healthy").await.len()).await;
}

#[tokio::test]
async fn a_plugin_that_cannot_be_loaded_shows_its_error_here_and_in_the_feed() {
    let relay = moderated(Relay::builder()).plugin("mine", "on_failure = 'hold'", b"no wasm").start().await;
    let told = plugin(&relay).await;
    assert_eq!(
        (&told["plugin"], &told["state"], &told["on_failure"]),
        (&json!("mine"), &json!("not_loaded"), &json!("hold"))
    );
    let why = "is neither binary nor text WebAssembly";
    assert!(told["error"].as_str().unwrap().contains(why), "{told}");
    relay.wait_until(1, async || notes(&relay, "plugin_not_loaded").await.len()).await;
    let note = notes(&relay, "plugin_not_loaded").await.remove(0);
    assert!(note["text"].as_str().unwrap().contains(why), "{note}");
}

#[tokio::test]
async fn a_plugin_that_keeps_its_old_version_shows_the_errors_of_its_new_files() {
    let relay = relay("").start().await;
    std::fs::write(relay.directory().join("plugins/hostile/filter.wasm"), b"no wasm").unwrap();
    let told = async || {
        plugin(&relay).await["error"]
            .as_str()
            .is_some_and(|text| text.contains("is neither binary nor text WebAssembly"))
    };
    relay.wait_until(true, told).await;
    assert_eq!(plugin(&relay).await["state"], "healthy");
}
