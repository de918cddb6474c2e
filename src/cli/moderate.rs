//! `filters` and `reload`: moderation requests to the running relay.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;

use super::client::{HttpResponse, call, local_address};
use super::table::{Align, Table};
use super::terminal::{plain_json, printable};
use super::{BAD_ARGUMENTS, print_to};
use crate::api::Config;

/// The variable that contains a moderator's token.
const TOKEN_VARIABLE: &str = "MODERATOR_TOKEN";
/// Longest token, in bytes.
const MAX_TOKEN: usize = 256;
/// Largest token file, in bytes.
const MAX_TOKEN_FILE: u64 = 4_096;
/// Long enough to compile plugins during a reload.
const TIMEOUT: Duration = Duration::from_mins(6);

#[derive(Debug, clap::Args)]
pub(super) struct ClientArgs {
    /// A file with a moderator's token [default: the value of `MODERATOR_TOKEN`]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Print the relay's response as JSON.
    #[arg(long)]
    json: bool,
}

/// Prints statistics of filters, rules and plugins.
pub(super) fn filters(arguments: &ClientArgs, config: &Config) -> ExitCode {
    ask(arguments, config, "GET", "/moderation/filters", |answer| {
        let lists = answer["filters"].as_array().cloned().unwrap_or_default();
        let mut parts = vec![filters_table(&lists)];
        for list in &lists {
            parts.extend(list["rules"].as_array().map(|rules| rules_table(rules)));
            parts.extend(list["plugins"].as_array().map(|plugins| plugins_table(plugins)));
            let current = &list["not_in_force"];
            if let Some(errors) = current["errors"].as_array() {
                let (filter, since) = (shown(&list["filter"]), shown(&current["since"]));
                let errors: Vec<String> = errors.iter().map(|error| format!("  {}", shown(error))).collect();
                let errors = errors.join("\n");
                parts.push(format!(
                    "errors in the current {filter} since {since}; the previous {filter} are in force:\n{errors}\n"
                ));
            }
        }
        parts.join("\n")
    })
}

/// Reloads everything, and prints which settings changed and which rules are in force.
pub(super) fn reload(arguments: &ClientArgs, config: &Config) -> ExitCode {
    ask(arguments, config, "POST", "/moderation/reload", |answer| {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let names = |value: &Value| list(value).iter().map(shown).collect::<Vec<_>>().join(", ");
        let settings = &answer["settings"];
        let mut parts: Vec<String> = [("changed", "changed"), ("changed, restart needed", "needs_restart")]
            .into_iter()
            .map(|(what, key)| (what, names(&settings[key])))
            .filter(|(_, keys)| !keys.is_empty())
            .map(|(what, keys)| format!("settings {what}: {keys}"))
            .collect();
        let (rules, plugins) = (list(&answer["in_force"]), names(&answer["plugins"]));
        let plugins = if plugins.is_empty() { "none" } else { &plugins };
        parts.push(format!("rules in force: {}; plugins: {plugins}\n\n{}", rules.len(), rules_table(&rules)));
        parts.join("\n")
    })
}

/// Sends a request and prints the response as formatted by `show`.
fn ask(arguments: &ClientArgs, config: &Config, method: &str, path: &str, show: impl Fn(&Value) -> String) -> ExitCode {
    let token = match token(arguments.token_file.as_deref()) {
        Ok(token) => token,
        Err(error) => {
            print_to(io::stderr(), &format!("error: {error}\n"));
            return ExitCode::from(BAD_ARGUMENTS);
        }
    };
    let address = local_address(config.listen);
    let HttpResponse { status, body } =
        match call(address, &config.host_for(address), method, path, Some(&token), TIMEOUT) {
            Ok(answer) => answer,
            Err(error) => {
                print_to(io::stderr(), &format!("{address}: {error}\n"));
                return ExitCode::FAILURE;
            }
        };
    // Another program may be listening there.
    let Ok(answer @ Value::Object(_)) = serde_json::from_str(&body) else {
        print_to(io::stderr(), &format!("{address}: {status}, and the response is not from a relay\n"));
        return ExitCode::FAILURE;
    };
    if arguments.json {
        let text = format!("{}\n", plain_json(&body));
        if status == 200 { print_to(io::stdout(), &text) } else { print_to(io::stderr(), &text) }
    } else if status == 200 {
        print_to(io::stdout(), &show(&answer));
    } else {
        let errors = answer.get("errors").and_then(Value::as_array).into_iter().flatten();
        let detail = answer.get("detail").map(shown).unwrap_or_default();
        let mut lines = vec![format!("{address}: {status}: {detail}")];
        lines.extend(errors.map(shown));
        print_to(io::stderr(), &format!("{}\n", lines.join("\n")));
        // Show the parts that were reloaded.
        if answer.get("in_force").is_some() {
            print_to(io::stdout(), &show(&answer));
        }
    }
    if status == 200 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn token(file: Option<&Path>) -> Result<String, String> {
    let token = match file {
        Some(file) => {
            let mut text = String::new();
            let read = File::open(file).and_then(|opened| opened.take(MAX_TOKEN_FILE).read_to_string(&mut text));
            read.map_err(|error| format!("{}: {error}", file.display()))?;
            text
        }
        None => std::env::var(TOKEN_VARIABLE)
            .map_err(|_| format!("a moderator's token is required: set {TOKEN_VARIABLE} or --token-file"))?,
    };
    let token = token.trim();
    if !(16..=MAX_TOKEN).contains(&token.len()) || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("invalid token: a token has 16 to 256 printable ASCII characters".to_owned());
    }
    Ok(token.to_owned())
}

fn filters_table(filters: &[Value]) -> String {
    let right = |title| (title, Align::Right);
    let columns = [
        ("filter", Align::Left),
        right("pass"),
        right("replace"),
        right("hold"),
        right("shadow"),
        right("reject"),
        right("p50 µs"),
        right("p99 µs"),
    ];
    let mut table = Table::new(columns);
    for filter in filters {
        let counts = &filter["counts"];
        let cells = [
            &filter["filter"],
            &counts["pass"],
            &counts["replace"],
            &counts["hold"],
            &counts["shadow"],
            &counts["reject"],
            &filter["p50_micros"],
            &filter["p99_micros"],
        ];
        table.add(cells.map(shown), Vec::new());
    }
    table.text()
}

fn rules_table(rules: &[Value]) -> String {
    let columns = [
        ("rule", Align::Left),
        ("at", Align::Left),
        ("mode", Align::Left),
        ("hits", Align::Right),
        ("exempt", Align::Right),
        ("trusted", Align::Right),
        ("%", Align::Right),
        ("last hit", Align::Left),
    ];
    let mut table = Table::new(columns);
    for rule in rules {
        let keys = ["rule", "source", "mode", "hits", "exempt_hits", "trusted_hits", "trusted_percent", "last_hit"];
        table.add(keys.map(|key| shown(&rule[key])), breaker_notes(rule));
    }
    table.text()
}

fn plugins_table(plugins: &[Value]) -> String {
    let columns = [
        ("plugin", Align::Left),
        ("mode", Align::Left),
        ("state", Align::Left),
        ("failures", Align::Right),
        ("p50 µs", Align::Right),
        ("p99 µs", Align::Right),
    ];
    let mut table = Table::new(columns);
    for plugin in plugins {
        let keys = ["plugin", "mode", "state", "failures", "p50_micros", "p99_micros"];
        let mut notes = breaker_notes(plugin);
        notes.extend(plugin["error"].as_str().map(printable));
        table.add(keys.map(|key| shown(&plugin[key])), notes);
    }
    table.text()
}

/// Returns the note for a rule or plugin whose breaker has tripped.
fn breaker_notes(part: &Value) -> Vec<String> {
    let since = part["tripped_at"].as_str().map(printable);
    since.map(|since| format!("breaker tripped at {since}; configured to enforce")).into_iter().collect()
}

/// Formats a value for a cell; `null` becomes empty.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => printable(text),
        other => other.to_string(),
    }
}
