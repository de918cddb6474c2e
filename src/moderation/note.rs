//! Notes for moderators.

use std::sync::Arc;

use jiff::Timestamp;

use crate::names::named;

/// A note for moderators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When it was added.
    pub at: Timestamp,
    /// Its kind.
    pub kind: NoteKind,
    /// What happened, for people.
    pub text: Arc<str>,
    /// The plugin concerned, if any.
    pub plugin: Option<Arc<str>>,
}

named! {
    /// The kind of a note. Programs may rely on the names.
    pub enum NoteKind {
        /// A plugin failed too often and is suspended.
        PluginSuspended = "plugin_suspended",
        /// A suspended plugin is healthy again.
        PluginHealthy = "plugin_healthy",
        /// A plugin was loaded.
        PluginLoaded = "plugin_loaded",
        /// A plugin could not be loaded.
        PluginNotLoaded = "plugin_not_loaded",
        /// A plugin was removed.
        PluginRemoved = "plugin_removed",
        /// Rules and plugins were reloaded.
        Reloaded = "reloaded",
        /// The rules files have errors; the previous rules stay in force.
        RulesInvalid = "rules_invalid",
        /// Many senders send nearly the same text to a room. Noted once per raid.
        Raid = "raid",
        /// A message is held. The note names the room, never the text of the message.
        MessageHeld = "message_held",
        /// The queue of held messages is half full, nearly full, or full.
        HeldQueue = "held_queue",
        /// A rule or plugin refused too much and only observes from now on. Noted once.
        BreakerTripped = "breaker_tripped",
        /// The audit log does not end where the last run ended it.
        AuditCut = "audit_cut",
        /// The wall clock was set.
        ClockJumped = "clock_jumped",
        /// A part of the relay is not available.
        Degraded = "degraded",
        /// A part of the relay works again.
        Recovered = "recovered",
        /// Notes were lost because too many were added at a time.
        NotesLost = "notes_lost",
    }
}
