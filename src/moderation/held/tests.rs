//! The held queue, with explicit times: no test sleeps.

use std::collections::VecDeque;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::fixtures::{self, address, at, decision, judged, message, plugin, rule};
use crate::model::{Decision, Message, Outcome, ReasonCode};
use crate::settings::{SettingValue as _, SettingsSource};

fn id(number: u64) -> Uuid {
    Uuid::from_u64_pair(0, number)
}

fn recorded(number: u64) -> JudgedMessage {
    let message = Message { id: id(number), at: at(0), ..message("hans", format!("text {number}")) };
    let reason = Some(Reason::new(ReasonCode::Held, "wait"));
    judged(Decision { reason, ..decision(message, Outcome::Hold) })
}

fn queue(capacity: usize) -> HeldQueue {
    HeldQueue::new(HeldConfig { capacity, max_wait: Duration::from_mins(1), ..HeldConfig::default() })
}

fn hold(held: &HeldQueue, number: u64, actor: Option<Actor>, second: i64) -> Result<(), InsertError> {
    hold_from(held, recorded(number), actor, second).map(drop)
}

fn hold_from(
    held: &HeldQueue,
    recorded: JudgedMessage,
    actor: Option<Actor>,
    second: i64,
) -> Result<Vec<Uuid>, InsertError> {
    let held = held.hold(recorded, Reason::new(ReasonCode::Held, "wait"), actor, at(second));
    held.map(|holding| ids(&holding.displaced)).map_err(|refused| refused.error)
}

/// A message from an address in a room.
fn recorded_from(number: u64, host: u8, room: &str) -> JudgedMessage {
    let mut judged = recorded(number);
    (judged.sender.address, judged.sender.room) = (address(host), fixtures::room(room));
    judged
}

fn ids(messages: &[HeldMessage]) -> Vec<Uuid> {
    messages.iter().map(HeldMessage::id).collect()
}

#[test]
fn messages_are_listed_in_the_order_in_which_they_were_held() {
    let held = queue(10);
    for number in [3, 1, 2] {
        hold(&held, number, None, 0).unwrap();
    }
    assert_eq!(ids(&held.list()), [3, 1, 2].map(id));
    assert_eq!(
        held.get(id(1)).map(|message| message.recorded.decision.message.text().map(str::to_owned)),
        Some(Some("text 1".to_owned()))
    );
    assert_eq!(held.take(id(1)).map(|message| message.id()), Some(id(1)));
    assert!(held.take(id(1)).is_none() && held.get(id(1)).is_none());
    assert_eq!(ids(&held.list()), [3, 2].map(id));
}

#[test]
fn a_full_queue_and_a_duplicate_id_are_different_errors() {
    let held = queue(2);
    hold(&held, 1, None, 0).unwrap();
    assert_eq!(hold(&held, 1, None, 0), Err(InsertError::DuplicateId { id: id(1) }));
    hold(&held, 2, None, 0).unwrap();
    assert_eq!(hold(&held, 3, None, 0), Err(InsertError::HeldFull { limit: 2 }));
    assert_eq!(hold(&held, 2, None, 0), Err(InsertError::DuplicateId { id: id(2) }));
    held.take(id(1)).unwrap();
    assert_eq!(hold(&held, 1, None, 0), Ok(()));
    assert_eq!(ids(&held.list()), [2, 1].map(id));
}

#[test]
fn a_message_expires_exactly_at_its_time() {
    let held = queue(10);
    assert_eq!(held.next_expiry(), None);
    for (number, second) in [(1, 0), (2, 5), (3, 5)] {
        hold(&held, number, None, second).unwrap();
    }
    assert_eq!(held.next_expiry(), Some(at(60)));
    assert!(held.expired(at(60) - Duration::from_nanos(1)).is_empty());
    assert_eq!(ids(&held.expired(at(60))), [id(1)]);
    assert_eq!(held.next_expiry(), Some(at(65)));
    assert_eq!(ids(&held.expired(at(1_000))), [2, 3].map(id));
    assert!(held.is_empty());
}

#[test]
fn an_undo_removes_what_an_actor_has_held_since_then() {
    let held = queue(10);
    let spam = || Some(rule("spam"));
    for (number, actor) in [(1, spam()), (2, None), (3, Some(plugin("spam"))), (4, spam()), (5, spam())] {
        hold(&held, number, actor, i64::try_from(number).unwrap()).unwrap();
    }
    assert_eq!(ids(&held.undo(&rule("spam"), at(4))), [4, 5].map(id));
    assert_eq!(ids(&held.list()), [1, 2, 3].map(id));
}

#[test]
fn concurrent_callers_never_take_the_same_message() {
    let held = Arc::new(queue(1_000));
    for number in 0..1_000 {
        hold(&held, number, None, 0).unwrap();
    }
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let held = Arc::clone(&held);
            std::thread::spawn(move || (0..1_000).filter(|number| held.take(id(*number)).is_some()).count())
        })
        .collect();
    assert_eq!(threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>(), 1_000);
}

#[test]
fn settings_of_the_queue_have_defaults_and_bounds() {
    let read = |file: &str| {
        let mut source = SettingsSource::new().file("relay.toml", file);
        let config = HeldConfig::declare(&mut source.root().section("held", ""));
        (config, source.finish().errors.len())
    };
    assert_eq!(read(""), (HeldConfig::default(), 0));
    let (config, errors) = read("[held]\ncapacity = 5\nminutes = 2\nwhen_nobody_answers = 'release'");
    let set = HeldConfig {
        capacity: 5,
        max_bytes: HeldConfig::default().max_bytes,
        max_wait: Duration::from_mins(2),
        on_expiry: ExpiryAction::Release,
    };
    assert_eq!((config, errors), (set, 0));
    assert_eq!(read("[held]\ncapacity = 0\nminutes = 0\nwhen_nobody_answers = 'shout'").1, 3);
    assert_eq!(ExpiryAction::Drop.to_toml(), "\"drop\"");
}

/// An operation on a queue.
#[derive(Clone, Debug)]
enum Event {
    Hold(u64, Option<u8>),
    Take(u64),
    Expire,
    Undo(u8, i64),
}

fn events() -> impl Strategy<Value = Vec<(i64, Event)>> {
    let event = prop_oneof![
        6 => (0_u64..20, proptest::option::of(0_u8..3)).prop_map(|(number, actor)| Event::Hold(number, actor)),
        2 => (0_u64..20).prop_map(Event::Take),
        1 => Just(Event::Expire),
        1 => (0_u8..3, 0_i64..100).prop_map(|(actor, back)| Event::Undo(actor, back)),
    ];
    // The clock may be set back.
    proptest::collection::vec((-20_i64..40, event), 0..60)
}

fn numbered(number: u8) -> Actor {
    rule(&number.to_string())
}

proptest! {
    #[test]
    fn a_queue_behaves_like_a_plain_list(events in events()) {
        let held = queue(8);
        let mut list = VecDeque::<(u64, Option<Actor>, i64)>::new();
        let mut now = 0;
        for (passed, event) in events {
            now += passed;
            match event {
                Event::Hold(number, actor) => {
                    let actor = actor.map(numbered);
                    let expected = if list.iter().any(|(own, ..)| *own == number) {
                        Err(InsertError::DuplicateId { id: id(number) })
                    } else if list.len() >= 8 {
                        Err(InsertError::HeldFull { limit: 8 })
                    } else {
                        list.push_back((number, actor.clone(), now));
                        Ok(())
                    };
                    prop_assert_eq!(hold(&held, number, actor, now), expected);
                }
                Event::Take(number) => {
                    let place = list.iter().position(|(own, ..)| *own == number);
                    prop_assert_eq!(held.take(id(number)).is_some(), place.and_then(|place| list.remove(place)).is_some());
                }
                Event::Expire => {
                    let (over, rest) = list.into_iter().partition(|(_, _, since)| since + 60 <= now);
                    list = rest;
                    prop_assert_eq!(ids(&held.expired(at(now))), numbers(&over));
                }
                Event::Undo(actor, back) => {
                    let own = |of: &Option<Actor>, since: i64| *of == Some(numbered(actor)) && since >= now - back;
                    let (undone, rest) = list.into_iter().partition(|(_, of, since)| own(of, *since));
                    list = rest;
                    prop_assert_eq!(ids(&held.undo(&numbered(actor), at(now - back))), numbers(&undone));
                }
            }
            prop_assert_eq!(ids(&held.list()), numbers(&list));
            prop_assert_eq!(held.next_expiry(), list.iter().map(|(_, _, since)| at(since + 60)).min());
        }
    }
}

fn numbers(list: &VecDeque<(u64, Option<Actor>, i64)>) -> Vec<Uuid> {
    list.iter().map(|(number, ..)| id(*number)).collect()
}

#[test]
fn messages_are_bounded_by_their_size_together() {
    // Each message has a size of 10 bytes.
    let held = HeldQueue::new(HeldConfig { max_bytes: 25, ..HeldConfig::default() });
    assert_eq!(hold(&held, 1, None, 0), Ok(()));
    assert_eq!(hold(&held, 2, None, 0), Ok(()));
    assert_eq!(hold(&held, 3, None, 0), Err(InsertError::HeldBytesFull { limit: 25 }));
    let _taken = held.take(id(1));
    assert_eq!(hold(&held, 3, None, 0), Ok(()));
}

#[test]
fn in_a_full_queue_the_newest_message_of_the_greediest_address_gives_way() {
    let held = queue(4);
    for number in 1..=4 {
        hold_from(&held, recorded_from(number, 1, "QGIS"), None, 0).unwrap();
    }
    assert_eq!(hold_from(&held, recorded_from(5, 2, "QGIS"), None, 0), Ok(vec![id(4)]));
    assert_eq!(hold_from(&held, recorded_from(6, 1, "QGIS"), None, 0), Err(InsertError::HeldFull { limit: 4 }));
    assert_eq!(hold_from(&held, recorded_from(7, 3, "QGIS"), None, 0), Ok(vec![id(3)]));
    assert_eq!(ids(&held.list()), [1, 2, 5, 7].map(id));
    // Nobody has more than one message, so the newest one is refused.
    assert_eq!(hold_from(&held, recorded_from(8, 4, "QGIS"), None, 0), Ok(vec![id(2)]));
    assert_eq!(hold_from(&held, recorded_from(9, 5, "QGIS"), None, 0), Err(InsertError::HeldFull { limit: 4 }));
}

#[test]
fn among_addresses_with_as_many_messages_the_one_in_the_fuller_room_gives_way() {
    let held = queue(4);
    for host in 1..=4 {
        hold_from(&held, recorded_from(host.into(), host, "QGIS"), None, 0).unwrap();
    }
    assert_eq!(hold_from(&held, recorded_from(5, 5, "QField"), None, 0), Ok(vec![id(4)]));
    assert_eq!(hold_from(&held, recorded_from(6, 6, "QGIS"), None, 0), Err(InsertError::HeldFull { limit: 4 }));
}

#[test]
fn large_messages_of_one_address_give_way_to_those_of_others() {
    // Each message has a size of 10 bytes.
    let held = HeldQueue::new(HeldConfig { max_bytes: 35, ..HeldConfig::default() });
    for number in 1..=3 {
        hold_from(&held, recorded_from(number, 1, "QGIS"), None, 0).unwrap();
    }
    let large = |number, host, bytes| {
        let mut judged = recorded_from(number, host, "QGIS");
        let text = "x".repeat(bytes - "hans".len());
        judged.decision.message = Message { id: id(number), at: at(0), ..message("hans", text) };
        judged
    };
    assert_eq!(large(4, 2, 14).decision.message.size(), 14);
    assert_eq!(hold_from(&held, large(4, 2, 14), None, 0), Ok(vec![id(3)]));
    let refused = Err(InsertError::HeldBytesFull { limit: 35 });
    assert_eq!(hold_from(&held, large(5, 3, 30), None, 0), refused, "it would use most itself");
    assert_eq!(ids(&held.list()), [1, 2, 4].map(id), "a refused message displaces none");
}

#[test]
fn each_mark_of_the_queue_is_reported_once_until_it_has_emptied() {
    let held = queue(20);
    let reached = |number: u64| {
        let holding = held.hold(recorded(number), Reason::new(ReasonCode::Held, "wait"), None, at(0));
        holding.map_or_else(|refused| refused.reached, |holding| holding.reached)
    };
    let marks: Vec<_> = (1..=22).filter_map(|number| Some((number, reached(number)?))).collect();
    assert_eq!(marks, [(10, FillLevel::Half), (18, FillLevel::NearlyFull), (20, FillLevel::Full)]);
    let _taken = held.take(id(1));
    assert_eq!(reached(23), None, "the queue has hardly emptied");
    (1..=14).for_each(|number| drop(held.take(id(number))));
    assert_eq!((24..=26).filter_map(reached).collect::<Vec<_>>(), [FillLevel::Half]);
}
