//! Records round-trip.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use crate::fixtures::{address, named, nickname, plugin, room, rule};
use crate::model::{
    Actor, Basis, ConnectionId, Decision, JudgedMessage, Match, Message, MessageKind, Mode, Outcome, Penalty, Reason,
    ReasonCode, SanctionKind, Sender, SenderContext, Span, Target, TraceStep,
};
use crate::moderation::HeldMessage;
use crate::moderation::sanctions::{Consequence, Lift, Offence, OffenceEntry, PenaltyRequest};
use crate::store::{decode, encode};

/// Numbers that look random and are the same in each run.
pub(super) fn random() -> impl FnMut() -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

/// A held message, another one for each number.
pub(super) fn held_message(number: u64) -> HeldMessage {
    let at = Timestamp::from_nanosecond(1_800_000_000_123_456_789 + i128::from(number)).unwrap();
    let kind = match number % 3 {
        0 => MessageKind::Text { avatar: Some("cat.svg".to_owned()), text: format!("hello \u{0} \u{1f648} {number}") },
        1 => MessageKind::Like { liked: "jane".to_owned(), text: "é\n".repeat(50) },
        _ => MessageKind::Newcomer,
    };
    let asked = if number.is_multiple_of(2) { Some(Penalty::Ladder) } else { None };
    let basis = match number % 3 {
        0 => Basis::Rule { id: "no-spam".into(), source: "rules.toml:7".into(), sanction: asked },
        1 => Basis::Sanction { id: number },
        _ => Basis::Plugin {
            name: "calm".into(),
            took: Duration::from_nanos(1_200),
            failure: Some("late".into()),
            sanction: Some(Penalty::Fixed(SanctionKind::Mute, Some(Duration::from_secs(90)))),
        },
    };
    let matched = Match {
        requested: Outcome::Hold,
        mode: Mode::Enforce,
        exempt: number.is_multiple_of(2),
        basis,
        field: number.is_multiple_of(2).then_some("nickname"),
        span: Some(Span(1, 7)),
        labels: vec!["shouting".into()],
    };
    let code = ReasonCode::ALL[usize::try_from(number).unwrap() % ReasonCode::ALL.len()];
    let reason = Reason::new(code, "Wait, please.");
    let decision = Decision {
        message: Message {
            id: Uuid::from_u64_pair(7, number),
            at,
            author: format!("hans{number}"),
            kind,
            in_reply_to: None,
        },
        original: number.is_multiple_of(2).then(|| "as it was".to_owned()),
        outcome: Outcome::Hold,
        reason: Some(reason.clone()),
        decided_by: Some("rules"),
        trace: vec![
            TraceStep { filter: "shape", verdict: Outcome::Pass, matched: None, took: Duration::from_nanos(100) },
            TraceStep {
                filter: "rules",
                verdict: Outcome::Hold,
                matched: Some(matched),
                took: Duration::from_nanos(1_200),
            },
        ],
    };
    let context = SenderContext {
        quotes: false,
        registered: true,
        connected: Duration::from_nanos(987_654_321),
        accepted: 3,
        refused: u64::MAX,
        trusted: number.is_multiple_of(2),
        since_start: Duration::from_secs(9),
        member_count: 20,
        nicknames: ["ann".to_owned(), "bob".to_owned()].into(),
    };
    let sender = Sender {
        connection: number.is_multiple_of(2).then_some(ConnectionId(number)),
        address: if number > 2 { address(7) } else { IpAddr::from([0x2001, 0xdb8, 1, 2, 0, 0, 0, 3]).into() },
        room: room("Cafe\u{301}"),
        context,
    };
    let cause = [None, Some(Actor::Relay), Some(rule("no-spam")), Some(plugin("calm"))];
    let cause = cause[usize::try_from(number % 4).unwrap()].clone();
    HeldMessage {
        recorded: Arc::new(JudgedMessage::new(decision, sender)),
        reason,
        held_by: cause,
        held_at: at,
        expires_at: at,
    }
}

#[test]
fn a_held_message_round_trips() {
    for number in 0..60 {
        let held = held_message(number);
        let again: HeldMessage = decode(&encode(&held).unwrap()).unwrap();
        assert_eq!(format!("{again:?}"), format!("{held:?}"));
    }
}

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        Just(Timestamp::MAX),
        (0..4_000_000_000_000_000_000_i128).prop_map(|n| Timestamp::from_nanosecond(n).unwrap())
    ]
}

fn kind() -> impl Strategy<Value = SanctionKind> {
    proptest::sample::select(SanctionKind::ALL.to_vec())
}

fn entry() -> impl Strategy<Value = OffenceEntry> {
    let penalty = prop_oneof![
        Just(Penalty::Ladder),
        (kind(), any::<Option<Duration>>())
            .prop_map(|(kind, lasts)| Penalty::Fixed(kind, lasts.filter(|_| kind.has_duration()))),
    ];
    let target = prop_oneof![
        "[A-Za-z0-9_-]{1,32}".prop_map(|name| named(&name)),
        any::<IpAddr>().prop_map(|ip| Target::Address(ip.into())),
        ("[A-Za-z0-9_-]{1,32}", any::<IpAddr>())
            .prop_map(|(name, ip)| Target::Sender { nickname: nickname(&name), address: ip.into() }),
        (any::<Option<u64>>(), any::<IpAddr>())
            .prop_map(|(id, ip)| Target::Connection { id: id.map(ConnectionId), address: ip.into() }),
    ];
    let cause = prop_oneof![
        Just(Actor::Relay),
        any::<String>().prop_map(|name| Actor::Moderator(name.into())),
        any::<String>().prop_map(|name| rule(&name)),
        any::<String>().prop_map(|name| plugin(&name)),
    ];
    let room = proptest::option::of("[a-zé]{1,9}".prop_map(|name| room(&name)));
    let order =
        (penalty, target, room, any::<Option<String>>(), cause).prop_map(|(penalty, target, room, reason, cause)| {
            PenaltyRequest { penalty, target, room, reason: reason.map(Into::into), actor: cause }
        });
    let lifted = proptest::option::of((time(), any::<u64>()).prop_map(|(at, before)| Lift { at, before }));
    let effect = prop_oneof![
        any::<u64>().prop_map(|by| Consequence::Absorbed { by }),
        (kind(), proptest::option::of(time()), any::<Option<usize>>())
            .prop_map(|(kind, until, step)| Consequence::Sanction { kind, until, step }),
    ];
    (any::<u64>(), time(), order, lifted, effect).prop_map(|(id, at, order, lifted, effect)| OffenceEntry {
        offence: Offence { id, at, request: order, lifted },
        consequence: effect,
    })
}

proptest! {
    #[test]
    fn an_offence_round_trips(entry in entry()) {
        let mut again: OffenceEntry = decode(&encode(&entry).unwrap()).unwrap();
        again.offence.id = entry.offence.id;
        prop_assert_eq!(again, entry);
    }

    #[test]
    fn reading_arbitrary_bytes_does_not_panic(bytes in any::<Vec<u8>>()) {
        drop(decode::<HeldMessage>(&bytes));
    }
}

#[test]
fn a_record_of_a_later_version_is_an_error_and_one_without_a_version_is_read() {
    let mut json = serde_json::to_value(held_message(0)).unwrap();
    assert!(decode::<HeldMessage>(json.to_string().as_bytes()).is_ok());
    json["v"] = 3.into();
    let refused = decode::<HeldMessage>(json.to_string().as_bytes()).unwrap_err().to_string();
    assert_eq!(refused, "has version 3; this version reads versions up to 2");
}
