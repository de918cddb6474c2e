//! `GET /rules` lists the rules of conduct that are enforced automatically.

use serde_json::{Value, json};

use super::{not_in_force, remove, with_rules, write};
use crate::support::Relay;

fn rule(id: &str, clause: &str, mode: &str) -> String {
    format!("[[rule]]\nid = '{id}'\nclause = '{clause}'\nwords = ['{id}']\nverdict = 'reject'\nmode = '{mode}'\n")
}

async fn enforced(relay: &Relay) -> Value {
    relay.get("/rules").await.json()["enforced"].clone()
}

#[tokio::test]
async fn rules_lists_what_is_enforced_in_the_order_of_the_rules_of_conduct() {
    let watched = rule("watched", "Speak of maps", "observe");
    let rules = [rule("casino", "No advertising", "enforce"), rule("idiot", "Be kind", "enforce"), watched];
    let relay = with_rules(&rules.concat()).start().await;
    let both = json!([{"clause": "Be kind", "rules": ["idiot"]}, {"clause": "No advertising", "rules": ["casino"]}]);
    assert_eq!(enforced(&relay).await, both);

    let changed = rules.concat() + &rule("poker", "No advertising", "enforce");
    write(&relay, "rules.toml", &changed);
    let more =
        json!([{"clause": "Be kind", "rules": ["idiot"]}, {"clause": "No advertising", "rules": ["casino", "poker"]}]);
    relay.wait_until(more.clone(), async || enforced(&relay).await).await;

    write(&relay, "rules.toml", &rule("x", "No such clause", "enforce"));
    relay.wait_until(false, async || not_in_force(&relay).await.is_null()).await;
    assert_eq!(enforced(&relay).await, more);

    remove(&relay, "rules.toml");
    relay.signal("HUP");
    relay.wait_until(json!([]), async || enforced(&relay).await).await;
}

#[tokio::test]
async fn a_chain_without_rules_enforces_none() {
    let relay = with_rules(&rule("casino", "No advertising", "enforce"));
    let relay = relay.env("RELAY__FILTER__ORDER", "shape,rate").start().await;
    assert_eq!(enforced(&relay).await, json!([]));
}
