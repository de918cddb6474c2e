//! `replay`: replays an audit log with changed rules or plugins.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use super::table::{Align, Table};
use super::terminal::{plain_json, printable};
use super::{BAD_ARGUMENTS, print_to, report_bad_configuration};
use crate::app;
use crate::config::Config;
use crate::filter::plugin::PluginFilter;
use crate::filter::{Filter, FilterName, rules};
use crate::replay::{
    FlipTotals, LogEnvironment, OpenPlugins, Replay, ReplayReport, ReportedOutcome, log_files, replay_logs,
};
use crate::sandbox::{Library, Sandbox};
use crate::settings::ConfigError;

/// Most flips in a report.
const MAX_FLIPS: usize = 100_000;
/// Most authors in a text report.
const MAX_AUTHORS: usize = 20;

#[derive(Debug, clap::Args)]
pub(super) struct ReplayArgs {
    /// Files of an audit log, or its folder.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The rules file to use instead of the configured one.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// The plugins folder to use. Without it, the logged answers of plugins are used.
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
    /// Print the report as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Replays the log and prints a report. Exits with 0 even if decisions would change, and with 1 if nothing could be
/// replayed.
pub(super) fn run(arguments: &ReplayArgs, config: &Config, mut errors: Vec<ConfigError>) -> ExitCode {
    let configured = app::rules_source(config);
    let source = match &arguments.rules {
        Some(file) => rules::RulesSource { file: Some(file.clone()), ..configured },
        None => configured,
    };
    let read = source.load().unwrap_or_else(|more| {
        errors.extend(more);
        rules::RuleSet::default()
    });
    if !errors.is_empty() {
        return report_bad_configuration(&errors);
    }
    let order = &config.filter.order;
    for (given, name) in
        [(arguments.rules.is_some(), FilterName::Rules), (arguments.plugins.is_some(), FilterName::Plugin)]
    {
        if given && !order.contains(&name) {
            return refuse(&format!("filter.order does not include `{name}`, so it would have no effect"));
        }
    }
    let files = match log_files(&arguments.files) {
        Ok(files) if files.is_empty() => return refuse("there are no files of an audit log"),
        Ok(files) => files,
        Err(error) => return fail(&error.to_string()),
    };
    let sandbox = match &arguments.plugins {
        Some(dir) => {
            let mut plugins = config.filter.plugins.clone();
            plugins.dir = Some(dir.clone());
            match Sandbox::from_config(&plugins) {
                Ok(sandbox) => Some((Arc::new(sandbox), plugins)),
                Err(error) => return fail(&error.to_string()),
            }
        }
        None => None,
    };
    let handle = sandbox.as_ref().map(|(sandbox, _)| sandbox.handle());
    let open = sandbox.map(|(sandbox, plugins)| -> Box<OpenPlugins<'_>> {
        let longest = config.filter.shape.max_message_length;
        Box::new(move || open(&sandbox, &plugins, longest))
    });
    let current = rules::ActiveRules::new(source, read, Arc::default());
    let mut stage = LogEnvironment::new(config.filter.clone(), config.moderation.clone(), current, open);
    let mut replay = Replay::new(&mut stage, MAX_FLIPS, handle);
    match replay_logs(&files, &mut replay).and_then(|()| replay.finish()) {
        Ok(report) => show(&report, arguments.json),
        Err(error) => fail(&error.to_string()),
    }
}

/// Loads all plugins, with empty stores.
fn open(
    sandbox: &Arc<Sandbox>,
    config: &crate::sandbox::Config,
    max_message_length: usize,
) -> Result<Box<dyn Filter>, String> {
    let opening = async {
        let library = Library::open(Arc::clone(sandbox), config.clone()).await?;
        // Also load the plugins that take long to compile.
        library.reload().await?;
        Ok::<_, crate::sandbox::LibraryError>(library)
    };
    let library = sandbox.handle().block_on(opening).map_err(|error| error.to_string())?;
    let catalog = library.current();
    for entry in &catalog.entries {
        if let Err(error) = &entry.plugin
            && !entry.is_unbuilt_and_passes()
        {
            return Err(format!("plugin `{}` cannot be loaded: {error}", entry.manifest.name));
        }
    }
    Ok(Box::new(PluginFilter::new(library, max_message_length)))
}

fn refuse(why: &str) -> ExitCode {
    print_to(io::stderr(), &format!("error: {}\n", printable(why)));
    ExitCode::from(BAD_ARGUMENTS)
}

fn fail(why: &str) -> ExitCode {
    print_to(io::stderr(), &format!("gischat-relay: {}\n", printable(why)));
    ExitCode::FAILURE
}

fn show(report: &ReplayReport, json: bool) -> ExitCode {
    if json {
        match serde_json::to_string(report) {
            Ok(line) => print_to(io::stdout(), &format!("{}\n", plain_json(&line))),
            Err(error) => return fail(&error.to_string()),
        }
    } else {
        print_to(io::stdout(), &text(report));
    }
    if report.replayed == 0 {
        return fail("nothing could be replayed");
    }
    ExitCode::SUCCESS
}

/// Formats the report as text.
fn text(report: &ReplayReport) -> String {
    let mut text = format!(
        "messages  {} in {}, {} judged again\nflips     {}\n",
        report.messages,
        counted(report.runs, "run"),
        report.replayed,
        report.flipped
    );
    let figures = [
        (report.other_grounds, "would have the same outcome by another rule, plugin or filter"),
        (report.traces_differ, "would have the same outcome with another trace or reason"),
        (report.plugins_as_logged, "use logged plugin answers"),
        (report.plugins_not_asked, "would reach plugins without a logged answer; counted as passed"),
    ];
    // Writing to a string cannot fail.
    for (count, what) in figures.iter().filter(|(count, _)| *count > 0) {
        let _infallible = writeln!(text, "{:9} {count} {what}", "");
    }
    for skipped in &report.not_replayed {
        let places = skipped.first.iter().map(|place| printable(place)).collect::<Vec<_>>().join(", ");
        let _infallible = writeln!(text, "left out  {}: {} ({places})", skipped.count, skipped.reason);
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

fn flips(report: &ReplayReport) -> String {
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

fn side(side: &ReportedOutcome) -> String {
    let text = side.text.as_ref().map_or_else(String::new, |text| format!(": {}", printable(text)));
    match &side.by {
        Some(by) => format!("{} ({}){text}", side.outcome, printable(&by.to_string())),
        None => side.outcome.to_string(),
    }
}

fn shares<'r>(of: &'static str, all: impl Iterator<Item = &'r FlipTotals>) -> String {
    let columns = [
        (of, Align::Left),
        ("before", Align::Right),
        ("after", Align::Right),
        ("lost", Align::Right),
        ("gained", Align::Right),
    ];
    let mut table = Table::new(columns);
    for FlipTotals { name, before, after, lost, gained } in all {
        let figures = [before, after, lost, gained].map(u64::to_string);
        let [before, after, lost, gained] = figures;
        table.add([printable(name), before, after, lost, gained], Vec::new());
    }
    table.text()
}
