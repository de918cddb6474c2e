//! The decision on one message.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::form::milliseconds;
use super::static_name::{self, StaticName};
use super::trace::deciding_match;
use super::{Bounds, Content, Extent, Image, Match, Message, Outcome, Position, Reason, RoomName, TraceStep};

/// The decision of the chain on one message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The message as broadcast, with what replaced its text or its content.
    #[serde(flatten)]
    pub message: Message,
    /// The text as sent, if it was replaced.
    pub original: Option<String>,
    /// The outcome.
    pub outcome: Outcome,
    /// Why, unless it passes unchanged.
    pub reason: Option<Reason>,
    /// The filter that decided; `None` if every filter let it pass.
    #[serde(default, rename = "by", deserialize_with = "static_name::optional")]
    pub decided_by: Option<StaticName>,
    /// The answers of the filters, in order.
    pub trace: Vec<TraceStep>,
}

/// The part of a decision that its sender learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderNotice<'a> {
    /// The message is broadcast, or appears so to its sender.
    Accepted,
    /// The message waits for a moderator.
    Held(&'a Reason),
    /// The message is rejected.
    Rejected(&'a Reason),
}

/// A decision holds or rejects a message without a reason, which is a bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message was held or rejected without a reason")]
pub struct MissingReason;

impl Decision {
    /// Returns the part that the sender learns.
    ///
    /// # Errors
    /// [`MissingReason`] if the decision has no reason but needs one.
    pub fn sender_notice(&self) -> Result<SenderNotice<'_>, MissingReason> {
        match (self.outcome, &self.reason) {
            (Outcome::Pass | Outcome::Replace | Outcome::Shadow, _) => Ok(SenderNotice::Accepted),
            (Outcome::Hold, Some(reason)) => Ok(SenderNotice::Held(reason)),
            (Outcome::Reject, Some(reason)) => Ok(SenderNotice::Rejected(reason)),
            (Outcome::Hold | Outcome::Reject, None) => Err(MissingReason),
        }
    }

    /// Returns the match that decided; `None` if every filter let the message pass, or the filter that decided has no
    /// rules or plugins.
    #[must_use]
    pub fn deciding_match(&self) -> Option<&Match> {
        deciding_match(&self.trace, self.decided_by?, self.reason.as_ref().map(|reason| reason.code))
    }

    /// Returns the text as sent.
    #[must_use]
    pub fn original_text(&self) -> Option<&str> {
        self.original.as_deref().or_else(|| self.message.text())
    }

    /// Returns the decision as moderators see it, without the place of a position, extent or layer.
    #[must_use]
    pub fn view<'a>(&'a self, room: &'a RoomName) -> DecisionView<'a> {
        let view = self.view_with_place(room);
        DecisionView { content: view.content.and_then(ContentView::without_place), ..view }
    }

    /// Returns the decision with the place of a position, extent or layer, for instances whose moderators may see places.
    #[must_use]
    pub fn view_with_place<'a>(&'a self, room: &'a RoomName) -> DecisionView<'a> {
        let Self { message, original, outcome, reason, decided_by: _, trace } = self;
        DecisionView {
            id: message.id,
            at: message.at,
            room,
            author: &message.author,
            kind: message.kind.as_str(),
            outcome: *outcome,
            reason: reason.as_ref(),
            text: self.original_text(),
            sent: original.as_ref().and(message.text()),
            content: message.content().map(ContentView::new).filter(|view| *view != ContentView::default()),
            trace,
        }
    }
}

/// A [`Decision`] and its room, as moderators see them.
#[derive(Clone, Debug, Serialize)]
pub struct DecisionView<'a> {
    id: Uuid,
    #[serde(with = "milliseconds")]
    at: Timestamp,
    room: &'a RoomName,
    author: &'a str,
    kind: &'static str,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a Reason>,
    /// The text as sent by its author.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    /// The text as broadcast, if it was replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<&'a str>,
    /// The properties of an image, layer, model or script.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<ContentView<'a>>,
    trace: &'a [TraceStep],
}

/// The properties of a content, as moderators see them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
struct ContentView<'a> {
    /// The name of a layer, model or script.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    /// Number of features of a layer.
    #[serde(skip_serializing_if = "Option::is_none")]
    features: Option<usize>,
    /// Width of an image, in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    /// Height of an image, in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    /// Size of an image, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
    /// A position: x and y.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<[f64; 2]>,
    /// An extent, or that of a layer: x and y of a corner, and of the one opposite.
    #[serde(skip_serializing_if = "Option::is_none")]
    extent: Option<[f64; 4]>,
    /// The identifier of the coordinate reference system of the position or extent. May be empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    crs: Option<&'a str>,
}

impl<'a> ContentView<'a> {
    fn new(content: &'a Content) -> Self {
        match content {
            Content::Image(Image { data: _, png }) => Self {
                width: png.map(|png| png.width),
                height: png.map(|png| png.height),
                bytes: png.map(|png| png.bytes),
                ..Self::default()
            },
            Content::GeoJson(layer) => Self {
                name: Some(&layer.name),
                features: Some(layer.features),
                extent: layer.bounds.map(|Bounds { xmin, ymin, xmax, ymax }| [xmin, ymin, xmax, ymax]),
                crs: layer.bounds.is_some().then_some(layer.crs.authid.as_str()),
                ..Self::default()
            },
            Content::Crs(_) => Self::default(),
            Content::Bbox(Extent { crs, xmin, xmax, ymin, ymax }) => {
                Self { extent: Some([*xmin, *ymin, *xmax, *ymax]), crs: Some(&crs.authid), ..Self::default() }
            }
            Content::Position(Position { crs, x, y }) => {
                Self { position: Some([*x, *y]), crs: Some(&crs.authid), ..Self::default() }
            }
            Content::Model(model) => Self { name: Some(&model.name), ..Self::default() },
            Content::Script(script) => Self { name: Some(&script.name), ..Self::default() },
        }
    }

    /// Returns `None` if nothing else is left.
    fn without_place(self) -> Option<Self> {
        let view = Self { position: None, extent: None, crs: None, ..self };
        (view != Self::default()).then_some(view)
    }
}
