//! A file that version 0.1.0 wrote, in format 1, is read whole.

use serde_json::json;

use super::*;
use crate::model::{Basis, Outcome, PlainAddress, ReasonCode};

/// When the file was written.
fn then() -> Timestamp {
    "2026-11-30T09:00:52Z".parse().unwrap()
}

/// A copy of the file.
fn copy() -> Place {
    let place = Place::new();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/format-1/moderation.redb");
    fs::copy(file, place.path()).unwrap();
    place
}

#[test]
fn a_file_of_format_1_is_read_whole() {
    let place = copy();
    probe_store(&place.path()).unwrap();
    let contents: StateContents = Store::read_only(&place.path()).unwrap();
    let counts = [contents.offences.len(), contents.held.len(), contents.levels.len(), contents.settings.len()];
    assert_eq!((counts, contents.next_id), ([8, 7, 2, 1], 21));

    let state = place.open(then()).unwrap();
    let sanctions: Vec<_> =
        state.sanctions().in_force(then()).into_iter().map(|s| s.map_address(PlainAddress)).collect();
    let by = json!({"moderator": "jane"});
    let expected = json!([
        {
            "id": 7, "kind": "mute", "nickname": "mallory", "room": "QGIS", "at": "2026-11-30T09:00:44.462Z",
            "until": "2036-11-27T09:00:44.462Z", "reason": "be kind", "by": by,
        },
        {
            "id": 8, "kind": "ban", "address": "203.0.113.9", "room": null, "at": "2026-11-30T09:00:44.470Z",
            "until": null, "reason": "spam", "by": by,
        },
        {
            "id": 17, "kind": "mute", "nickname": "mallory", "room": "QGIS", "at": "2026-11-30T09:00:49.441Z",
            "until": "2036-11-27T09:00:49.441Z", "reason": "be kind", "by": by,
        },
        {
            "id": 18, "kind": "ban", "address": "203.0.113.9", "room": null, "at": "2026-11-30T09:00:49.446Z",
            "until": null, "reason": "spam", "by": by,
        },
    ]);
    assert_eq!(json!(sanctions), expected);
    let levels = json!([
        {"room": null, "level": "newcomers"},
        {"room": "QField", "level": "slow", "seconds": 5},
    ]);
    assert_eq!(json!(state.levels().all()), levels);
    assert_eq!(state.setting("preset").as_deref(), Some("strict"));
}

#[test]
fn a_held_message_of_format_1_is_read_whole() {
    let place = copy();
    let state = place.open(then()).unwrap();
    let held = state.held().list();
    let texts: Vec<_> = held.iter().filter_map(|held| held.recorded.decision.message.text()).collect();
    assert_eq!(texts, ["lookatme too", "hello all", "**** it", "hello all", "lookatme now", "lookatme too", "plain"]);
    assert_eq!(held[0].held_by, Some(Actor::Rule("look".into())));
    let HeldMessage { recorded, reason, held_by, held_at, expires_at } = &held[2];
    assert_eq!((reason.code, held_by), (ReasonCode::Held, &None));
    assert_eq!(reason.text, "the first messages of newcomers are looked at now");
    assert_eq!(held_at.to_string(), "2026-11-30T09:00:49.026006065Z");
    assert_eq!(expires_at.to_string(), "2026-11-30T09:30:49.026006065Z");
    let crate::model::JudgedMessage { decision, sender, .. } = &**recorded;
    assert_eq!((decision.original.as_deref(), decision.decided_by), (Some("darn it"), Some("level")));
    assert_eq!((decision.message.author.as_str(), decision.message.avatar()), ("anna", Some("mActionAddArrow.svg")));
    assert_eq!((sender.connection.map(|id| id.0), sender.room.as_str()), (Some(12_253_018_452_507_230_208), "QGIS"));
    assert_eq!(sender.context.connected, Duration::from_nanos(843_256_791));
    assert_eq!((sender.address.ip().to_string(), sender.context.refused), ("127.0.0.1".to_owned(), 1));
    let steps: Vec<_> = decision.trace.iter().map(|step| (step.filter, step.verdict)).collect();
    let passes = |filter| (filter, Outcome::Pass);
    let replaces = ("rules", Outcome::Replace);
    let holds = ("level", Outcome::Hold);
    assert_eq!(steps, [passes("sanction"), passes("shape"), passes("rate"), replaces, passes("plugin"), holds]);
    let matched = decision.trace[3].matched.as_ref().unwrap();
    let basis = Basis::Rule { id: "mild".into(), source: "rules.toml:7".into(), sanction: None };
    assert_eq!((&matched.basis, decision.trace[3].took), (&basis, Duration::from_nanos(32_470)));
}

#[tokio::test]
async fn a_file_of_format_1_is_continued() {
    let place = copy();
    let state = place.open(then()).unwrap();
    let new = state.sanctions().impose(mute("kim", None), then()).unwrap();
    assert_eq!(new.id, 21, "numbers go on");
    let before = shown(&state);
    state.close().await.unwrap();
    let state = place.open(then()).unwrap();
    same(&shown(&state), &before);
}
