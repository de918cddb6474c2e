//! Alerts: what cannot wait for somebody to look at the feed is posted to a web address, signed (a webhook).
//!
//! Nobody waits for an alert. Notes of the [`Feed`] that are worth one are taken from it as they come, at most so many a
//! minute, and stand in a queue of 64; one after the other is posted, with three tries each. What is held back
//! by the pace, by a full queue or by a server that does not take it is counted, and the next alert that arrives tells
//! how many they were.

mod config;
mod pace;
mod post;
mod sign;

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

use self::pace::Pace;
use self::post::Hook;
use super::feed::{Feed, Kind, Note};
use crate::telemetry::Metrics;

/// Alerts that may wait for their turn; further ones are held back.
const QUEUE: usize = 64;
/// How often each is tried.
const TRIES: usize = 3;
/// How long a try may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long the second try waits, and then the third.
const BACK_OFF: [Duration; TRIES - 1] = [Duration::from_secs(1), Duration::from_secs(5)];
/// Notes that are taken from the feed at once.
const BATCH: usize = 100;

/// Posts alerts.
#[derive(Debug)]
pub struct Alerts {
    hook: Hook,
    feed: Arc<Feed>,
    metrics: Arc<Metrics>,
    per_minute: u32,
    instance: Option<String>,
    back_off: [Duration; TRIES - 1],
    /// Alerts that nobody was told of, since the last one that arrived.
    suppressed: AtomicU64,
}

/// An alert as it is posted.
#[derive(Debug, Serialize)]
struct Body<'a> {
    kind: &'static str,
    at: String,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    suppressed: u64,
}

/// Whether somebody is to be told at once.
fn is_urgent(kind: Kind) -> bool {
    match kind {
        Kind::MessageHeld
        | Kind::BrakePulled
        | Kind::PluginSetAside
        | Kind::PluginNotLoaded
        | Kind::Degraded
        | Kind::Raid => true,
        Kind::PluginWell
        | Kind::Recovered
        | Kind::PluginLoaded
        | Kind::PluginGone
        | Kind::Reloaded
        | Kind::RulesAtFault
        | Kind::NotesLost => false,
    }
}

impl Alerts {
    /// Alerts of what this feed tells, from its first note on; `None` where the settings name nobody to be told.
    #[must_use]
    pub fn of(config: &Config, feed: Arc<Feed>, metrics: Arc<Metrics>) -> Option<Self> {
        Self::with(config, feed, metrics, DEADLINE, BACK_OFF)
    }

    fn with(
        config: &Config,
        feed: Arc<Feed>,
        metrics: Arc<Metrics>,
        deadline: Duration,
        back_off: [Duration; TRIES - 1],
    ) -> Option<Self> {
        let Config { url, secret, per_minute, instance } = config.clone();
        let hook = Hook::new(url?, secret?, deadline);
        Some(Self { hook, feed, metrics, per_minute, instance, back_off, suppressed: AtomicU64::new(0) })
    }

    /// Posts alerts until told to stop. What waits then is not posted any more, so that nothing waits for a server.
    ///
    /// # Cancel safety
    /// Dropping the future is the same as stopping it.
    pub async fn run(self, stop: CancellationToken) {
        tracing::info!(host = self.hook.host(), per_minute = self.per_minute, "alerts are posted");
        let (queue, waiting) = channel(QUEUE);
        tokio::select! {
            () = stop.cancelled() => {}
            ((), ()) = async { tokio::join!(self.collect(queue), self.deliver(waiting)) } => {}
        }
    }

    /// Takes what is urgent from the feed.
    async fn collect(&self, queue: Sender<Note>) {
        let (mut newest, mut known, mut pace) = (self.feed.newest(), 0, Pace::of(self.per_minute));
        loop {
            // Before the feed is asked: what comes after that wakes us again.
            newest.mark_unchanged();
            loop {
                let notes = self.feed.after(known, BATCH);
                let Some(last) = notes.last() else { break };
                known = last.id;
                for note in notes.into_iter().filter(|note| is_urgent(note.kind)) {
                    let now = Instant::now().into_std();
                    if !pace.take(now) || queue.try_send(note).is_err() {
                        self.suppressed.fetch_add(1, Ordering::Relaxed);
                        self.metrics.count_alert("held_back");
                    }
                }
            }
            if newest.changed().await.is_err() {
                return;
            }
        }
    }

    /// Posts one after the other.
    async fn deliver(&self, mut waiting: Receiver<Note>) {
        while let Some(note) = waiting.recv().await {
            let suppressed = self.suppressed.swap(0, Ordering::Relaxed);
            let arrived = self.try_all(&note, suppressed).await;
            if !arrived {
                self.suppressed.fetch_add(suppressed + 1, Ordering::Relaxed);
            }
            self.metrics.count_alert(if arrived { "delivered" } else { "failed" });
        }
    }

    /// Whether one of the tries succeeds.
    async fn try_all(&self, note: &Note, suppressed: u64) -> bool {
        let Note { at, kind, text, plugin, .. } = note;
        let (at, kind) = (format!("{at:.3}"), kind.as_str());
        let instance = self.instance.as_deref();
        let body = Body { kind, at, text, plugin: plugin.as_deref(), instance, suppressed };
        let body: Arc<[u8]> = match serde_json::to_vec(&body) {
            Ok(body) => body.into(),
            Err(fault) => {
                tracing::error!(kind, %fault, "an alert cannot be written");
                return false;
            }
        };
        // The same for all tries, by which the one who is told notices what arrives twice.
        let id = Uuid::new_v4().to_string();
        let mut waits = self.back_off.iter();
        loop {
            let Err(failure) = self.hook.post(&id, Timestamp::now().as_second(), &body).await else { return true };
            let host = self.hook.host();
            let Some(wait) = waits.next().filter(|_| failure.may_pass()) else {
                tracing::warn!(host, kind, %failure, "an alert did not arrive");
                return false;
            };
            tracing::debug!(host, kind, %failure, "an alert did not arrive and is tried again");
            tokio::time::sleep(*wait).await;
        }
    }
}

#[cfg(test)]
mod tests;
