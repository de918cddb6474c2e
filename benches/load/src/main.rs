//! The load tool of gischat-relay.
//!
//! It starts a relay, and in turn with it the servers that it is measured against, puts each under one of a few
//! workloads over the loopback, and reports rates, latency, memory and processor time. One thread drives all
//! connections, since the machine's other cores belong to the server.
//!
//! From the top: [`args`] and [`sizes`] say what to do, [`entrants`] and [`server`] start servers, [`workload`] drives
//! a [`swarm`] with a [`layout`] of rooms, whose [`crowd`] of [`client`]s speaks [`handshake`] and [`frames`], [`cpu`]
//! and [`memory`] look at the server's process, [`stats`], [`report`] and [`mod@section`] make it readable, [`docs`],
//! [`goals`] and [`plot`] write what is kept. [`chains`] has the plugins and rules of the relay.
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
mod chains;
mod client;
mod cpu;
mod crowd;
mod docs;
mod entrants;
mod frames;
mod goals;
mod handshake;
mod layout;
mod machine;
mod memory;
mod pins;
mod plot;
mod report;
mod rounds;
mod section;
mod server;
mod sizes;
mod stats;
mod swarm;
mod tally;
mod told;
mod workload;

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};

use crate::args::{Args, Pin};
use crate::chains::{Chain, Folder, Shelf};
use crate::entrants::{Entrant, Rival, Who};
use crate::pins::Pins;
use crate::report::Run;
use crate::section::{Column, Section};
use crate::workload::{Case, Workload};

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
    let facts = machine::facts();
    let entrants = entrants::all(args)?;
    if args.docs.is_some() {
        let floors = [Rival::Coalescing, Rival::Sends];
        let found = floors.iter().all(|floor| entrants.iter().any(|entrant| entrant.who == Who::Rival(*floor)));
        ensure!(found, "the documents need the floors");
    }
    let workloads = if args.workloads.is_empty() { Workload::value_variants() } else { &args.workloads };
    let cases: Vec<Case> = workloads.iter().flat_map(|workload| workload.cases(&args.sizes)).collect();
    raise_file_limit(cases.iter().map(Case::connections).max().unwrap_or(0) + SPARE_FILES)?;
    let shelf = Shelf::new(&args.plugins, &args.stuck)?;
    let mut sections: Vec<Section> = Vec::new();
    for case in cases {
        let section = section(args, &entrants, &shelf, case);
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
            &docs::Source { facts: &facts, entrants: &entrants, sections: &sections, runs: args.runs() },
        )?;
    }
    Ok(sections.iter().all(Section::is_good))
}

/// All servers in turn, as often as there are runs, so that what changes on the machine changes for all. Where plugins
/// or rules are what is compared, the relay with each chain of them is a server.
fn section(args: &Args, entrants: &[Entrant], shelf: &Shelf, case: Case) -> Section {
    let takes_part = |entrant: &&Entrant| entrant.who != Who::Rival(Rival::Uwebsockets) || !case.workload.is_curve();
    let (chains, missing): (Vec<Chain>, Vec<Chain>) =
        case.workload.chains().iter().partition(|chain| shelf.missing(**chain).is_empty());
    let servers: Vec<(&Entrant, Who)> = if case.workload.chains().is_empty() {
        entrants.iter().filter(takes_part).map(|entrant| (entrant, entrant.who)).collect()
    } else {
        let relays = || entrants.iter().filter(|entrant| entrant.who == Who::Relay);
        chains.into_iter().flat_map(|chain| relays().map(move |relay| (relay, Who::With(chain)))).collect()
    };
    let mut columns: Vec<Column> = servers.iter().map(|(_, who)| Column { who: *who, runs: Vec::new() }).collect();
    for run in 1..=args.runs() {
        for ((entrant, who), column) in servers.iter().zip(&mut columns) {
            eprintln!("{}: {}, run {run} of {}", case.name(), who.title(), args.runs());
            column.runs.push(once(args, entrant, *who, shelf, &case).unwrap_or_else(|error| Run::failed(&error)));
        }
    }
    let note = |chain: Chain| format!("without `{}`: not built: {}", chain.title(), shelf.missing(chain).join(", "));
    let notes = missing.into_iter().map(note).collect();
    Section { settings: case.settings(&args.sizes), case, columns, notes }
}

/// One run against a server of its own, or the one that the arguments name.
fn once(args: &Args, entrant: &Entrant, who: Who, shelf: &Shelf, case: &Case) -> Result<Run> {
    let apart = match args.pin {
        Pin::Auto => case.is_delicate() && !args.sizes.quick,
        Pin::Always => true,
        Pin::Never => false,
    };
    let chain = if let Who::With(chain) = who { chain } else { Chain::Bare };
    let plugins: Option<Folder> = shelf.folder(chain)?;
    let pins = apart.then(Pins::choose).transpose()?;
    pins.as_ref().map(Pins::for_server).transpose()?;
    let server = entrant.start(case.rooms(), case.is_about_presence(), chain, plugins.as_ref())?;
    pins.as_ref().map(Pins::for_tool).transpose()?;
    server.meter.wait_for_rest()?;
    let mut run = case.run(&args.sizes, &server, chain).unwrap_or_else(|error| Run::failed(&error));
    let failed = server.failed_calls();
    if failed > 0 && chain != Chain::Stuck {
        run.problems.push(format!("{failed} calls of plugins have failed"));
    }
    if let Some(problem) = run.problems.last_mut() {
        problem.push_str(&server.last_words());
    }
    Ok(run)
}

/// The file is for keeping, so it names no paths: of the relay it has the size alone.
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

/// Lets this process, and the servers that inherit it, open as many files as the system allows.
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
