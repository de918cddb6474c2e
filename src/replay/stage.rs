//! The relay around the chain, as far as a replay needs it.

use std::fmt;
use std::sync::Arc;

use super::echo::{Echo, Prompt};
use crate::filter::{self, Chain, Filter, rules};
use crate::model::Recorded;
use crate::moderation::audit::{Head, LoggedAct};
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
    rules: rules::Current,
    plugins: Option<Box<OpenPlugins<'p>>>,
}

impl fmt::Debug for LogStage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogStage").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl<'p> LogStage<'p> {
    /// A relay of these settings with these rules. Without plugins, what those said then is taken for what they say.
    #[must_use]
    pub fn new(config: filter::Config, rules: rules::Current, plugins: Option<Box<OpenPlugins<'p>>>) -> Self {
        Self { config, rules, plugins }
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
        let chain = Chain::build(&self.config, Arc::new(rules), Some(plugins), &Metrics::default());
        Ok(Begun { chain, in_force: None, prompt })
    }

    fn act(&mut self, _: &LoggedAct) {}

    fn judged(&mut self, _: &Recorded) {}
}
