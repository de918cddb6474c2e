//! The load tool of gischat-relay.
//!
//! It starts a relay, and in turn with it the servers that it is measured against, puts each under one of a few
//! workloads over the loopback, and reports rates, latency, memory and processor time. One thread drives all
//! connections, since the machine's other cores belong to the server.
//!
//! From the top: [`args`] and [`sizes`] say what to do, [`entrants`] and [`server`] start servers, [`workload`] drives
//! a [`swarm`] with a [`layout`] of rooms, whose [`crowd`] of [`client`]s speaks [`handshake`] and [`frames`], [`cpu`]
//! and [`memory`] look at the server's process, [`stats`], [`report`] and [`mod@section`] make it readable, [`docs`],
//! [`goals`] and [`plot`] write what is kept.
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
    let mut sections: Vec<Section> = Vec::new();
    for case in cases {
        let section = section(args, &entrants, case);
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

/// All servers in turn, as often as there are runs, so that what changes on the machine changes for all.
fn section(args: &Args, entrants: &[Entrant], case: Case) -> Section {
    let takes_part = |entrant: &&Entrant| entrant.who != Who::Rival(Rival::Uwebsockets) || !case.workload.is_curve();
    let entrants: Vec<&Entrant> = entrants.iter().filter(takes_part).collect();
    let column = |entrant: &&Entrant| Column { who: entrant.who, title: entrant.title(), runs: Vec::new() };
    let mut columns: Vec<Column> = entrants.iter().map(column).collect();
    for run in 1..=args.runs() {
        for (entrant, column) in entrants.iter().zip(&mut columns) {
            eprintln!("{}: {}, run {run} of {}", case.name(), entrant.title(), args.runs());
            column.runs.push(once(args, entrant, &case).unwrap_or_else(|error| Run::failed(&error)));
        }
    }
    Section { settings: case.settings(&args.sizes), case, columns }
}

/// One run against a server of its own, or the one that the arguments name.
fn once(args: &Args, entrant: &Entrant, case: &Case) -> Result<Run> {
    let apart = match args.pin {
        Pin::Auto => case.is_delicate() && !args.sizes.quick,
        Pin::Always => true,
        Pin::Never => false,
    };
    let pins = apart.then(Pins::choose).transpose()?;
    pins.as_ref().map(Pins::for_server).transpose()?;
    let server = entrant.start(case.rooms(), case.is_about_presence())?;
    pins.as_ref().map(Pins::for_tool).transpose()?;
    server.meter.wait_for_rest()?;
    let mut run = case.run(&args.sizes, &server).unwrap_or_else(|error| Run::failed(&error));
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
