//! Plugins in the chain: each that wants to see a message is asked in turn, off the shard's thread.
//!
//! Owns what the answers of plugins, their modes and their failures amount to. How a plugin is run is the sandbox's
//! business.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Instant;

use super::{Answer, Filter, Finding, Parts, Purpose};
use crate::matching::Views;
use crate::model::{Basis, Code, Kind, Match, Message, Mode, Reason, Sender, Verdict};
use crate::sandbox::{Action, Answer as PluginAnswer, Entry, Failure, Library, OnFailure, Plugin, Question, Scene};

/// What is said to a sender when a plugin gives no reason.
const NO_REASON: &str = "This message was refused by a filter of this instance.";
/// What is said when a plugin could not answer.
const FAILED: &str = "A filter of this instance cannot be asked now; please try again later.";

/// The plugins of the folder, as one step of the chain.
#[derive(Debug)]
pub struct Plugins {
    library: Arc<Library>,
    /// Longest text that a plugin may put in place of another, in code points.
    max_message_length: usize,
    /// Makes of an address what plugins see of it.
    key: RandomState,
}

impl Plugins {
    /// The plugins of `library`, as they are when a message comes; texts that they write may have `max_message_length` code points.
    #[must_use]
    pub fn new(library: Arc<Library>, max_message_length: usize) -> Self {
        Self { library, max_message_length, key: RandomState::new() }
    }
}

impl Filter for Plugins {
    fn name(&self) -> &'static str {
        "plugin"
    }

    fn wants_names(&self) -> bool {
        !self.library.current().entries.is_empty()
    }

    fn examine(&self, message: &Message, sender: &Sender, purpose: Purpose) -> Answer {
        let catalog = self.library.current();
        let concerned = catalog.entries.iter().filter(|entry| concerns(entry, message, sender));
        let concerned: Vec<Arc<Entry>> = concerned.map(Arc::clone).collect();
        if concerned.is_empty() {
            return Answer::Now(Finding::PASS);
        }
        let address = format!("{:016x}", self.key.hash_one(sender.address));
        let max_message_length = self.max_message_length;
        let (message, sender) = (message.clone(), sender.clone());
        Answer::Later(Box::pin(async move {
            let mut hearing = Hearing { message, sender, purpose, address, max_message_length, finding: Finding::PASS };
            for entry in concerned {
                hearing.ask(&entry).await;
                if !matches!(hearing.finding.verdict, Verdict::Pass | Verdict::Replace(_)) {
                    break;
                }
            }
            hearing.finding
        }))
    }

    fn parts(&self) -> Parts {
        Parts::Plugins(self.library.current())
    }

    fn reconfigured(&self, config: &super::Config) -> Option<Box<dyn Filter>> {
        let max_message_length = config.shape.max_message_length;
        Some(Box::new(Self { library: Arc::clone(&self.library), max_message_length, key: self.key.clone() }))
    }
}

/// Whether a plugin is to see a message. One that cannot be loaded would see all of its rooms; one that nobody has built
/// yet, and that lets messages pass, is as good as not there.
fn concerns(entry: &Entry, message: &Message, sender: &Sender) -> bool {
    let rooms = &entry.manifest.rooms;
    let here = rooms.is_empty() || rooms.iter().any(|room| room == sender.room.as_str());
    here && match &entry.plugin {
        Ok(plugin) if matches!(message.kind, Kind::Newcomer) => plugin.wants_nicknames(),
        Ok(plugin) => plugin.wants(message.kind.name()),
        Err(_) => !entry.is_unbuilt_and_passes() && matches!(message.kind, Kind::Text { .. }),
    }
}

/// A message before the plugins.
struct Hearing {
    message: Message,
    sender: Sender,
    purpose: Purpose,
    address: String,
    max_message_length: usize,
    finding: Finding,
}

impl Hearing {
    /// Asks one plugin and takes its answer in.
    async fn ask(&mut self, entry: &Entry) {
        // Once, so that the message is judged by one mode.
        let mode = entry.mode();
        let began = Instant::now();
        let answer = match &entry.plugin {
            Ok(plugin) => plugin.ask(&self.question(plugin), self.scene()).await,
            Err(_) => Err(Failure::NotLoaded),
        };
        let took = began.elapsed();
        let verdict = match &answer {
            Ok(answer) => verdict(answer),
            Err(_) => on_failure(entry.manifest.on_failure),
        };
        let failure = answer.as_ref().err().map(|failure| Arc::from(failure.to_string()));
        let (labels, sanction) = match answer {
            Ok(answer) => (answer.labels, answer.sanction),
            Err(_) => (Vec::new(), None),
        };
        self.finding.matches.push(Match {
            asked: verdict.outcome(),
            mode,
            exempt: false,
            field: None,
            basis: Basis::Plugin { name: Arc::from(entry.manifest.name.as_str()), took, failure, sanction },
            span: None,
            labels: labels.into_iter().map(Arc::from).collect(),
        });
        if mode == Mode::Observe {
            return;
        }
        match verdict {
            Verdict::Pass => {}
            Verdict::Replace(text) => {
                self.message.replace_text(text.clone());
                self.finding.verdict = Verdict::Replace(text);
            }
            ending => self.finding.verdict = ending,
        }
    }

    fn scene(&self) -> Scene {
        Scene { trial: self.purpose == Purpose::Try, ..Scene::of(&self.message, &self.sender) }
    }

    fn question(&self, plugin: &Plugin) -> Question {
        if matches!(self.message.kind, Kind::Newcomer) {
            return Question::nickname(&self.message, &self.sender, self.address.clone());
        }
        let folded = self.message.text().map_or_else(String::new, clean);
        let (message, address) = (&self.message, self.address.clone());
        let question = Question::message(message, folded, &self.sender, address, self.max_message_length);
        if plugin.wants_payload() { question.with_payload(message) } else { question }
    }
}

/// The text without its disguises, as plugins get it.
fn clean(text: &str) -> String {
    thread_local! {
        static VIEWS: RefCell<Views> = RefCell::default();
    }
    VIEWS.with_borrow_mut(|views| {
        views.read(text);
        views.clean().to_owned()
    })
}

fn verdict(answer: &PluginAnswer) -> Verdict {
    let reason = |code| Reason::new(code, answer.reason.clone().unwrap_or_else(|| NO_REASON.to_owned()));
    match &answer.action {
        Action::Pass => Verdict::Pass,
        Action::Replace(text) => Verdict::Replace(text.clone()),
        Action::Hold => Verdict::Hold(reason(Code::Plugin)),
        Action::Shadow => Verdict::Shadow(reason(Code::Plugin)),
        Action::Reject => Verdict::Reject(reason(Code::Plugin)),
    }
}

fn on_failure(policy: OnFailure) -> Verdict {
    match policy {
        OnFailure::Pass => Verdict::Pass,
        OnFailure::Hold => Verdict::Hold(Reason::new(Code::PluginFailed, FAILED)),
        OnFailure::Reject => Verdict::Reject(Reason::new(Code::PluginFailed, FAILED)),
    }
}
