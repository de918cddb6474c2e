//! Rules change in the midst of many messages.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::Value;

use super::{call, not_in_force, note_texts, place, with_rules};
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

/// An invalid variant of a generation: truncated, with a duplicate rule, or with an unknown key.
fn invalid(n: usize, generation: &str) -> String {
    match n % 3 {
        0 => generation.get(..generation.len() - 20).unwrap().to_owned(),
        1 => format!("{generation}[[rule]]\nid = 'first'\nwords = ['x']\nverdict = 'reject'\n"),
        _ => format!("wrong = true\n{generation}"),
    }
}

/// State shared by all tasks.
#[derive(Debug, Default)]
struct Shared {
    /// The generation in force, or about to be.
    newest: AtomicUsize,
    /// Whether the last file has been written.
    done: AtomicBool,
}

/// A client that sends, and receives messages of the others.
struct Sender {
    name: String,
    client: Client,
    /// The generation that each of its messages names, in order.
    sent: Vec<usize>,
    /// Number of messages refused or delivered so far.
    answered: usize,
    refused: usize,
    /// The message numbers received, by sender.
    heard: HashMap<String, Vec<usize>>,
    /// The generation that the last message was judged by.
    generation: usize,
}

impl Sender {
    /// Sends some more messages, half of which name the generation in force.
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

    /// Processes a frame, which must be the response to the next message of its author.
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
                    assert_eq!(number, self.answered, "messages out of order");
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
        // All are in one room, which judges messages one at a time.
        assert!(by >= self.generation, "{frame}: generation {by} after {}", self.generation);
        self.generation = by;
    }
}

/// Writes one generation after another, each followed by an invalid one. Some reloads are left to the watcher, the
/// others are triggered by a call.
async fn change(relay: &Relay, shared: &Shared) {
    for n in 0..RELOADS {
        let (current, is_invalid) = (n / 2 + 1, n % 2 == 1);
        let text = generation(current);
        let text = if is_invalid { invalid(n, &text.replace("gen", "never")) } else { text };
        if !is_invalid {
            shared.newest.store(current, Ordering::SeqCst);
        }
        let kind = if is_invalid { "rules_invalid" } else { "reloaded" };
        let before = note_texts(relay, kind).await.len();
        place(relay, "rules.toml", &text);
        if n % 34 < 2 {
            relay.wait_until(before + 1, async || note_texts(relay, kind).await.len()).await;
        } else {
            let answer = call(relay, "POST", "/moderation/reload", "").await;
            assert_eq!(answer.status, if is_invalid { 422 } else { 200 }, "{n}: {}", answer.body);
        }
        assert_eq!(not_in_force(relay).await.is_null(), !is_invalid, "{n}");
    }
    shared.done.store(true, Ordering::SeqCst);
}

#[tokio::test]
async fn a_hundred_rule_changes_neither_lose_a_message_nor_judge_it_by_half_a_set() {
    // Half of the messages are refused, by rules that are always new.
    let relay = with_rules(&generation(0)).env("ROOMS", "QGIS").env("RELAY__FILTER__BREAKERS__ENABLED", "false");
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
        for frame in sender.client.drain().await {
            sender.take(&frame);
        }
    }
    for sender in &senders {
        let own = &sender.heard[&sender.name];
        assert_eq!(own.len() + sender.refused, sender.sent.len());
        assert!(sender.refused > 0, "the rules were never in force");
        for other in &senders {
            assert_eq!(&other.heard[&sender.name], own, "messages that {} received from {}", other.name, sender.name);
        }
    }
    assert!(senders.iter().map(|sender| sender.sent.len()).sum::<usize>() >= 10_000);
}
