//! Decisions, acts and sanctions as moderators see them. Addresses lack their last part.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::model::form::milliseconds;
use crate::model::{Act, Actor, DecisionView, JudgedMessage, MaskedAddress, Sanction, Sender};
use crate::moderation::{HeldMessage, Note};

/// A sanction.
pub(super) type SanctionView = Sanction<MaskedAddress>;

/// Returns the view of a sanction.
pub(super) fn sanction(sanction: &Sanction) -> SanctionView {
    sanction.clone().map_address(MaskedAddress)
}

/// The sender of a message.
#[derive(Debug, Serialize)]
struct SenderView {
    member: Option<String>,
    address: MaskedAddress,
    registered: bool,
    connected_seconds: u64,
    accepted: u64,
    refused: u64,
    trusted: bool,
}

impl From<&Sender> for SenderView {
    fn from(Sender { connection, address, room: _, context }: &Sender) -> Self {
        Self {
            member: connection.map(|id| id.to_string()),
            address: MaskedAddress(*address),
            registered: context.registered,
            connected_seconds: context.connected.as_secs(),
            accepted: context.accepted,
            refused: context.refused,
            trusted: context.trusted,
        }
    }
}

/// A decision with its entry number and its sender.
#[derive(Debug)]
pub(super) struct DecisionEntry {
    pub(super) entry: u64,
    pub(super) judged: Arc<JudgedMessage>,
    /// Whether positions and extents are shown.
    pub(super) shows_places: bool,
}

fn decision_view(judged: &JudgedMessage, shows_places: bool) -> DecisionView<'_> {
    let JudgedMessage { decision, sender, .. } = judged;
    if shows_places { decision.view_with_place(&sender.room) } else { decision.view(&sender.room) }
}

impl Serialize for DecisionEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct View<'a> {
            #[serde(flatten)]
            decision: DecisionView<'a>,
            entry: u64,
            size: usize,
            sender: SenderView,
        }
        let judged = &*self.judged;
        let (decision, sender) = (decision_view(judged, self.shows_places), (&judged.sender).into());
        View { decision, entry: self.entry, size: judged.size, sender }.serialize(serializer)
    }
}

/// A held message.
#[derive(Debug)]
pub(in crate::api) struct HeldView {
    pub(super) held: HeldMessage,
    /// Whether positions and extents are shown.
    pub(super) shows_places: bool,
}

impl Serialize for HeldView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct View<'a> {
            #[serde(flatten)]
            decision: DecisionView<'a>,
            size: usize,
            sender: SenderView,
            #[serde(with = "milliseconds")]
            expires: Timestamp,
            held_by: Option<&'a Actor>,
        }
        let HeldMessage { recorded, held_by, expires_at, .. } = &self.held;
        let (decision, sender) = (decision_view(recorded, self.shows_places), (&recorded.sender).into());
        let (size, held_by) = (recorded.size, held_by.as_ref());
        View { decision, size, sender, expires: *expires_at, held_by }.serialize(serializer)
    }
}

/// An act with its entry number.
#[derive(Debug, Serialize)]
pub(super) struct ActEntry {
    #[serde(flatten)]
    act: Act<SanctionView>,
    entry: u64,
}

impl ActEntry {
    pub(super) fn new(entry: u64, act: &Act) -> Self {
        Self { act: act.clone().map_sanction(|sanction| sanction.map_address(MaskedAddress)), entry }
    }
}

/// A note with its entry number.
#[derive(Debug, Serialize)]
pub(super) struct NoteEntry<'a> {
    entry: u64,
    #[serde(with = "milliseconds")]
    at: Timestamp,
    kind: &'static str,
    text: &'a str,
}

impl<'a> NoteEntry<'a> {
    pub(super) fn new(entry: u64, Note { at, kind, text, .. }: &'a Note) -> Self {
        Self { entry, at: *at, kind: kind.as_str(), text }
    }
}
