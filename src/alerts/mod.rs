//! Alerts: a signed webhook for urgent notes of the feed.
//!
//! Alerts never block the rest of the relay. Urgent notes are read from the [`Feed`], rate limited, queued (64 at most)
//! and posted one at a time, with up to three attempts each. Alerts suppressed by the rate limit, a full queue
//! or a failing server are counted; the next delivered alert carries their number.

mod config;
mod rate_limiter;
mod signature;
mod webhook;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use config::{Config, Secret, Url};

use self::rate_limiter::RateLimiter;
use self::webhook::Webhook;
use crate::moderation::{Feed, Note, NoteKind, NotePage};
use crate::telemetry::Metrics;

/// Maximum number of queued alerts; further ones are dropped.
const MAX_QUEUED: usize = 64;
/// Attempts per alert.
const MAX_ATTEMPTS: usize = 3;
/// Maximum duration of one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// Delays before the second and the third attempt.
const BACKOFF: [Duration; MAX_ATTEMPTS - 1] = [Duration::from_secs(1), Duration::from_secs(5)];
/// Maximum number of notes read from the feed at a time.
const BATCH: usize = 100;

/// Posts alerts.
#[derive(Debug)]
pub struct Alerts {
    webhook: Webhook,
    feed: Arc<Feed>,
    metrics: Arc<Metrics>,
    per_minute: u32,
    instance: Option<String>,
    backoff: [Duration; MAX_ATTEMPTS - 1],
    /// Alerts suppressed since the last one that was delivered.
    suppressed: AtomicU64,
}

/// The JSON body of an alert.
#[derive(Debug, Serialize)]
struct AlertBody<'a> {
    kind: &'static str,
    at: String,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    suppressed: u64,
}

/// Whether a note of this kind is posted as an alert.
fn is_urgent(kind: NoteKind) -> bool {
    match kind {
        NoteKind::MessageHeld
        | NoteKind::HeldQueue
        | NoteKind::AuditCut
        | NoteKind::BreakerTripped
        | NoteKind::PluginSuspended
        | NoteKind::PluginNotLoaded
        | NoteKind::Degraded
        | NoteKind::Raid => true,
        NoteKind::PluginHealthy
        | NoteKind::ClockJumped
        | NoteKind::Recovered
        | NoteKind::PluginLoaded
        | NoteKind::PluginRemoved
        | NoteKind::Reloaded
        | NoteKind::RulesInvalid
        | NoteKind::NotesLost => false,
    }
}

impl Alerts {
    /// Prepares alerts for the urgent notes of `feed`, from its first note on; `None` if no URL is configured.
    #[must_use]
    pub fn new(config: &Config, feed: Arc<Feed>, metrics: Arc<Metrics>) -> Option<Self> {
        Self::with(config, feed, metrics, ATTEMPT_TIMEOUT, BACKOFF)
    }

    fn with(
        config: &Config,
        feed: Arc<Feed>,
        metrics: Arc<Metrics>,
        timeout: Duration,
        backoff: [Duration; MAX_ATTEMPTS - 1],
    ) -> Option<Self> {
        let Config { url, secret, per_minute, instance } = config.clone();
        let webhook = Webhook::new(url?, secret?, timeout);
        Some(Self { webhook, feed, metrics, per_minute, instance, backoff, suppressed: AtomicU64::new(0) })
    }

    /// Posts alerts until `stop` is cancelled. Queued alerts are dropped then, so that shutdown never waits for a
    /// server.
    ///
    /// # Cancel safety
    /// Dropping the future is equivalent to cancelling `stop`.
    pub async fn run(self, stop: CancellationToken) {
        tracing::info!(host = self.webhook.host(), per_minute = self.per_minute, "alerts enabled");
        let (queue, waiting) = channel(MAX_QUEUED);
        tokio::select! {
            () = stop.cancelled() => {}
            ((), ()) = async { tokio::join!(self.enqueue(queue), self.deliver(waiting)) } => {}
        }
    }

    /// Queues urgent notes of the feed.
    async fn enqueue(&self, queue: Sender<Note>) {
        let (mut added, mut last_id, mut limiter) = (self.feed.subscribe(), 0, RateLimiter::new(self.per_minute));
        loop {
            // Marked before the feed is read, so that later notes wake this task again.
            added.mark_unchanged();
            loop {
                let NotePage { notes, has_gap } = self.feed.after(last_id, BATCH);
                // Before the first note, a gap has no meaning.
                if has_gap && last_id > 0 {
                    // How many of the dropped notes were urgent is not known.
                    self.suppress();
                    tracing::warn!("the feed dropped notes before they could be posted as alerts");
                }
                let Some((last, _)) = notes.last() else { break };
                last_id = *last;
                for (_, note) in notes.into_iter().filter(|(_, note)| is_urgent(note.kind)) {
                    // A full queue uses no permit.
                    match queue.try_reserve() {
                        Ok(place) if limiter.try_acquire(Instant::now().into_std()) => place.send(note),
                        _ => self.suppress(),
                    }
                }
            }
            if added.changed().await.is_err() {
                return;
            }
        }
    }

    /// Counts an alert as suppressed.
    fn suppress(&self) {
        self.suppressed.fetch_add(1, Ordering::Relaxed);
        self.metrics.count_alert("suppressed");
    }

    /// Posts queued alerts, one at a time.
    async fn deliver(&self, mut waiting: Receiver<Note>) {
        while let Some(note) = waiting.recv().await {
            let suppressed = self.suppressed.swap(0, Ordering::Relaxed);
            let delivered = self.post_with_retries(&note, suppressed).await;
            if !delivered {
                self.suppressed.fetch_add(suppressed + 1, Ordering::Relaxed);
            }
            self.metrics.count_alert(if delivered { "delivered" } else { "failed" });
        }
    }

    /// Posts an alert with retries; `true` if an attempt succeeds.
    async fn post_with_retries(&self, note: &Note, suppressed: u64) -> bool {
        let Note { at, kind, text, plugin } = note;
        let (at, kind) = (format!("{at:.3}"), kind.as_str());
        let instance = self.instance.as_deref();
        let body = AlertBody { kind, at, text, plugin: plugin.as_deref(), instance, suppressed };
        let body: Arc<[u8]> = match serde_json::to_vec(&body) {
            Ok(body) => body.into(),
            Err(error) => {
                tracing::error!(kind, %error, "alert could not be serialized");
                return false;
            }
        };
        // The same for all attempts, so that the receiver can discard duplicates.
        let id = Uuid::new_v4().to_string();
        let mut waits = self.backoff.iter();
        loop {
            let Err(error) = self.webhook.post(&id, Timestamp::now().as_second(), &body).await else { return true };
            let host = self.webhook.host();
            let Some(wait) = waits.next().filter(|_| error.is_transient()) else {
                tracing::warn!(host, kind, %error, "alert not delivered");
                return false;
            };
            tracing::debug!(host, kind, %error, "alert not delivered; retrying");
            tokio::time::sleep(*wait).await;
        }
    }
}

#[cfg(test)]
mod tests;
