use std::sync::{Arc, Mutex};

use super::*;
use crate::fixtures::{message, sender};
use crate::model::{Reason, ReasonCode};
use crate::settings::SettingsSource;

/// Returns a fixed verdict and records the texts that it examined.
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

    fn examine(&self, message: &Message, _: &Sender, _: Purpose) -> FilterAnswer {
        self.seen.lock().unwrap().push(message.text().unwrap_or_default().to_owned());
        let finding = Finding::from(self.verdict.clone());
        match self.later.clone() {
            None => FilterAnswer::Ready(finding),
            Some(signal) => FilterAnswer::Pending(Box::pin(async move {
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
    Reason::new(ReasonCode::Rule, "no")
}

fn hello() -> Message {
    message("jane", "hello")
}

fn judge(filters: Vec<Box<dyn Filter>>) -> Decision {
    match Chain::from_filters(filters, &Metrics::default()).judge(hello(), &sender(), Purpose::Judge) {
        Judgement::Ready(decision) => *decision,
        waiting @ Judgement::Pending(_) => panic!("{waiting:?}"),
    }
}

#[test]
fn a_message_without_objections_passes_unchanged() {
    let decision = judge(vec![filter("a", Verdict::Pass).0, filter("b", Verdict::Pass).0]);
    assert_eq!((decision.outcome, decision.decided_by, decision.original), (Outcome::Pass, None, None));
    assert_eq!(decision.trace.iter().map(|s| s.filter).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn reject_hold_and_shadow_end_the_chain() {
    for verdict in [Verdict::Reject(reason()), Verdict::Hold(reason()), Verdict::Shadow(reason())] {
        let (last, seen) = filter("b", Verdict::Pass);
        let decision = judge(vec![filter("a", verdict.clone()).0, last]);
        assert_eq!(decision.outcome, verdict.outcome());
        assert_eq!((decision.decided_by, decision.reason), (Some("a"), Some(reason())));
        assert!(seen.lock().unwrap().is_empty(), "{verdict:?}");
    }
}

#[test]
fn later_filters_see_the_replaced_text_and_the_decision_keeps_the_original() {
    let (last, seen) = filter("c", Verdict::Pass);
    let (one, two) = (Verdict::Replace("one".into()), Verdict::Replace("two".into()));
    let decision = judge(vec![filter("a", one).0, filter("b", two).0, last]);
    assert_eq!(*seen.lock().unwrap(), ["two"]);
    assert_eq!((decision.outcome, decision.decided_by), (Outcome::Replace, Some("a")));
    assert_eq!((decision.message.text(), decision.original_text()), (Some("two"), Some("hello")));
}

#[tokio::test]
async fn filters_behind_a_pending_one_wait() {
    let signal = Arc::new(tokio::sync::Notify::new());
    let late = Fixed { name: "late", verdict: Verdict::Pass, later: Some(Arc::clone(&signal)), seen: Arc::default() };
    let (last, seen) = filter("last", Verdict::Pass);
    let chain = Chain::from_filters([Box::new(late) as Box<dyn Filter>, last], &Metrics::default());
    let sender = sender();
    let Judgement::Pending(waiting) = chain.judge(hello(), &sender, Purpose::Judge) else { panic!("it does not wait") };
    let mut judging = std::pin::pin!(waiting.finish(&sender));
    assert!(futures_util::poll!(&mut judging).is_pending());
    assert!(seen.lock().unwrap().is_empty());
    signal.notify_one();
    assert_eq!(judging.await.outcome, Outcome::Pass);
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_trial_is_judged_but_not_counted() {
    let chain = Chain::from_filters(
        [filter("a", Verdict::Pass).0, filter("b", Verdict::Reject(reason())).0],
        &Metrics::default(),
    );
    let judge = |purpose| match chain.judge(hello(), &sender(), purpose) {
        Judgement::Ready(decision) => decision.outcome,
        waiting @ Judgement::Pending(_) => panic!("{waiting:?}"),
    };
    let counted = || chain.stats().iter().map(|filter| filter.verdicts).collect::<Vec<_>>();
    assert_eq!(judge(Purpose::Try), Outcome::Reject);
    assert_eq!(counted(), [[0; 5]; 2]);
    assert!(chain.stats().iter().all(|filter| filter.median.is_none()));
    assert_eq!(judge(Purpose::Judge), Outcome::Reject);
    assert_eq!(counted(), [[1, 0, 0, 0, 0], [0, 0, 0, 0, 1]]);
    assert!(chain.stats().iter().all(|filter| filter.median.is_some() && filter.p99.is_some()));
}

#[tokio::test]
async fn a_reconfigured_chain_keeps_the_statistics_and_pending_messages_stay_with_the_old_one() {
    let config = |max: usize| {
        let mut config = Config::declare(&mut SettingsSource::new().root().section("filter", ""));
        config.shape.max_message_length = max;
        config
    };
    let signal = Arc::new(tokio::sync::Notify::new());
    let late = Fixed { name: "late", verdict: Verdict::Pass, later: Some(Arc::clone(&signal)), seen: Arc::default() };
    let shape: Box<dyn Filter> = Box::new(ShapeFilter::new(config(5).shape));
    let before = Chain::from_filters([Box::new(late) as Box<dyn Filter>, shape], &Metrics::default());
    let sender = sender();
    let waiting = |chain: &Chain| match chain.judge(hello(), &sender, Purpose::Judge) {
        Judgement::Pending(waiting) => waiting,
        decided @ Judgement::Ready(_) => panic!("{decided:?}"),
    };
    let old = waiting(&before);
    let after = before.reconfigured(&config(4));
    let new = waiting(&after);
    signal.notify_one();
    assert_eq!(old.finish(&sender).await.outcome, Outcome::Pass);
    signal.notify_one();
    assert_eq!(new.finish(&sender).await.outcome, Outcome::Reject);
    assert_eq!(after.stats()[1].verdicts, [1, 0, 0, 0, 1]);
}
