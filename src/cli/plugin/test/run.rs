//! One case: a plugin that has just been loaded is asked, and its answer compared.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::case::{Asked, Case, Expected, Kind, Person, Said, qgis};
use crate::matching::Views;
use crate::model::{self, Address, Facts, Message, Outcome, RoomName, Sender, SenderId};
use crate::sandbox::{self, Answer, Failure, Plugin, Question, Scene};

/// When messages come that do not say so: 2026-01-01T12:00:00Z.
const NOON: Timestamp = Timestamp::constant(1_767_268_800, 0);

/// What came of a case.
#[derive(Debug)]
pub(super) struct Ran {
    /// What the plugin wants done.
    pub(super) verdict: String,
    /// How long the call took; nothing when the relay would not have called it.
    pub(super) took: Option<Duration>,
    /// Linear memory of the instance afterwards, in bytes.
    pub(super) memory: Option<usize>,
    /// What is not as it should be.
    pub(super) wrong: Vec<String>,
}

impl Ran {
    fn failed(why: String) -> Self {
        Self { verdict: "failure".to_owned(), took: None, memory: None, wrong: vec![why] }
    }
}

/// Runs a case with a plugin of its own, which remembers nothing of those before. A text that it writes may have
/// `longest` code points.
pub(super) async fn run(plugin: &Plugin, case: &Case, longest: usize) -> Ran {
    let manifest = match plugin.manifest().clone().with_settings(case.settings.clone()) {
        Ok(manifest) => manifest,
        Err(fault) => return Ran::failed(format!("its settings: {fault}")),
    };
    let plugin = match plugin.anew(manifest).await {
        Ok(plugin) => plugin,
        Err(failure) => return Ran::failed(failure.to_string()),
    };
    let mut stage = Stage { plugin, case, longest, now: NOON };
    for (at, before) in case.before.iter().enumerate() {
        let person = before.sender.clone().or(&case.sender);
        if let Some((Err(failure), _)) = stage.say(&before.said(), &person).await {
            return Ran::failed(format!("message {} of `before`: {failure}", at + 1));
        }
    }
    let asked = match &case.asked {
        Asked::Message(said) => stage.say(said, &case.sender).await,
        Asked::Nickname(nickname) => stage.register(nickname).await,
    };
    let memory = stage.plugin.memory();
    match asked {
        Some((Ok(answer), took)) => {
            let wrong = differences(&case.expect, &answer);
            Ran { verdict: action(&answer).as_str().to_owned(), took: Some(took), memory, wrong }
        }
        Some((Err(failure), took)) => Ran { took: Some(took), ..Ran::failed(failure.to_string()) },
        None => {
            let answer = Answer { action: sandbox::Action::Pass, reason: None, labels: Vec::new(), sanction: None };
            let mut wrong = differences(&case.expect, &answer);
            if !wrong.is_empty() {
                wrong.push("the relay does not ask it: its description does not name this kind or hook".to_owned());
            }
            Ran { verdict: "not asked".to_owned(), took: None, memory, wrong }
        }
    }
}

/// An answer and how long it took; nothing where the relay would not ask.
type Asking = Option<(Result<Answer, Failure>, Duration)>;

/// A plugin, and the relay around it.
struct Stage<'c> {
    plugin: Plugin,
    case: &'c Case,
    longest: usize,
    now: Timestamp,
}

impl Stage<'_> {
    async fn say(&mut self, said: &Said, person: &Person) -> Asking {
        self.now = said.at.unwrap_or(self.now);
        let text = said.text.clone();
        let kind = match said.kind {
            Kind::Text => model::Kind::Text { avatar: None, text },
            Kind::Like => model::Kind::Like { liked: "bob".to_owned(), text },
        };
        if !self.plugin.wants(kind.name()) {
            return None;
        }
        let message = Message { at: self.now, ..Message::new(said.author.clone(), kind) };
        let sender = self.sender(said.room.clone(), person);
        let mut views = Views::default();
        views.read(&said.text);
        let folded = views.clean().to_owned();
        let question = Question::message(&message, folded, &sender, address(person), self.longest);
        let question = if self.plugin.wants_payload() { question.with_payload(&message) } else { question };
        Some(self.ask(&question, &message, &sender).await)
    }

    async fn register(&self, nickname: &str) -> Asking {
        if !self.plugin.wants_nicknames() {
            return None;
        }
        let message = Message { at: self.now, ..Message::new(nickname, model::Kind::Newcomer) };
        let sender = self.sender(qgis(), &self.case.sender);
        let question = Question::nickname(&message, &sender, address(&self.case.sender));
        Some(self.ask(&question, &message, &sender).await)
    }

    async fn ask(
        &self,
        question: &Question,
        message: &Message,
        sender: &Sender,
    ) -> (Result<Answer, Failure>, Duration) {
        let scene = Scene::of(message, sender);
        let began = Instant::now();
        let answer = self.plugin.ask(question, scene).await;
        (answer, began.elapsed())
    }

    /// Somebody who has been there for an hour, but for what the case says.
    fn sender(&self, room: RoomName, person: &Person) -> Sender {
        let mut names = self.case.room.names.clone();
        names.sort();
        Sender {
            connection: Some(SenderId(person.connection.unwrap_or(1))),
            address: Address::from(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            room,
            facts: Facts {
                since_start: Duration::ZERO,
                registered: person.registered.unwrap_or(false),
                connected: Duration::from_secs(person.seconds_connected.unwrap_or(3_600)),
                accepted: person.accepted.unwrap_or(10),
                refused: person.refused.unwrap_or(0),
                trusted: person.trusted.unwrap_or(false),
                members: self.case.room.members,
                names: Arc::from(names),
            },
        }
    }
}

fn address(person: &Person) -> String {
    person.address.clone().unwrap_or_else(|| "a1".to_owned())
}

fn action(answer: &Answer) -> Outcome {
    match answer.action {
        sandbox::Action::Pass => Outcome::Pass,
        sandbox::Action::Replace(_) => Outcome::Replace,
        sandbox::Action::Hold => Outcome::Hold,
        sandbox::Action::Shadow => Outcome::Shadow,
        sandbox::Action::Reject => Outcome::Reject,
    }
}

/// What of an answer is not as expected.
fn differences(expect: &Expected, answer: &Answer) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut differ = |what: &str, expected: String, came: String| {
        if expected != came {
            wrong.push(format!("{what}: expected {expected}, came {came}"));
        }
    };
    differ("action", expect.action.as_str().to_owned(), action(answer).as_str().to_owned());
    let quoted = |text: Option<&String>| text.map_or_else(|| "none".to_owned(), |text| format!("{text:?}"));
    if expect.reason.is_some() {
        differ("reason", quoted(expect.reason.as_ref()), quoted(answer.reason.as_ref()));
    }
    if expect.text.is_some() {
        let text = match &answer.action {
            sandbox::Action::Replace(text) => Some(text),
            _ => None,
        };
        differ("text", quoted(expect.text.as_ref()), quoted(text));
    }
    if let Some(labels) = &expect.labels {
        differ("labels", format!("{labels:?}"), format!("{:?}", answer.labels));
    }
    if let Some(sanction) = &expect.sanction {
        let came = answer.sanction.map(|came| format!("{} for {} s", came.as_str(), came.duration().as_secs()));
        let expected = format!("{} for {} s", sanction.kind, sanction.seconds);
        differ("sanction", expected, came.unwrap_or_else(|| "none".to_owned()));
    }
    wrong
}
