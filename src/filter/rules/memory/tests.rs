use super::*;
use crate::fixtures::{self, at, message};
use crate::model::ConnectionId;

const TEXT: &str = "where do i find the new orthophotos of brittany";

struct Scenario {
    memory: Memory,
    now: i64,
}

impl Scenario {
    fn new() -> Self {
        Self { memory: Memory::new(), now: 1_000_000 }
    }

    fn say_as(
        &mut self,
        connection: Option<u64>,
        room: &str,
        author: &str,
        text: &str,
        passed_rules: Option<bool>,
    ) -> Recall {
        self.now += 1_000;
        let sender =
            Sender { connection: connection.map(ConnectionId), room: fixtures::room(room), ..fixtures::sender() };
        let said = Message { at: Timestamp::from_millisecond(self.now).unwrap(), ..message(author, text) };
        let recall = || self.memory.recall(text, &sender, &said, 1).unwrap();
        if let Some(passed_rules) = passed_rules {
            let now = recall();
            self.memory.record(recall(), passed_rules);
            return now;
        }
        recall()
    }

    fn say_in(&mut self, room: &str, author: &str, text: &str, note: bool) -> Recall {
        // Each author has a separate connection.
        let connection = author.bytes().fold(7, |sum: u64, byte| sum * 31 + u64::from(byte));
        self.say_as(Some(connection), room, author, text, note.then_some(true))
    }

    fn say(&mut self, author: &str, text: &str) -> Recall {
        self.say_in("QGIS", author, text, true)
    }
}

const MINUTE: Duration = Duration::from_mins(1);

#[test]
fn repetitions_of_the_same_or_nearly_the_same_text_are_counted() {
    let mut scenario = Scenario::new();
    assert_eq!(scenario.say("jane", TEXT).times_by_sender(MINUTE, false), 1);
    assert_eq!(scenario.say("jane", TEXT).times_by_sender(MINUTE, false), 2);
    assert_eq!(scenario.say("jane", &format!("{TEXT} 7")).times_by_sender(MINUTE, false), 3);
    assert_eq!(scenario.say("jane", "which projection has the cadastre of corsica").times_by_sender(MINUTE, false), 1);
}

#[test]
fn old_messages_do_not_count() {
    let mut scenario = Scenario::new();
    scenario.say("jane", TEXT);
    scenario.now += 59_000;
    assert_eq!(scenario.say("jane", TEXT).times_by_sender(MINUTE, false), 2);
    scenario.now += 60_001;
    assert_eq!(scenario.say("jane", TEXT).times_by_sender(MINUTE, false), 1);
}

#[test]
fn each_sender_is_counted_once() {
    let mut scenario = Scenario::new();
    for author in ["jane", "jane", "hans", "jane"] {
        scenario.say(author, TEXT);
    }
    assert_eq!(scenario.say("kim", TEXT).distinct_senders(MINUTE, false), 3);
}

#[test]
fn rooms_are_independent() {
    let mut scenario = Scenario::new();
    scenario.say_in("QGIS", "jane", TEXT, true);
    assert_eq!(scenario.say_in("QField", "jane", TEXT, true).times_by_sender(MINUTE, false), 1);
}

#[test]
fn a_message_that_is_not_recorded_does_not_count() {
    let mut scenario = Scenario::new();
    scenario.say("jane", TEXT);
    for _ in 0..3 {
        assert_eq!(scenario.say_in("QGIS", "jane", TEXT, false).times_by_sender(MINUTE, false), 2);
    }
}

#[test]
fn one_sender_cannot_evict_others() {
    let mut scenario = Scenario::new();
    scenario.say("hans", TEXT);
    for _ in 0..1_000 {
        scenario.now -= 900;
        scenario.say("jane", TEXT);
    }
    assert_eq!(scenario.say("kim", TEXT).distinct_senders(RETENTION, false), 3);
}

#[test]
fn rejected_messages_count_for_raids_but_not_for_their_sender() {
    let mut scenario = Scenario::new();
    scenario.say_as(Some(1), "QGIS", "jane", TEXT, Some(true));
    scenario.say_as(Some(1), "QGIS", "jane", TEXT, Some(false));
    assert_eq!(scenario.say_as(Some(1), "QGIS", "jane", TEXT, None).times_by_sender(MINUTE, false), 2);
    scenario.say_as(Some(2), "QGIS", "hans", TEXT, Some(false));
    assert_eq!(scenario.say_as(Some(3), "QGIS", "kim", TEXT, None).distinct_senders(MINUTE, false), 3);
}

#[test]
fn another_name_on_the_same_connection_and_another_connection_under_the_same_name_are_the_same_sender() {
    let mut scenario = Scenario::new();
    scenario.say_as(Some(1), "QGIS", "jane", TEXT, Some(true));
    scenario.say_as(Some(1), "QGIS", "janet", TEXT, Some(true));
    scenario.say_as(Some(2), "QGIS", "JANE", TEXT, Some(true));
    assert_eq!(scenario.say_as(Some(1), "QGIS", "jane", TEXT, None).times_by_sender(MINUTE, false), 4);
    assert_eq!(scenario.say_as(Some(3), "QGIS", "hans", TEXT, None).times_by_sender(MINUTE, false), 1);
}

#[test]
fn a_sender_without_a_connection_is_identified_by_address() {
    let mut scenario = Scenario::new();
    scenario.say_as(None, "QGIS", "spam0", TEXT, Some(true));
    scenario.say_as(None, "QGIS", "spam1", TEXT, Some(true));
    let recall = scenario.say_as(None, "QGIS", "spam2", TEXT, None);
    assert_eq!((recall.times_by_sender(MINUTE, false), recall.distinct_senders(MINUTE, false)), (3, 1));
}

#[test]
fn exact_repetition_compares_digits_as_well() {
    let mut scenario = Scenario::new();
    for issue in ["51230", "51231", "51231"] {
        scenario.say("jane", &format!("see https://github.com/qgis/QGIS/issues/{issue}"));
    }
    let recall = scenario.say_in("QGIS", "jane", "see https://github.com/qgis/QGIS/issues/51231 !", false);
    assert_eq!((recall.times_by_sender(MINUTE, false), recall.times_by_sender(MINUTE, true)), (4, 3));
}

#[test]
fn other_texts_do_not_evict_a_repeated_text() {
    let mut scenario = Scenario::new();
    scenario.say("jane", TEXT);
    scenario.say("jane", TEXT);
    for n in 0..2_000_u32 {
        scenario.now -= 990;
        // Random letters, so that no two texts are similar.
        let mut number = u64::from(n) + 1;
        let other: String = std::iter::repeat_with(|| {
            number = number.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            char::from(b'a' + u8::try_from((number >> 33) % 26).unwrap())
        })
        .take(40)
        .collect();
        scenario.say(&format!("hans{n}"), &other);
    }
    assert_eq!(scenario.say("jane", TEXT).times_by_sender(MINUTE, false), 3);
}

#[test]
fn memory_is_bounded() {
    let mut scenario = Scenario::new();
    for n in 0..5_000_u32 {
        scenario.say(&format!("jane{n}"), &format!("{n:b} maps and {n} layers of {:x}", n.wrapping_mul(0x9e37_79b9)));
        scenario.say(&format!("jane{n}"), TEXT);
    }
    let room = fixtures::room("QGIS");
    let stripe = scenario.memory.stripe(&room).unwrap();
    let room = &stripe[&room];
    assert!(room.texts.len() <= MAX_TEXTS && room.occurrence_count <= MAX_ROOM_OCCURRENCES);
    assert_eq!(room.occurrence_count, room.texts.iter().map(|text| text.occurrences.len()).sum::<usize>());
    assert!(room.texts.iter().all(|text| text.occurrences.len() <= MAX_OCCURRENCES));
}

#[test]
fn old_messages_are_dropped_with_their_room() {
    let mut scenario = Scenario::new();
    scenario.say("jane", TEXT);
    scenario.memory.prune(Timestamp::from_millisecond(scenario.now + 659_000).unwrap());
    assert_eq!(scenario.memory.stripes.iter().map(|stripe| lock(stripe).len()).sum::<usize>(), 1);
    scenario.memory.prune(Timestamp::from_millisecond(scenario.now + 660_001).unwrap());
    assert_eq!(scenario.memory.stripes.iter().map(|stripe| lock(stripe).len()).sum::<usize>(), 0);
}

#[test]
fn a_continuing_raid_is_reported_once() {
    let memory = Memory::new();
    let room = fixtures::room("QGIS");
    assert!(memory.record_raid(&room, "raid", at(100), MINUTE));
    assert!(!memory.record_raid(&room, "raid", at(130), MINUTE));
    assert!(!memory.record_raid(&room, "raid", at(190), MINUTE));
    assert!(memory.record_raid(&room, "raid", at(251), MINUTE));
    assert!(memory.record_raid(&room, "other", at(251), MINUTE));
}

#[test]
fn similar_texts_that_are_judged_concurrently_are_merged() {
    let mut scenario = Scenario::new();
    scenario.say("anna", "which projection has the cadastre of corsica");
    // All three recall before any is recorded.
    let recalls = ["ben", "carl", "dora"].map(|author| scenario.say_in("QGIS", author, TEXT, false));
    assert!(recalls.iter().all(|recall| recall.distinct_senders(MINUTE, false) == 1));
    for recall in recalls {
        scenario.memory.record(recall, true);
    }
    assert_eq!(scenario.say("emil", TEXT).distinct_senders(MINUTE, false), 4);
}
