use std::collections::HashMap;
use std::net::IpAddr;

use super::*;
use crate::model::{Kind, Message, Notice};
use crate::wire::{self, V1Notices};

/// A room and what its members have heard.
struct Played {
    room: Room,
    now: Instant,
    heard: HashMap<SenderId, Vec<String>>,
}

impl Played {
    /// Ends the round, long enough after the last one for the number to be told.
    fn end_round(&mut self) {
        self.now += ANNOUNCE_INTERVAL;
        self.end_round_at_once();
    }

    /// Ends the round without any time having passed.
    fn end_round_at_once(&mut self) {
        let Some(Delivery { said, shares, .. }) = self.room.end_round(self.now) else { return };
        for share in shares {
            let heard = self.heard.entry(share.to).or_default();
            heard.extend(texts(&share.pieces(&said).collect::<Vec<_>>().concat()));
        }
    }

    /// What came to a member since the last call, when the round under way has ended.
    fn heard(&mut self, id: u64) -> Vec<String> {
        self.end_round();
        self.heard.remove(&SenderId(id)).unwrap_or_default()
    }

    /// Forgets what has been said so far.
    fn forget(&mut self) {
        self.end_round();
        self.heard.clear();
    }
}

/// The payloads of frames of less than 126 bytes, which those of these tests are.
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

fn room() -> Played {
    let room = Room::new(RoomName::parse("QGIS").unwrap(), Arc::default(), RoomGauges::default());
    Played { room, now: Instant::now(), heard: HashMap::new() }
}

fn address(host: u8) -> Address {
    Address::from(IpAddr::from([192, 0, 2, host]))
}

/// Joins from an address of its own.
fn join(played: &mut Played, id: u64) {
    played.room.join(SenderId(id), address(id.to_le_bytes()[0]), Generation::V1, None, Instant::now());
}

fn nickname(name: &str) -> Nickname {
    Nickname::parse(name).unwrap()
}

fn line(author: &str, text: &str) -> Message {
    Message::new(author, Kind::Text { avatar: None, text: text.into() })
}

fn register(played: &mut Played, id: u64, name: &str) -> Result<(), Taken> {
    played.room.register(SenderId(id), &nickname(name))
}

fn number(n: usize) -> String {
    format!(r#"{{"author":"internal","nb_users":{n}}}"#)
}

fn says(what: &str, name: &str) -> String {
    format!(r#"{{"author":"internal","{what}":"{name}"}}"#)
}

const NOTHING: [String; 0] = [];

#[test]
fn everyone_hears_the_number_when_somebody_joins_the_newcomer_too() {
    let mut played = room();
    join(&mut played, 1);
    played.end_round();
    join(&mut played, 2);
    assert_eq!(played.heard(1), [number(1), number(2)]);
    assert_eq!(played.heard(2), [number(2)]);
}

#[test]
fn those_who_join_together_are_told_one_number() {
    let mut played = room();
    for id in 1..=100 {
        join(&mut played, id);
    }
    assert_eq!((played.heard(1), played.heard(100)), (vec![number(100)], vec![number(100)]));
}

#[test]
fn a_lone_change_is_told_at_once_and_the_next_one_after_a_while() {
    let mut played = room();
    join(&mut played, 1);
    played.end_round_at_once();
    assert_eq!(played.heard.remove(&SenderId(1)), Some(vec![number(1)]));
    join(&mut played, 2);
    join(&mut played, 3);
    played.end_round_at_once();
    assert_eq!(played.heard.remove(&SenderId(1)), None);
    assert_eq!(played.room.number_due(), Some(played.now + ANNOUNCE_INTERVAL));
    assert_eq!(played.heard(1), [number(3)]);
    assert_eq!(played.room.number_due(), None);
}

#[test]
fn the_more_members_the_rarer_the_number() {
    let mut played = room();
    let mut joined = 0;
    for (members, times) in [(999, 1), (1_000, 1), (1_001, 2), (4_500, 5)] {
        played.now += ANNOUNCE_INTERVAL * 10;
        while joined < members {
            joined += 1;
            join(&mut played, joined);
        }
        played.end_round_at_once();
        assert_eq!(played.room.number_due(), None);
        played.room.leave(SenderId(joined));
        join(&mut played, joined);
        assert_eq!(played.room.number_due(), Some(played.now + ANNOUNCE_INTERVAL * times), "{members} members");
        played.heard.clear();
        played.now += (ANNOUNCE_INTERVAL * times).saturating_sub(Duration::from_nanos(1));
        played.end_round_at_once();
        assert_eq!(played.heard.remove(&SenderId(1)), None, "{members} members");
        played.now += Duration::from_nanos(1);
        played.end_round_at_once();
        assert_eq!(played.heard.remove(&SenderId(1)), Some(vec![number(usize::try_from(members).unwrap())]));
    }
}

#[test]
fn a_number_that_is_due_comes_before_anything_else() {
    let mut played = room();
    join(&mut played, 1);
    played.end_round_at_once();
    played.heard.clear();
    join(&mut played, 2);
    register(&mut played, 2, "jane").unwrap();
    played.end_round_at_once();
    assert_eq!(played.heard.remove(&SenderId(1)), Some(vec![number(2), says("newcomer", "jane")]));
}

#[test]
fn who_leaves_with_a_nickname_is_announced_before_the_number() {
    let mut played = room();
    join(&mut played, 1);
    join(&mut played, 2);
    register(&mut played, 2, "jane").unwrap();
    played.forget();
    played.room.leave(SenderId(2));
    assert_eq!(played.heard(1), [says("exiter", "jane"), number(1)]);
}

#[test]
fn who_leaves_without_a_nickname_changes_only_the_number() {
    let mut played = room();
    join(&mut played, 1);
    join(&mut played, 2);
    played.forget();
    played.room.leave(SenderId(2));
    assert_eq!(played.heard(1), [number(1)]);
}

#[test]
fn leaving_twice_is_leaving_once() {
    let mut played = room();
    join(&mut played, 1);
    join(&mut played, 2);
    played.room.leave(SenderId(2));
    played.forget();
    assert!(played.room.leave(SenderId(2)).is_empty());
    assert_eq!((played.heard(1), played.room.connections()), (NOTHING.to_vec(), 1));
}

#[test]
fn who_leaves_in_the_middle_of_a_round_is_due_what_was_said_before() {
    let mut played = room();
    join(&mut played, 1);
    played.forget();
    played.room.publish(Some(SenderId(1)), &line("jane", "hi")).unwrap();
    let due = played.room.leave(SenderId(1));
    assert_eq!(texts(&due.concat()), [r#"{"message":"hi","author":"jane","avatar":null}"#]);
}

#[test]
fn who_joins_in_the_middle_of_a_round_hears_the_rest() {
    let mut played = room();
    join(&mut played, 1);
    played.forget();
    played.room.publish(None, &line("jane", "one")).unwrap();
    join(&mut played, 2);
    played.room.publish(None, &line("jane", "two")).unwrap();
    assert_eq!(played.heard(2), [number(2), r#"{"message":"two","author":"jane","avatar":null}"#.to_owned()]);
}

#[test]
fn a_message_reaches_everyone_its_sender_too() {
    let mut played = room();
    join(&mut played, 1);
    join(&mut played, 2);
    played.forget();
    played.room.publish(Some(SenderId(1)), &line("jane", "hi")).unwrap();
    let expected = [r#"{"message":"hi","author":"jane","avatar":null}"#];
    assert_eq!(played.heard(1), expected);
    assert_eq!(played.heard(2), expected);
}

#[test]
fn registering_again_changes_the_name_and_frees_the_old_one() {
    let mut played = room();
    join(&mut played, 1);
    join(&mut played, 2);
    register(&mut played, 1, "jane").unwrap();
    played.forget();
    register(&mut played, 1, "janet").unwrap();
    assert_eq!(played.heard(1), [says("exiter", "jane"), says("newcomer", "janet")]);
    assert_eq!(register(&mut played, 2, "jane"), Ok(()));
    assert_eq!(*played.room.users(), ["jane", "janet"]);
}

#[test]
fn registering_the_same_name_again_is_not_announced() {
    let mut played = room();
    join(&mut played, 1);
    register(&mut played, 1, "jane").unwrap();
    played.forget();
    register(&mut played, 1, "jane").unwrap();
    assert_eq!(played.heard(1), NOTHING);
}

#[test]
fn a_connection_may_change_the_letter_case_of_its_name() {
    let mut played = room();
    join(&mut played, 1);
    register(&mut played, 1, "jane").unwrap();
    assert_eq!(register(&mut played, 1, "Jane"), Ok(()));
    assert_eq!(register(&mut played, 1, "jane"), Ok(()));
    played.room.leave(SenderId(1));
    join(&mut played, 2);
    assert_eq!(register(&mut played, 2, "JANE"), Ok(()));
}

#[test]
fn a_name_that_looks_like_a_members_cannot_be_registered_nor_spoken_under() {
    let mut played = room();
    join(&mut played, 1);
    join(&mut played, 2);
    register(&mut played, 1, "loki").unwrap();
    for name in ["loki", "Loki", "LOKI", "l0ki", "Ioki"] {
        assert_eq!(register(&mut played, 2, name), Err(Taken { holder: SenderId(1), same_address: false }), "{name}");
        for connection in [Some(SenderId(2)), None] {
            let refusal = played.room.may_speak(connection, name).unwrap_err();
            assert_eq!(refusal.code, Code::NicknameTaken, "{name}");
        }
    }
}

#[test]
fn a_registered_connection_speaks_only_under_its_name() {
    let mut played = room();
    join(&mut played, 1);
    register(&mut played, 1, "jane").unwrap();
    assert_eq!(played.room.may_speak(Some(SenderId(1)), "jane"), Ok(()));
    for name in ["Jane", "hans", "internal"] {
        let refusal = played.room.may_speak(Some(SenderId(1)), name).unwrap_err();
        assert_eq!(refusal.code, Code::NotYourNickname, "{name}");
    }
}

#[test]
fn nobody_speaks_as_the_relay() {
    let mut room = room().room;
    for name in ["internal", "Internal", "moderation", "M0deration"] {
        assert_eq!(room.may_speak(None, name).map_err(|refusal| refusal.code), Err(Code::Reserved), "{name}");
    }
}

#[test]
fn a_name_that_somebody_spoke_under_is_no_longer_free_once_another_registers_it() {
    let mut played = room();
    join(&mut played, 1);
    join(&mut played, 2);
    for _ in 0..2 {
        assert_eq!(played.room.may_speak(Some(SenderId(1)), "loki"), Ok(()));
    }
    register(&mut played, 2, "l0ki").unwrap();
    assert_eq!(
        played.room.may_speak(Some(SenderId(1)), "loki").map_err(|refusal| refusal.code),
        Err(Code::NicknameTaken)
    );
    played.room.leave(SenderId(2));
    assert_eq!(played.room.may_speak(Some(SenderId(1)), "loki"), Ok(()));
}

#[test]
fn a_name_is_free_again_when_its_holder_has_left() {
    let mut played = room();
    join(&mut played, 1);
    join(&mut played, 2);
    register(&mut played, 1, "jane").unwrap();
    played.room.leave(SenderId(1));
    assert_eq!(played.room.may_speak(Some(SenderId(2)), "jane"), Ok(()));
    assert_eq!(register(&mut played, 2, "jane"), Ok(()));
}

#[test]
fn the_holders_own_address_is_told_apart_from_others() {
    let mut played = room();
    join(&mut played, 1);
    register(&mut played, 1, "jane").unwrap();
    let taken = |host| played.room.check_free(SenderId(9), address(host), &nickname("jane")).unwrap_err().same_address;
    assert_eq!((taken(1), taken(2)), (true, false));
}

#[test]
fn a_like_reaches_only_the_one_whose_message_is_liked() {
    let mut played = room();
    for id in 1..=3 {
        join(&mut played, id);
    }
    register(&mut played, 2, "hans").unwrap();
    played.forget();
    let like = Message::new("jane", Kind::Like { liked: "hans".into(), text: "nice".into() });
    played.room.publish(Some(SenderId(1)), &like).unwrap();
    let expected = r#"{"author":"internal","message":"nice","liker_author":"jane","liked_author":"hans"}"#;
    assert_eq!(played.heard(1), NOTHING);
    assert_eq!(played.heard(2), [expected]);
    assert_eq!(played.heard(3), NOTHING);
}

#[test]
fn users_are_sorted_without_regard_to_letter_case() {
    let mut played = room();
    for (id, name) in [(1, "bob"), (2, "Anna"), (3, "Zoe"), (4, "carl")] {
        join(&mut played, id);
        register(&mut played, id, name).unwrap();
    }
    join(&mut played, 5);
    assert_eq!(*played.room.users(), ["Anna", "bob", "carl", "Zoe"]);
}

#[test]
fn a_notice_reaches_its_addressee_alone_and_in_its_place() {
    let mut played = room();
    join(&mut played, 1);
    join(&mut played, 2);
    played.forget();
    let config = wire::Config { v1_notices: V1Notices::Internal };
    played.room.publish(None, &line("jane", "one")).unwrap();
    played.room.notify(SenderId(1), &Notice::Refused(reserved()), &config);
    played.room.publish(None, &line("jane", "two")).unwrap();
    let notice = r#"{"author":"internal","uncompliant":"this name is kept for the relay itself"}"#;
    let said = |text| format!(r#"{{"message":"{text}","author":"jane","avatar":null}}"#);
    assert_eq!(played.heard(1), [said("one"), notice.to_owned(), said("two")]);
    assert_eq!(played.heard(2), [said("one"), said("two")]);
}

#[test]
fn an_emptied_room_is_silent() {
    let mut played = room();
    join(&mut played, 1);
    played.forget();
    played.room.empty();
    assert_eq!((played.heard(1), played.room.connections()), (NOTHING.to_vec(), 0));
}
