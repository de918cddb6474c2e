//! The load tool of gischat-relay.
//!
//! It starts a relay and, in turn, the servers that it is compared with, puts each under load over the loopback, and
//! reports rates, latency, memory and CPU time. One thread drives all connections, which leaves the other cores to the
//! server.
//!
//! From the top: [`args`] and [`sizes`] are the command line, [`entrants`] and [`server`] start servers, [`workload`]
//! drives a [`swarm`] with a [`layout`] of rooms, whose [`clients`] use [`handshake`] and [`frames`], [`cpu`] and
//! [`memory`] observe the server's process, [`stats`], [`report`] and [`mod@section`] present the results, and
//! [`docs`], [`goals`] and [`plot`] write documents. [`generation`] has the dialects of the protocol, [`chat`],
//! [`layer`] and [`photo`] what members send, [`chains`] the plugins and rules of the relay.
#![deny(unsafe_code)]
#![allow(clippy::indexing_slicing, reason = "the indices are this tool's own; a wrong one must stop the measurement")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "figures are for display; none comes near 2^52"
)]
#![cfg_attr(test, allow(clippy::expect_used, reason = "tests may panic"))]

mod args;
mod chains;
mod chat;
mod client;
mod clients;
mod cpu;
mod docs;
mod entrants;
mod frames;
mod generation;
mod goals;
mod handshake;
mod large_frame;
mod layer;
mod layout;
mod machine;
mod memory;
mod photo;
mod pins;
mod plot;
mod presence;
mod report;
mod round_robin;
mod section;
mod server;
mod sizes;
mod stats;
mod swarm;
mod tally;
mod variant;
mod workload;

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};

use crate::args::{Args, Pin};
use crate::chains::{Chain, PluginFolder, PluginFolders};
use crate::entrants::{Entrant, Rival, ServerKind};
use crate::pins::Pins;
use crate::report::Run;
use crate::section::{Column, Section};
use crate::variant::Variant;
use crate::workload::{Case, Workload};

/// Open files other than connections.
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

/// Runs all measurements. Returns whether every run was good.
fn measure(args: &Args) -> Result<bool> {
    let facts = machine::facts();
    let entrants = entrants::all(args)?;
    if args.docs.is_some() {
        let floors = [Rival::Coalescing, Rival::Sends];
        let found = floors.iter().all(|floor| entrants.iter().any(|entrant| entrant.kind == ServerKind::Rival(*floor)));
        ensure!(found, "the documents need both floors");
    }
    let workloads = if args.workloads.is_empty() { Workload::value_variants() } else { &args.workloads };
    let cases: Vec<Case> = workloads.iter().flat_map(|workload| workload.cases(&args.sizes)).collect();
    raise_file_limit(cases.iter().map(Case::connections).max().unwrap_or(0) + SPARE_FILES)?;
    let folders = PluginFolders::new(&args.plugins, &args.stuck)?;
    let mut sections: Vec<Section> = Vec::new();
    for case in cases {
        let section = section(args, &entrants, &folders, case);
        println!("{}", section.table());
        sections.push(section);
    }
    if let Some(path) = &args.json {
        let text = format!("{:#}\n", as_json(args, &facts, &entrants, &sections));
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(folder) = &args.docs {
        docs::write(
            folder,
            &docs::Results { facts: &facts, entrants: &entrants, sections: &sections, runs: args.runs() },
        )?;
    }
    Ok(sections.iter().all(Section::is_good))
}

/// Measures all servers in turn for each run, so that changes of the machine affect all of them. If the relay is
/// compared with itself, each variant counts as a server.
fn section(args: &Args, entrants: &[Entrant], folders: &PluginFolders, case: Case) -> Section {
    let takes_part =
        |entrant: &&Entrant| entrant.kind != ServerKind::Rival(Rival::Uwebsockets) || !case.workload.is_curve();
    let (variants, missing): (Vec<Variant>, Vec<Variant>) =
        case.workload.variants().iter().partition(|variant| folders.missing(variant.chain()).is_empty());
    let servers: Vec<(&Entrant, ServerKind)> = if case.workload.variants().is_empty() {
        entrants.iter().filter(takes_part).map(|entrant| (entrant, entrant.kind)).collect()
    } else {
        let relays = || entrants.iter().filter(|entrant| entrant.kind == ServerKind::Relay);
        let columns = |variant| relays().map(move |relay| (relay, ServerKind::RelayWith(variant)));
        variants.into_iter().flat_map(columns).collect()
    };
    let mut columns: Vec<Column> = servers.iter().map(|(_, kind)| Column { kind: *kind, runs: Vec::new() }).collect();
    for run in 1..=args.runs() {
        for ((entrant, kind), column) in servers.iter().zip(&mut columns) {
            eprintln!("{}: {}, run {run} of {}", case.name(), kind.title(), args.runs());
            column
                .runs
                .push(run_once(args, entrant, *kind, folders, &case).unwrap_or_else(|error| Run::failed(&error)));
        }
    }
    let note = |variant: Variant| {
        format!("without `{}`: not built: {}", variant.title(), folders.missing(variant.chain()).join(", "))
    };
    let notes = missing.into_iter().map(note).collect();
    Section { settings: case.settings(&args.sizes), case, columns, notes }
}

/// One run against a new server, or the running one that the arguments name.
fn run_once(args: &Args, entrant: &Entrant, kind: ServerKind, folders: &PluginFolders, case: &Case) -> Result<Run> {
    let pinned = match args.pin {
        Pin::Auto => case.is_delicate() && !args.sizes.quick,
        Pin::Always => true,
        Pin::Never => false,
    };
    let chain = kind.variant().map_or(Chain::NoPlugins, Variant::chain);
    let plugins: Option<PluginFolder> = folders.folder(chain)?;
    let pins = pinned.then(Pins::choose).transpose()?;
    pins.as_ref().map(Pins::for_server).transpose()?;
    let server = entrant.start(case.rooms(), case.is_about_presence(), chain, plugins.as_ref())?;
    pins.as_ref().map(Pins::for_tool).transpose()?;
    server.meter.wait_until_idle()?;
    let mut run = case.run(&args.sizes, &server, kind.variant()).unwrap_or_else(|error| Run::failed(&error));
    let failed = server.failed_calls();
    if failed > 0 && chain != Chain::StuckBusy {
        run.problems.push(format!("{failed} plugin calls failed"));
    }
    if let Some(problem) = run.problems.last_mut() {
        problem.push_str(&server.log_tail());
    }
    Ok(run)
}

/// Returns all results as JSON. The file may be published, so it has no paths: of the relay only its size.
fn as_json(args: &Args, facts: &Value, entrants: &[Entrant], sections: &[Section]) -> Value {
    let settings: Vec<String> = args.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let versions: Vec<_> = entrants.iter().filter_map(|entrant| entrant.version.as_ref()).collect();
    json!({
        "tool": concat!("gischat-load ", env!("CARGO_PKG_VERSION")),
        "machine": facts,
        "relay": { "program_bytes": entrants.first().and_then(Entrant::program_bytes), "settings": settings },
        "versions": versions,
        "quick": args.sizes.quick,
        "workloads": sections.iter().map(Section::json).collect::<Vec<_>>(),
    })
}

/// Raises the limit of open files of this process, and of the servers that inherit it, to the maximum.
///
/// # Errors
/// If the maximum is less than `needed`.
fn raise_file_limit(needed: usize) -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("limit of open files")?;
    let allowed = limit.maximum.unwrap_or(u64::MAX);
    ensure!(needed as u64 <= allowed, "{needed} open files needed, the system allows {allowed}; see `ulimit -Hn`");
    Ok(())
}
