//! `GET /moderation/filters`: what filters have done, and how plugins are.

use serde_json::{Value, json};

use super::{call, moderated, notes};
use crate::plugins::{PATIENT, guest};
use crate::support::{Relay, RelayBuilder};

const RULES: &str = "[[rule]]\nid = 'no-casino'\nwords = ['casino']\nverdict = 'reject'\n\
                     [[rule]]\nid = 'watch'\nwords = ['watch']\nverdict = 'reject'\nmode = 'observe'\n";

fn relay(manifest: &str) -> RelayBuilder {
    let relay = moderated(Relay::with()).file("rules.toml", RULES).plugin("hostile", manifest, &guest("hostile"));
    PATIENT
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
async fn filters_stand_in_their_order_and_nothing_is_counted_at_first() {
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
async fn a_plugin_tells_what_it_asked_for_also_where_it_only_observes() {
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
        ("state", json!("well")),
        ("counts", counts([1, 1, 1, 1, 2])),
        ("failures", json!(1)),
        ("unasked", json!(0)),
    ] {
        assert_eq!(plugin[key], value, "{key}");
    }
    assert!(plugin["last_failure"]["text"].as_str().unwrap().contains("unreachable"), "{plugin}");
    assert!(plugin["last_failure"]["at"].as_str().unwrap().ends_with('Z'), "{plugin}");
    assert!(plugin["p99_micros"].is_f64() && plugin.get("error").is_none() && plugin.get("rests_seconds").is_none());
}

#[tokio::test]
async fn a_rule_tells_its_hits_also_where_it_only_observes() {
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
async fn a_plugin_that_is_set_aside_says_so_and_the_feed_too() {
    let relay = relay("on_failure = 'reject'").start().await;
    for _ in 0..5 {
        say(&relay, "panic").await;
    }
    let aside = plugin(&relay).await;
    assert_eq!((&aside["state"], &aside["failures"]), (&json!("set_aside"), &json!(5)));
    assert!((1..=5).contains(&aside["rests_seconds"].as_u64().unwrap()), "{aside}");
    relay.wait_until(1, async || notes(&relay, "plugin_set_aside").await.len()).await;
    let note = notes(&relay, "plugin_set_aside").await.remove(0);
    assert_eq!(note["plugin"], "hostile");
    let text = note["text"].as_str().unwrap();
    assert!(text.starts_with("it failed too often and is set aside for 5 s; the last time: "), "{text}");
    // After its rest it is tried again, and is well.
    relay.wait_until(json!("on_trial"), async || plugin(&relay).await["state"].clone()).await;
    say(&relay, "hello").await;
    assert_eq!(plugin(&relay).await["state"], "well");
    relay.wait_until(1, async || notes(&relay, "plugin_well").await.len()).await;
}

#[tokio::test]
async fn a_plugin_that_cannot_be_loaded_says_why_and_the_feed_too() {
    let relay = moderated(Relay::with()).plugin("mine", "on_failure = 'hold'", b"no wasm").start().await;
    let told = plugin(&relay).await;
    assert_eq!(
        (&told["plugin"], &told["state"], &told["on_failure"]),
        (&json!("mine"), &json!("not_loaded"), &json!("hold"))
    );
    let why = "is neither WebAssembly nor its text form";
    assert!(told["error"].as_str().unwrap().contains(why), "{told}");
    relay.wait_until(1, async || notes(&relay, "plugin_not_loaded").await.len()).await;
    let note = notes(&relay, "plugin_not_loaded").await.remove(0);
    assert!(note["text"].as_str().unwrap().contains(why), "{note}");
}

#[tokio::test]
async fn a_plugin_that_runs_on_as_it_was_tells_what_is_wrong_with_its_newer_files() {
    let relay = relay("").start().await;
    std::fs::write(relay.directory().join("plugins/hostile/filter.wasm"), b"no wasm").unwrap();
    let told =
        async || plugin(&relay).await["error"].as_str().is_some_and(|text| text.contains("is neither WebAssembly"));
    relay.wait_until(true, told).await;
    assert_eq!(plugin(&relay).await["state"], "well");
}
