//! The chain: runs the filters in order and turns their findings into one [`Decision`].

use std::fmt;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use super::level::LevelFilter;
use super::rate::RateFilter;
use super::sanction::SanctionFilter;
use super::shape::ShapeFilter;
use super::stats::{FilterCounters, FilterStats};
use super::{ClockReading, Config, Filter, FilterAnswer, FilterName, Finding, Purpose, rules};
use crate::model::{Decision, Message, Outcome, Sender, TraceStep, Verdict};
use crate::moderation::State;
use crate::telemetry::{Histogram, Metrics};

/// The filters in order. Clones share the same chain.
#[derive(Clone, Debug)]
pub struct Chain {
    links: Arc<[Link]>,
}

#[derive(Debug)]
struct Link {
    filter: Arc<dyn Filter>,
    seconds: Histogram,
    counters: Arc<FilterCounters>,
}

impl Chain {
    /// Builds the configured chain from loaded `rules` and `plugins`. `state` holds the sanctions and levels.
    #[must_use]
    pub fn build(
        config: &Config,
        rules: Arc<rules::ActiveRules>,
        plugins: Option<Box<dyn Filter>>,
        state: &Arc<State>,
        metrics: &Metrics,
    ) -> Self {
        let first: Box<dyn Filter> = Box::new(SanctionFilter::new(Arc::clone(state)));
        let last: Box<dyn Filter> = Box::new(LevelFilter::new(&config.level, Arc::clone(state)));
        let named = Self::configured_filters(config, rules, plugins);
        Self::from_filters(std::iter::once(first).chain(named).chain([last]), metrics)
    }

    /// Returns the configured filters in order, with `plugins` in the place of the `plugin` filter.
    #[must_use]
    pub fn configured_filters(
        config: &Config,
        rules: Arc<rules::ActiveRules>,
        plugins: Option<Box<dyn Filter>>,
    ) -> Vec<Box<dyn Filter>> {
        let (mut rules, mut plugins) = (Some(rules), plugins);
        let filter = |name: &FilterName| -> Option<Box<dyn Filter>> {
            match name {
                FilterName::Shape => Some(Box::new(ShapeFilter::new(config.shape.clone()))),
                FilterName::Rate => Some(Box::new(RateFilter::new(&config.rate))),
                // The configuration ensures that a filter is named only once.
                FilterName::Rules => rules.take().map(|rules| Box::new(rules) as Box<dyn Filter>),
                FilterName::Plugin => plugins.take(),
            }
        };
        config.order.iter().filter_map(filter).collect()
    }

    /// Creates a chain of these filters.
    pub fn from_filters(filters: impl IntoIterator<Item = Box<dyn Filter>>, metrics: &Metrics) -> Self {
        let link = |filter: Box<dyn Filter>| Link {
            seconds: metrics.filter_seconds(filter.name()),
            counters: Arc::default(),
            filter: Arc::from(filter),
        };
        Self { links: filters.into_iter().map(link).collect() }
    }

    /// Returns a chain of the same filters with other settings. It shares their state and statistics.
    ///
    /// Messages that this chain is judging stay with it.
    #[must_use]
    pub fn reconfigured(&self, config: &Config) -> Self {
        let link = |link: &Link| Link {
            filter: link.filter.reconfigured(config).map_or_else(|| Arc::clone(&link.filter), Arc::from),
            seconds: link.seconds.clone(),
            counters: Arc::clone(&link.counters),
        };
        Self { links: self.links.iter().map(link).collect() }
    }

    /// Returns the statistics of each filter, in order. Trials do not count.
    #[must_use]
    pub fn stats(&self) -> Vec<FilterStats> {
        let stats = |link: &Link| link.counters.snapshot(link.filter.name(), link.filter.parts());
        self.links.iter().map(stats).collect()
    }

    /// Whether any filter reads the nicknames of a room, which take time to collect.
    #[must_use]
    pub fn reads_nicknames(&self) -> bool {
        self.links.iter().any(|link| link.filter.reads_nicknames())
    }

    /// Drops state about idle senders. Takes milliseconds if there are many, so do not call it on a thread that serves
    /// connections.
    pub fn prune(&self, now: ClockReading) {
        for link in self.links.iter() {
            link.filter.prune(now);
        }
    }

    /// Runs `message` through the filters, up to the first one that answers later.
    ///
    /// A filter that rejects, holds or shadows ends the chain. A filter that replaces the text or the content passes
    /// the new one to the filters behind it. With [`Purpose::Try`], nothing is counted or remembered.
    #[must_use]
    pub fn judge(&self, message: Message, sender: &Sender, purpose: Purpose) -> Judgement {
        let trace = Vec::with_capacity(self.links.len());
        let began = Instant::now();
        self.advance(Run { message, purpose, original: None, replaced_by: None, trace, position: 0, began }, sender)
    }

    fn advance(&self, mut run: Run, sender: &Sender) -> Judgement {
        while let Some(link) = self.links.get(run.position) {
            match link.filter.examine(&run.message, sender, run.purpose) {
                FilterAnswer::Ready(finding) => match run.apply(link, finding) {
                    ControlFlow::Continue(next) => run = next,
                    ControlFlow::Break(decision) => return Judgement::Ready(decision),
                },
                FilterAnswer::Pending(finding) => {
                    let chain = self.clone();
                    return Judgement::Pending(Box::new(PendingJudgement { chain, run, finding }));
                }
            }
        }
        Judgement::Ready(run.into_decision())
    }
}

/// The result of the chain, which may be pending.
#[derive(Debug)]
pub enum Judgement {
    /// All filters have answered, or one has ended the chain.
    Ready(Box<Decision>),
    /// A filter has yet to answer.
    Pending(Box<PendingJudgement>),
}

/// A message that waits for the answer of a filter.
pub struct PendingJudgement {
    /// The chain that it began with, even if another one has replaced it since.
    chain: Chain,
    run: Run,
    finding: Pin<Box<dyn Future<Output = Finding> + Send>>,
}

impl PendingJudgement {
    /// Waits for the filter that answers later, and runs the rest of the chain. Other filters in it may answer later, too.
    ///
    /// # Cancel safety
    /// Dropping the future drops the message. The rate limits that it used stay used.
    pub async fn finish(self, sender: &Sender) -> Decision {
        let Self { chain, mut run, mut finding } = self;
        loop {
            let found = finding.await;
            let judgement = match chain.links.get(run.position) {
                Some(link) => match run.apply(link, found) {
                    ControlFlow::Continue(run) => chain.advance(run, sender),
                    ControlFlow::Break(decision) => Judgement::Ready(decision),
                },
                None => Judgement::Ready(run.into_decision()),
            };
            match judgement {
                Judgement::Ready(decision) => return *decision,
                Judgement::Pending(next) => Self { run, finding, .. } = *next,
            }
        }
    }
}

impl fmt::Debug for PendingJudgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingJudgement").field("run", &self.run).finish_non_exhaustive()
    }
}

/// The state of a message on its way through the chain.
#[derive(Debug)]
struct Run {
    message: Message,
    purpose: Purpose,
    original: Option<String>,
    replaced_by: Option<&'static str>,
    trace: Vec<TraceStep>,
    /// Index of the current filter.
    position: usize,
    /// When the current filter began.
    began: Instant,
}

impl Run {
    /// Applies the finding of a filter. Breaks with the decision if it ends the chain.
    fn apply(
        mut self,
        Link { filter, seconds, counters }: &Link,
        finding: Finding,
    ) -> ControlFlow<Box<Decision>, Self> {
        let Finding { verdict, matches } = finding;
        let ended = Instant::now();
        let took = ended.saturating_duration_since(self.began);
        self.began = ended;
        self.position += 1;
        let outcome = verdict.outcome();
        if self.purpose == Purpose::Judge {
            seconds.observe(took.as_secs_f64());
            counters.record(outcome, took);
        }

        let step = |matched, verdict| TraceStep { filter: filter.name(), verdict, matched, took };
        if matches.is_empty() {
            self.trace.push(step(None, outcome));
        } else {
            self.trace.extend(matches.into_iter().map(|matched| step(Some(matched.clone()), matched.requested)));
        }
        match verdict {
            Verdict::Pass => ControlFlow::Continue(self),
            Verdict::Replace(replacement) => {
                let sent = self.message.replace(replacement);
                self.original = self.original.or(sent);
                self.replaced_by = self.replaced_by.or(Some(filter.name()));
                ControlFlow::Continue(self)
            }
            Verdict::Hold(reason) | Verdict::Shadow(reason) | Verdict::Reject(reason) => {
                let Self { message, original, trace, .. } = self;
                let decided_by = Some(filter.name());
                let reason = Some(reason);
                ControlFlow::Break(Box::new(Decision { message, original, outcome, reason, decided_by, trace }))
            }
        }
    }

    /// Returns the decision on a message that no filter has stopped.
    fn into_decision(self) -> Box<Decision> {
        let Self { message, original, replaced_by, trace, .. } = self;
        let outcome = if replaced_by.is_some() { Outcome::Replace } else { Outcome::Pass };
        Box::new(Decision { message, original, outcome, reason: None, decided_by: replaced_by, trace })
    }
}

#[cfg(test)]
mod tests;
