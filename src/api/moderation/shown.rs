//! Decisions, acts and sanctions as moderators see them: addresses without their last part.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::model::{Address, Recorded, Sanction};
use crate::moderation::{Act, sanction_json};

/// A decision, with its number and what is known of the sender.
pub(super) fn decision(entry: u64, recorded: &Recorded) -> Value {
    let Recorded { decision, sender } = recorded;
    let facts = &sender.facts;
    let mut value = object(&decision.record(&sender.room));
    value.insert("entry".to_owned(), json!(entry));
    let sender = json!({
        "member": sender.connection.map(|id| id.0.to_string()),
        "address": sender.address.to_string(),
        "registered": facts.registered,
        "connected_seconds": facts.connected.as_secs(),
        "accepted": facts.accepted,
        "refused": facts.refused,
        "trusted": facts.trusted,
    });
    value.insert("sender".to_owned(), sender);
    Value::Object(value)
}

/// An act, with its number.
pub(super) fn act(entry: u64, act: &Act) -> Value {
    let mut value = act.json(&address);
    value.insert("entry".to_owned(), json!(entry));
    Value::Object(value)
}

/// A sanction.
pub(super) fn sanction(sanction: &Sanction) -> Value {
    Value::Object(sanction_json(sanction, &address))
}

fn address(address: Address) -> String {
    address.to_string()
}

/// What is written as an object.
fn object(of: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(of) {
        Ok(Value::Object(map)) => map,
        // Texts and numbers always have a JSON form.
        _ => Map::new(),
    }
}
