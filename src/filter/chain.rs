//! The chain: runs the filters in order and turns what they find into one [`Decision`].

use std::fmt;
use std::pin::Pin;
use std::time::Instant;

use super::{Answer, Config, Filter, Finding, Name, plugin::Plugins, rate::Rate, rules::Rules, shape::Shape};
use crate::model::{Decision, Message, Outcome, Sender, Step, Verdict};
use crate::telemetry::{Histogram, Metrics};

/// The filters in their order.
#[derive(Debug)]
pub struct Chain {
    links: Vec<Link>,
}

#[derive(Debug)]
struct Link {
    filter: Box<dyn Filter>,
    seconds: Histogram,
}

impl Chain {
    /// The chain that `config` describes, with `rules` and `plugins` as already loaded.
    #[must_use]
    pub fn build(config: &Config, rules: Rules, plugins: Option<Plugins>, metrics: &Metrics) -> Self {
        let (mut rules, mut plugins) = (Some(rules), plugins);
        let filters = config.order.iter().filter_map(|name| -> Option<Box<dyn Filter>> {
            match name {
                Name::Shape => Some(Box::new(Shape::new(config.shape.clone()))),
                Name::Rate => Some(Box::new(Rate::new(&config.rate))),
                // A filter is named once, which the configuration checks.
                Name::Rules => rules.take().map(|rules| Box::new(rules) as Box<dyn Filter>),
                Name::Plugin => plugins.take().map(|plugins| Box::new(plugins) as Box<dyn Filter>),
            }
        });
        Self::of(filters, metrics)
    }

    /// A chain of these filters.
    pub fn of(filters: impl IntoIterator<Item = Box<dyn Filter>>, metrics: &Metrics) -> Self {
        let link = |filter: Box<dyn Filter>| Link { seconds: metrics.filter_seconds(filter.name()), filter };
        Self { links: filters.into_iter().map(link).collect() }
    }

    /// Whether a filter looks at the nicknames of a room, which cost time to put together.
    #[must_use]
    pub fn wants_names(&self) -> bool {
        self.links.iter().any(|link| link.filter.wants_names())
    }

    /// Forgets what filters keep of senders that have gone quiet. Takes milliseconds when there are many; not for a
    /// thread that serves connections.
    pub fn prune(&self) {
        for link in &self.links {
            link.filter.prune();
        }
    }

    /// Runs `message` through the filters, up to the first one that answers later.
    ///
    /// A filter that rejects, holds or shadows ends the chain; one that replaces the text shows the new one to the
    /// filters behind it.
    #[must_use]
    pub fn judge(&self, message: Message, sender: &Sender) -> Judgement {
        let trace = Vec::with_capacity(self.links.len());
        self.advance(Run { message, original: None, replaced_by: None, trace, at: 0, began: Instant::now() }, sender)
    }

    /// Waits for the filter that a message is at, and goes on with it to the end.
    ///
    /// # Cancel safety
    /// Dropping the future drops the message; what `rate` counted stays counted.
    pub async fn finish(&self, waiting: Waiting, sender: &Sender) -> Decision {
        let Waiting { mut run, mut finding } = waiting;
        loop {
            let found = finding.await;
            let judgement = match self.links.get(run.at) {
                Some(link) => run.apply(link, found).map_or_else(Judgement::Decided, |run| self.advance(run, sender)),
                None => Judgement::Decided(run.passed()),
            };
            match judgement {
                Judgement::Decided(decision) => return *decision,
                Judgement::Waiting(next) => Waiting { run, finding } = *next,
            }
        }
    }

    fn advance(&self, mut run: Run, sender: &Sender) -> Judgement {
        while let Some(link) = self.links.get(run.at) {
            match link.filter.examine(&run.message, sender) {
                Answer::Now(finding) => match run.apply(link, finding) {
                    Ok(undecided) => run = undecided,
                    Err(decision) => return Judgement::Decided(decision),
                },
                Answer::Later(finding) => return Judgement::Waiting(Box::new(Waiting { run, finding })),
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
    run: Run,
    finding: Pin<Box<dyn Future<Output = Finding> + Send>>,
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
    fn apply(mut self, Link { filter, seconds }: &Link, finding: Finding) -> Result<Self, Box<Decision>> {
        let Finding { verdict, matches } = finding;
        let ended = Instant::now();
        let took = ended.saturating_duration_since(self.began);
        self.began = ended;
        self.at += 1;
        seconds.observe(took.as_secs_f64());

        let outcome = verdict.outcome();
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
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::model::{Address, Code, Facts, Kind, Reason, RoomName};

    /// Answers with a given verdict and keeps the texts that it was shown.
    #[derive(Debug)]
    struct Fixed {
        name: &'static str,
        verdict: Verdict,
        later: Option<Arc<tokio::sync::Notify>>,
        seen: Arc<Mutex<Vec<String>>>,
    }

    impl Filter for Fixed {
        fn name(&self) -> &'static str {
            self.name
        }

        fn examine(&self, message: &Message, _: &Sender) -> Answer {
            self.seen.lock().unwrap().push(message.text().unwrap_or_default().to_owned());
            let finding = Finding::from(self.verdict.clone());
            match self.later.clone() {
                None => Answer::Now(finding),
                Some(signal) => Answer::Later(Box::pin(async move {
                    signal.notified().await;
                    finding
                })),
            }
        }
    }

    fn filter(name: &'static str, verdict: Verdict) -> (Box<dyn Filter>, Arc<Mutex<Vec<String>>>) {
        let seen = Arc::default();
        (Box::new(Fixed { name, verdict, later: None, seen: Arc::clone(&seen) }), seen)
    }

    fn reason() -> Reason {
        Reason::new(Code::Rule, "no")
    }

    fn sender() -> Sender {
        Sender {
            connection: None,
            address: Address::from(std::net::IpAddr::from([127, 0, 0, 1])),
            room: RoomName::parse("QGIS").unwrap(),
            facts: Facts::default(),
        }
    }

    fn hello() -> Message {
        Message::new("jane", Kind::Text { avatar: None, text: "hello".into() })
    }

    fn judge(filters: Vec<Box<dyn Filter>>) -> Decision {
        match Chain::of(filters, &Metrics::default()).judge(hello(), &sender()) {
            Judgement::Decided(decision) => *decision,
            waiting @ Judgement::Waiting(_) => panic!("{waiting:?}"),
        }
    }

    #[test]
    fn a_message_that_nobody_objects_to_passes_as_it_came() {
        let decision = judge(vec![filter("a", Verdict::Pass).0, filter("b", Verdict::Pass).0]);
        assert_eq!((decision.outcome, decision.by, decision.original), (Outcome::Pass, None, None));
        assert_eq!(decision.trace.iter().map(|s| s.filter).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn reject_hold_and_shadow_end_the_chain() {
        for verdict in [Verdict::Reject(reason()), Verdict::Hold(reason()), Verdict::Shadow(reason())] {
            let (last, seen) = filter("b", Verdict::Pass);
            let decision = judge(vec![filter("a", verdict.clone()).0, last]);
            assert_eq!(decision.outcome, verdict.outcome());
            assert_eq!((decision.by, decision.reason), (Some("a"), Some(reason())));
            assert!(seen.lock().unwrap().is_empty(), "{verdict:?}");
        }
    }

    #[test]
    fn later_filters_see_the_replaced_text_and_the_decision_keeps_the_first() {
        let (last, seen) = filter("c", Verdict::Pass);
        let (one, two) = (Verdict::Replace("one".into()), Verdict::Replace("two".into()));
        let decision = judge(vec![filter("a", one).0, filter("b", two).0, last]);
        assert_eq!(*seen.lock().unwrap(), ["two"]);
        assert_eq!((decision.outcome, decision.by), (Outcome::Replace, Some("a")));
        assert_eq!((decision.message.text(), decision.original_text()), (Some("two"), Some("hello")));
    }

    #[tokio::test]
    async fn a_filter_may_answer_later_and_those_behind_it_wait() {
        let signal = Arc::new(tokio::sync::Notify::new());
        let late =
            Fixed { name: "late", verdict: Verdict::Pass, later: Some(Arc::clone(&signal)), seen: Arc::default() };
        let (last, seen) = filter("last", Verdict::Pass);
        let chain = Chain::of([Box::new(late) as Box<dyn Filter>, last], &Metrics::default());
        let sender = sender();
        let Judgement::Waiting(waiting) = chain.judge(hello(), &sender) else { panic!("it does not wait") };
        let mut judging = std::pin::pin!(chain.finish(*waiting, &sender));
        assert!(futures_util::poll!(&mut judging).is_pending());
        assert!(seen.lock().unwrap().is_empty());
        signal.notify_one();
        assert_eq!(judging.await.outcome, Outcome::Pass);
        assert_eq!(seen.lock().unwrap().len(), 1);
    }
}
