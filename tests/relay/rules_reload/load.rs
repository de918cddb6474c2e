//! Rules change in the midst of many messages.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::Value;

use super::{call, not_in_force, place, told, with_rules};
use crate::support::{Client, Relay, line};

const SENDERS: usize = 4;
/// That each of them sends at least.
const MESSAGES: usize = 2_500;
/// That stand in one packet.
const TOGETHER: usize = 25;
/// Every second one is faulty.
const RELOADS: usize = 100;

/// The rules of a generation: they refuse `genN`, and put a character of their own in place of two words, by the first
/// and the last rule.
fn generation(n: usize) -> String {
    let mask = mask(n);
    let covers = |id: &str, word: &str| {
        format!("[[rule]]\nid = '{id}'\nwords = ['{word}']\nverdict = 'replace'\nmask = '{mask}'\n")
    };
    let mut text = covers("first", "alpha");
    for filler in 0..50 {
        write!(text, "[[rule]]\nid = 'f{filler}'\nwords = ['never{filler}']\nverdict = 'hold'\n").unwrap();
    }
    write!(text, "[[rule]]\nid = 'n'\nwords = ['gen{n}']\nverdict = 'reject'\nreason = 'generation {n}'\n").unwrap();
    text + &covers("last", "omega")
}

fn mask(generation: usize) -> char {
    char::from_u32(0x4e00 + u32::try_from(generation).unwrap()).unwrap()
}

/// What a generation would be if a part of its file were enough, and what is at fault from the first line on.
fn faulty(n: usize, generation: &str) -> String {
    match n % 3 {
        0 => generation.get(..generation.len() - 20).unwrap().to_owned(),
        1 => format!("{generation}[[rule]]\nid = 'first'\nwords = ['x']\nverdict = 'reject'\n"),
        _ => format!("wrong = true\n{generation}"),
    }
}

/// What all share.
#[derive(Debug, Default)]
struct Shared {
    /// The generation that is in force, or about to be.
    newest: AtomicUsize,
    /// Whether no file changes any more.
    done: AtomicBool,
}

/// Who sends, and hears the others.
struct Sender {
    name: String,
    client: Client,
    /// Of each of its messages in order, the generation that it names.
    sent: Vec<usize>,
    /// How many of them were answered, by a refusal or by being heard.
    answered: usize,
    refused: usize,
    /// What was heard of whom: the numbers of their messages.
    heard: HashMap<String, Vec<usize>>,
    /// The generation that the last message was judged by.
    generation: usize,
}

impl Sender {
    /// Sends some more, half of which name the generation that is in force.
    async fn say(&mut self, shared: &Shared) {
        let newest = shared.newest.load(Ordering::SeqCst);
        let frames: Vec<Value> = (0..TOGETHER)
            .map(|n| {
                let named = if n % 2 == 0 { newest } else { 1_000 + newest };
                self.sent.push(named);
                line(&self.name, &format!("{} alpha omega gen{named}", self.sent.len() - 1))
            })
            .collect();
        self.client.send_together(&frames).await;
        while self.answered < self.sent.len() {
            let frame = self.client.next().await;
            self.take(&frame);
        }
    }

    /// Takes a frame, which must be the answer to the next message of who speaks in it.
    fn take(&mut self, frame: &Value) {
        let (author, text) = (frame["author"].as_str().unwrap(), frame["message"].as_str());
        let by = match (author, text) {
            ("internal", _) => return,
            ("moderation", Some(text)) => {
                let by: usize = text.strip_prefix("Refused: generation ").unwrap().parse().unwrap();
                assert_eq!(by, self.sent[self.answered], "a refusal of another message, or by another rule");
                self.answered += 1;
                self.refused += 1;
                by
            }
            (author, Some(text)) => {
                let words: Vec<&str> = text.split(' ').collect();
                let [number, first, last, named] = words[..] else { panic!("{frame}") };
                let number: usize = number.parse().unwrap();
                if author == self.name {
                    assert_eq!(number, self.answered, "not in the order in which they were sent");
                    self.answered += 1;
                }
                let heard = self.heard.entry(author.to_owned()).or_default();
                assert!(heard.last().is_none_or(|before| *before < number), "{frame} after {heard:?}");
                heard.push(number);
                let character = first.chars().next().unwrap();
                let whole = String::from(character).repeat(5);
                assert_eq!((first, last), (whole.as_str(), whole.as_str()), "two generations in one message");
                let by = u32::from(character).checked_sub(0x4e00).unwrap() as usize;
                assert_ne!(named, format!("gen{by}"), "{frame} should have been refused");
                by
            }
            _ => panic!("{frame}"),
        };
        // All members hear one room, which judges one message after the other.
        assert!(by >= self.generation, "{frame}: generation {by} after {}", self.generation);
        self.generation = by;
    }
}

/// Puts generation after generation in place, each followed by a faulty one. Some are noticed by the relay, of the
/// others it is told.
async fn change(relay: &Relay, shared: &Shared) {
    for n in 0..RELOADS {
        let (current, is_faulty) = (n / 2 + 1, n % 2 == 1);
        let text = generation(current);
        let text = if is_faulty { faulty(n, &text.replace("gen", "never")) } else { text };
        if !is_faulty {
            shared.newest.store(current, Ordering::SeqCst);
        }
        let kind = if is_faulty { "rules_at_fault" } else { "reloaded" };
        let before = told(relay, kind).await.len();
        place(relay, "rules.toml", &text);
        if n % 34 < 2 {
            relay.wait_until(before + 1, async || told(relay, kind).await.len()).await;
        } else {
            let answer = call(relay, "POST", "/moderation/reload", "").await;
            assert_eq!(answer.status, if is_faulty { 422 } else { 200 }, "{n}: {}", answer.body);
        }
        assert_eq!(not_in_force(relay).await.is_null(), !is_faulty, "{n}");
    }
    shared.done.store(true, Ordering::SeqCst);
}

#[tokio::test]
async fn of_ten_thousand_messages_none_is_lost_or_judged_by_half_a_set_while_rules_change_a_hundred_times() {
    // Half of what is said is refused, by rules that are always new.
    let relay = with_rules(&generation(0)).env("ROOMS", "QGIS").env("RELAY__FILTER__BRAKES__ENABLED", "false");
    let relay = relay.start().await;
    let shared = Arc::new(Shared::default());
    let mut senders = Vec::new();
    for n in 0..SENDERS {
        let (name, client) = (format!("sender{n}"), relay.join("QGIS").await);
        let (sent, heard) = (Vec::new(), HashMap::new());
        senders.push(Sender { name, client, sent, answered: 0, refused: 0, heard, generation: 0 });
    }
    let tasks: Vec<_> = senders
        .into_iter()
        .map(|mut sender| {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                while sender.sent.len() < MESSAGES || !shared.done.load(Ordering::SeqCst) {
                    sender.say(&shared).await;
                }
                sender
            })
        })
        .collect();
    change(&relay, &shared).await;

    let mut senders = Vec::new();
    for task in tasks {
        senders.push(task.await.unwrap());
    }
    for sender in &mut senders {
        for frame in sender.client.settle().await {
            sender.take(&frame);
        }
    }
    for sender in &senders {
        let own = &sender.heard[&sender.name];
        assert_eq!(own.len() + sender.refused, sender.sent.len());
        assert!(sender.refused > 0, "the rules were never in force");
        for other in &senders {
            assert_eq!(&other.heard[&sender.name], own, "what {} heard of {}", other.name, sender.name);
        }
    }
    assert!(senders.iter().map(|sender| sender.sent.len()).sum::<usize>() >= 10_000);
}
