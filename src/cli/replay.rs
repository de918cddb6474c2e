//! `replay`: an audit log through changed rules or plugins.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use super::table::{Align, Table};
use super::terminal::{plain_json, printable};
use super::{BAD_ARGUMENTS, bad_configuration, tell};
use crate::app;
use crate::config::Config;
use crate::filter::plugin::Plugins;
use crate::filter::{Filter, Name, rules};
use crate::replay::{LogStage, OpenPlugins, Replay, Report, Share, Side, log_files, read_logs};
use crate::sandbox::{Library, Sandbox};
use crate::settings::Fault;

/// Flips that are told one by one.
const MAX_FLIPS: usize = 100_000;
/// Authors that are told in the text.
const MAX_AUTHORS: usize = 20;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files of an audit log, or the folder of one.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The rules that are tried, in place of those of the configuration.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// The plugins that are asked. Otherwise, what plugins said then is taken for what they say.
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
    /// Print the report as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Replays the log and reports. 0 also when messages would become others; 1 when nothing could be replayed.
pub(super) fn run(arguments: &Arguments, config: &Config, mut faults: Vec<Fault>) -> ExitCode {
    let configured = app::rules_source(config);
    let source = match &arguments.rules {
        Some(file) => rules::Source { file: Some(file.clone()), ..configured },
        None => configured,
    };
    let read = source.load().unwrap_or_else(|more| {
        faults.extend(more);
        rules::Rules::default()
    });
    if !faults.is_empty() {
        return bad_configuration(&faults);
    }
    let order = &config.filter.order;
    for (given, name) in [(arguments.rules.is_some(), Name::Rules), (arguments.plugins.is_some(), Name::Plugin)] {
        if given && !order.contains(&name) {
            return refuse(&format!("filter.order does not name `{}`, so that nothing would be tried", name.as_str()));
        }
    }
    let files = match log_files(&arguments.files) {
        Ok(files) if files.is_empty() => return refuse("there are no files of an audit log"),
        Ok(files) => files,
        Err(fault) => return fail(&fault.to_string()),
    };
    let sandbox = match &arguments.plugins {
        Some(dir) => {
            let mut plugins = config.filter.plugins.clone();
            plugins.dir = Some(dir.clone());
            match Sandbox::of(&plugins) {
                Ok(sandbox) => Some((Arc::new(sandbox), plugins)),
                Err(fault) => return fail(&fault.to_string()),
            }
        }
        None => None,
    };
    let handle = sandbox.as_ref().map(|(sandbox, _)| sandbox.handle());
    let open = sandbox.map(|(sandbox, plugins)| -> Box<OpenPlugins<'_>> {
        let longest = config.filter.shape.max_message_length;
        Box::new(move || open(&sandbox, &plugins, longest))
    });
    let current = rules::Current::new(source, read, Arc::default());
    let mut stage = LogStage::new(config.filter.clone(), config.moderation.clone(), current, open);
    let mut replay = Replay::new(&mut stage, MAX_FLIPS, handle);
    match read_logs(&files, &mut replay).and_then(|()| replay.finish()) {
        Ok(report) => show(&report, arguments.json),
        Err(fault) => fail(&fault.to_string()),
    }
}

/// Opens the plugins anew: all of them, and nothing in their stores.
fn open(
    sandbox: &Arc<Sandbox>,
    config: &crate::sandbox::Config,
    max_message_length: usize,
) -> Result<Box<dyn Filter>, String> {
    let opening = async {
        let library = Library::open(Arc::clone(sandbox), config.clone()).await?;
        // What takes long to compile was left for later.
        library.reload().await?;
        Ok::<_, crate::sandbox::FolderError>(library)
    };
    let library = sandbox.handle().block_on(opening).map_err(|fault| fault.to_string())?;
    let catalog = library.current();
    for entry in &catalog.entries {
        if let Err(fault) = &entry.plugin
            && !entry.is_unbuilt_and_passes()
        {
            return Err(format!("the plugin {} cannot be loaded: {fault}", entry.manifest.name));
        }
    }
    Ok(Box::new(Plugins::new(library, max_message_length)))
}

fn refuse(why: &str) -> ExitCode {
    tell(io::stderr(), &format!("error: {}\n", printable(why)));
    ExitCode::from(BAD_ARGUMENTS)
}

fn fail(why: &str) -> ExitCode {
    tell(io::stderr(), &format!("gischat-relay: {}\n", printable(why)));
    ExitCode::FAILURE
}

fn show(report: &Report, json: bool) -> ExitCode {
    if json {
        match serde_json::to_string(report) {
            Ok(line) => tell(io::stdout(), &format!("{}\n", plain_json(&line))),
            Err(fault) => return fail(&fault.to_string()),
        }
    } else {
        tell(io::stdout(), &text(report));
    }
    if report.replayed == 0 {
        return fail("nothing could be replayed");
    }
    ExitCode::SUCCESS
}

/// The report for people.
fn text(report: &Report) -> String {
    let mut text = format!(
        "messages  {} in {}, {} judged again\nflips     {}\n",
        report.messages,
        counted(report.runs, "run"),
        report.replayed,
        report.flipped
    );
    let figures = [
        (report.other_grounds, "would come to the same by the doing of another rule, plugin or filter"),
        (report.traces_differ, "would come to the same with another trace or reason"),
        (report.plugins_as_logged, "have answers of plugins, which were taken as they were logged"),
        (report.plugins_not_asked, "would be shown to plugins that did not see them; they were taken to let them pass"),
    ];
    // Writing to a string cannot fail.
    for (count, what) in figures.iter().filter(|(count, _)| *count > 0) {
        let _infallible = writeln!(text, "{:9} {count} {what}", "");
    }
    for skipped in &report.not_replayed {
        let places = skipped.first.iter().map(|place| printable(place)).collect::<Vec<_>>().join(", ");
        let _infallible = writeln!(text, "left out  {}: {} ({places})", skipped.count, skipped.why);
    }
    for note in &report.notes {
        let _infallible = writeln!(text, "note      {}", printable(note));
    }
    if report.flipped > 0 {
        text.push('\n');
        text += &flips(report);
        text.push('\n');
        text += &shares("by", report.rules.iter().filter(|share| share.lost + share.gained > 0));
        text.push('\n');
        text += &shares("author", report.authors.iter().take(MAX_AUTHORS));
        let more = report.authors.len().saturating_sub(MAX_AUTHORS);
        if more > 0 {
            let _infallible = writeln!(text, "… and {more} more");
        }
    }
    text
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn flips(report: &Report) -> String {
    let columns = [
        ("at", Align::Left),
        ("room", Align::Left),
        ("author", Align::Left),
        ("before", Align::Left),
        ("after", Align::Left),
    ];
    let mut table = Table::new(columns);
    for flip in &report.flips {
        let cells = [
            format!("{:.3}", flip.at),
            printable(&flip.room),
            printable(&flip.author),
            side(&flip.before),
            side(&flip.after),
        ];
        let said = if flip.kind == "newcomer" { "(registers)".to_owned() } else { printable(&flip.text) };
        table.add(cells, vec![said, printable(&flip.origin)]);
    }
    let mut text = table.text();
    if report.flips_left_out > 0 {
        let _infallible = writeln!(text, "… and {} more", report.flips_left_out);
    }
    text
}

fn side(side: &Side) -> String {
    let text = side.text.as_ref().map_or_else(String::new, |text| format!(": {}", printable(text)));
    match &side.by {
        Some(by) => format!("{} ({}){text}", side.outcome.as_str(), printable(&by.to_string())),
        None => side.outcome.as_str().to_owned(),
    }
}

fn shares<'r>(of: &'static str, all: impl Iterator<Item = &'r Share>) -> String {
    let columns = [
        (of, Align::Left),
        ("before", Align::Right),
        ("after", Align::Right),
        ("lost", Align::Right),
        ("gained", Align::Right),
    ];
    let mut table = Table::new(columns);
    for Share { of, before, after, lost, gained } in all {
        let figures = [before, after, lost, gained].map(u64::to_string);
        let [before, after, lost, gained] = figures;
        table.add([printable(of), before, after, lost, gained], Vec::new());
    }
    table.text()
}
