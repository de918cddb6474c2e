use std::net::Ipv4Addr;

use super::*;
use crate::model::{Address, Decision, Facts, Kind, Message, Outcome, RoomName, Sender};

fn recorded(author: &str, outcome: Outcome, at: Timestamp) -> Happened {
    let message = Message { at, ..Message::new(author, Kind::Text { avatar: None, text: "hello".to_owned() }) };
    let by = (outcome != Outcome::Pass).then_some("rules");
    let decision = Decision { message, original: None, outcome, reason: None, by, trace: Vec::new() };
    let room = RoomName::parse("QGIS").unwrap();
    let address = Address::from(std::net::IpAddr::from(Ipv4Addr::LOCALHOST));
    let sender = Sender { connection: None, address, room, facts: Facts::default() };
    Happened::Decision(Arc::new(Recorded { decision, sender }))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn said(author: &str) -> Happened {
    recorded(author, Outcome::Pass, at(1_000))
}

fn authors(found: &[(u64, Arc<Recorded>)]) -> Vec<&str> {
    found.iter().map(|(_, recorded)| recorded.decision.message.author.as_str()).collect()
}

#[test]
fn decisions_come_newest_first_page_by_page() {
    let journal = Journal::new(at(5));
    for author in ["a", "b", "c", "d"] {
        journal.add(said(author));
    }
    let first = journal.decisions(None, 2, |_| true);
    assert_eq!(authors(&first), ["d", "c"]);
    let second = journal.decisions(first.last().map(|(id, _)| *id), 2, |_| true);
    assert_eq!(authors(&second), ["b", "a"]);
    let wanted = journal.decisions(None, 9, |recorded| recorded.decision.message.author != "c");
    assert_eq!(authors(&wanted), ["d", "b", "a"]);
}

#[test]
fn ten_thousand_decisions_are_kept() {
    let journal = Journal::new(at(5));
    for _ in 0..MAX_DECISIONS + 50 {
        journal.add(said("a"));
    }
    assert_eq!(journal.decisions(None, usize::MAX, |_| true).len(), MAX_DECISIONS);
}

#[test]
fn who_comes_back_gets_what_came_since_and_learns_what_it_has_missed() {
    let journal = Journal::new(at(5));
    let before = journal.last_id();
    journal.add(said("a"));
    let known = journal.last_id();
    journal.add(said("b"));
    let since = journal.since(known, 10);
    assert_eq!((since.entries.len(), since.missed), (1, false));
    assert!(!journal.since(before, 10).missed);
    for _ in 0..MAX_DECISIONS {
        journal.add(said("c"));
    }
    let since = journal.since(before, 10);
    assert_eq!((since.entries.len(), since.missed), (10, true));
    assert!(journal.since(0, 1).missed, "a number of an earlier run");
}

#[test]
fn numbers_go_on_over_restarts() {
    let journal = Journal::new(at(5));
    for _ in 0..4_999 {
        journal.add(said("a"));
    }
    assert!(Journal::new(at(10)).last_id() > journal.last_id());
}

#[tokio::test]
async fn who_waits_is_woken_by_the_next_entry_and_not_before() {
    let journal = Journal::new(at(5));
    let known = journal.last_id();
    let mut waiting = std::pin::pin!(journal.wait(known));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    journal.add(said("a"));
    assert!(futures_util::poll!(&mut waiting).is_ready());
    assert_eq!(journal.wait(known).await, ());
}

#[test]
fn minutes_are_counted_by_outcome_and_filter_with_empty_ones_between() {
    let journal = Journal::new(at(5));
    journal.add(recorded("a", Outcome::Pass, at(60)));
    journal.add(recorded("a", Outcome::Reject, at(180)));
    journal.add(recorded("a", Outcome::Reject, at(61)));
    let stats = journal.stats(3, at(185));
    assert_eq!(stats.iter().map(|minute| minute.minute).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(
        stats.iter().map(|minute| minute.outcomes).collect::<Vec<_>>(),
        [[1, 0, 0, 0, 1], [0; 5], [0, 0, 0, 0, 1]]
    );
    assert_eq!(stats[2].by.get("rules"), Some(&1));
    assert_eq!(journal.stats(usize::MAX, at(185)).len(), MAX_MINUTES);
}
