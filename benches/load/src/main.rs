//! The load tool of gischat-relay.
//!
//! It starts a relay, puts it under one of a few workloads over the loopback, and reports rates,
//! latency, memory and processor time. One thread drives all connections, since the machine's other
//! cores belong to the relay.
//!
//! From the top: [`args`] says what to do, [`server`] starts the relay, [`workload`] drives a
//! [`swarm`], whose [`crowd`] of [`client`]s speaks [`handshake`] and [`frames`], [`cpu`] and
//! [`memory`] look at the relay's process, [`stats`] and [`report`] make it readable.
#![deny(unsafe_code)]
#![allow(clippy::indexing_slicing, reason = "the indices are this tool's own; a wrong one must stop the measurement")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "figures are read by people; none comes near 2^52"
)]
#![cfg_attr(test, allow(clippy::expect_used, reason = "a test's way to fail"))]

mod args;
mod client;
mod cpu;
mod crowd;
mod frames;
mod handshake;
mod machine;
mod memory;
mod report;
mod rounds;
mod server;
mod stats;
mod swarm;
mod tally;
mod workload;

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::{Parser, ValueEnum};
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};

use crate::args::Args;
use crate::report::{Run, Section};
use crate::server::Server;
use crate::workload::Workload;

/// Files open besides the connections.
const SPARE_FILES: usize = 64;

fn main() -> ExitCode {
    match measure(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("gischat-load: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether every run was good.
fn measure(args: &Args) -> Result<bool> {
    let workloads = if args.workloads.is_empty() { Workload::value_variants() } else { &args.workloads };
    let most = workloads.iter().map(|workload| workload.connections(&args.sizes)).max().unwrap_or(0);
    raise_file_limit(most + SPARE_FILES)?;
    let mut sections: Vec<Section> = Vec::new();
    for workload in workloads {
        let runs = (1..=args.runs).map(|run| {
            eprintln!("{}: run {run} of {}", workload.name(), args.runs);
            once(args, *workload).unwrap_or_else(|error| Run::failed(&error))
        });
        let section = Section { name: workload.name(), settings: workload.settings(&args.sizes), runs: runs.collect() };
        println!("{}\n", section.table());
        sections.push(section);
    }
    if let Some(path) = &args.json {
        let text = format!("{:#}\n", as_json(args, &sections));
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(sections.iter().all(Section::is_good))
}

/// One run against a relay of its own, or the one that the arguments name.
fn once(args: &Args, workload: Workload) -> Result<Run> {
    let server = match (&args.relay, args.url, args.pid) {
        (Some(relay), ..) => Server::start(relay, &args.env)?,
        (None, Some(address), Some(pid)) => Server::attach(address, pid),
        _ => bail!("neither a relay to start nor one that runs"),
    };
    server.meter.wait_for_rest()?;
    let mut run = workload.run(&args.sizes, &server).unwrap_or_else(|error| Run::failed(&error));
    if let Some(problem) = run.problems.last_mut() {
        problem.push_str(&server.last_words());
    }
    Ok(run)
}

/// The file is for keeping, so it names no paths: of the relay it has the size alone.
fn as_json(args: &Args, sections: &[Section]) -> Value {
    let relay_bytes = args.relay.as_ref().and_then(|relay| fs::metadata(relay).ok()).map(|metadata| metadata.len());
    let settings: Vec<String> = args.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    json!({
        "tool": concat!("gischat-load ", env!("CARGO_PKG_VERSION")),
        "machine": machine::facts(),
        "relay": { "program_bytes": relay_bytes, "settings": settings },
        "quick": args.sizes.quick,
        "workloads": sections.iter().map(Section::json).collect::<Vec<_>>(),
    })
}

/// Lets this process, and the relay that inherits it, open as many files as the system allows.
///
/// # Errors
/// If that is fewer than `needed`.
fn raise_file_limit(needed: usize) -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("limit of open files")?;
    let allowed = limit.maximum.unwrap_or(u64::MAX);
    ensure!(needed as u64 <= allowed, "{needed} open files needed, the system allows {allowed}; see `ulimit -Hn`");
    Ok(())
}
