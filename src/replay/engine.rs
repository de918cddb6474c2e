//! Judges past decisions once more, one after the other.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::compare::{compare, now};
use super::order::Order;
use super::past::{Origin, Past, Unfit};
use super::report::Report;
use super::stage::{Begun, Stage};
use crate::filter::{Chain, Judgement, Now, Purpose};
use crate::model::{Decision, Recorded};
use crate::moderation::audit::{Head, LoggedAct, LoggedDecision};

/// How often filters forget who has gone quiet, as a relay has them do it.
const PRUNED_EVERY: Duration = Duration::from_mins(1);

/// Why a replay could not go on.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Ended(String);

/// A replay under way.
#[derive(Debug)]
pub struct Replay<'s, S> {
    stage: &'s mut S,
    /// Where filters run that answer later.
    handle: Option<Handle>,
    begun: Option<Begun>,
    run: Option<Uuid>,
    known_runs: HashSet<Uuid>,
    /// Whether the log holds texts in full.
    whole: bool,
    order: Order<Item>,
    pruned: Duration,
    changes: u64,
    report: Report,
}

#[derive(Debug)]
enum Item {
    Past(Box<Past>),
    Act(Box<LoggedAct>),
}

impl<'s, S: Stage> Replay<'s, S> {
    /// A replay before `stage`, which keeps at most so many flips one by one. Filters that answer later run on `handle`;
    /// there are none without it.
    #[must_use]
    pub fn new(stage: &'s mut S, most_flips: usize, handle: Option<Handle>) -> Self {
        Self {
            stage,
            handle,
            begun: None,
            run: None,
            known_runs: HashSet::new(),
            whole: true,
            order: Order::new(),
            pruned: Duration::ZERO,
            changes: 0,
            report: Report::of_at_most(most_flips),
        }
    }

    /// Takes the head of a file: another run of the relay, or the same one going on.
    ///
    /// # Errors
    /// [`Ended`].
    pub fn head(&mut self, head: &Head) -> Result<(), Ended> {
        self.whole = head.texts == "full";
        if head.record != "all" {
            self.report.note(format!(
                "only {} are in the log: rates, repetition and levels see less than they did then",
                head.record
            ));
        }
        if self.run == Some(head.run) && !head.first_of_run {
            return Ok(());
        }
        self.drain()?;
        self.begin(Some(head))?;
        if !self.known_runs.insert(head.run) {
            self.report.note(format!("the files of the run {} do not follow each other", head.run));
        } else if !head.first_of_run {
            self.report
                .note(format!("the beginning of the run {} is missing: what was said before is not known", head.run));
        }
        self.run = Some(head.run);
        Ok(())
    }

    /// Takes a decision of a log.
    ///
    /// # Errors
    /// [`Ended`].
    pub fn logged(&mut self, decision: LoggedDecision, origin: &Origin) -> Result<(), Ended> {
        match Past::of_log(decision, self.whole, origin.clone()) {
            Ok(past) => self.past(past),
            Err(why) => {
                self.report.skip(why, 1, origin);
                Ok(())
            }
        }
    }

    /// Takes a decision.
    ///
    /// # Errors
    /// [`Ended`].
    pub fn past(&mut self, past: Past) -> Result<(), Ended> {
        self.order.add(past.sender.facts.since_start, Item::Past(Box::new(past)));
        self.go_on()
    }

    /// Takes what a moderator did.
    ///
    /// # Errors
    /// [`Ended`].
    pub fn act(&mut self, act: LoggedAct) -> Result<(), Ended> {
        self.order.add(act.since_start, Item::Act(Box::new(act)));
        self.go_on()
    }

    /// Takes note of something that cannot be replayed.
    pub fn skip(&mut self, why: Unfit, count: u64, origin: &Origin) {
        self.report.skip(why, count, origin);
    }

    /// Says something in the report.
    pub fn note(&mut self, text: impl Into<String>) {
        self.report.note(text);
    }

    /// Judges what still waits, and tells what has come of it all.
    ///
    /// # Errors
    /// [`Ended`].
    pub fn finish(mut self) -> Result<Report, Ended> {
        self.drain()?;
        self.end_run();
        if self.changes > 0 {
            self.report.note(format!(
                "rules, plugins or the preset were changed {} times while the log was written; all of it is judged by \
                 the same here",
                self.changes
            ));
        }
        if self.report.plugins_as_logged == 0 {
            // There were none that could have been asked.
            self.report.plugins_not_asked = 0;
        }
        self.report.finish();
        Ok(self.report)
    }

    /// Begins the one run that is in memory.
    ///
    /// # Errors
    /// [`Ended`].
    pub(super) fn begin_in_memory(&mut self) -> Result<(), Ended> {
        self.begin(None).map(|_| ())
    }

    /// Judges a decision that none comes before any more.
    pub(super) fn past_now(&mut self, past: &Past) {
        self.judge(past);
    }

    fn begin(&mut self, head: Option<&Head>) -> Result<&mut Begun, Ended> {
        self.end_run();
        self.report.runs += 1;
        self.pruned = Duration::ZERO;
        Ok(self.begun.insert(self.stage.begin(head).map_err(Ended)?))
    }

    fn end_run(&mut self) {
        if let Some(begun) = self.begun.take() {
            let (answered, not_asked) = begun.prompt.count();
            self.report.plugins_as_logged += answered;
            self.report.plugins_not_asked += not_asked;
            if begun.chain.wants_names() {
                self.report.note("plugins that ask for the nicknames of a room find none: no log holds them");
            }
        }
    }

    fn go_on(&mut self) -> Result<(), Ended> {
        while let Some(item) = self.order.next() {
            self.take(item)?;
        }
        Ok(())
    }

    fn drain(&mut self) -> Result<(), Ended> {
        while let Some(item) = self.order.rest() {
            self.take(item)?;
        }
        Ok(())
    }

    fn take(&mut self, item: Item) -> Result<(), Ended> {
        if self.begun.is_none() {
            self.begin(None)?;
            self.report.note("there is no head: how things stood is not known");
        }
        match item {
            Item::Past(past) => self.judge(&past),
            Item::Act(act) => {
                let name = act.json.get("act").and_then(serde_json::Value::as_str);
                self.changes += u64::from(matches!(name, Some("reload" | "preset" | "brake")));
                self.stage.act(&act);
            }
        }
        Ok(())
    }

    fn judge(&mut self, past: &Past) {
        let Some(begun) = &self.begun else { return };
        let since_start = past.sender.facts.since_start;
        if since_start.saturating_sub(self.pruned) > PRUNED_EVERY {
            self.pruned = since_start;
            let now = Now { at: past.message.at, since_start };
            begun.chain.prune(now);
            begun.in_force.iter().for_each(|chain| chain.prune(now));
        }
        begun.prompt.set(&past.was);
        let in_force = begun.in_force.as_ref().map(|chain| decide(chain, past, self.handle.as_ref()));
        let Some(decision) = decide(&begun.chain, past, self.handle.as_ref()) else {
            return self.report.skip(Unfit::NoAnswer, 1, &past.origin);
        };
        let is = now(&decision);
        self.stage.judged(&Recorded { decision, sender: past.sender.clone() });
        if !past.is_of_chain() {
            return self.report.skip(Unfit::Identity, 1, &past.origin);
        }
        let is_known = match in_force {
            Some(Some(decision)) => !compare(&past.was, &now(&decision)).flips,
            Some(None) => false,
            None => true,
        };
        if is_known {
            self.report.compared(past, &is, compare(&past.was, &is));
        } else {
            self.report.uncertain();
        }
    }
}

/// What a chain makes of a message; `None` when a filter answers later and there is nothing to wait for it on.
fn decide(chain: &Chain, past: &Past, handle: Option<&Handle>) -> Option<Decision> {
    match chain.judge(past.message.clone(), &past.sender, Purpose::Judge) {
        Judgement::Decided(decision) => Some(*decision),
        Judgement::Waiting(waiting) => {
            let finishing = waiting.finish(&past.sender);
            match handle {
                Some(handle) => Some(handle.block_on(finishing)),
                None => finishing.now_or_never(),
            }
        }
    }
}
