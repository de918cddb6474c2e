//! The log as the rest of the relay has it.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use super::key::Keys;
use super::log::Log;
use super::shared::Shared;
use super::writer::{self, Entry, Writer};
use super::{AuditError, Config, Figures, InForceNow, NotWritten, Recording, folder};
use crate::model::{Address, Outcome, Recorded};
use crate::moderation::Act;

/// Decisions that may wait to be written.
pub(super) const MAX_WAITING: usize = 8_192;
/// Acts that may wait beside them: a flood of messages leaves room for what moderators do about it.
pub(super) const MAX_ACTS: usize = 256;
/// Bytes of texts that may wait.
const MAX_BYTES: usize = 64 << 20;
/// How long a moderator waits for the disk.
pub(super) const ACT_DEADLINE: Duration = Duration::from_secs(2);
/// How long the last lines have at the end.
const CLOSE_DEADLINE: Duration = Duration::from_secs(5);

/// The audit log of a relay that runs.
#[derive(Debug)]
pub struct Audit {
    record: Recording,
    queue: SyncSender<Entry>,
    shared: Arc<Shared>,
    writer: Option<Thread>,
    done: watch::Receiver<bool>,
    began: Instant,
}

/// What the writing thread needs.
pub(super) struct Parts {
    pub(super) writer: Writer,
    pub(super) queue: Receiver<Entry>,
    pub(super) done: watch::Sender<bool>,
}

impl Audit {
    /// Opens the log: makes the folder and the key where there is none, removes what is too old, and begins a new file,
    /// at once. `None` when nothing is to be recorded; then nothing is touched. `run` is the random name of this run of
    /// the relay, `began` the moment from which [`Facts::since_start`](crate::model::Facts::since_start) counts.
    ///
    /// A first file that cannot be written is tried again until it can: [`Audit::failure`] says why meanwhile.
    ///
    /// # Errors
    /// [`AuditError`] when the folder cannot be made or read, the key cannot be had, or another relay uses it.
    pub fn open(config: &Config, run: Uuid, began: Instant, in_force: InForceNow) -> Result<Option<Self>, AuditError> {
        let Some((mut audit, parts)) = Self::parts(config, run, began, in_force)? else { return Ok(None) };
        let Parts { mut writer, queue, done } = parts;
        let fault = |what| {
            let dir = config.dir.clone().unwrap_or_default();
            move |source| AuditError { dir, what, source }
        };
        writer.begin();
        let thread = thread::Builder::new().name("audit".to_owned()).spawn(move || writer.run(&queue, &done));
        audit.writer = Some(thread.map_err(fault("there is no thread for it"))?.thread().clone());
        Ok(Some(audit))
    }

    /// The log without its thread.
    pub(super) fn parts(
        config: &Config,
        run: Uuid,
        began: Instant,
        in_force: InForceNow,
    ) -> Result<Option<(Self, Parts)>, AuditError> {
        let (Some(dir), Recording::Refusals | Recording::All) = (config.dir.clone(), config.record) else {
            return Ok(None);
        };
        let fault = |what| {
            let dir = dir.clone();
            move |source| AuditError { dir, what, source }
        };
        folder::make(&dir).map_err(fault("the folder cannot be made"))?;
        let lock = File::open(&dir).map_err(fault("the folder cannot be read"))?;
        lock.try_lock().map_err(std::io::Error::from).map_err(fault("another relay writes it"))?;
        let keys = Keys::of(&dir, Timestamp::now(), config.retention_days).map_err(fault("its key"))?;
        let shared = Arc::new(Shared::new(keys));
        // One more than may wait, for the word that nothing more comes.
        let (sender, queue) = sync_channel(MAX_WAITING + MAX_ACTS + 1);
        let (done_sender, done) = watch::channel(false);
        let log = Log::new(config.clone(), dir, run, in_force, Arc::clone(&shared));
        let parts = Parts { writer: Writer::new(log, lock, Arc::clone(&shared), began), queue, done: done_sender };
        let record = config.record;
        Ok(Some((Self { record, queue: sender, shared, writer: None, done, began }, parts)))
    }

    /// Records a decision, unless the settings leave it out. Never waits: when too much waits to be written already, it
    /// is lost, and counted.
    pub fn record(&self, recorded: Arc<Recorded>) {
        if self.record == Recording::Refusals && recorded.decision.outcome == Outcome::Pass {
            return;
        }
        let own = bytes(&recorded);
        let shared = &self.shared;
        let waiting = shared.waiting.fetch_add(1, AcqRel);
        let bytes = shared.bytes.fetch_add(own, AcqRel);
        let room = waiting < MAX_WAITING && (bytes == 0 || bytes.saturating_add(own) <= MAX_BYTES);
        let open = !shared.closing.load(Acquire);
        if !(room && open && self.queue.try_send(Entry::Decision(recorded, own)).is_ok()) {
            shared.taken(own);
            shared.lose(1);
            self.tell_loss();
        }
    }

    /// Records an act, and resolves once its line is safe on the disk. The line is on its way when this returns, whether
    /// or not the future is polled: dropping that takes nothing back.
    ///
    /// # Errors
    /// [`NotWritten`], within two seconds; counted and told. The act itself may go on.
    pub fn act(&self, act: &Act) -> impl Future<Output = Result<(), NotWritten>> + Send + use<> {
        self.act_within(act, ACT_DEADLINE)
    }

    pub(super) fn act_within(
        &self,
        act: &Act,
        deadline: Duration,
    ) -> impl Future<Output = Result<(), NotWritten>> + Send + use<> {
        let shared = Arc::clone(&self.shared);
        let (sender, written) = oneshot::channel();
        let sent = self.send(act, sender);
        async move {
            let ended = match sent {
                Err(why) => Err(why),
                Ok(()) => match tokio::time::timeout(deadline, written).await {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(_)) => Err(NotWritten::Refused),
                    Err(_) => Err(NotWritten::Late),
                },
            };
            if let Err(why) = ended {
                unlogged(&shared, why);
            }
            ended
        }
    }

    /// Records an act without anybody waiting for it: what nobody can wait for, or need not. When too much waits to be
    /// written already, it is lost, counted and told.
    pub fn act_soon(&self, act: &Act) {
        let (sender, _nobody_waits) = oneshot::channel();
        if let Err(why) = self.send(act, sender) {
            unlogged(&self.shared, why);
        }
    }

    fn send(&self, act: &Act, waits: oneshot::Sender<()>) -> Result<(), NotWritten> {
        let sent = if self.shared.closing.load(Acquire) {
            Err(NotWritten::Refused)
        } else {
            self.queue.try_send(Entry::Act(Box::new(act.clone()), waits)).map_err(|_| NotWritten::Full)
        };
        if sent.is_err() {
            self.shared.lose(1);
        }
        sent
    }

    /// The hash under which an address stands in the log now: 16 digits. It changes with the key.
    #[must_use]
    pub fn hash_address(&self, address: Address) -> String {
        self.shared.keys.hash(address)
    }

    /// Why the last attempt to write failed; `None` after one that did not.
    #[must_use]
    pub fn failure(&self) -> Option<Arc<str>> {
        self.shared.failure()
    }

    /// What became of the lines so far.
    #[must_use]
    pub fn figures(&self) -> &Figures {
        &self.shared.figures
    }

    /// Writes what waits and closes the file; what is recorded later is lost. `false` when that took longer than five
    /// seconds: then it goes on without anybody waiting.
    pub async fn close(&self) -> bool {
        self.shared.closing.store(true, Release);
        // When the queue is full, the thread is awake and sees for itself.
        let _full = self.queue.try_send(Entry::Close);
        if let Some(thread) = &self.writer {
            thread.unpark();
        }
        let mut done = self.done.clone();
        let ended = tokio::time::timeout(CLOSE_DEADLINE, done.wait_for(|done| *done)).await;
        matches!(ended, Ok(Ok(_)))
    }

    /// Warns of a loss, once a minute.
    fn tell_loss(&self) {
        let now = self.began.elapsed().as_secs() + 1;
        let told = self.shared.told.load(Relaxed);
        let due = told == 0 || now >= told + writer::TELL.as_secs();
        if due && self.shared.told.compare_exchange(told, now, Relaxed, Relaxed).is_ok() {
            let lost = self.shared.figures.lost.load(Relaxed);
            tracing::warn!(lost, "audit log: lines are lost, because the disk is full or slow");
        }
    }
}

/// Counts and tells that an act goes on without its line.
fn unlogged(shared: &Shared, why: NotWritten) {
    shared.figures.unlogged_acts.fetch_add(1, Relaxed);
    tracing::warn!("an act of moderation goes on without being known to be in the audit log: {why}");
}

/// What a decision counts as in the queue. Bytes.
fn bytes(recorded: &Recorded) -> usize {
    let message = &recorded.decision.message;
    let texts = [message.text(), message.avatar(), recorded.decision.original.as_deref()];
    let texts: usize = texts.into_iter().flatten().map(str::len).sum();
    1_024 + message.author.len() + texts
}
