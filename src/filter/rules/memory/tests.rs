use super::*;
use crate::model::{Address, Facts, Kind, SenderId};
use std::net::IpAddr;

const TEXT: &str = "where do i find the new orthophotos of brittany";

struct Scene {
    memory: Memory,
    now: i64,
}

impl Scene {
    fn new() -> Self {
        Self { memory: Memory::new(), now: 1_000_000 }
    }

    fn say_as(&mut self, connection: Option<u64>, room: &str, author: &str, text: &str, heard: Option<bool>) -> Recall {
        self.now += 1_000;
        let sender = Sender {
            connection: connection.map(SenderId),
            address: Address::from(IpAddr::from([127, 0, 0, 1])),
            room: RoomName::parse(room).unwrap(),
            facts: Facts::default(),
        };
        let said = Message::new(author, Kind::Text { avatar: None, text: text.to_owned() });
        let said = Message { at: Timestamp::from_millisecond(self.now).unwrap(), ..said };
        let recall = || self.memory.recall(text, &sender, &said, 1).unwrap();
        if let Some(heard) = heard {
            let now = recall();
            self.memory.note(recall(), heard);
            return now;
        }
        recall()
    }

    fn say_in(&mut self, room: &str, author: &str, text: &str, note: bool) -> Recall {
        // Everybody has a connection of their own.
        let connection = author.bytes().fold(7, |sum: u64, byte| sum * 31 + u64::from(byte));
        self.say_as(Some(connection), room, author, text, note.then_some(true))
    }

    fn say(&mut self, author: &str, text: &str) -> Recall {
        self.say_in("QGIS", author, text, true)
    }
}

const MINUTE: Duration = Duration::from_mins(1);

#[test]
fn a_text_is_counted_again_and_so_is_nearly_the_same() {
    let mut scene = Scene::new();
    assert_eq!(scene.say("jane", TEXT).times_by_sender(MINUTE, false), 1);
    assert_eq!(scene.say("jane", TEXT).times_by_sender(MINUTE, false), 2);
    assert_eq!(scene.say("jane", &format!("{TEXT} 7")).times_by_sender(MINUTE, false), 3);
    assert_eq!(scene.say("jane", "which projection has the cadastre of corsica").times_by_sender(MINUTE, false), 1);
}

#[test]
fn what_is_too_long_ago_does_not_count() {
    let mut scene = Scene::new();
    scene.say("jane", TEXT);
    scene.now += 59_000;
    assert_eq!(scene.say("jane", TEXT).times_by_sender(MINUTE, false), 2);
    scene.now += 60_001;
    assert_eq!(scene.say("jane", TEXT).times_by_sender(MINUTE, false), 1);
}

#[test]
fn senders_are_counted_once_each() {
    let mut scene = Scene::new();
    for author in ["jane", "jane", "hans", "jane"] {
        scene.say(author, TEXT);
    }
    assert_eq!(scene.say("kim", TEXT).senders(MINUTE, false), 3);
}

#[test]
fn rooms_do_not_hear_each_other() {
    let mut scene = Scene::new();
    scene.say_in("QGIS", "jane", TEXT, true);
    assert_eq!(scene.say_in("QField", "jane", TEXT, true).times_by_sender(MINUTE, false), 1);
}

#[test]
fn what_is_only_tried_is_not_remembered() {
    let mut scene = Scene::new();
    scene.say("jane", TEXT);
    for _ in 0..3 {
        assert_eq!(scene.say_in("QGIS", "jane", TEXT, false).times_by_sender(MINUTE, false), 2);
    }
}

#[test]
fn one_sender_cannot_make_others_be_forgotten() {
    let mut scene = Scene::new();
    scene.say("hans", TEXT);
    for _ in 0..1_000 {
        scene.now -= 900;
        scene.say("jane", TEXT);
    }
    assert_eq!(scene.say("kim", TEXT).senders(REMEMBERED, false), 3);
}

#[test]
fn what_was_refused_does_not_count_against_its_sender_but_shows_a_raid() {
    let mut scene = Scene::new();
    scene.say_as(Some(1), "QGIS", "jane", TEXT, Some(true));
    scene.say_as(Some(1), "QGIS", "jane", TEXT, Some(false));
    assert_eq!(scene.say_as(Some(1), "QGIS", "jane", TEXT, None).times_by_sender(MINUTE, false), 2);
    scene.say_as(Some(2), "QGIS", "hans", TEXT, Some(false));
    assert_eq!(scene.say_as(Some(3), "QGIS", "kim", TEXT, None).senders(MINUTE, false), 3);
}

#[test]
fn another_name_on_the_same_connection_and_another_connection_under_the_same_name_are_the_same_sender() {
    let mut scene = Scene::new();
    scene.say_as(Some(1), "QGIS", "jane", TEXT, Some(true));
    scene.say_as(Some(1), "QGIS", "janet", TEXT, Some(true));
    scene.say_as(Some(2), "QGIS", "JANE", TEXT, Some(true));
    assert_eq!(scene.say_as(Some(1), "QGIS", "jane", TEXT, None).times_by_sender(MINUTE, false), 4);
    assert_eq!(scene.say_as(Some(3), "QGIS", "hans", TEXT, None).times_by_sender(MINUTE, false), 1);
}

#[test]
fn who_sends_without_a_connection_is_its_address() {
    let mut scene = Scene::new();
    scene.say_as(None, "QGIS", "spam0", TEXT, Some(true));
    scene.say_as(None, "QGIS", "spam1", TEXT, Some(true));
    let recall = scene.say_as(None, "QGIS", "spam2", TEXT, None);
    assert_eq!((recall.times_by_sender(MINUTE, false), recall.senders(MINUTE, false)), (3, 1));
}

#[test]
fn the_very_text_is_told_from_nearly_the_same_by_its_digits_too() {
    let mut scene = Scene::new();
    for issue in ["51230", "51231", "51231"] {
        scene.say("jane", &format!("see https://github.com/qgis/QGIS/issues/{issue}"));
    }
    let recall = scene.say_in("QGIS", "jane", "see https://github.com/qgis/QGIS/issues/51231 !", false);
    assert_eq!((recall.times_by_sender(MINUTE, false), recall.times_by_sender(MINUTE, true)), (4, 3));
}

#[test]
fn other_things_said_do_not_have_a_repeated_text_forgotten() {
    let mut scene = Scene::new();
    scene.say("jane", TEXT);
    scene.say("jane", TEXT);
    for n in 0..2_000_u32 {
        scene.now -= 990;
        // Nothing like each other.
        let mut number = u64::from(n) + 1;
        let other: String = std::iter::repeat_with(|| {
            number = number.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            char::from(b'a' + u8::try_from((number >> 33) % 26).unwrap())
        })
        .take(40)
        .collect();
        scene.say(&format!("hans{n}"), &other);
    }
    assert_eq!(scene.say("jane", TEXT).times_by_sender(MINUTE, false), 3);
}

#[test]
fn memory_is_bounded_whatever_is_said() {
    let mut scene = Scene::new();
    for n in 0..5_000_u32 {
        scene.say(&format!("jane{n}"), &format!("{n:b} maps and {n} layers of {:x}", n.wrapping_mul(0x9e37_79b9)));
        scene.say(&format!("jane{n}"), TEXT);
    }
    let room = RoomName::parse("QGIS").unwrap();
    let part = scene.memory.part(&room).unwrap();
    let room = &part[&room];
    assert!(room.sayings.len() <= MAX_SAYINGS && room.uses <= MAX_ROOM_USES);
    assert_eq!(room.uses, room.sayings.iter().map(|saying| saying.uses.len()).sum::<usize>());
    assert!(room.sayings.iter().all(|saying| saying.uses.len() <= MAX_USES));
}

#[test]
fn what_is_old_is_forgotten_with_its_room() {
    let mut scene = Scene::new();
    scene.say("jane", TEXT);
    scene.memory.prune(Timestamp::from_millisecond(scene.now + 659_000).unwrap());
    assert_eq!(scene.memory.parts.iter().map(|part| lock(part).len()).sum::<usize>(), 1);
    scene.memory.prune(Timestamp::from_millisecond(scene.now + 660_001).unwrap());
    assert_eq!(scene.memory.parts.iter().map(|part| lock(part).len()).sum::<usize>(), 0);
}

#[test]
fn a_raid_that_goes_on_is_one_raid() {
    let memory = Memory::new();
    let room = RoomName::parse("QGIS").unwrap();
    let at = |seconds| Timestamp::from_second(seconds).unwrap();
    assert!(memory.begins_raid(&room, "raid", at(100), MINUTE));
    assert!(!memory.begins_raid(&room, "raid", at(130), MINUTE));
    assert!(!memory.begins_raid(&room, "raid", at(190), MINUTE));
    assert!(memory.begins_raid(&room, "raid", at(251), MINUTE));
    assert!(memory.begins_raid(&room, "other", at(251), MINUTE));
}

#[test]
fn what_others_say_while_a_text_is_judged_is_not_taken_for_another_text() {
    let mut scene = Scene::new();
    scene.say("anna", "which projection has the cadastre of corsica");
    // Three look before any of them is remembered.
    let recalls = ["ben", "carl", "dora"].map(|author| scene.say_in("QGIS", author, TEXT, false));
    assert!(recalls.iter().all(|recall| recall.senders(MINUTE, false) == 1));
    for recall in recalls {
        scene.memory.note(recall, true);
    }
    assert_eq!(scene.say("emil", TEXT).senders(MINUTE, false), 4);
}
