//! `serve`: runs the relay and handles signals.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::summary::Summary;
use super::{check, descriptors, print_to};
use crate::app::{App, Overview, StartupContext};
use crate::config::Config;
use crate::filter::rules::RuleSet;
use crate::settings::ConfigWarning;
use crate::telemetry::logging::{self, Console};

/// How long the startup summary waits for plugins to compile. A Python plugin takes about ten seconds, once.
const PLUGINS_READY: Duration = Duration::from_mins(1);

/// Serves until a signal stops the relay.
pub(super) fn run(config: Config, rules: RuleSet, warnings: &[ConfigWarning], started: StartupContext) -> ExitCode {
    let log = match logging::start(&config.log) {
        Ok(log) => log,
        Err(error) => {
            print_to(io::stderr(), &format!("gischat-relay: cannot start logging: {error}\n"));
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
    descriptors::raise_limit(config.server.max_connections);
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    if rules.own_count() > 0 && !check::rules_are_enabled(&config) {
        tracing::warn!("rules are disabled: filter.order does not include `rules`");
    }
    match until_stopped(config, rules, StartupContext { level: log.level(), ..started }, log.console()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn until_stopped(
    config: Config,
    rules: RuleSet,
    started: StartupContext,
    console: Option<Console>,
) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let mut signals = Signals::listen()?;
    let app = Box::pin(App::build(config, rules)).await;
    let bound = app.bind().await?;
    let token = bound.token().map(|token| token.reveal().to_owned());
    match console {
        Some(console) => drop(tokio::spawn(print_summary(console, token, bound.overview()))),
        None => {
            if let Some(token) = token {
                print_to(
                    io::stdout(),
                    &format!("moderation: MODERATORS is not set; the token of this run is {token}\n"),
                );
            }
        }
    }
    // Signals during a reload count as one.
    let reloads = Arc::new(Notify::new());
    let serving = bound.serve(stop.clone(), started, Arc::clone(&reloads));
    let mut serving = std::pin::pin!(serving);
    loop {
        tokio::select! {
            served = &mut serving => return Ok(served?),
            signal = signals.recv() => match signal {
                Signal::Shutdown => {
                    stop.cancel();
                    return Ok(serving.await?);
                }
                Signal::Reload => reloads.notify_one(),
            },
        }
    }
}

/// Prints the startup summary to the terminal once the plugins are loaded.
async fn print_summary(console: Console, token: Option<String>, start: Overview) {
    start.serving.notified().await;
    if let Some(library) = &start.plugins {
        library.wait_until_loaded(PLUGINS_READY).await;
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
    console.print(&summary.text());
}

/// The signals that stop the relay (SIGTERM, SIGINT) or reload it (SIGHUP).
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        use anyhow::Context;
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    async fn recv(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Shutdown,
            _ = self.interrupt.recv() => Signal::Shutdown,
            _ = self.hangup.recv() => Signal::Reload,
        }
    }
}

/// The action that a signal requests.
enum Signal {
    Shutdown,
    Reload,
}
