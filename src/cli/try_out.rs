//! `try`: what would become of a text, as the configuration, the rules and the plugins are now.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use super::table::{Align, Table};
use super::terminal::{plain_json, printable};
use super::{BAD_ARGUMENTS, tell};
use crate::app::App;
use crate::config::Config;
use crate::filter::rules::Rules;
use crate::model::{Basis, Decision, Kind, Match, Message, RoomName, Step};
use crate::moderation::audit::Recording;
use crate::telemetry::Part;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The room that the text would be sent to.
    #[arg(long, value_name = "ROOM")]
    room: String,
    /// The nickname that it would be sent under.
    #[arg(long, value_name = "AUTHOR")]
    author: String,
    /// Print the decision as one line of JSON.
    #[arg(long)]
    json: bool,
    /// What is said.
    #[arg(value_name = "TEXT")]
    text: String,
}

/// Judges the text and prints the decision; 0 whatever that is.
pub(super) fn run(arguments: Arguments, config: Config, rules: Rules) -> ExitCode {
    let Arguments { room, author, json, text } = arguments;
    let rooms = &config.instance.rooms;
    let Some(room) = RoomName::parse(&room).ok().and_then(|room| rooms.iter().find(|own| **own == room)).cloned()
    else {
        let rooms: Vec<&str> = rooms.iter().map(RoomName::as_str).collect();
        tell(io::stderr(), &format!("error: there is no room {}; there are: {}\n", printable(&room), rooms.join(", ")));
        return ExitCode::from(BAD_ARGUMENTS);
    };
    match judge(config, rules, room.clone(), Message::new(author, Kind::Text { avatar: None, text })) {
        Ok(decision) if json => print_json(&decision, &room),
        Ok(decision) => {
            tell(io::stdout(), &report(&decision));
            ExitCode::SUCCESS
        }
        Err(fault) => failed(&fault),
    }
}

#[tokio::main]
async fn judge(mut config: Config, rules: Rules, room: RoomName, message: Message) -> anyhow::Result<Decision> {
    // What a relay keeps is not touched.
    config.moderation.store = None;
    config.moderation.audit.record = Recording::Off;
    let app = Arc::new(App::build(config, rules).await);
    if app.plugins().is_none() {
        for missing in app.degraded().iter().filter(|missing| missing.part == Part::Plugins) {
            tell(io::stderr(), &format!("gischat-relay: {}\n", printable(&missing.reason)));
        }
    }
    if let Some(plugins) = app.plugins() {
        // What takes long to compile was left for later.
        plugins.reload().await?;
        for entry in &plugins.current().entries {
            if let Err(fault) = &entry.plugin {
                let (plugin, fault) = (printable(&entry.manifest.name), printable(&fault.to_string()));
                let what = if entry.is_unbuilt_and_passes() { "is left out" } else { "could not be loaded" };
                tell(io::stderr(), &format!("{plugin} {what}: {fault}\n"));
            }
        }
    }
    // Their threads end with the last of the relay, so that is kept here.
    let of_task = Arc::clone(&app);
    Ok(app.judging().spawn(async move { of_task.try_out(room, message).await }).await?)
}

fn failed(fault: &anyhow::Error) -> ExitCode {
    tell(io::stderr(), &format!("gischat-relay: {fault:#}\n"));
    ExitCode::FAILURE
}

fn print_json(decision: &Decision, room: &RoomName) -> ExitCode {
    match serde_json::to_string(&decision.record(room)) {
        Ok(line) => {
            tell(io::stdout(), &format!("{}\n", plain_json(&line)));
            ExitCode::SUCCESS
        }
        Err(fault) => failed(&fault.into()),
    }
}

/// The decision for people.
fn report(decision: &Decision) -> String {
    let by = decision.by.map_or_else(String::new, |by| format!(", by {by}"));
    let mut lines = vec![format!("outcome  {}{by}", decision.outcome.as_str())];
    if let Some(reason) = &decision.reason {
        lines.push(format!("reason   {}: {}", reason.code.as_str(), printable(&reason.text)));
    }
    if let (Some(_), Some(text)) = (&decision.original, decision.message.text()) {
        lines.push(format!("text     {}", printable(text)));
    }
    let columns = [
        ("filter", Align::Left),
        ("by", Align::Left),
        ("verdict", Align::Left),
        ("mode", Align::Left),
        ("at", Align::Left),
        ("µs", Align::Right),
    ];
    let mut table = Table::new(columns);
    for step in &decision.trace {
        let (cells, notes) = row(step);
        table.add(cells, notes);
    }
    format!("{}\n\n{}", lines.join("\n"), table.text())
}

fn row(step: &Step) -> ([String; 6], Vec<String>) {
    let (mut by, mut mode, mut at, mut took, mut notes) = (String::new(), "", String::new(), step.took, Vec::new());
    if let Some(Match { mode: own, exempt, basis, field, span, labels, .. }) = &step.matched {
        mode = own.as_str();
        at = span.map_or_else(String::new, |span| format!("{}..{}", span.0, span.1));
        match basis {
            Basis::Rule { id, source, .. } => {
                by = printable(id);
                notes.push(printable(source));
            }
            Basis::Sanction { id } => by = format!("sanction {id}"),
            Basis::Plugin { name, took: own, failure, .. } => {
                by = printable(name);
                took = *own;
                notes.extend(failure.as_ref().map(|failure| format!("failed: {}", printable(failure))));
            }
        }
        notes.extend(
            basis
                .penalty()
                .map(|penalty| format!("asks for: {}, {} s", penalty.as_str(), penalty.duration().as_secs())),
        );
        notes.extend(field.map(|field| format!("in the {field}")));
        notes.extend(exempt.then(|| "does not act on this sender".to_owned()));
        if !labels.is_empty() {
            notes.push(format!("labels: {}", printable(&labels.join(", "))));
        }
    }
    let micros = format!("{:.1}", took.as_secs_f64() * 1e6);
    let verdict = step.verdict.as_str().to_owned();
    ([step.filter.to_owned(), by, verdict, mode.to_owned(), at, micros], notes)
}
