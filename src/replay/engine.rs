//! Judges past decisions again, one after the other.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::compare::{compare, summarize};
use super::environment::{Environment, Run};
use super::past_decision::{DecisionOrigin, PastDecision, SkipReason};
use super::reorder::ReorderBuffer;
use super::report::ReplayReport;
use crate::audit::{FileHead, LoggedAct, LoggedDecision, Recording, Texts};
use crate::filter::{Chain, ClockReading, Judgement, Purpose};
use crate::model::{ActKind, Decision, JudgedMessage};

/// How often filters drop the state of inactive senders; the same interval as in a running relay.
const PRUNE_INTERVAL: Duration = Duration::from_mins(1);

/// The replay could not continue.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ReplayError(String);

/// A replay in progress.
#[derive(Debug)]
pub struct Replay<'e, E> {
    environment: &'e mut E,
    /// Runs filters that answer later.
    runtime: Option<Handle>,
    run: Option<Run>,
    run_id: Option<Uuid>,
    seen_runs: HashSet<Uuid>,
    /// Whether the log holds texts in full.
    has_full_texts: bool,
    reorder: ReorderBuffer<Item>,
    last_prune: Duration,
    /// Logged acts that may have changed rules, plugins, the preset or breakers.
    config_changes: u64,
    report: ReplayReport,
}

#[derive(Debug)]
enum Item {
    Decision(Box<PastDecision>),
    Act(Box<LoggedAct>),
}

impl Item {
    fn start_of_run(&self) -> Timestamp {
        match self {
            Self::Decision(past) => start_of_run(past.message.at, past.sender.context.since_start),
            Self::Act(act) => start_of_run(act.at, act.since_start),
        }
    }
}

/// Returns when a run started in which something happened at these times.
fn start_of_run(at: Timestamp, since_start: Duration) -> Timestamp {
    at.checked_sub(since_start).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl<'e, E: Environment> Replay<'e, E> {
    /// Creates a replay in `environment` that lists at most `max_flips` flips. Filters that answer later run on
    /// `runtime`; without it, such a filter must answer immediately.
    #[must_use]
    pub fn new(environment: &'e mut E, max_flips: usize, runtime: Option<Handle>) -> Self {
        Self {
            environment,
            runtime,
            run: None,
            run_id: None,
            seen_runs: HashSet::new(),
            has_full_texts: true,
            reorder: ReorderBuffer::new(),
            last_prune: Duration::ZERO,
            config_changes: 0,
            report: ReplayReport::with_max_flips(max_flips),
        }
    }

    /// Adds the head of a file, which starts another run of the relay or continues the current one.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn add_head(&mut self, head: &FileHead, is_first_of_run: bool) -> Result<(), ReplayError> {
        self.has_full_texts = head.texts == Texts::Full;
        if head.record != Recording::All {
            self.report.add_note(
                "the log holds only messages that did not pass unchanged: rate limits, repetition and levels see fewer \
                 messages than they did at the time",
            );
        }
        if self.run_id == Some(head.run) && !is_first_of_run {
            return Ok(());
        }
        self.process_all()?;
        let run = self.begin_run(Some(head), start_of_run(head.time.at, head.time.since_start))?;
        self.run = Some(run);
        if !self.seen_runs.insert(head.run) {
            self.report.add_note(format!("the files of run {} are not consecutive", head.run));
        } else if !is_first_of_run {
            self.report
                .add_note(format!("the beginning of run {} is missing: earlier messages are not known", head.run));
        }
        self.run_id = Some(head.run);
        Ok(())
    }

    /// Adds a decision from a log.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn add_logged_decision(
        &mut self,
        decision: LoggedDecision,
        origin: &DecisionOrigin,
    ) -> Result<(), ReplayError> {
        match PastDecision::from_log(decision, self.has_full_texts, origin.clone()) {
            Ok(past) => self.add_decision(past),
            Err(reason) => {
                self.report.add_skipped(reason, 1, origin);
                Ok(())
            }
        }
    }

    /// Adds a decision.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn add_decision(&mut self, past: PastDecision) -> Result<(), ReplayError> {
        self.reorder.push(past.sender.context.since_start, Item::Decision(Box::new(past)));
        self.process_ready()
    }

    /// Adds an act of a moderator.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn add_act(&mut self, act: LoggedAct) -> Result<(), ReplayError> {
        self.reorder.push(act.since_start, Item::Act(Box::new(act)));
        self.process_ready()
    }

    /// Counts `count` log entries that cannot be replayed.
    pub fn add_skipped(&mut self, reason: SkipReason, count: u64, origin: &DecisionOrigin) {
        self.report.add_skipped(reason, count, origin);
    }

    /// Adds a note to the report.
    pub fn add_note(&mut self, text: impl Into<String>) {
        self.report.add_note(text);
    }

    /// Judges everything that is still buffered and returns the report.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn finish(mut self) -> Result<ReplayReport, ReplayError> {
        self.process_all()?;
        self.end_run();
        if self.config_changes > 0 {
            let acts = if self.config_changes == 1 { "act" } else { "acts" };
            self.report.add_note(format!(
                "while the log was written, the rules, plugins, preset or breakers may have changed ({} logged {acts}); \
                 the replay judges all messages with one configuration",
                self.config_changes
            ));
        }
        if self.report.plugins_as_logged == 0 {
            // No plugins were loaded, so none could have been called.
            self.report.plugins_not_asked = 0;
        }
        self.report.finish();
        Ok(self.report)
    }

    /// Judges a decision immediately, in a run without a log. The caller passes decisions in order.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub(super) fn judge_now(&mut self, past: &PastDecision) -> Result<(), ReplayError> {
        let run = match self.run.take() {
            Some(run) => run,
            None => self.begin_run(None, start_of_run(past.message.at, past.sender.context.since_start))?,
        };
        self.judge(&run, past);
        self.run = Some(run);
        Ok(())
    }

    /// Ends the current run and begins another.
    fn begin_run(&mut self, head: Option<&FileHead>, started_at: Timestamp) -> Result<Run, ReplayError> {
        self.end_run();
        self.report.runs += 1;
        self.last_prune = Duration::ZERO;
        self.environment.begin_run(head, started_at).map_err(ReplayError)
    }

    fn end_run(&mut self) {
        if let Some(run) = self.run.take() {
            let (answered, not_asked) = run.playback.count();
            self.report.plugins_as_logged += answered;
            self.report.plugins_not_asked += not_asked;
            if run.chain.reads_nicknames() {
                self.report.add_note("plugins that read the nicknames of a room see none: no log holds them");
            }
        }
    }

    fn process_ready(&mut self) -> Result<(), ReplayError> {
        while let Some(item) = self.reorder.pop_ready() {
            self.process(item)?;
        }
        Ok(())
    }

    fn process_all(&mut self) -> Result<(), ReplayError> {
        while let Some(item) = self.reorder.pop() {
            self.process(item)?;
        }
        Ok(())
    }

    fn process(&mut self, item: Item) -> Result<(), ReplayError> {
        let run = if let Some(run) = self.run.take() {
            run
        } else {
            self.report.add_note("the log has no head: the sanctions and levels at its beginning are not known");
            self.begin_run(None, item.start_of_run())?
        };
        match item {
            Item::Decision(past) => self.judge(&run, &past),
            Item::Act(act) => {
                let changes_config = matches!(
                    act.act.kind,
                    ActKind::Reloaded
                        | ActKind::Preset { .. }
                        | ActKind::BreakerTripped { .. }
                        | ActKind::BreakerReset { .. }
                );
                self.config_changes += u64::from(changes_config);
                self.environment.apply_act(&act);
            }
        }
        self.run = Some(run);
        Ok(())
    }

    fn judge(&mut self, run: &Run, past: &PastDecision) {
        let since_start = past.sender.context.since_start;
        if since_start.saturating_sub(self.last_prune) > PRUNE_INTERVAL {
            self.last_prune = since_start;
            let now = ClockReading { at: past.message.at, since_start };
            run.chain.prune(now);
            run.baseline.iter().for_each(|chain| chain.prune(now));
        }
        run.playback.set(&past.expected);
        let baseline = run.baseline.as_ref().map(|chain| decide(chain, past, self.runtime.as_ref()));
        let Some(decision) = decide(&run.chain, past, self.runtime.as_ref()) else {
            return self.report.add_skipped(SkipReason::NoAnswer, 1, &past.origin);
        };
        let actual = summarize(&decision);
        self.environment.apply_decision(&JudgedMessage::new(decision, past.sender.clone()));
        if !past.is_decided_by_chain() {
            return self.report.add_skipped(SkipReason::Identity, 1, &past.origin);
        }
        let is_reproducible = match baseline {
            Some(Some(decision)) => !compare(&past.expected, &summarize(&decision)).flips,
            Some(None) => false,
            None => true,
        };
        if is_reproducible {
            self.report.add_compared(past, &actual, compare(&past.expected, &actual));
        } else {
            self.report.add_uncertain();
        }
    }
}

/// Returns the decision of a chain; `None` when a filter answers later and there is no runtime to wait on.
fn decide(chain: &Chain, past: &PastDecision, runtime: Option<&Handle>) -> Option<Decision> {
    match chain.judge(past.message.clone(), &past.sender, Purpose::Judge) {
        Judgement::Ready(decision) => Some(*decision),
        Judgement::Pending(waiting) => {
            let finishing = waiting.finish(&past.sender);
            match runtime {
                Some(runtime) => Some(runtime.block_on(finishing)),
                None => finishing.now_or_never(),
            }
        }
    }
}
