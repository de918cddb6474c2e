//! Tries rules alongside those in force, on the decisions in memory.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::engine::{Replay, ReplayError};
use super::environment::{Environment, Run};
use super::past_decision::{DecisionOrigin, PastDecision};
use super::recorded_filter::{Playback, RecordedFilter};
use super::report::ReplayReport;
use crate::audit::{FileHead, LoggedAct};
use crate::filter::rules::{ActiveRules, RuleSet};
use crate::filter::{self, Chain, Filter};
use crate::model::JudgedMessage;
use crate::telemetry::Metrics;

/// The surroundings and limits of a trial of rules.
#[derive(Debug)]
pub struct WhatIf<'a> {
    /// The settings of the chain.
    pub config: &'a filter::Config,
    /// The rules in force, with their similarity seed. They are not changed.
    pub current: &'a ActiveRules,
    /// When to stop. Decisions that are not judged by then are counted.
    pub deadline: Instant,
    /// How many flips the report lists.
    pub max_flips: usize,
}

/// Judges past decisions by the rules `tried` and reports which of them change.
///
/// Sanctions, plugins and levels answer as they did then. Because the decisions in memory begin mid-run, `in_force`, a
/// fresh copy of the rules in force, judges them too: a decision that these do not reproduce counts as uncertain and is
/// not a flip. Takes about 20 µs a decision, so call it on a blocking thread.
#[must_use]
pub fn what_if(past: &[Arc<JudgedMessage>], at: &WhatIf<'_>, in_force: RuleSet, tried: RuleSet) -> ReplayReport {
    let mut environment = WhatIfEnvironment { at, rules: Some((in_force, tried)) };
    let mut replay = Replay::new(&mut environment, at.max_flips, None);
    let mut in_order: Vec<&Arc<JudgedMessage>> = past.iter().collect();
    in_order.sort_by_key(|recorded| recorded.sender.context.since_start);
    let judged = judge(&mut replay, &in_order, at.deadline).and_then(|()| replay.finish());
    // This environment can always begin its only run.
    judged.unwrap_or_default()
}

fn judge(
    replay: &mut Replay<'_, WhatIfEnvironment<'_>>,
    past: &[&Arc<JudgedMessage>],
    deadline: Instant,
) -> Result<(), ReplayError> {
    for (done, recorded) in past.iter().enumerate() {
        if Instant::now() >= deadline {
            replay.add_note(format!(
                "the time limit was reached: the last {} decisions were not judged",
                past.len() - done
            ));
            break;
        }
        match PastDecision::from_memory(recorded) {
            Ok(past) => replay.judge_now(&past)?,
            Err(reason) => replay.add_skipped(reason, 1, &DecisionOrigin::default()),
        }
    }
    Ok(())
}

/// The rules under test and those in force, in turn.
#[derive(Debug)]
struct WhatIfEnvironment<'a> {
    at: &'a WhatIf<'a>,
    rules: Option<(RuleSet, RuleSet)>,
}

impl Environment for WhatIfEnvironment<'_> {
    fn begin_run(&mut self, _: Option<&FileHead>, _: Timestamp) -> Result<Run, String> {
        let WhatIf { config, current, .. } = self.at;
        let (in_force, tried) = self.rules.take().ok_or("there is only one run in memory")?;
        let playback = Arc::<Playback>::default();
        let chain = |rules: RuleSet, counts: bool| {
            let recorded = |name| -> Box<dyn Filter> {
                let filter = RecordedFilter::new(name, &playback);
                Box::new(if counts { filter } else { filter.without_counting() })
            };
            let named = Chain::configured_filters(config, Arc::new(current.alongside(rules)), Some(recorded("plugin")));
            Chain::from_filters(
                [recorded("sanction")].into_iter().chain(named).chain([recorded("level")]),
                &Metrics::default(),
            )
        };
        let (chain, baseline) = (chain(tried, true), Some(chain(in_force, false)));
        Ok(Run { chain, baseline, playback })
    }

    fn apply_act(&mut self, _: &LoggedAct) {}

    fn apply_decision(&mut self, _: &JudgedMessage) {}
}
