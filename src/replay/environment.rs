//! The parts of the relay around the chain that a replay needs.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::recorded_filter::{Playback, RecordedFilter};
use super::state::ReplayState;
use crate::audit::{FileHead, LoggedAct};
use crate::filter::{self, Chain, Filter, rules};
use crate::model::JudgedMessage;
use crate::moderation::{self, State};
use crate::telemetry::Metrics;

/// The surroundings in which messages are judged again.
pub trait Environment {
    /// Begins a run without earlier messages. `head` holds the sanctions and levels at its beginning, if they are known.
    /// The run started at `started_at`, by the clock of [`State::time_at`].
    ///
    /// # Errors
    /// A description of why the run cannot begin.
    fn begin_run(&mut self, head: Option<&FileHead>, started_at: Timestamp) -> Result<Run, String>;

    /// Repeats an act of a moderator.
    fn apply_act(&mut self, act: &LoggedAct);

    /// Applies the consequences of a decision, such as the sanctions that it asks for.
    fn apply_decision(&mut self, recorded: &JudgedMessage);
}

/// The chains of a run.
#[derive(Debug)]
pub struct Run {
    /// The chain under test.
    pub chain: Chain,
    /// The chain in force. A decision that it does not reproduce is too uncertain to be compared.
    pub baseline: Option<Chain>,
    /// Input of the [`RecordedFilter`]s.
    pub playback: Arc<Playback>,
}

/// Opens the plugins as they are when a relay starts: with empty stores.
pub type OpenPlugins<'p> = dyn FnMut() -> Result<Box<dyn Filter>, String> + 'p;

/// The environment of a log replay. Each run begins with empty rate buckets and an empty memory.
pub struct LogEnvironment<'p> {
    config: filter::Config,
    moderation: moderation::Config,
    rules: rules::ActiveRules,
    plugins: Option<Box<OpenPlugins<'p>>>,
    state: Option<ReplayState>,
}

impl fmt::Debug for LogEnvironment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogEnvironment").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl<'p> LogEnvironment<'p> {
    /// Creates an environment with these settings and rules. Without `plugins`, the logged answers of plugins are used.
    #[must_use]
    pub fn new(
        config: filter::Config,
        moderation: moderation::Config,
        rules: rules::ActiveRules,
        plugins: Option<Box<OpenPlugins<'p>>>,
    ) -> Self {
        Self { config, moderation, rules, plugins, state: None }
    }

    /// Returns the sanctions and levels at the end of the last run; `None` before the first run.
    #[must_use]
    pub fn state(&self) -> Option<&Arc<State>> {
        self.state.as_ref().map(ReplayState::state)
    }
}

impl Environment for LogEnvironment<'_> {
    fn begin_run(&mut self, head: Option<&FileHead>, started_at: Timestamp) -> Result<Run, String> {
        let playback = Arc::<Playback>::default();
        let rules = self.rules.fresh();
        let rules = match head {
            Some(head) => rules.seeded_by(&head.run.to_string()),
            None => rules,
        };
        let plugins = match &mut self.plugins {
            Some(open) => open()?,
            None => Box::new(RecordedFilter::new("plugin", &playback)),
        };
        let state = self.state.insert(ReplayState::from_head(&self.moderation, head, started_at)?);
        let metrics = Metrics::default();
        let chain = Chain::build(&self.config, Arc::new(rules), Some(plugins), state.state(), &metrics);
        Ok(Run { chain, baseline: None, playback })
    }

    fn apply_act(&mut self, act: &LoggedAct) {
        if let Some(state) = &mut self.state {
            state.apply_act(act);
        }
    }

    fn apply_decision(&mut self, recorded: &JudgedMessage) {
        if let Some(state) = &mut self.state {
            state.apply_decision(recorded);
        }
    }
}
