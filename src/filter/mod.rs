//! The filters and their chain. Filters gather evidence one after another; the chain decides the outcome.
//!
//! A filter is a type that implements [`Filter`]. The configuration selects the filters and their order. To add a filter,
//! add a file here, a variant of [`FilterName`], a line in [`Chain::configured_filters`], and, if
//! it has settings, a line in [`Config::declare`].

pub mod breakers;
mod chain;
pub mod level;
mod newcomer;
pub mod plugin;
pub mod rate;
mod reload;
pub mod rules;
pub mod sanction;
pub mod shape;
mod stats;

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub use chain::{Chain, Judgement, PendingJudgement};
pub use newcomer::NewcomerDefinition;
pub use reload::{RulesReload, RulesReloadTrigger};
pub use stats::FilterStats;

use jiff::Timestamp;

use crate::model::{Match, Message, Sender, Verdict};
use crate::names::named;
use crate::sandbox;
use crate::settings::{Section, Setting};

/// One step of the chain.
pub trait Filter: fmt::Debug + Send + Sync {
    /// Returns the name used in traces, metrics and the configuration.
    fn name(&self) -> &'static str;

    /// Examines a message. Called once for each message that reaches the filter. Must not block. With [`Purpose::Try`],
    /// must leave the state of the filter unchanged.
    fn examine(&self, message: &Message, sender: &Sender, purpose: Purpose) -> FilterAnswer;

    /// Returns the parts of the filter that have statistics of their own.
    fn parts(&self) -> FilterParts {
        FilterParts::None
    }

    /// Whether it reads the nicknames of a room, [`SenderContext::nicknames`](crate::model::SenderContext::nicknames).
    fn reads_nicknames(&self) -> bool {
        false
    }

    /// Returns the same filter with other settings, sharing its state about senders. `None` if its settings cannot
    /// change while the relay runs.
    fn reconfigured(&self, _config: &Config) -> Option<Box<dyn Filter>> {
        None
    }

    /// Drops state about idle senders. Called every minute on a thread that may be busy for some milliseconds. Must not
    /// affect later answers.
    fn prune(&self, _now: ClockReading) {}
}

/// The time on both clocks that filters use. Filters never read a clock, so that a replay gives the same decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// As [`Message::at`].
    pub at: Timestamp,
    /// As [`SenderContext::since_start`](crate::model::SenderContext::since_start).
    pub since_start: Duration,
}

/// Why a message is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To deliver it if it passes.
    Judge,
    /// To see the outcome only. Nothing is counted or remembered.
    Try,
}

/// The answer of a filter, now or later.
pub enum FilterAnswer {
    /// An immediate answer, for work that takes microseconds.
    Ready(Finding),
    /// A later answer, for work that runs elsewhere, such as plugins. Only further messages of the same sender wait for
    /// it. The future must complete eventually, since the chain sets no deadline.
    Pending(Pin<Box<dyn Future<Output = Finding> + Send>>),
}

impl fmt::Debug for FilterAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(finding) => f.debug_tuple("Ready").field(finding).finish(),
            Self::Pending(_) => f.write_str("Pending"),
        }
    }
}

/// The parts of a filter that have statistics of their own.
#[derive(Clone, Debug)]
pub enum FilterParts {
    /// No such parts.
    None,
    /// Plugins, in the order in which they are called.
    Plugins(Arc<sandbox::Catalog>),
    /// Rules.
    Rules {
        /// The rules in force, in file order.
        set: Arc<rules::RuleSet>,
        /// Why the newest files are not in force, if the last reload failed.
        refused: Option<Arc<rules::RulesReloadError>>,
    },
}

/// The result of a filter: the verdict that it requests, and the matches behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The requested verdict.
    pub verdict: Verdict,
    /// All matches, including observed ones.
    pub matches: Vec<Match>,
}

impl Finding {
    /// No objection.
    pub const PASS: Self = Self { verdict: Verdict::Pass, matches: Vec::new() };
}

impl From<Verdict> for Finding {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, matches: Vec::new() }
    }
}

named! {
    /// The filters that the configuration can name.
    pub enum FilterName {
        /// [`shape`].
        Shape = "shape",
        /// [`rate`].
        Rate = "rate",
        /// [`rules`].
        Rules = "rules",
        /// [`plugin`].
        Plugin = "plugin",
    }
}

/// Settings of the chain and of each filter.
#[derive(Clone, Debug)]
pub struct Config {
    /// The filters to run, in this order; `shape` is always first.
    pub order: Vec<FilterName>,
    /// Limits of a message.
    pub shape: shape::Config,
    /// Rate limits.
    pub rate: rate::Config,
    /// Moderation levels.
    pub level: level::Config,
    /// Circuit breakers for new rules and plugins.
    pub breakers: breakers::Config,
    /// The rules file. It must exist if it is configured; the default may be missing.
    pub rules_file: Option<PathBuf>,
    /// The preset of the starter rules, unless the rules file sets one.
    pub preset: rules::Preset,
    /// Plugins.
    pub plugins: sandbox::Config,
}

impl Config {
    /// The default rules file.
    pub const DEFAULT_RULES_FILE: &str = "rules.toml";

    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        let order = section.read(
            Setting::new("order", vec![FilterName::Shape, FilterName::Rate, FilterName::Rules, FilterName::Plugin])
                .doc("Filters that every message passes, in this order. `shape` must come first.")
                .check(|order| check_order(order)),
        );
        let rules_file = section.read(
            Setting::new("rules_file", None)
                .doc("Rules file. If not set, `rules.toml` is used if it exists.")
                .env(&["RULES_FILE"])
                .reloads(),
        );
        if rules_file.is_some() && !order.contains(&FilterName::Rules) {
            section.error("rules_file", "its rules would not be in force: filter.order does not name `rules`");
        }
        let preset = section.read(
            Setting::new("preset", rules::Preset::default())
                .doc(
                    "Preset for the starter rules, unless the rules file sets one. \"off\": they do not run; \
                     \"open\": all observe; \"balanced\": only rules with few false positives enforce; \"strict\": \
                     all enforce.",
                )
                .reloads(),
        );
        let plugins = sandbox::Config::declare(&mut section.section(
            "plugins",
            "Plugins: custom filters in \
                                                                                WebAssembly.",
        ));
        if plugins.dir.is_some() && !order.contains(&FilterName::Plugin) {
            section.error("plugins.dir", "its plugins would not be in force: filter.order does not name `plugin`");
        }
        let level = level::Config::declare(section);
        Self {
            level,
            order,
            rules_file,
            preset,
            plugins,
            shape: shape::Config::declare(&mut section.section(
                "shape",
                "Length limits of nicknames, texts and \
                                                                         avatars.",
            )),
            rate: rate::Config::declare(&mut section.section("rate", "Rate limits for messages.")),
            breakers: breakers::Config::declare(&mut section.section(
                "breakers",
                "Circuit breakers: a recently changed rule or plugin that refuses too \
                                                many messages is switched to observe mode.",
            )),
        }
    }
}

/// Checks that `shape` comes first, since later filters rely on its limits, and that no filter is named twice.
fn check_order(order: &[FilterName]) -> Result<(), String> {
    if order.first() != Some(&FilterName::Shape) {
        return Err("`shape` must come first: later filters rely on its limits".to_owned());
    }
    let mut seen = std::collections::HashSet::new();
    if order.iter().all(|name| seen.insert(*name)) { Ok(()) } else { Err("a filter is named twice".to_owned()) }
}
