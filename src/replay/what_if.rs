//! Rules that are tried beside those in force, over the decisions in memory.

use std::sync::Arc;
use std::time::Instant;

use super::echo::{Echo, Prompt};
use super::engine::{Ended, Replay};
use super::past::{Origin, Past};
use super::report::Report;
use super::stage::{Begun, Stage};
use crate::filter::rules::{Current, Rules};
use crate::filter::{self, Chain, Filter};
use crate::model::Recorded;
use crate::moderation::audit::{Head, LoggedAct};
use crate::telemetry::Metrics;

/// What rules are tried on.
#[derive(Debug)]
pub struct WhatIf<'a> {
    /// The chain.
    pub config: &'a filter::Config,
    /// The rules in force, and what they take for nearly the same. Nothing of them is changed.
    pub current: &'a Current,
    /// When to stop. What is not judged by then is counted.
    pub until: Instant,
    /// How many flips are told of one by one.
    pub most_flips: usize,
}

/// Judges past decisions with the rules `tried`, and tells which become others.
///
/// What sanctions, plugins and levels said then, they say again. The decisions in memory begin in the middle, so that
/// `in_force`, the rules in force read anew, judge them too: what those do not come to again is counted as uncertain,
/// and is no flip. Takes some 20 µs for a decision: no work for a thread that serves.
#[must_use]
pub fn what_if(past: &[Arc<Recorded>], at: &WhatIf<'_>, in_force: Rules, tried: Rules) -> Report {
    let mut stage = Beside { at, rules: Some((in_force, tried)) };
    let mut replay = Replay::new(&mut stage, at.most_flips, None);
    let mut in_order: Vec<&Arc<Recorded>> = past.iter().collect();
    in_order.sort_by_key(|recorded| recorded.sender.facts.since_start);
    let judged = judge(&mut replay, &in_order, at.until).and_then(|()| replay.finish());
    // The stage can always begin.
    judged.unwrap_or_default()
}

fn judge(replay: &mut Replay<'_, Beside<'_>>, past: &[&Arc<Recorded>], until: Instant) -> Result<(), Ended> {
    replay.begin_in_memory()?;
    for (done, recorded) in past.iter().enumerate() {
        if Instant::now() >= until {
            replay.note(format!("the time was up: the last {} decisions were not looked at", past.len() - done));
            break;
        }
        match Past::of_memory(recorded) {
            Ok(past) => replay.past_now(&past),
            Err(why) => replay.skip(why, 1, &Origin::default()),
        }
    }
    Ok(())
}

/// Two sets of rules, side by side.
#[derive(Debug)]
struct Beside<'a> {
    at: &'a WhatIf<'a>,
    rules: Option<(Rules, Rules)>,
}

impl Stage for Beside<'_> {
    fn begin(&mut self, _: Option<&Head>) -> Result<Begun, String> {
        let WhatIf { config, current, .. } = self.at;
        let (in_force, tried) = self.rules.take().ok_or("there is but one run in memory")?;
        let prompt = Arc::<Prompt>::default();
        let chain = |rules: Rules, counts: bool| {
            let echo = |name| -> Box<dyn Filter> {
                let echo = Echo::of(name, &prompt);
                Box::new(if counts { echo } else { echo.uncounted() })
            };
            let named = Chain::named(config, Arc::new(current.beside(rules)), Some(echo("plugin")));
            Chain::of([echo("sanction")].into_iter().chain(named).chain([echo("level")]), &Metrics::default())
        };
        let (chain, in_force) = (chain(tried, true), Some(chain(in_force, false)));
        Ok(Begun { chain, in_force, prompt })
    }

    fn act(&mut self, _: &LoggedAct) {}

    fn judged(&mut self, _: &Recorded) {}
}
