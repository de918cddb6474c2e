//! `filters` and `reload`: what moderators ask of the relay that runs with this configuration.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;

use super::client::{Answer, call, reachable};
use super::table::{Align, Table};
use super::terminal::{plain_json, printable};
use super::{BAD_ARGUMENTS, tell};
use crate::api::Config;

/// Where a moderator's token may stand.
const TOKEN_VARIABLE: &str = "MODERATOR_TOKEN";
/// Longest token. Bytes.
const MAX_TOKEN: usize = 256;
/// Largest file that one is read from. Bytes.
const MAX_TOKEN_FILE: u64 = 4_096;
/// A plugin may have to be compiled before a reload is answered.
const PATIENCE: Duration = Duration::from_mins(6);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A file with a moderator's token; otherwise that of the variable `MODERATOR_TOKEN`.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Print the relay's answer as it is.
    #[arg(long)]
    json: bool,
}

/// Shows what filters, rules and plugins have done.
pub(super) fn filters(arguments: &Arguments, config: &Config) -> ExitCode {
    ask(arguments, config, "GET", "/moderation/filters", |answer| {
        let lists = answer["filters"].as_array().cloned().unwrap_or_default();
        let mut parts = vec![filters_table(&lists)];
        for list in &lists {
            parts.extend(list["rules"].as_array().map(|rules| rules_table(rules)));
            parts.extend(list["plugins"].as_array().map(|plugins| plugins_table(plugins)));
            let newest = &list["not_in_force"];
            if let Some(faults) = newest["faults"].as_array() {
                let (filter, since) = (shown(&list["filter"]), shown(&newest["since"]));
                let faults: Vec<String> = faults.iter().map(|fault| format!("  {}", shown(fault))).collect();
                parts.push(format!("newer {filter} are not in force since {since}:\n{}\n", faults.join("\n")));
            }
        }
        parts.join("\n")
    })
}

/// Has everything read again, and shows which settings differ and which rules are in force then.
pub(super) fn reload(arguments: &Arguments, config: &Config) -> ExitCode {
    ask(arguments, config, "POST", "/moderation/reload", |answer| {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let names = |value: &Value| list(value).iter().map(shown).collect::<Vec<_>>().join(", ");
        let settings = &answer["settings"];
        let mut parts: Vec<String> = [("changed", "changed"), ("changed, and need a restart", "needs_restart")]
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

/// Makes a call and prints what `show` makes of a good answer.
fn ask(arguments: &Arguments, config: &Config, method: &str, path: &str, show: impl Fn(&Value) -> String) -> ExitCode {
    let token = match token(arguments.token_file.as_deref()) {
        Ok(token) => token,
        Err(fault) => {
            tell(io::stderr(), &format!("error: {fault}\n"));
            return ExitCode::from(BAD_ARGUMENTS);
        }
    };
    let address = reachable(config.listen);
    let Answer { status, body } = match call(address, method, path, Some(&token), PATIENCE) {
        Ok(answer) => answer,
        Err(fault) => {
            tell(io::stderr(), &format!("{address}: {fault}\n"));
            return ExitCode::FAILURE;
        }
    };
    // Somebody else may listen there.
    let Ok(answer @ Value::Object(_)) = serde_json::from_str(&body) else {
        tell(io::stderr(), &format!("{address}: {status}, and the answer is none of a relay\n"));
        return ExitCode::FAILURE;
    };
    if arguments.json {
        let text = format!("{}\n", plain_json(&body));
        if status == 200 { tell(io::stdout(), &text) } else { tell(io::stderr(), &text) }
    } else if status == 200 {
        tell(io::stdout(), &show(&answer));
    } else {
        let faults = answer.get("faults").and_then(Value::as_array).into_iter().flatten();
        let detail = answer.get("detail").map(shown).unwrap_or_default();
        let mut lines = vec![format!("{address}: {status}: {detail}")];
        lines.extend(faults.map(shown));
        tell(io::stderr(), &format!("{}\n", lines.join("\n")));
        // What went well in spite of that.
        if answer.get("in_force").is_some() {
            tell(io::stdout(), &show(&answer));
        }
    }
    if status == 200 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn token(file: Option<&Path>) -> Result<String, String> {
    let token = match file {
        Some(file) => {
            let mut text = String::new();
            let read = File::open(file).and_then(|opened| opened.take(MAX_TOKEN_FILE).read_to_string(&mut text));
            read.map_err(|fault| format!("{}: {fault}", file.display()))?;
            text
        }
        None => std::env::var(TOKEN_VARIABLE).map_err(|_| {
            format!("a moderator's token is needed: in {TOKEN_VARIABLE}, or in the file of --token-file")
        })?,
    };
    let token = token.trim();
    if !(16..=MAX_TOKEN).contains(&token.len()) || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("the token is none: one has 16 to 256 printable ASCII characters".to_owned());
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
        table.add(keys.map(|key| shown(&rule[key])), braked(rule));
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
        let mut notes = braked(plugin);
        notes.extend(plugin["error"].as_str().map(printable));
        table.add(keys.map(|key| shown(&plugin[key])), notes);
    }
    table.text()
}

/// What stands below a rule or plugin whose brake is pulled.
fn braked(part: &Value) -> Vec<String> {
    let since = part["braked_at"].as_str().map(printable);
    since.map(|since| format!("its brake is pulled since {since}: it is written to act")).into_iter().collect()
}

/// A value in a cell; nothing for none.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => printable(text),
        other => other.to_string(),
    }
}
