use std::time::Duration;

use super::super::note::NoteKind;
use super::*;
use crate::fixtures::{at, decision, judged, message};
use crate::model::{ActKind, Actor, Decision, Message, Outcome};

fn recorded(author: &str, outcome: Outcome, at: Timestamp) -> JournalEvent {
    let decided_by = (outcome != Outcome::Pass).then_some("rules");
    let decision = decision(Message { at, ..message(author, "hello") }, outcome);
    JournalEvent::Decision(Arc::new(judged(Decision { decided_by, ..decision })))
}

fn said(author: &str) -> JournalEvent {
    recorded(author, Outcome::Pass, at(1_000))
}

fn authors(found: &[(u64, Arc<JudgedMessage>)]) -> Vec<&str> {
    found.iter().map(|(_, recorded)| recorded.decision.message.author.as_str()).collect()
}

#[test]
fn decisions_are_paged_newest_first() {
    let journal = Journal::new(at(5));
    for author in ["a", "b", "c", "d"] {
        journal.push(said(author));
    }
    let first = journal.decisions(None, 2, |_| true);
    assert_eq!(authors(&first), ["d", "c"]);
    let second = journal.decisions(first.last().map(|(id, _)| *id), 2, |_| true);
    assert_eq!(authors(&second), ["b", "a"]);
    let wanted = journal.decisions(None, 9, |recorded| recorded.decision.message.author != "c");
    assert_eq!(authors(&wanted), ["d", "b", "a"]);
}

#[test]
fn the_last_ten_thousand_decisions_are_kept() {
    let journal = Journal::new(at(5));
    for _ in 0..MAX_DECISIONS + 50 {
        journal.push(said("a"));
    }
    assert_eq!(journal.decisions(None, usize::MAX, |_| true).len(), MAX_DECISIONS);
}

#[test]
fn decisions_take_bounded_memory() {
    let journal = Journal::new(at(5));
    let text = "x".repeat(4_000);
    let large = JournalEvent::Decision(Arc::new(judged(decision(message("a", &text), Outcome::Pass))));
    for _ in 0..MAX_DECISIONS {
        journal.push(large.clone());
    }
    let kept = journal.decisions(None, usize::MAX, |_| true).len();
    assert!((6_000..MAX_DECISION_BYTES / text.len()).contains(&kept), "{kept}");
    assert!(journal.entries_after(0, 1).has_gap);
}

#[test]
fn a_resumed_stream_gets_later_entries_and_learns_of_a_gap() {
    let journal = Journal::new(at(5));
    let before = journal.last_id();
    journal.push(said("a"));
    let known = journal.last_id();
    journal.push(said("b"));
    let since = journal.entries_after(known, 10);
    assert_eq!((since.entries.len(), since.has_gap), (1, false));
    assert!(!journal.entries_after(before, 10).has_gap);
    for _ in 0..MAX_DECISIONS {
        journal.push(said("c"));
    }
    let since = journal.entries_after(before, 10);
    assert_eq!((since.entries.len(), since.has_gap), (10, true));
    assert!(journal.entries_after(0, 1).has_gap, "a number of an earlier run");
}

#[test]
fn numbers_grow_across_restarts() {
    let journal = Journal::new(at(5));
    for _ in 0..4_999 {
        journal.push(said("a"));
    }
    assert!(Journal::new(at(10)).last_id() > journal.last_id());
}

#[tokio::test]
async fn a_waiter_is_woken_by_the_next_entry_and_not_before() {
    let journal = Journal::new(at(5));
    let known = journal.last_id();
    let mut waiting = std::pin::pin!(journal.wait(known));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    journal.push(said("a"));
    assert!(futures_util::poll!(&mut waiting).is_ready());
    assert_eq!(journal.wait(known).await, ());
}

#[test]
fn minutes_are_counted_by_outcome_and_filter_including_empty_ones() {
    let journal = Journal::new(at(5));
    journal.push(recorded("a", Outcome::Pass, at(60)));
    journal.push(recorded("a", Outcome::Reject, at(180)));
    journal.push(recorded("a", Outcome::Reject, at(61)));
    let stats = journal.stats(3, at(185));
    assert_eq!(stats.iter().map(|minute| minute.minute).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(
        stats.iter().map(|minute| minute.outcomes).collect::<Vec<_>>(),
        [[1, 0, 0, 0, 1], [0; 5], [0, 0, 0, 0, 1]]
    );
    assert_eq!(stats[2].by.get("rules"), Some(&1));
    assert_eq!(journal.stats(usize::MAX, at(185)).len(), MAX_MINUTES);
}

#[test]
fn a_flood_of_decisions_displaces_neither_notes_nor_acts() {
    let journal = Journal::new(at(5));
    let before = journal.last_id();
    let note = Note { at: at(5), kind: NoteKind::Raid, text: "x".into(), plugin: None };
    journal.push(JournalEvent::Note(note.clone()));
    let act = Act { at: at(5), since_start: Duration::ZERO, actor: Actor::Relay, room: None, kind: ActKind::Reloaded };
    journal.push(JournalEvent::Act(Arc::new(act)));
    for _ in 0..MAX_DECISIONS + 5 {
        journal.push(said("a"));
    }
    let notes = journal.notes_after(before, 10);
    assert!(matches!(&notes.entries[..], [JournalEntry { event: JournalEvent::Note(kept), .. }] if *kept == note));
    assert!(!notes.has_gap, "no note was dropped");
    let page = journal.entries_after(before, 3);
    assert_eq!(page.entries.iter().map(|entry| entry.id - before).collect::<Vec<_>>(), [1, 2, 8]);
    assert_eq!((page.has_gap, page.last_id), (true, before + 8));
    assert!(!journal.entries_after(before + 7, 1).has_gap);
}
