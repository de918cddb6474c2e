//! Frames as the relay sends them to each generation.

use super::*;

const ALL: [Generation; 3] = Generation::ALL;

/// The same message to each generation.
const MESSAGES: [&str; 3] = [
    r#"{"message":"00000123 hi","author":"sender000","avatar":null}"#,
    r#"{"type":"text","author":"sender000","avatar":null,"text":"00000123 hi"}"#,
    r#"{"type":"text","author":"sender000","avatar":null,"text":"00000123 hi","id":"3f2b8e8e-7c36-4ad6-8d8a-0d2d9c7d0d5b","timestamp":1796029248}"#,
];

/// The same user count to each generation.
const COUNTS: [&str; 3] = [
    r#"{"author":"internal","nb_users":36}"#,
    r#"{"type":"nb_users","nb_users":36}"#,
    r#"{"type":"nb_users","nb_users":36,"id":"3f2b8e8e-7c36-4ad6-8d8a-0d2d9c7d0d5b","timestamp":1796029248}"#,
];

fn kind(generation: Generation, payload: &str) -> Kind {
    generation.kind(Text::whole(payload.as_bytes()))
}

#[test]
fn each_generation_knows_its_own_frames_and_no_others() {
    for (at, generation) in ALL.into_iter().enumerate() {
        for (of, (message, count)) in MESSAGES.into_iter().zip(COUNTS).enumerate() {
            let (message, count) = (kind(generation, message), kind(generation, count));
            let expected = if at == of { [Kind::Message, Kind::Presence] } else { [Kind::Foreign; 2] };
            assert_eq!([message, count], expected, "{generation:?}, {of}");
        }
    }
}

#[test]
fn the_number_is_found_in_any_order_of_keys() {
    for (generation, message) in ALL.into_iter().zip(MESSAGES) {
        assert_eq!(generation.sequence(message.as_bytes()), Some(123), "{generation:?}");
        assert_eq!(generation.sequence(message.replace("123", "1x3").as_bytes()), None, "{generation:?}");
    }
    let v1 = |payload: &str| Generation::V1.sequence(payload.as_bytes());
    assert_eq!(v1(r#"{"author":"sender","avatar":null,"message":"00000123 hi"}"#), Some(123));
    assert_eq!(v1(r#"{"author":"sender","avatar":null,"message":"hello you"}"#), None);
    assert_eq!(v1(r#"{"author":"sender","message":"1"}"#), None);
    assert_eq!(v1(r#"{"author":"sender"}"#), None);
    assert_eq!(Generation::V2.sequence(br#"{"text":"00000042","type":"text"}"#), Some(42));
}

#[test]
fn presence_and_refusals_are_not_deliveries() {
    for (payload, expected) in [
        (r#"{"author":"internal","newcomer":"jane"}"#, Kind::Presence),
        (r#"{"author":"moderation","message":"Refused: no"}"#, Kind::Refusal),
        (r#"{"author":"internals","message":"a"}"#, Kind::Message),
        (r#"{"message":"a","author":"internal"}"#, Kind::Message),
        ("", Kind::Message),
    ] {
        assert_eq!(kind(Generation::V1, payload), expected, "{payload}");
    }
    for (payload, expected) in [
        (r#"{"type":"exiter","exiter":"jane"}"#, Kind::Presence),
        (r#"{"type":"newcomer","newcomer":"jane"}"#, Kind::Presence),
        (r#"{"type":"uncompliant","reason":"no"}"#, Kind::Refusal),
        (r#"{"type":"geojson","author":"jane"}"#, Kind::Message),
        ("", Kind::Foreign),
    ] {
        assert_eq!(kind(Generation::V2, payload), expected, "{payload}");
        let stamped = payload.replace('}', r#","id":"x","timestamp":1796029248}"#);
        assert_eq!(kind(Generation::V3, &stamped), expected, "{payload}");
    }
}

#[test]
fn the_end_of_a_large_frame_is_not_needed() {
    let text = Text { head: br#"{"type":"image","author":"jane""#, len: 1_000_000 };
    assert_eq!(ALL.map(|generation| generation.kind(text)), [Kind::Foreign, Kind::Message, Kind::Message]);
}

#[test]
fn only_user_counts_are_read_as_such() {
    for (generation, count) in ALL.into_iter().zip(COUNTS) {
        assert_eq!(generation.users(count.as_bytes()), Some(36), "{generation:?}");
        let most = count.replace("36", "4294967295");
        assert_eq!(generation.users(most.as_bytes()), Some(u32::MAX), "{generation:?}");
        for other in [
            count.replace("nb_users\":", "newcomer\":"),
            count.replace("36", "\"36\""),
            count.replace("36", "4294967296"),
            count.replace("36", ""),
            count.split_once("36").map_or_else(String::new, |(start, _)| start.to_owned() + "36"),
        ] {
            assert_eq!(generation.users(other.as_bytes()), None, "{other}");
        }
    }
    assert_eq!(Generation::V2.users(COUNTS[2].as_bytes()), None);
    assert_eq!(Generation::V3.users(COUNTS[1].as_bytes()), None);
}
