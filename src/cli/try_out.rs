//! `try`: judges a message with the current configuration, rules and plugins.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::table::{Align, Table};
use super::terminal::{plain_json, printable};
use super::{BAD_ARGUMENTS, print_to};
use crate::app::App;
use crate::audit::Recording;
use crate::config::Config;
use crate::filter::rules::RuleSet;
use crate::model::{Basis, Decision, Match, Message, MessageKind, RoomName, TraceStep};
use crate::telemetry::Subsystem;
use crate::wire::{Generation, typed};

#[derive(Debug, clap::Args)]
pub(super) struct TryArgs {
    /// The room to which the message is sent.
    #[arg(long, value_name = "ROOM")]
    room: String,
    /// The nickname of the author of a text.
    #[arg(long, value_name = "AUTHOR", required_unless_present = "frame", conflicts_with = "frame")]
    author: Option<String>,
    /// A file with a message of any kind, as a client of v3 sends it; `-` for standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    frame: Option<PathBuf>,
    /// Print the decision as one line of JSON.
    #[arg(long)]
    json: bool,
    /// The text of the message.
    #[arg(value_name = "TEXT", required_unless_present = "frame")]
    text: Option<String>,
}

/// Judges the message and prints the decision. Exits with 0 for any decision.
pub(super) fn run(arguments: TryArgs, config: Config, rules: RuleSet) -> ExitCode {
    let TryArgs { room, author, frame, json, text } = arguments;
    let rooms = &config.instance.rooms;
    let Some(room) = room.parse().ok().and_then(|room| rooms.iter().find(|own| **own == room)).cloned() else {
        let rooms: Vec<&str> = rooms.iter().map(RoomName::as_str).collect();
        print_to(
            io::stderr(),
            &format!("error: unknown room {}; the rooms are: {}\n", printable(&room), rooms.join(", ")),
        );
        return ExitCode::from(BAD_ARGUMENTS);
    };
    let message = match frame {
        Some(file) => read_frame(&file, config.live.max_frame_bytes),
        None => Ok(Message::new(
            author.unwrap_or_default(),
            MessageKind::Text { avatar: None, text: text.unwrap_or_default() },
        )),
    };
    let message = match message {
        Ok(message) => message,
        Err(error) => {
            print_to(io::stderr(), &format!("error: {}\n", printable(&error)));
            return ExitCode::from(BAD_ARGUMENTS);
        }
    };
    match judge(config, rules, room.clone(), message) {
        Ok(decision) if json => print_json(&decision, &room),
        Ok(decision) => {
            print_to(io::stdout(), &report(&decision));
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

/// Reads a frame of v3. The error is one line.
fn read_frame(file: &Path, max_bytes: usize) -> Result<Message, String> {
    let name = if file == Path::new("-") { "standard input".into() } else { file.display().to_string() };
    let mut text = String::new();
    let limit = u64::try_from(max_bytes).map_or(u64::MAX, |bytes| bytes.saturating_add(1));
    let read = if file == Path::new("-") {
        io::stdin().take(limit).read_to_string(&mut text)
    } else {
        File::open(file).and_then(|file| file.take(limit).read_to_string(&mut text))
    };
    read.map_err(|error| format!("{name}: {error}"))?;
    if text.len() > max_bytes {
        return Err(format!("{name}: more than {max_bytes} bytes, the limit of `live.max_frame_bytes`"));
    }
    match typed::decode(Generation::V3, &text) {
        Ok(Some(message)) => Ok(message),
        Ok(None) => Err(format!("{name}: a kind of frame that only the relay sends")),
        Err(notice) => Err(format!("{name}: {}", notice.reason().text)),
    }
}

#[tokio::main]
async fn judge(mut config: Config, rules: RuleSet, room: RoomName, message: Message) -> anyhow::Result<Decision> {
    // Do not touch the files of a running relay.
    config.store.file = None;
    config.audit.record = Recording::Off;
    let app = Arc::new(Box::pin(App::build(config, rules)).await);
    if app.plugins().is_none() {
        for missing in app.degraded().iter().filter(|missing| missing.subsystem == Subsystem::Plugins) {
            print_to(io::stderr(), &format!("gischat-relay: {}\n", printable(&missing.reason)));
        }
    }
    if let Some(plugins) = app.plugins() {
        // Also load the plugins that take long to compile.
        plugins.reload().await?;
        for entry in &plugins.current().entries {
            if let Err(error) = &entry.plugin {
                let (plugin, error) = (printable(&entry.manifest.name), printable(&error.to_string()));
                let what = if entry.is_unbuilt_and_passes() { "is left out" } else { "cannot be loaded" };
                print_to(io::stderr(), &format!("{plugin} {what}: {error}\n"));
            }
        }
    }
    // Keep the app alive: the plugin threads end when it is dropped.
    let task_app = Arc::clone(&app);
    Ok(app.judge_handle().spawn(async move { task_app.try_out(room, message).await }).await??)
}

fn failed(error: &anyhow::Error) -> ExitCode {
    print_to(io::stderr(), &format!("gischat-relay: {error:#}\n"));
    ExitCode::FAILURE
}

fn print_json(decision: &Decision, room: &RoomName) -> ExitCode {
    match serde_json::to_string(&decision.view_with_place(room)) {
        Ok(line) => {
            print_to(io::stdout(), &format!("{}\n", plain_json(&line)));
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error.into()),
    }
}

/// Formats the decision as text.
fn report(decision: &Decision) -> String {
    let by = decision.decided_by.map_or_else(String::new, |by| format!(", by {by}"));
    let mut lines = vec![format!("outcome  {}{by}", decision.outcome)];
    if let Some(reason) = &decision.reason {
        lines.push(format!("reason   {}: {}", reason.code, printable(&reason.text)));
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

fn row(step: &TraceStep) -> ([String; 6], Vec<String>) {
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
            basis.penalty().map(|penalty| format!("penalty: {}, {} s", penalty.as_str(), penalty.duration().as_secs())),
        );
        notes.extend(field.map(|field| format!("in the {field}")));
        notes.extend(exempt.then(|| "sender is exempt".to_owned()));
        if !labels.is_empty() {
            notes.push(format!("labels: {}", printable(&labels.join(", "))));
        }
    }
    let micros = format!("{:.1}", took.as_secs_f64() * 1e6);
    let verdict = step.verdict.to_string();
    ([step.filter.to_owned(), by, verdict, mode.to_owned(), at, micros], notes)
}
