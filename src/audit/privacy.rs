//! The kept fields of decisions, acts and sanctions. Each function names all fields of what it converts, so that a new field
//! does not reach the log unnoticed.

use std::sync::Arc;

use super::config::Texts;
use super::head::LoggedSanction;
use super::key::HashKeys;
use super::line::{LoggedAct, LoggedDecision, LoggedImage, LoggedKind, LoggedReason, LoggedSender};
use crate::model::{
    Act, Actor, Basis, Content, Decision, JudgedMessage, Match, Message, MessageKind, Outcome, PngInfo, Reason,
    Sanction, Sender, SenderContext, TraceStep,
};

/// Maximum length of the text of a refused message, unless full texts are logged, in code points.
const MAX_EXCERPT: usize = 80;
/// Maximum length of a text, in code points: the maximum of `filter.shape.max_message_length`.
const MAX_TEXT: usize = 65_536;
/// Maximum length of an author, an avatar and the name of a liked author, in code points.
const MAX_NAME: usize = 1_024;
/// Replaces the words of a plugin, which may quote a text.
const NOT_LOGGED: &str = "not logged";

/// The kept parts of a content.
struct LoggedContent<'c> {
    kind: LoggedKind,
    name: Option<&'c str>,
    image: Option<LoggedImage>,
}

impl Default for LoggedContent<'_> {
    fn default() -> Self {
        Self { kind: LoggedKind::Text, name: None, image: None }
    }
}

/// The setting of texts, and the keys of hashes.
#[derive(Clone, Copy)]
pub(super) struct Privacy<'k> {
    pub(super) texts: Texts,
    pub(super) keys: &'k HashKeys,
}

impl Privacy<'_> {
    /// Returns what is kept of a decision. With `texts` off, that is nothing that the sender wrote but the author's name.
    pub(super) fn decision(&self, n: u64, judged: &JudgedMessage) -> LoggedDecision {
        let JudgedMessage { decision, sender, size: _ } = judged;
        let Decision { message, original, outcome, reason, decided_by, trace } = decision;
        let Message { id, at, author, kind, in_reply_to: _ } = message;
        let Sender { connection, address, room, context } = sender;
        let SenderContext {
            registered,
            connected,
            accepted,
            refused,
            trusted,
            quotes,
            since_start,
            member_count,
            nicknames: _,
        } = context;
        let mut content = LoggedContent::default();
        let (kind, avatar, liked, sent) = match kind {
            MessageKind::Text { avatar, text } => (LoggedKind::Text, avatar.as_deref(), None, Some(text.as_str())),
            MessageKind::Like { liked, text } => (LoggedKind::Like, None, Some(liked.as_str()), Some(text.as_str())),
            MessageKind::Newcomer => (LoggedKind::Newcomer, None, None, None),
            MessageKind::Content { avatar, content: shared } => {
                content = self.content(shared);
                (content.kind, avatar.as_deref(), None, None)
            }
        };
        let (text, sent) = match original {
            Some(original) => (Some(original.as_str()), sent),
            None => (sent, None),
        };
        let full = self.texts == Texts::Full;
        let is_refused = matches!(outcome, Outcome::Hold | Outcome::Shadow | Outcome::Reject);
        let (text, name, longest) = match self.texts {
            Texts::Full => (text, content.name, MAX_TEXT),
            Texts::Refusals => (text.filter(|_| is_refused), content.name.filter(|_| is_refused), MAX_EXCERPT),
            Texts::Off => (None, None, 0),
        };
        let mut cut = false;
        let mut shorten = |text: &str, longest: usize| {
            let short = shortened(text, longest);
            cut |= short.len() < text.len();
            short.to_owned()
        };
        LoggedDecision {
            n,
            id: *id,
            shown_at: *at,
            at: *at,
            room: room.clone(),
            author: shorten(author, MAX_NAME),
            kind,
            outcome: *outcome,
            reason: reason.as_ref().map(|Reason { code, text, retry_after: _ }| LoggedReason {
                code: *code,
                text: full.then(|| shortened(text, MAX_NAME).to_owned()),
            }),
            by: decided_by.map(Into::into),
            text: text.map(|text| shorten(text, longest)),
            sent: sent.filter(|_| full).map(|sent| shorten(sent, MAX_TEXT)),
            avatar: avatar.filter(|_| full).map(|avatar| shorten(avatar, MAX_NAME)),
            liked: liked.filter(|_| full).map(|liked| shorten(liked, MAX_NAME)),
            name: name.map(|name| shorten(name, longest.min(MAX_NAME))),
            image: content.image,
            cut,
            trace: trace.iter().map(|step| self.step(step)).collect(),
            since_start: *since_start,
            sender: LoggedSender {
                connection: connection.map(|id| id.0),
                address: self.keys.hash(*address),
                registered: *registered,
                connected: *connected,
                accepted: *accepted,
                refused: *refused,
                trusted: *trusted,
                quotes: *quotes,
                members: *member_count,
            },
        }
    }

    /// Returns what is kept of a content: never a place, nor anything of a file but the size and the keyed hash of an
    /// image.
    fn content<'c>(&self, content: &'c Content) -> LoggedContent<'c> {
        let (kind, name, image) = match content {
            Content::Image(image) => (LoggedKind::Image, None, image.png),
            Content::GeoJson(layer) => (LoggedKind::GeoJson, Some(layer.name.as_str()), None),
            Content::Crs(_) => (LoggedKind::Crs, None, None),
            Content::Bbox(_) => (LoggedKind::Bbox, None, None),
            Content::Position(_) => (LoggedKind::Position, None, None),
            Content::Model(model) => (LoggedKind::Model, Some(model.name.as_str()), None),
            Content::Script(script) => (LoggedKind::Script, Some(script.name.as_str()), None),
        };
        let image = image.map(|PngInfo { width, height, bytes, digest }| {
            let hash = self.keys.hash_digest(&digest);
            LoggedImage { width, height, bytes, hash }
        });
        LoggedContent { kind, name, image }
    }

    /// Returns what is kept of a step: all but the labels of plugins and the words of their failures, which may quote a
    /// text.
    fn step(&self, step: &TraceStep) -> TraceStep {
        let TraceStep { filter, verdict, matched, took } = step;
        let matched = matched.as_ref().map(|matched| {
            let Match { requested, mode, exempt, basis, field, span, labels } = matched;
            let (basis, labels) = match basis {
                Basis::Plugin { name, took, failure, sanction } if self.texts != Texts::Full => {
                    let failure = failure.as_ref().map(|_| NOT_LOGGED.into());
                    let (name, took, sanction) = (Arc::clone(name), *took, *sanction);
                    (Basis::Plugin { name, took, failure, sanction }, Vec::new())
                }
                Basis::Rule { .. } | Basis::Sanction { .. } | Basis::Plugin { .. } => (basis.clone(), labels.clone()),
            };
            Match { requested: *requested, mode: *mode, exempt: *exempt, basis, field: *field, span: *span, labels }
        });
        TraceStep { filter, verdict: *verdict, matched, took: *took }
    }

    /// Returns what is kept of an act.
    pub(super) fn act(&self, n: u64, act: Act) -> LoggedAct {
        let act = act.map_sanction(|sanction| self.sanction(sanction));
        LoggedAct { n, at: act.at, since_start: act.since_start, act }
    }

    /// Returns what is kept of a sanction: all but the reason that a plugin gave, which may quote a text.
    pub(super) fn sanction(&self, sanction: Sanction) -> LoggedSanction {
        let Sanction { id, kind, target, room, at, until, reason, actor, step } = sanction;
        let is_kept = self.texts == Texts::Full || !matches!(actor, Actor::Plugin(_));
        let (target, reason) = (target.map_address(|address| self.keys.hash(address)), is_kept.then_some(reason));
        LoggedSanction { id, kind, target, room, at, until, reason, actor, step }
    }
}

/// Returns the first code points of a text.
fn shortened(text: &str, longest: usize) -> &str {
    let end = text.char_indices().nth(longest).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or(text)
}
