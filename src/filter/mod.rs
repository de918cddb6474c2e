//! The filters and the chain they make: evidence is gathered filter by filter, the outcome decided in one place.
//!
//! A filter is a type that implements [`Filter`]; which run, and in which order, the configuration says. To add one: a
//! file here, a name in [`Name`], a line in [`Config::declare`] and one in [`Chain::build`].

pub mod brakes;
mod chain;
mod figures;
pub mod level;
pub mod plugin;
pub mod rate;
mod reload;
pub mod rules;
pub mod sanction;
pub mod shape;

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

pub use chain::{Chain, Judgement, Waiting};
pub use figures::{FilterFigures, Parts};
pub use reload::{Asked, RulesReload};

use jiff::Timestamp;

use crate::model::{Match, Message, Sender, Verdict};
use crate::sandbox;
use crate::settings::{Choice, Section, Setting};

/// One step of the chain.
pub trait Filter: fmt::Debug + Send + Sync {
    /// The name in traces, metrics and the configuration.
    fn name(&self) -> &'static str;

    /// Looks at a message. Called once for each message that got this far; must not block. What is only tried must
    /// leave no trace in what the filter keeps.
    fn examine(&self, message: &Message, sender: &Sender, purpose: Purpose) -> Answer;

    /// What it consists of, each part with figures of its own.
    fn parts(&self) -> Parts {
        Parts::None
    }

    /// Whether it looks at the nicknames of a room, [`Facts::names`](crate::model::Facts::names).
    fn wants_names(&self) -> bool {
        false
    }

    /// The same filter under other settings, with all that it remembers of senders; `None` where its own settings cannot
    /// change while the relay runs.
    fn reconfigured(&self, _config: &Config) -> Option<Box<dyn Filter>> {
        None
    }

    /// Forgets what it keeps of senders that have gone quiet. Called every minute, on a thread that may be busy for
    /// some milliseconds. A filter must answer the same whether it was called or not.
    fn prune(&self, _now: Now) {}
}

/// What time it is, by both clocks that filters go by. None of them reads a clock itself, so that a replay comes to the
/// same decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// As [`Message::at`].
    pub at: Timestamp,
    /// As [`Facts::since_start`](crate::model::Facts::since_start).
    pub since_start: Duration,
}

/// What a message is judged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be heard, if it may be.
    Judge,
    /// To see what would become of it. Nothing is counted, taken or remembered.
    Try,
}

/// When a filter answers.
pub enum Answer {
    /// At once. What costs microseconds answers so.
    Now(Finding),
    /// Later: for a filter whose work runs elsewhere, as that of a plugin does. Only the sender's own messages wait
    /// for it. It must come to an end by itself: the chain sets no deadline.
    Later(Pin<Box<dyn Future<Output = Finding> + Send>>),
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now(finding) => f.debug_tuple("Now").field(finding).finish(),
            Self::Later(_) => f.write_str("Later"),
        }
    }
}

/// What a filter found: the verdict that it wants and what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What the filter wants done.
    pub verdict: Verdict,
    /// What it matched, observed matches included.
    pub matches: Vec<Match>,
}

impl Finding {
    /// Nothing to object to.
    pub const PASS: Self = Self { verdict: Verdict::Pass, matches: Vec::new() };
}

impl From<Verdict> for Finding {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, matches: Vec::new() }
    }
}

/// The filters that the configuration may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// [`shape`].
    Shape,
    /// [`rate`].
    Rate,
    /// [`rules`].
    Rules,
    /// [`plugin`].
    Plugin,
}

impl Name {
    /// The name as the configuration writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, name)| *name == self).map_or("", |(text, _)| text)
    }
}

impl Choice for Name {
    const NAMES: &'static [(&'static str, Self)] =
        &[("shape", Self::Shape), ("rate", Self::Rate), ("rules", Self::Rules), ("plugin", Self::Plugin)];
}

/// Settings of the chain and of each filter.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which filters run, in this order; `shape` is always the first.
    pub order: Vec<Name>,
    /// Bounds of a message.
    pub shape: shape::Config,
    /// Rate limits.
    pub rate: rate::Config,
    /// Levels that moderators set.
    pub level: level::Config,
    /// What is done about rules and plugins that are new and refuse too much.
    pub brakes: brakes::Config,
    /// The rules file. It must exist when an operator named it; the default may be absent.
    pub rules_file: Option<PathBuf>,
    /// How much the starter rules do, unless the rules file says so.
    pub preset: rules::Preset,
    /// Plugins.
    pub plugins: sandbox::Config,
}

impl Config {
    /// Where the rules are when the configuration does not say.
    pub const DEFAULT_RULES_FILE: &str = "rules.toml";

    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        let order = section.read(
            Setting::new("order", vec![Name::Shape, Name::Rate, Name::Rules, Name::Plugin])
                .doc("The filters that every message passes, in this order. `shape` comes first.")
                .check(|order| check_order(order)),
        );
        let rules_file = section.read(
            Setting::new("rules_file", None)
                .doc("The file with the rules. When not set: `rules.toml`, if there is one.")
                .env(&["RULES_FILE"])
                .reloads(),
        );
        if rules_file.is_some() && !order.contains(&Name::Rules) {
            section.fault("rules_file", "its rules would not be in force: filter.order does not name `rules`");
        }
        let preset = section.read(
            Setting::new("preset", rules::Preset::default())
                .doc(
                    "How much the starter rules do, unless the rules file says so. \"off\": they do not run; \"open\": \
                     they watch; \"balanced\": those act that can hardly be wrong; \"strict\": all act.",
                )
                .reloads(),
        );
        let plugins = sandbox::Config::declare(&mut section.section("plugins", "Filters that moderators write."));
        if plugins.dir.is_some() && !order.contains(&Name::Plugin) {
            section.fault("plugins.dir", "its plugins would not be in force: filter.order does not name `plugin`");
        }
        Self {
            order,
            rules_file,
            preset,
            plugins,
            shape: shape::Config::declare(&mut section.section("shape", "What a message may look like.")),
            rate: rate::Config::declare(&mut section.section("rate", "How much may be said, and by whom.")),
            level: level::Config::declare(&mut section.section("level", "What the levels do that moderators set.")),
            brakes: brakes::Config::declare(
                &mut section.section("brakes", "When a new rule or plugin that refuses too much only observes."),
            ),
        }
    }
}

/// Later filters rely on the bounds that `shape` keeps.
fn check_order(order: &[Name]) -> Result<(), String> {
    if order.first() != Some(&Name::Shape) {
        return Err("`shape` must come first: the filters behind it rely on its bounds".to_owned());
    }
    let mut seen = std::collections::HashSet::new();
    if order.iter().all(|name| seen.insert(*name)) { Ok(()) } else { Err("a filter is named twice".to_owned()) }
}
