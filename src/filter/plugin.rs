//! `plugin`: calls the plugins that apply to a message one after another, off the shard's thread.
//!
//! Turns their answers, modes and failures into verdicts. The sandbox runs the plugins.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Instant;

use super::{Filter, FilterAnswer, FilterParts, Finding, Purpose};
use crate::matching::Views;
use crate::model::{Basis, Match, Message, MessageKind, Mode, Reason, ReasonCode, Replacement, Sender, Verdict};
use crate::sandbox::{
    Action, CallContext, CheckRequest, Library, OnFailure, Plugin, PluginAnswer, PluginEntry, PluginFailure,
};

/// The reason given to a sender if the plugin gives none.
const NO_REASON: &str = "This message was refused by a filter of this instance.";
/// The reason given to a sender if a plugin failed.
const FAILED: &str = "A filter of this instance is temporarily unavailable; please try again later.";

/// All plugins, as one filter of the chain.
#[derive(Debug)]
pub struct PluginFilter {
    library: Arc<Library>,
    /// Longest replacement text of a plugin. Code points.
    max_message_length: usize,
    /// Hashes addresses for plugins.
    key: RandomState,
}

impl PluginFilter {
    /// Creates a filter of the plugins in `library` at the time of each message. Their replacement texts may have
    /// `max_message_length` code points.
    #[must_use]
    pub fn new(library: Arc<Library>, max_message_length: usize) -> Self {
        Self { library, max_message_length, key: RandomState::new() }
    }
}

impl Filter for PluginFilter {
    fn name(&self) -> &'static str {
        "plugin"
    }

    fn reads_nicknames(&self) -> bool {
        !self.library.current().entries.is_empty()
    }

    fn examine(&self, message: &Message, sender: &Sender, purpose: Purpose) -> FilterAnswer {
        let catalog = self.library.current();
        let applicable = catalog.entries.iter().filter(|entry| applies_to(entry, message, sender));
        let applicable: Vec<Arc<PluginEntry>> = applicable.map(Arc::clone).collect();
        if applicable.is_empty() {
            return FilterAnswer::Ready(Finding::PASS);
        }
        let address = format!("{:016x}", self.key.hash_one(sender.address));
        let max_message_length = self.max_message_length;
        let (message, sender) = (message.clone(), sender.clone());
        FilterAnswer::Pending(Box::pin(async move {
            let mut run = PluginRun { message, sender, purpose, address, max_message_length, finding: Finding::PASS };
            for entry in applicable {
                run.call(&entry).await;
                if !matches!(run.finding.verdict, Verdict::Pass | Verdict::Replace(_)) {
                    break;
                }
            }
            run.finding
        }))
    }

    fn parts(&self) -> FilterParts {
        FilterParts::Plugins(self.library.current())
    }

    fn reconfigured(&self, config: &super::Config) -> Option<Box<dyn Filter>> {
        let max_message_length = config.shape.max_message_length;
        Some(Box::new(Self { library: Arc::clone(&self.library), max_message_length, key: self.key.clone() }))
    }
}

/// Whether a plugin applies to a message. A plugin that failed to load applies to all texts and contents in its rooms, as the
/// kinds that it checks are not known. A plugin that is not built yet and passes messages on failure is ignored.
fn applies_to(entry: &PluginEntry, message: &Message, sender: &Sender) -> bool {
    let rooms = &entry.manifest.rooms;
    let here = rooms.is_empty() || rooms.iter().any(|room| room == sender.room.as_str());
    here && match &entry.plugin {
        Ok(plugin) if matches!(message.kind, MessageKind::Newcomer) => plugin.wants_nicknames(),
        Ok(plugin) => plugin.wants(message.kind.as_str()),
        Err(_) => {
            !entry.is_unbuilt_and_passes() && !matches!(message.kind, MessageKind::Newcomer | MessageKind::Like { .. })
        }
    }
}

/// The state of a message on its way through the plugins.
struct PluginRun {
    message: Message,
    sender: Sender,
    purpose: Purpose,
    address: String,
    max_message_length: usize,
    finding: Finding,
}

impl PluginRun {
    /// Calls one plugin and applies its answer.
    async fn call(&mut self, entry: &PluginEntry) {
        // Read once, since the mode may change meanwhile.
        let mode = entry.mode();
        let started = Instant::now();
        let answer = match &entry.plugin {
            Ok(plugin) => plugin.check(|| self.check_request(plugin), self.call_context()).await,
            Err(_) => Err(PluginFailure::NotLoaded),
        };
        let took = started.elapsed();
        let verdict = match &answer {
            Ok(answer) => verdict(answer),
            Err(_) => verdict_on_failure(entry.manifest.on_failure),
        };
        let failure = answer.as_ref().err().map(|failure| Arc::from(failure.to_string()));
        let (labels, sanction) = match answer {
            Ok(answer) => (answer.labels, answer.sanction),
            Err(_) => (Vec::new(), None),
        };
        self.finding.matches.push(Match {
            requested: verdict.outcome(),
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
            Verdict::Replace(replacement) => {
                self.message.replace(replacement.clone());
                self.finding.verdict = Verdict::Replace(replacement);
            }
            verdict => self.finding.verdict = verdict,
        }
    }

    fn call_context(&self) -> CallContext {
        CallContext { is_trial: self.purpose == Purpose::Try, ..CallContext::new(&self.message, &self.sender) }
    }

    fn check_request(&self, plugin: &Plugin) -> CheckRequest {
        if matches!(self.message.kind, MessageKind::Newcomer) {
            return CheckRequest::nickname(&self.message, &self.sender, self.address.clone());
        }
        let folded = self.message.text().map_or_else(String::new, clean);
        let (message, address) = (&self.message, self.address.clone());
        let request = CheckRequest::message(message, folded, &self.sender, address, self.max_message_length);
        if plugin.wants_payload() { request.with_payload(message) } else { request }
    }
}

/// Returns the text with disguises undone, as passed to plugins.
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
        Action::Replace(text) => Verdict::Replace(Replacement::Text(text.clone())),
        Action::Hold => Verdict::Hold(reason(ReasonCode::Plugin)),
        Action::Shadow => Verdict::Shadow(reason(ReasonCode::Plugin)),
        Action::Reject => Verdict::Reject(reason(ReasonCode::Plugin)),
    }
}

fn verdict_on_failure(policy: OnFailure) -> Verdict {
    match policy {
        OnFailure::Pass => Verdict::Pass,
        OnFailure::Hold => Verdict::Hold(Reason::new(ReasonCode::PluginFailed, FAILED)),
        OnFailure::Reject => Verdict::Reject(Reason::new(ReasonCode::PluginFailed, FAILED)),
    }
}
