//! Notes for moderators.

use std::sync::Arc;

use jiff::Timestamp;

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

/// The kind of a note. Programs may rely on the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoteKind {
    /// A plugin failed too often and is suspended.
    PluginSuspended,
    /// A suspended plugin is healthy again.
    PluginHealthy,
    /// A plugin was loaded.
    PluginLoaded,
    /// A plugin could not be loaded.
    PluginNotLoaded,
    /// A plugin was removed.
    PluginRemoved,
    /// Rules and plugins were reloaded.
    Reloaded,
    /// The rules files have errors; the previous rules stay in force.
    RulesInvalid,
    /// Many senders send nearly the same text to a room. Noted once per raid.
    Raid,
    /// A message is held. The note names the room, never the text of the message.
    MessageHeld,
    /// A rule or plugin rejected too much and only observes from now on. Noted once.
    BreakerTripped,
    /// A part of the relay is not available.
    Degraded,
    /// A part of the relay works again.
    Recovered,
    /// Notes were lost because too many were added at a time.
    NotesLost,
}

impl NoteKind {
    /// Returns the stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PluginSuspended => "plugin_suspended",
            Self::PluginHealthy => "plugin_healthy",
            Self::PluginLoaded => "plugin_loaded",
            Self::PluginNotLoaded => "plugin_not_loaded",
            Self::PluginRemoved => "plugin_removed",
            Self::Reloaded => "reloaded",
            Self::RulesInvalid => "rules_invalid",
            Self::Raid => "raid",
            Self::MessageHeld => "message_held",
            Self::BreakerTripped => "breaker_tripped",
            Self::Degraded => "degraded",
            Self::Recovered => "recovered",
            Self::NotesLost => "notes_lost",
        }
    }
}
