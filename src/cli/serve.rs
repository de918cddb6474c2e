//! `serve`: the relay from its start to its end, and the signals that it heeds.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::summary::Summary;
use super::{check, tell};
use crate::app::{App, Overview, Started};
use crate::config::Config;
use crate::filter::rules::Rules;
use crate::settings::Warning;
use crate::telemetry::logging::{self, Console};

/// How long the summary of the start waits for plugins that are being compiled. Those in Python take some ten seconds, once.
const PLUGINS_READY: Duration = Duration::from_mins(1);

/// Serves until a signal asks the relay to end.
pub(super) fn run(config: Config, rules: Rules, warnings: &[Warning], started: Started) -> ExitCode {
    let log = match logging::start(&config.log) {
        Ok(log) => log,
        Err(fault) => {
            tell(io::stderr(), &format!("gischat-relay: the log cannot be started: {fault}\n"));
            return ExitCode::FAILURE;
        }
    };
    let rooms = config.instance.rooms.len();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        environment = config.instance.environment,
        rooms,
        rules = rules.len(),
        "gischat-relay"
    );
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    if rules.own() > 0 && !check::in_force(&config) {
        tracing::warn!("the rules are not in force: filter.order does not name them");
    }
    match until_stopped(config, rules, Started { level: log.level(), ..started }, log.console()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            tracing::error!("{fault:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn until_stopped(config: Config, rules: Rules, started: Started, console: Option<Console>) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let mut signals = Signals::listen()?;
    let app = App::build(config, rules).await;
    let bound = app.bind().await?;
    let token = bound.token().map(|token| token.reveal().to_owned());
    match console {
        Some(console) => drop(tokio::spawn(summarise(console, token, bound.overview()))),
        None => {
            if let Some(token) = token {
                tell(io::stdout(), &format!("moderation: no MODERATORS are set; the token of this run is {token}\n"));
            }
        }
    }
    // Signals that come while everything is read again count as one.
    let reloads = Arc::new(Notify::new());
    let serving = bound.serve(stop.clone(), started, Arc::clone(&reloads));
    let mut serving = std::pin::pin!(serving);
    loop {
        tokio::select! {
            served = &mut serving => return Ok(served?),
            signal = signals.received() => match signal {
                Signal::End => {
                    stop.cancel();
                    return Ok(serving.await?);
                }
                Signal::Reload => reloads.notify_one(),
            },
        }
    }
}

/// Tells the operator at a terminal what the relay has come up with, once its plugins are loaded.
async fn summarise(console: Console, token: Option<String>, start: Overview) {
    start.serving.notified().await;
    if let Some(library) = &start.plugins {
        library.settled(PLUGINS_READY).await;
    }
    let plugins = start.plugins.as_ref().map(|library| library.current());
    let summary = Summary {
        address: start.address,
        token: token.as_deref(),
        rooms: &start.rooms,
        rules: &start.rules.get(),
        plugins: plugins.as_deref(),
        degraded: &start.degraded.list(),
    };
    console.tell(&summary.text());
}

/// The signals that ask a program to end, and the one that asks it to read its files again.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        use anyhow::Context;
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).context("signals cannot be listened for");
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    async fn received(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::End,
            _ = self.interrupt.recv() => Signal::End,
            _ = self.hangup.recv() => Signal::Reload,
        }
    }
}

/// What a signal asks for.
enum Signal {
    End,
    Reload,
}
