//! Actors: moderators, rules, plugins and the relay itself.

use std::fmt;
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

/// The moderator, rule or plugin that caused an action, or the relay itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "ActorForm")]
pub enum Actor {
    /// A moderator, by name.
    Moderator(Arc<str>),
    /// A rule, by id.
    Rule(Arc<str>),
    /// A plugin, by name.
    Plugin(Arc<str>),
    /// The relay itself: a time limit expired, a breaker tripped, or a signal came.
    Relay,
}

impl Actor {
    /// The stable name of the kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Moderator(_) => "moderator",
            Self::Rule(_) => "rule",
            Self::Plugin(_) => "plugin",
            Self::Relay => "relay",
        }
    }

    /// The name of the moderator, rule or plugin; `relay` for the relay.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Moderator(name) | Self::Rule(name) | Self::Plugin(name) => name,
            Self::Relay => "relay",
        }
    }
}

/// An object with the kind as its key, such as `{"moderator": "jane"}`.
impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.kind(), self.name())?;
        map.end()
    }
}

/// The serialised form of an actor.
#[derive(Deserialize)]
#[serde(untagged)]
enum ActorForm {
    Named(NamedActor),
    /// The relay, in format 1 of the store.
    Bare(BareActor),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum NamedActor {
    Moderator(Arc<str>),
    Rule(Arc<str>),
    Plugin(Arc<str>),
    Relay(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum BareActor {
    Relay,
}

impl From<ActorForm> for Actor {
    fn from(form: ActorForm) -> Self {
        match form {
            ActorForm::Named(NamedActor::Moderator(name)) => Self::Moderator(name),
            ActorForm::Named(NamedActor::Rule(id)) => Self::Rule(id),
            ActorForm::Named(NamedActor::Plugin(name)) => Self::Plugin(name),
            ActorForm::Named(NamedActor::Relay(_)) | ActorForm::Bare(BareActor::Relay) => Self::Relay,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relay => f.write_str("the relay"),
            Self::Moderator(name) => f.write_str(name),
            Self::Rule(name) | Self::Plugin(name) => write!(f, "{} `{name}`", self.kind()),
        }
    }
}
