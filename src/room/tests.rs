use std::collections::HashMap;

use super::*;
use crate::fixtures::{self, address, message, nickname};
use crate::model::{Message, MessageKind, Notice, ReasonCode};
use crate::telemetry::Metrics;
use crate::wire::{self, RoomGeneration, V1Notices};

/// A room and the frames its members received.
struct TestRoom {
    room: Room,
    now: Instant,
    received: HashMap<ConnectionId, Vec<String>>,
}

impl TestRoom {
    /// Ends the round, late enough for a pending user count.
    fn end_round(&mut self) {
        self.now += ANNOUNCE_INTERVAL;
        self.end_round_now();
    }

    /// Ends the round without advancing the clock.
    fn end_round_now(&mut self) {
        let Some(Delivery { broadcast, shares, .. }) = self.room.end_round(self.now) else { return };
        for share in shares {
            let received = self.received.entry(share.to).or_default();
            received.extend(texts(&share.pieces(&broadcast).collect::<Vec<_>>().concat()));
        }
    }

    /// Ends the round, and returns what a member received since the last call.
    fn received(&mut self, id: u64) -> Vec<String> {
        self.end_round();
        self.received.remove(&ConnectionId(id)).unwrap_or_default()
    }

    /// Discards all output so far.
    fn forget(&mut self) {
        self.end_round();
        self.received.clear();
    }
}

/// Payloads of frames shorter than 126 bytes.
fn texts(mut frames: &[u8]) -> Vec<String> {
    let mut texts = Vec::new();
    while let [0x81, length, rest @ ..] = frames {
        let (text, rest) = rest.split_at(usize::from(*length));
        texts.push(String::from_utf8(text.to_vec()).unwrap());
        frames = rest;
    }
    assert!(frames.is_empty());
    texts
}

fn room() -> TestRoom {
    let name = fixtures::room("QGIS");
    let room = Room::new(name.clone(), Arc::default(), Metrics::default().room(&name));
    TestRoom { room, now: Instant::now(), received: HashMap::new() }
}

/// Joins from a distinct address.
fn join(test: &mut TestRoom, id: u64) {
    test.room.join(ConnectionId(id), address(id.to_le_bytes()[0]), Generation::V1, None, Instant::now());
}

fn register(test: &mut TestRoom, id: u64, name: &str) -> Result<(), NicknameInUse> {
    test.room.register(ConnectionId(id), &nickname(name))
}

fn count(n: usize) -> String {
    format!(r#"{{"author":"internal","nb_users":{n}}}"#)
}

fn presence(key: &str, name: &str) -> String {
    format!(r#"{{"author":"internal","{key}":"{name}"}}"#)
}

const NOTHING: [String; 0] = [];

#[test]
fn a_join_sends_the_user_count_to_everyone() {
    let mut test = room();
    join(&mut test, 1);
    test.end_round();
    join(&mut test, 2);
    assert_eq!(test.received(1), [count(1), count(2)]);
    assert_eq!(test.received(2), [count(2)]);
}

#[test]
fn simultaneous_joins_cause_one_user_count() {
    let mut test = room();
    for id in 1..=100 {
        join(&mut test, id);
    }
    assert_eq!((test.received(1), test.received(100)), (vec![count(100)], vec![count(100)]));
}

#[test]
fn a_single_change_is_announced_immediately_and_the_next_one_later() {
    let mut test = room();
    join(&mut test, 1);
    test.end_round_now();
    assert_eq!(test.received.remove(&ConnectionId(1)), Some(vec![count(1)]));
    join(&mut test, 2);
    join(&mut test, 3);
    test.end_round_now();
    assert_eq!(test.received.remove(&ConnectionId(1)), None);
    assert_eq!(test.room.count_due_at(), Some(test.now + ANNOUNCE_INTERVAL));
    assert_eq!(test.received(1), [count(3)]);
    assert_eq!(test.room.count_due_at(), None);
}

#[test]
fn the_count_interval_grows_with_the_number_of_members() {
    let mut test = room();
    let mut joined = 0;
    for (members, times) in [(999, 1), (1_000, 1), (1_001, 2), (4_500, 5)] {
        test.now += ANNOUNCE_INTERVAL * 10;
        while joined < members {
            joined += 1;
            join(&mut test, joined);
        }
        test.end_round_now();
        assert_eq!(test.room.count_due_at(), None);
        test.room.leave(ConnectionId(joined));
        join(&mut test, joined);
        assert_eq!(test.room.count_due_at(), Some(test.now + ANNOUNCE_INTERVAL * times), "{members} members");
        test.received.clear();
        test.now += (ANNOUNCE_INTERVAL * times).saturating_sub(Duration::from_nanos(1));
        test.end_round_now();
        assert_eq!(test.received.remove(&ConnectionId(1)), None, "{members} members");
        test.now += Duration::from_nanos(1);
        test.end_round_now();
        assert_eq!(test.received.remove(&ConnectionId(1)), Some(vec![count(usize::try_from(members).unwrap())]));
    }
}

#[test]
fn a_pending_count_comes_before_other_events() {
    let mut test = room();
    join(&mut test, 1);
    test.end_round_now();
    test.received.clear();
    join(&mut test, 2);
    register(&mut test, 2, "jane").unwrap();
    test.end_round_now();
    assert_eq!(test.received.remove(&ConnectionId(1)), Some(vec![count(2), presence("newcomer", "jane")]));
}

#[test]
fn the_exiter_event_comes_before_the_count() {
    let mut test = room();
    join(&mut test, 1);
    join(&mut test, 2);
    register(&mut test, 2, "jane").unwrap();
    test.forget();
    test.room.leave(ConnectionId(2));
    assert_eq!(test.received(1), [presence("exiter", "jane"), count(1)]);
}

#[test]
fn leaving_without_a_nickname_changes_only_the_count() {
    let mut test = room();
    join(&mut test, 1);
    join(&mut test, 2);
    test.forget();
    test.room.leave(ConnectionId(2));
    assert_eq!(test.received(1), [count(1)]);
}

#[test]
fn leaving_twice_has_no_further_effect() {
    let mut test = room();
    join(&mut test, 1);
    join(&mut test, 2);
    test.room.leave(ConnectionId(2));
    test.forget();
    assert_eq!(test.room.leave(ConnectionId(2)), None);
    assert_eq!((test.received(1), test.room.connections()), (NOTHING.to_vec(), 1));
}

#[test]
fn leaving_mid_round_returns_the_output_so_far() {
    let mut test = room();
    join(&mut test, 1);
    test.forget();
    test.room.publish(Some(ConnectionId(1)), &message("jane", "hi")).unwrap();
    let due = test.room.leave(ConnectionId(1)).unwrap();
    assert_eq!(texts(&due.concat()), [r#"{"message":"hi","author":"jane","avatar":null}"#]);
}

#[test]
fn joining_mid_round_receives_the_rest() {
    let mut test = room();
    join(&mut test, 1);
    test.forget();
    test.room.publish(None, &message("jane", "one")).unwrap();
    join(&mut test, 2);
    test.room.publish(None, &message("jane", "two")).unwrap();
    assert_eq!(test.received(2), [count(2), r#"{"message":"two","author":"jane","avatar":null}"#.to_owned()]);
}

#[test]
fn a_message_reaches_everyone_including_its_sender() {
    let mut test = room();
    join(&mut test, 1);
    join(&mut test, 2);
    test.forget();
    test.room.publish(Some(ConnectionId(1)), &message("jane", "hi")).unwrap();
    let expected = [r#"{"message":"hi","author":"jane","avatar":null}"#];
    assert_eq!(test.received(1), expected);
    assert_eq!(test.received(2), expected);
}

#[test]
fn registering_again_changes_the_name_and_frees_the_old_one() {
    let mut test = room();
    join(&mut test, 1);
    join(&mut test, 2);
    register(&mut test, 1, "jane").unwrap();
    test.forget();
    register(&mut test, 1, "janet").unwrap();
    assert_eq!(test.received(1), [presence("exiter", "jane"), presence("newcomer", "janet")]);
    assert_eq!(register(&mut test, 2, "jane"), Ok(()));
    assert_eq!(*test.room.nicknames(), ["jane", "janet"]);
}

#[test]
fn registering_the_same_name_again_is_not_announced() {
    let mut test = room();
    join(&mut test, 1);
    register(&mut test, 1, "jane").unwrap();
    test.forget();
    register(&mut test, 1, "jane").unwrap();
    assert_eq!(test.received(1), NOTHING);
}

#[test]
fn a_connection_may_change_the_letter_case_of_its_name() {
    let mut test = room();
    join(&mut test, 1);
    register(&mut test, 1, "jane").unwrap();
    assert_eq!(register(&mut test, 1, "Jane"), Ok(()));
    assert_eq!(register(&mut test, 1, "jane"), Ok(()));
    test.room.leave(ConnectionId(1));
    join(&mut test, 2);
    assert_eq!(register(&mut test, 2, "JANE"), Ok(()));
}

#[test]
fn a_look_alike_of_a_registered_name_cannot_be_used() {
    let mut test = room();
    join(&mut test, 1);
    join(&mut test, 2);
    register(&mut test, 1, "loki").unwrap();
    for name in ["loki", "Loki", "LOKI", "l0ki", "Ioki"] {
        assert_eq!(
            register(&mut test, 2, name),
            Err(NicknameInUse { owner: ConnectionId(1), same_address: false }),
            "{name}"
        );
        for connection in [Some(ConnectionId(2)), None] {
            let refusal = test.room.check_author(connection, name).unwrap_err();
            assert_eq!(refusal.code, ReasonCode::NicknameTaken, "{name}");
        }
    }
}

#[test]
fn a_registered_connection_can_use_only_its_nickname() {
    let mut test = room();
    join(&mut test, 1);
    register(&mut test, 1, "jane").unwrap();
    assert_eq!(test.room.check_author(Some(ConnectionId(1)), "jane"), Ok(()));
    for name in ["Jane", "hans", "internal"] {
        let refusal = test.room.check_author(Some(ConnectionId(1)), name).unwrap_err();
        assert_eq!(refusal.code, ReasonCode::NotYourNickname, "{name}");
    }
}

#[test]
fn reserved_names_cannot_be_used() {
    let mut room = room().room;
    for name in ["internal", "Internal", "moderation", "M0deration"] {
        assert_eq!(room.check_author(None, name).map_err(|refusal| refusal.code), Err(ReasonCode::Reserved), "{name}");
    }
}

#[test]
fn an_author_name_is_refused_once_another_connection_registers_it() {
    let mut test = room();
    join(&mut test, 1);
    join(&mut test, 2);
    for _ in 0..2 {
        assert_eq!(test.room.check_author(Some(ConnectionId(1)), "loki"), Ok(()));
    }
    register(&mut test, 2, "l0ki").unwrap();
    assert_eq!(
        test.room.check_author(Some(ConnectionId(1)), "loki").map_err(|refusal| refusal.code),
        Err(ReasonCode::NicknameTaken)
    );
    test.room.leave(ConnectionId(2));
    assert_eq!(test.room.check_author(Some(ConnectionId(1)), "loki"), Ok(()));
}

#[test]
fn a_name_is_free_again_when_its_holder_has_left() {
    let mut test = room();
    join(&mut test, 1);
    join(&mut test, 2);
    register(&mut test, 1, "jane").unwrap();
    test.room.leave(ConnectionId(1));
    assert_eq!(test.room.check_author(Some(ConnectionId(2)), "jane"), Ok(()));
    assert_eq!(register(&mut test, 2, "jane"), Ok(()));
}

#[test]
fn a_claim_from_the_holders_address_is_recognized() {
    let mut test = room();
    join(&mut test, 1);
    register(&mut test, 1, "jane").unwrap();
    let in_use =
        |host| test.room.check_free(ConnectionId(9), address(host), &nickname("jane")).unwrap_err().same_address;
    assert_eq!((in_use(1), in_use(2)), (true, false));
}

#[test]
fn a_like_reaches_only_the_liked_author() {
    let mut test = room();
    for id in 1..=3 {
        join(&mut test, id);
    }
    register(&mut test, 2, "hans").unwrap();
    test.forget();
    let like = Message::new("jane", MessageKind::Like { liked: "hans".into(), text: "nice".into() });
    test.room.publish(Some(ConnectionId(1)), &like).unwrap();
    let expected = r#"{"author":"internal","message":"nice","liker_author":"jane","liked_author":"hans"}"#;
    assert_eq!(test.received(1), NOTHING);
    assert_eq!(test.received(2), [expected]);
    assert_eq!(test.received(3), NOTHING);
}

#[test]
fn nicknames_are_sorted_case_insensitively() {
    let mut test = room();
    for (id, name) in [(1, "bob"), (2, "Anna"), (3, "Zoe"), (4, "carl")] {
        join(&mut test, id);
        register(&mut test, id, name).unwrap();
    }
    join(&mut test, 5);
    assert_eq!(*test.room.nicknames(), ["Anna", "bob", "carl", "Zoe"]);
}

#[test]
fn a_notice_reaches_one_member_in_order() {
    let mut test = room();
    join(&mut test, 1);
    join(&mut test, 2);
    test.forget();
    test.room.publish(None, &message("jane", "one")).unwrap();
    notify(&mut test, 1);
    test.room.publish(None, &message("jane", "two")).unwrap();
    let line = |text| format!(r#"{{"message":"{text}","author":"jane","avatar":null}}"#);
    assert_eq!(test.received(1), [line("one"), NOTICE.to_owned(), line("two")]);
    assert_eq!(test.received(2), [line("one"), line("two")]);
}

const NOTICE: &str = r#"{"author":"internal","uncompliant":"this nickname is reserved"}"#;

fn notify(test: &mut TestRoom, id: u64) {
    let config = wire::Config { v1_notices: V1Notices::Internal, room_generation: RoomGeneration::Auto };
    test.room.notify(ConnectionId(id), &Notice::Refused(reserved_reason()), None, &config);
}

#[test]
fn a_newcomer_receives_the_user_count_before_a_notice() {
    let mut test = room();
    join(&mut test, 1);
    notify(&mut test, 1);
    notify(&mut test, 1);
    assert_eq!(test.received(1), [&count(1), NOTICE, NOTICE]);
}

#[test]
fn a_user_count_that_is_not_due_precedes_a_notice_to_a_newcomer_alone() {
    let mut test = room();
    join(&mut test, 1);
    test.forget();
    join(&mut test, 2);
    notify(&mut test, 2);
    test.end_round_now();
    assert_eq!(test.received.remove(&ConnectionId(1)), None);
    assert_eq!(test.received.remove(&ConnectionId(2)), Some(vec![count(2), NOTICE.to_owned()]));
    notify(&mut test, 2);
    assert_eq!((test.received(1), test.received(2)), (vec![count(2)], vec![NOTICE.to_owned(), count(2)]));
}

#[test]
fn a_cleared_room_sends_nothing() {
    let mut test = room();
    join(&mut test, 1);
    test.forget();
    test.room.clear();
    assert_eq!((test.received(1), test.room.connections()), (NOTHING.to_vec(), 0));
}
