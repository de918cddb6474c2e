//! The relay around the chain, as far as a replay needs it.

use std::fmt;
use std::sync::Arc;

use super::echo::{Echo, Prompt};
use super::standing::Standing;
use crate::filter::{self, Chain, Filter, rules};
use crate::model::Recorded;
use crate::moderation::audit::{Head, LoggedAct};
use crate::moderation::{self, State};
use crate::telemetry::Metrics;

/// What judges messages again.
pub trait Stage {
    /// Begins a run: nothing was said yet, and what is known of how things stood is in `head`.
    ///
    /// # Errors
    /// Why there can be none, in words.
    fn begin(&mut self, head: Option<&Head>) -> Result<Begun, String>;

    /// Does again what moderators did.
    fn act(&mut self, act: &LoggedAct);

    /// Lets follow from a decision what follows from it beside the verdict.
    fn judged(&mut self, recorded: &Recorded);
}

/// The chains of a run.
#[derive(Debug)]
pub struct Begun {
    /// The one that is tried.
    pub chain: Chain,
    /// The one in force. What it does not come to again is not known well enough to be compared.
    pub in_force: Option<Chain>,
    /// For the filters that say what was said then.
    pub prompt: Arc<Prompt>,
}

/// Opens the plugins, as a relay that starts has them: nothing in their stores.
pub type OpenPlugins<'p> = dyn FnMut() -> Result<Box<dyn Filter>, String> + 'p;

/// A relay for logs: each run of them begins with empty buckets and an empty memory.
pub struct LogStage<'p> {
    config: filter::Config,
    moderation: moderation::Config,
    rules: rules::Current,
    plugins: Option<Box<OpenPlugins<'p>>>,
    standing: Option<Standing>,
}

impl fmt::Debug for LogStage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogStage").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl<'p> LogStage<'p> {
    /// A relay of these settings with these rules. Without plugins, what those said then is taken for what they say.
    #[must_use]
    pub fn new(
        config: filter::Config,
        moderation: moderation::Config,
        rules: rules::Current,
        plugins: Option<Box<OpenPlugins<'p>>>,
    ) -> Self {
        Self { config, moderation, rules, plugins, standing: None }
    }

    /// Sanctions and levels at the end of the last run; `None` before the first one.
    #[must_use]
    pub fn state(&self) -> Option<&Arc<State>> {
        self.standing.as_ref().map(Standing::state)
    }
}

impl Stage for LogStage<'_> {
    fn begin(&mut self, head: Option<&Head>) -> Result<Begun, String> {
        let prompt = Arc::<Prompt>::default();
        let rules = self.rules.afresh();
        let rules = match head {
            Some(head) => rules.of_run(&head.run.to_string()),
            None => rules,
        };
        let plugins = match &mut self.plugins {
            Some(open) => open()?,
            None => Box::new(Echo::of("plugin", &prompt)),
        };
        let standing = self.standing.insert(Standing::begin(&self.moderation, head)?);
        let metrics = Metrics::default();
        let chain = Chain::build(&self.config, Arc::new(rules), Some(plugins), standing.state(), &metrics);
        Ok(Begun { chain, in_force: None, prompt })
    }

    fn act(&mut self, act: &LoggedAct) {
        if let Some(standing) = &mut self.standing {
            standing.act(act);
        }
    }

    fn judged(&mut self, recorded: &Recorded) {
        if let Some(standing) = &mut self.standing {
            standing.judged(recorded);
        }
    }
}
