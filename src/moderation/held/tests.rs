//! The held queue, with the time given: nothing here waits.

use std::collections::VecDeque;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::{Address, Code, Decision, Facts, Kind, Message, Outcome, RoomName, Sender};
use crate::settings::{Source, Value as _};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn id(number: u64) -> Uuid {
    Uuid::from_u64_pair(0, number)
}

fn recorded(number: u64) -> Recorded {
    let kind = Kind::Text { avatar: None, text: format!("text {number}") };
    let message = Message { id: id(number), at: at(0), author: "hans".to_owned(), kind };
    let reason = Some(Reason::new(Code::Held, "wait"));
    let decision = Decision { message, original: None, outcome: Outcome::Hold, reason, by: None, trace: Vec::new() };
    let room = RoomName::parse("QGIS").unwrap();
    let address = Address::from(std::net::IpAddr::from([192, 0, 2, 1]));
    Recorded { decision, sender: Sender { connection: None, address, room, facts: Facts::default() } }
}

fn queue(capacity: usize) -> Held {
    Held::new(HeldConfig { capacity, waits: Duration::from_mins(1), ..HeldConfig::default() })
}

fn hold(held: &Held, number: u64, cause: Option<Cause>, second: i64) -> Result<(), Full> {
    held.hold(recorded(number), Reason::new(Code::Held, "wait"), cause, at(second))
}

fn ids(messages: &[HeldMessage]) -> Vec<Uuid> {
    messages.iter().map(HeldMessage::id).collect()
}

#[test]
fn messages_wait_in_the_order_in_which_they_came() {
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
fn a_full_queue_and_a_second_message_of_an_id_are_refused_for_different_reasons() {
    let held = queue(2);
    hold(&held, 1, None, 0).unwrap();
    assert_eq!(hold(&held, 1, None, 0), Err(Full::SameId { id: id(1) }));
    hold(&held, 2, None, 0).unwrap();
    assert_eq!(hold(&held, 3, None, 0), Err(Full::Held { limit: 2 }));
    assert_eq!(hold(&held, 2, None, 0), Err(Full::SameId { id: id(2) }));
    held.take(id(1)).unwrap();
    assert_eq!(hold(&held, 1, None, 0), Ok(()));
    assert_eq!(ids(&held.list()), [2, 1].map(id));
}

#[test]
fn a_message_has_waited_long_enough_exactly_at_its_time() {
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
fn an_undo_takes_out_what_a_cause_has_held_since_then() {
    let held = queue(10);
    let spam = || Some(Cause::Rule("spam".into()));
    for (number, cause) in [(1, spam()), (2, None), (3, Some(Cause::Plugin("spam".into()))), (4, spam()), (5, spam())] {
        hold(&held, number, cause, i64::try_from(number).unwrap()).unwrap();
    }
    assert_eq!(ids(&held.undo(&Cause::Rule("spam".into()), at(4))), [4, 5].map(id));
    assert_eq!(ids(&held.list()), [1, 2, 3].map(id));
}

#[test]
fn of_several_moderators_one_gets_the_message() {
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
        let mut source = Source::new().file("relay.toml", file);
        let config = HeldConfig::declare(&mut source.root().section("held", ""));
        (config, source.finish().faults.len())
    };
    assert_eq!(read(""), (HeldConfig::default(), 0));
    let (config, faults) = read("[held]\ncapacity = 5\nminutes = 2\nwhen_nobody_answers = 'release'");
    let set = HeldConfig { capacity: 5, waits: Duration::from_mins(2), when_nobody_answers: WhenUnanswered::Release };
    assert_eq!((config, faults), (set, 0));
    assert_eq!(read("[held]\ncapacity = 0\nminutes = 0\nwhen_nobody_answers = 'shout'").1, 3);
    assert_eq!(WhenUnanswered::Drop.to_toml(), "\"drop\"");
}

/// What may happen to a queue: something is held, taken, has waited long enough, is undone.
#[derive(Clone, Debug)]
enum Event {
    Hold(u64, Option<u8>),
    Take(u64),
    Expire,
    Undo(u8, i64),
}

fn events() -> impl Strategy<Value = Vec<(i64, Event)>> {
    let event = prop_oneof![
        6 => (0_u64..20, proptest::option::of(0_u8..3)).prop_map(|(number, cause)| Event::Hold(number, cause)),
        2 => (0_u64..20).prop_map(Event::Take),
        1 => Just(Event::Expire),
        1 => (0_u8..3, 0_i64..100).prop_map(|(cause, back)| Event::Undo(cause, back)),
    ];
    // A clock may be set back.
    proptest::collection::vec((-20_i64..40, event), 0..60)
}

fn rule(number: u8) -> Cause {
    Cause::Rule(number.to_string().into())
}

proptest! {
    #[test]
    fn a_queue_is_what_a_plain_list_would_be(events in events()) {
        let held = queue(8);
        let mut list = VecDeque::<(u64, Option<Cause>, i64)>::new();
        let mut now = 0;
        for (passed, event) in events {
            now += passed;
            match event {
                Event::Hold(number, cause) => {
                    let cause = cause.map(rule);
                    let right = if list.iter().any(|(own, ..)| *own == number) {
                        Err(Full::SameId { id: id(number) })
                    } else if list.len() >= 8 {
                        Err(Full::Held { limit: 8 })
                    } else {
                        list.push_back((number, cause.clone(), now));
                        Ok(())
                    };
                    prop_assert_eq!(hold(&held, number, cause, now), right);
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
                Event::Undo(cause, back) => {
                    let own = |of: &Option<Cause>, since: i64| *of == Some(rule(cause)) && since >= now - back;
                    let (undone, rest) = list.into_iter().partition(|(_, of, since)| own(of, *since));
                    list = rest;
                    prop_assert_eq!(ids(&held.undo(&rule(cause), at(now - back))), numbers(&undone));
                }
            }
            prop_assert_eq!(ids(&held.list()), numbers(&list));
            prop_assert_eq!(held.next_expiry(), list.iter().map(|(_, _, since)| at(since + 60)).min());
        }
    }
}

fn numbers(list: &VecDeque<(u64, Option<Cause>, i64)>) -> Vec<Uuid> {
    list.iter().map(|(number, ..)| id(*number)).collect()
}
