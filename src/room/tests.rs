use std::net::IpAddr;
use std::sync::Mutex;

use super::*;
use crate::wire::V1Notices;

/// Keeps the payload of each frame it is given.
#[derive(Debug, Default)]
struct Heard(Mutex<Vec<String>>);

impl Mailbox for Heard {
    fn deliver(&self, frame: Bytes) -> bool {
        // The frames of these tests have two bytes of head.
        self.0.lock().unwrap().push(String::from_utf8(frame[2..].to_vec()).unwrap());
        true
    }

    fn close(&self, code: CloseCode, reason: &'static str) {
        self.0.lock().unwrap().push(format!("closed {} {reason}", code.number()));
    }

    fn probe(&self) -> oneshot::Receiver<()> {
        oneshot::channel().1
    }
}

impl Heard {
    /// What came since the last call.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn room() -> Room {
    Room::new(RoomName::parse("QGIS").unwrap(), Arc::default())
}

fn address(host: u8) -> Address {
    Address::from(IpAddr::from([192, 0, 2, host]))
}

/// Joins from an address of its own.
fn join(room: &mut Room, id: u64) -> Arc<Heard> {
    let heard = Arc::new(Heard::default());
    let mailbox = Arc::clone(&heard) as Arc<dyn Mailbox>;
    room.join(SenderId(id), address(u8::try_from(id).unwrap()), Generation::V1, mailbox);
    heard
}

fn nickname(name: &str) -> Nickname {
    Nickname::parse(name).unwrap()
}

fn line(author: &str, text: &str) -> Message {
    Message::new(author, Kind::Text { avatar: None, text: text.into() })
}

fn register(room: &mut Room, id: u64, name: &str) -> Result<(), Taken> {
    room.register(SenderId(id), &nickname(name))
}

fn number(n: usize) -> String {
    format!(r#"{{"author":"internal","nb_users":{n}}}"#)
}

fn says(what: &str, name: &str) -> String {
    format!(r#"{{"author":"internal","{what}":"{name}"}}"#)
}

#[test]
fn everyone_hears_the_number_when_somebody_joins_the_newcomer_too() {
    let mut room = room();
    let (one, two) = (join(&mut room, 1), join(&mut room, 2));
    assert_eq!(one.take(), [number(1), number(2)]);
    assert_eq!(two.take(), [number(2)]);
}

#[test]
fn who_leaves_with_a_nickname_is_announced_before_the_number() {
    let mut room = room();
    let (one, _two) = (join(&mut room, 1), join(&mut room, 2));
    register(&mut room, 2, "jane").unwrap();
    one.take();
    room.leave(SenderId(2));
    assert_eq!(one.take(), [says("exiter", "jane"), number(1)]);
}

#[test]
fn who_leaves_without_a_nickname_changes_only_the_number() {
    let mut room = room();
    let (one, _two) = (join(&mut room, 1), join(&mut room, 2));
    one.take();
    room.leave(SenderId(2));
    assert_eq!(one.take(), [number(1)]);
}

#[test]
fn leaving_twice_is_leaving_once() {
    let mut room = room();
    let (one, _two) = (join(&mut room, 1), join(&mut room, 2));
    room.leave(SenderId(2));
    one.take();
    room.leave(SenderId(2));
    assert_eq!((one.take(), room.connections()), (vec![], 1));
}

#[test]
fn a_message_reaches_everyone_its_sender_too() {
    let mut room = room();
    let (one, two) = (join(&mut room, 1), join(&mut room, 2));
    (one.take(), two.take());
    room.publish(Some(SenderId(1)), &line("jane", "hi")).unwrap();
    let expected = [r#"{"message":"hi","author":"jane","avatar":null}"#];
    assert_eq!((one.take(), two.take()), (expected.map(String::from).to_vec(), expected.map(String::from).to_vec()));
}

#[test]
fn registering_again_changes_the_name_and_frees_the_old_one() {
    let mut room = room();
    let one = join(&mut room, 1);
    join(&mut room, 2);
    register(&mut room, 1, "jane").unwrap();
    one.take();
    register(&mut room, 1, "janet").unwrap();
    assert_eq!(one.take(), [says("exiter", "jane"), says("newcomer", "janet")]);
    assert_eq!(register(&mut room, 2, "jane"), Ok(()));
    assert_eq!(room.users(), ["jane", "janet"]);
}

#[test]
fn registering_the_same_name_again_is_not_announced() {
    let mut room = room();
    let one = join(&mut room, 1);
    register(&mut room, 1, "jane").unwrap();
    one.take();
    register(&mut room, 1, "jane").unwrap();
    assert!(one.take().is_empty());
}

#[test]
fn a_connection_may_change_the_letter_case_of_its_name() {
    let mut room = room();
    join(&mut room, 1);
    register(&mut room, 1, "jane").unwrap();
    assert_eq!(register(&mut room, 1, "Jane"), Ok(()));
    assert_eq!(register(&mut room, 1, "jane"), Ok(()));
    room.leave(SenderId(1));
    join(&mut room, 2);
    assert_eq!(register(&mut room, 2, "JANE"), Ok(()));
}

#[test]
fn a_name_that_looks_like_a_members_cannot_be_registered_nor_spoken_under() {
    let mut room = room();
    join(&mut room, 1);
    join(&mut room, 2);
    register(&mut room, 1, "loki").unwrap();
    for name in ["loki", "Loki", "LOKI", "l0ki", "Ioki"] {
        assert_eq!(register(&mut room, 2, name), Err(Taken { holder: SenderId(1), same_address: false }), "{name}");
        for connection in [Some(SenderId(2)), None] {
            let refusal = room.may_speak(connection, name).unwrap_err();
            assert_eq!(refusal.code, Code::NicknameTaken, "{name}");
        }
    }
}

#[test]
fn a_registered_connection_speaks_only_under_its_name() {
    let mut room = room();
    join(&mut room, 1);
    register(&mut room, 1, "jane").unwrap();
    assert_eq!(room.may_speak(Some(SenderId(1)), "jane"), Ok(()));
    for name in ["Jane", "hans", "internal"] {
        let refusal = room.may_speak(Some(SenderId(1)), name).unwrap_err();
        assert_eq!(refusal.code, Code::NotYourNickname, "{name}");
    }
}

#[test]
fn nobody_speaks_as_the_relay() {
    let room = room();
    for name in ["internal", "Internal", "moderation", "M0deration"] {
        assert_eq!(room.may_speak(None, name).map_err(|refusal| refusal.code), Err(Code::Reserved), "{name}");
    }
}

#[test]
fn a_name_is_free_again_when_its_holder_has_left() {
    let mut room = room();
    join(&mut room, 1);
    join(&mut room, 2);
    register(&mut room, 1, "jane").unwrap();
    room.leave(SenderId(1));
    assert_eq!(room.may_speak(Some(SenderId(2)), "jane"), Ok(()));
    assert_eq!(register(&mut room, 2, "jane"), Ok(()));
}

#[test]
fn the_holders_own_address_is_told_apart_from_others() {
    let mut room = room();
    join(&mut room, 1);
    register(&mut room, 1, "jane").unwrap();
    let taken = |host| room.check_free(SenderId(9), address(host), &nickname("jane")).unwrap_err().same_address;
    assert_eq!((taken(1), taken(2)), (true, false));
}

#[test]
fn a_like_reaches_only_the_one_whose_message_is_liked() {
    let mut room = room();
    let (one, two, three) = (join(&mut room, 1), join(&mut room, 2), join(&mut room, 3));
    register(&mut room, 2, "hans").unwrap();
    (one.take(), two.take(), three.take());
    let like = Message::new("jane", Kind::Like { liked: "hans".into(), text: "nice".into() });
    room.publish(Some(SenderId(1)), &like).unwrap();
    let expected = r#"{"author":"internal","message":"nice","liker_author":"jane","liked_author":"hans"}"#;
    assert_eq!((one.take(), two.take(), three.take()), (vec![], vec![expected.to_owned()], vec![]));
}

#[test]
fn users_are_sorted_without_regard_to_letter_case() {
    let mut room = room();
    for (id, name) in [(1, "bob"), (2, "Anna"), (3, "Zoe"), (4, "carl")] {
        join(&mut room, id);
        register(&mut room, id, name).unwrap();
    }
    join(&mut room, 5);
    assert_eq!(room.users(), ["Anna", "bob", "carl", "Zoe"]);
}

#[test]
fn a_notice_reaches_its_addressee_alone() {
    let mut room = room();
    let (one, two) = (join(&mut room, 1), join(&mut room, 2));
    (one.take(), two.take());
    let config = wire::Config { v1_notices: V1Notices::Internal };
    room.notify(SenderId(1), &Notice::Refused(reserved()), &config);
    assert_eq!((one.take().len(), two.take().len()), (1, 0));
}

#[test]
fn a_closed_room_closes_everyone_and_lets_nobody_in() {
    let mut room = room();
    let one = join(&mut room, 1);
    one.take();
    room.close(CloseCode::GoingAway, "shutdown");
    assert_eq!((one.take(), room.connections()), (vec!["closed 1001 shutdown".to_owned()], 0));
    let two = join(&mut room, 2);
    assert_eq!((two.take(), room.connections()), (vec!["closed 1001 shutdown".to_owned()], 0));
}
