//! JSON views of decisions, acts and sanctions for moderators. Addresses lack their last part.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::model::{Act, Address, JudgedMessage, Sanction, sanction_json};

/// Returns a decision with its entry number and its sender.
pub(super) fn decision(entry: u64, judged: &JudgedMessage) -> Value {
    let JudgedMessage { decision, sender } = judged;
    let facts = &sender.context;
    let mut value = object(&decision.to_json(&sender.room));
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

/// Returns an act with its entry number.
pub(super) fn act(entry: u64, act: &Act) -> Value {
    let mut value = act.to_json(&address);
    value.insert("entry".to_owned(), json!(entry));
    Value::Object(value)
}

/// Returns a sanction.
pub(super) fn sanction(sanction: &Sanction) -> Value {
    Value::Object(sanction_json(sanction, &address))
}

fn address(address: Address) -> String {
    address.to_string()
}

/// Serializes to a JSON object.
fn object(of: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(of) {
        Ok(Value::Object(map)) => map,
        // Serialization cannot fail: these are structs of strings and numbers.
        _ => Map::new(),
    }
}
