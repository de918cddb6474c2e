//! Runs one case with a newly loaded plugin and compares its answer with the expected one.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::case::{CaseInput, CaseMessage, CaseSender, ExpectedAnswer, PluginCase, qgis};
use crate::matching::Views;
use crate::model::{self, Address, ConnectionId, Message, RoomName, Sender, SenderContext};
use crate::sandbox::{self, CallContext, CheckRequest, Plugin, PluginAnswer, PluginFailure};

/// The default time of messages: 2026-01-01T12:00:00Z.
const NOON: Timestamp = Timestamp::constant(1_767_268_800, 0);

/// The result of a case.
#[derive(Debug)]
pub(super) struct CaseResult {
    /// The name of the plugin's verdict.
    pub(super) verdict: String,
    /// How long the call took; `None` if the relay would not call the plugin.
    pub(super) took: Option<Duration>,
    /// Linear memory of the instance afterwards, in bytes.
    pub(super) memory: Option<usize>,
    /// Differences from the expected answer.
    pub(super) mismatches: Vec<String>,
}

impl CaseResult {
    fn failed(reason: String) -> Self {
        Self { verdict: "failure".to_owned(), took: None, memory: None, mismatches: vec![reason] }
    }
}

/// Runs a case with a fresh copy of the plugin, which has an empty store. A replacement text may have at most
/// `max_chars` code points.
pub(super) async fn run(plugin: &Plugin, case: &PluginCase, max_chars: usize) -> CaseResult {
    let manifest = match plugin.manifest().clone().with_settings(case.settings.clone()) {
        Ok(manifest) => manifest,
        Err(error) => return CaseResult::failed(format!("invalid settings: {error}")),
    };
    let plugin = match plugin.with_manifest(manifest).await {
        Ok(plugin) => plugin,
        Err(failure) => return CaseResult::failed(failure.to_string()),
    };
    let mut runner = CaseRunner { plugin, case, max_chars, now: NOON };
    for (at, before) in case.before.iter().enumerate() {
        let person = before.sender.clone().or(&case.sender);
        if let Some((Err(failure), _)) = runner.send(&before.message, &person).await {
            return CaseResult::failed(format!("message {} of `before`: {failure}", at + 1));
        }
    }
    let called = match &case.input {
        CaseInput::Message(input) => runner.send(input, &case.sender).await,
        CaseInput::Nickname(nickname) => runner.register(nickname).await,
    };
    let memory = runner.plugin.memory();
    match called {
        Some((Ok(answer), took)) => {
            let mismatches = differences(&case.expect, &answer);
            CaseResult { verdict: answer.action.outcome().to_string(), took: Some(took), memory, mismatches }
        }
        Some((Err(failure), took)) => CaseResult { took: Some(took), ..CaseResult::failed(failure.to_string()) },
        None => {
            let answer =
                PluginAnswer { action: sandbox::Action::Pass, reason: None, labels: Vec::new(), sanction: None };
            let mut mismatches = differences(&case.expect, &answer);
            if !mismatches.is_empty() {
                mismatches
                    .push("the relay does not call it: its description does not name this kind or hook".to_owned());
            }
            CaseResult { verdict: "not called".to_owned(), took: None, memory, mismatches }
        }
    }
}

/// An answer and how long it took; `None` if the relay would not call the plugin.
type CallResult = Option<(Result<PluginAnswer, PluginFailure>, Duration)>;

/// A plugin and the simulated relay around it.
struct CaseRunner<'c> {
    plugin: Plugin,
    case: &'c PluginCase,
    max_chars: usize,
    now: Timestamp,
}

impl CaseRunner<'_> {
    async fn send(&mut self, input: &CaseMessage, person: &CaseSender) -> CallResult {
        self.now = input.at.unwrap_or(self.now);
        if !self.plugin.wants(input.kind.as_str()) {
            return None;
        }
        let message = Message { at: self.now, ..Message::new(input.author.clone(), input.kind.clone()) };
        let sender = self.sender(input.room.clone(), person);
        let mut views = Views::default();
        views.read(message.text().unwrap_or_default());
        let folded = views.clean().to_owned();
        let request = CheckRequest::message(&message, folded, &sender, address(person), self.max_chars);
        let request = if self.plugin.wants_payload() { request.with_payload(&message) } else { request };
        Some(self.call(request, &message, &sender).await)
    }

    async fn register(&self, nickname: &str) -> CallResult {
        if !self.plugin.wants_nicknames() {
            return None;
        }
        let message = Message { at: self.now, ..Message::new(nickname, model::MessageKind::Newcomer) };
        let sender = self.sender(qgis(), &self.case.sender);
        let request = CheckRequest::nickname(&message, &sender, address(&self.case.sender));
        Some(self.call(request, &message, &sender).await)
    }

    async fn call(
        &self,
        request: CheckRequest,
        message: &Message,
        sender: &Sender,
    ) -> (Result<PluginAnswer, PluginFailure>, Duration) {
        let context = CallContext::new(message, sender);
        let started = Instant::now();
        let answer = self.plugin.check(|| request, context).await;
        (answer, started.elapsed())
    }

    /// A sender who has been connected for an hour, with the differences in the case.
    fn sender(&self, room: RoomName, person: &CaseSender) -> Sender {
        let mut names = self.case.room.names.clone();
        names.sort();
        Sender {
            connection: Some(ConnectionId(person.connection.unwrap_or(1))),
            address: Address::from(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            room,
            context: SenderContext {
                since_start: Duration::ZERO,
                registered: person.registered.unwrap_or(false),
                connected: Duration::from_secs(person.seconds_connected.unwrap_or(3_600)),
                accepted: person.accepted.unwrap_or(10),
                refused: person.refused.unwrap_or(0),
                trusted: person.trusted.unwrap_or(false),
                quotes: true,
                member_count: self.case.room.members,
                nicknames: Arc::from(names),
            },
        }
    }
}

fn address(person: &CaseSender) -> String {
    person.address.clone().unwrap_or_else(|| "a1".to_owned())
}

/// Returns the differences between an answer and the expected one.
fn differences(expect: &ExpectedAnswer, answer: &PluginAnswer) -> Vec<String> {
    let mut mismatches = Vec::new();
    let mut compare = |field: &str, expected: String, actual: String| {
        if expected != actual {
            mismatches.push(format!("{field}: expected {expected}, got {actual}"));
        }
    };
    compare("action", expect.action.as_str().to_owned(), answer.action.outcome().to_string());
    let quoted = |text: Option<&String>| text.map_or_else(|| "none".to_owned(), |text| format!("{text:?}"));
    if expect.reason.is_some() {
        compare("reason", quoted(expect.reason.as_ref()), quoted(answer.reason.as_ref()));
    }
    if expect.text.is_some() {
        let text = match &answer.action {
            sandbox::Action::Replace(text) => Some(text),
            _ => None,
        };
        compare("text", quoted(expect.text.as_ref()), quoted(text));
    }
    if let Some(labels) = &expect.labels {
        compare("labels", format!("{labels:?}"), format!("{:?}", answer.labels));
    }
    if let Some(sanction) = &expect.sanction {
        let actual = answer.sanction.map(|actual| format!("{} for {} s", actual.as_str(), actual.duration().as_secs()));
        let expected = format!("{} for {} s", sanction.kind, sanction.seconds);
        compare("sanction", expected, actual.unwrap_or_else(|| "none".to_owned()));
    }
    mismatches
}
