//! The chain: runs the filters in order and turns what they find into one [`Decision`].

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use super::figures::{FilterFigures, Work};
use super::level::Levelled;
use super::rate::Rate;
use super::sanction::Sanctioned;
use super::shape::Shape;
use super::{Answer, Config, Filter, Finding, Name, Now, Purpose, rules};
use crate::model::{Decision, Message, Outcome, Sender, Step, Verdict};
use crate::moderation::State;
use crate::telemetry::{Histogram, Metrics};

/// The filters in their order. A clone is the same chain.
#[derive(Clone, Debug)]
pub struct Chain {
    links: Arc<[Link]>,
}

#[derive(Debug)]
struct Link {
    filter: Arc<dyn Filter>,
    seconds: Histogram,
    work: Arc<Work>,
}

impl Chain {
    /// The chain that `config` describes, with `rules` and `plugins` as already loaded and what moderators have done in
    /// `state`.
    #[must_use]
    pub fn build(
        config: &Config,
        rules: Arc<rules::Current>,
        plugins: Option<Box<dyn Filter>>,
        state: &Arc<State>,
        metrics: &Metrics,
    ) -> Self {
        let first: Box<dyn Filter> = Box::new(Sanctioned::new(Arc::clone(state)));
        let last: Box<dyn Filter> = Box::new(Levelled::new(&config.level, Arc::clone(state)));
        let named = Self::named(config, rules, plugins);
        Self::of(std::iter::once(first).chain(named).chain([last]), metrics)
    }

    /// The filters that `config` names, in their order; `plugins` stands where the plugins have their place.
    #[must_use]
    pub fn named(
        config: &Config,
        rules: Arc<rules::Current>,
        plugins: Option<Box<dyn Filter>>,
    ) -> Vec<Box<dyn Filter>> {
        let (mut rules, mut plugins) = (Some(rules), plugins);
        let filter = |name: &Name| -> Option<Box<dyn Filter>> {
            match name {
                Name::Shape => Some(Box::new(Shape::new(config.shape.clone()))),
                Name::Rate => Some(Box::new(Rate::new(&config.rate))),
                // A filter is named once, which the configuration checks.
                Name::Rules => rules.take().map(|rules| Box::new(rules) as Box<dyn Filter>),
                Name::Plugin => plugins.take(),
            }
        };
        config.order.iter().filter_map(filter).collect()
    }

    /// A chain of these filters.
    pub fn of(filters: impl IntoIterator<Item = Box<dyn Filter>>, metrics: &Metrics) -> Self {
        let link = |filter: Box<dyn Filter>| Link {
            seconds: metrics.filter_seconds(filter.name()),
            work: Arc::default(),
            filter: Arc::from(filter),
        };
        Self { links: filters.into_iter().map(link).collect() }
    }

    /// The same filters under other settings. They keep what they remember, and their figures go on.
    ///
    /// A message that this chain is judging stays with it to the end.
    #[must_use]
    pub fn reconfigured(&self, config: &Config) -> Self {
        let link = |link: &Link| Link {
            filter: link.filter.reconfigured(config).map_or_else(|| Arc::clone(&link.filter), Arc::from),
            seconds: link.seconds.clone(),
            work: Arc::clone(&link.work),
        };
        Self { links: self.links.iter().map(link).collect() }
    }

    /// What each filter has done so far, in their order. Trials do not count.
    #[must_use]
    pub fn figures(&self) -> Vec<FilterFigures> {
        let figures = |link: &Link| link.work.figures(link.filter.name(), link.filter.parts());
        self.links.iter().map(figures).collect()
    }

    /// Whether a filter looks at the nicknames of a room, which cost time to put together.
    #[must_use]
    pub fn wants_names(&self) -> bool {
        self.links.iter().any(|link| link.filter.wants_names())
    }

    /// Forgets what filters keep of senders that have gone quiet. Takes milliseconds when there are many; not for a
    /// thread that serves connections.
    pub fn prune(&self, now: Now) {
        for link in self.links.iter() {
            link.filter.prune(now);
        }
    }

    /// Runs `message` through the filters, up to the first one that answers later.
    ///
    /// A filter that rejects, holds or shadows ends the chain; one that replaces the text shows the new one to the
    /// filters behind it. What is only tried has no effect on what comes after it, and is not counted.
    #[must_use]
    pub fn judge(&self, message: Message, sender: &Sender, purpose: Purpose) -> Judgement {
        let trace = Vec::with_capacity(self.links.len());
        let began = Instant::now();
        self.advance(Run { message, purpose, original: None, replaced_by: None, trace, at: 0, began }, sender)
    }

    fn advance(&self, mut run: Run, sender: &Sender) -> Judgement {
        while let Some(link) = self.links.get(run.at) {
            match link.filter.examine(&run.message, sender, run.purpose) {
                Answer::Now(finding) => match run.apply(link, finding) {
                    Ok(undecided) => run = undecided,
                    Err(decision) => return Judgement::Decided(decision),
                },
                Answer::Later(finding) => {
                    let chain = self.clone();
                    return Judgement::Waiting(Box::new(Waiting { chain, run, finding }));
                }
            }
        }
        Judgement::Decided(run.passed())
    }
}

/// How far the chain has come with a message.
#[derive(Debug)]
pub enum Judgement {
    /// All filters have spoken, or one has ended the chain.
    Decided(Box<Decision>),
    /// A filter answers later.
    Waiting(Box<Waiting>),
}

/// A message whose filter answers later.
pub struct Waiting {
    /// The chain that it began with, whatever has taken the place of that meanwhile.
    chain: Chain,
    run: Run,
    finding: Pin<Box<dyn Future<Output = Finding> + Send>>,
}

impl Waiting {
    /// Waits for the filter that the message is at, and goes on with it to the end.
    ///
    /// # Cancel safety
    /// Dropping the future drops the message; what `rate` counted stays counted.
    pub async fn finish(self, sender: &Sender) -> Decision {
        let Self { chain, mut run, mut finding } = self;
        loop {
            let found = finding.await;
            let judgement = match chain.links.get(run.at) {
                Some(link) => run.apply(link, found).map_or_else(Judgement::Decided, |run| chain.advance(run, sender)),
                None => Judgement::Decided(run.passed()),
            };
            match judgement {
                Judgement::Decided(decision) => return *decision,
                Judgement::Waiting(next) => Self { run, finding, .. } = *next,
            }
        }
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("run", &self.run).finish_non_exhaustive()
    }
}

/// A message on its way through the chain.
#[derive(Debug)]
struct Run {
    message: Message,
    purpose: Purpose,
    original: Option<String>,
    replaced_by: Option<&'static str>,
    trace: Vec<Step>,
    /// The filter that it is at.
    at: usize,
    /// When it came to that filter.
    began: Instant,
}

impl Run {
    /// Takes a filter's finding in, and goes on to the next one unless that ends the chain.
    fn apply(mut self, Link { filter, seconds, work }: &Link, finding: Finding) -> Result<Self, Box<Decision>> {
        let Finding { verdict, matches } = finding;
        let ended = Instant::now();
        let took = ended.saturating_duration_since(self.began);
        self.began = ended;
        self.at += 1;
        let outcome = verdict.outcome();
        if self.purpose == Purpose::Judge {
            seconds.observe(took.as_secs_f64());
            work.note(outcome, took);
        }

        let step = |matched, verdict| Step { filter: filter.name(), verdict, matched, took };
        if matches.is_empty() {
            self.trace.push(step(None, outcome));
        } else {
            self.trace.extend(matches.into_iter().map(|matched| step(Some(matched.clone()), matched.asked)));
        }
        match verdict {
            Verdict::Pass => Ok(self),
            Verdict::Replace(text) => {
                let sent = self.message.replace_text(text);
                self.original = self.original.or(sent);
                self.replaced_by = self.replaced_by.or(Some(filter.name()));
                Ok(self)
            }
            Verdict::Hold(reason) | Verdict::Shadow(reason) | Verdict::Reject(reason) => {
                let Self { message, original, trace, .. } = self;
                let by = Some(filter.name());
                Err(Box::new(Decision { message, original, outcome, reason: Some(reason), by, trace }))
            }
        }
    }

    /// The decision when no filter has ended the chain.
    fn passed(self) -> Box<Decision> {
        let Self { message, original, replaced_by, trace, .. } = self;
        let outcome = if original.is_some() { Outcome::Replace } else { Outcome::Pass };
        Box::new(Decision { message, original, outcome, reason: None, by: replaced_by, trace })
    }
}

#[cfg(test)]
mod tests;
