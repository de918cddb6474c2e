//! `plugin test`: whether plugins answer as their cases say, in the relay's own sandbox and within their limits.

mod case;
mod run;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use self::case::Case;
use self::run::Ran;
use super::table::{Align, Table};
use super::{failed, tell};
use crate::config::Config;
use crate::sandbox::{Entry, Plugin, Sandbox};
use crate::telemetry::logging;

/// Tests each folder and prints a table; 1 when a case does not hold, or cannot be tried.
pub(super) fn run(folders: &[PathBuf], config: &Config) -> ExitCode {
    // What plugins log is said here as it is said by the relay: the words of a panic are there.
    let _log = match logging::start(&config.log) {
        Ok(log) => log,
        Err(fault) => return failed(format_args!("the log cannot be started: {fault}")),
    };
    let sandbox = match Sandbox::of(&config.filter.plugins) {
        Ok(sandbox) => Arc::new(sandbox),
        Err(fault) => return failed(anyhow::Error::from(fault).root_cause()),
    };
    let mut all_hold = true;
    for folder in folders {
        all_hold &= match test(&sandbox, folder, config) {
            Ok(holds) => holds,
            Err(fault) => {
                tell(io::stderr(), &format!("{fault}\n"));
                false
            }
        };
    }
    if all_hold { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether all cases of a folder hold.
fn test(sandbox: &Arc<Sandbox>, folder: &Path, config: &Config) -> anyhow::Result<bool> {
    let cases = case::read(folder).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        anyhow::anyhow!(faults.join("\n"))
    })?;
    if cases.is_empty() && folder.is_dir() {
        anyhow::bail!("{}: there are no cases: write them into cases/NAME.toml", folder.display());
    }
    let (of_task, folder, caps) = (Arc::clone(sandbox), folder.to_owned(), config.filter.plugins.caps);
    let longest = config.filter.shape.max_message_length;
    let handle = sandbox.handle();
    // Plugins compute where they are called: on the sandbox's threads.
    let testing = handle.spawn(async move {
        let plugin = Entry::of_folder(&of_task, &folder, &caps).await?.plugin.map_err(anyhow::Error::msg)?;
        let mut ran = Vec::with_capacity(cases.len());
        for case in cases {
            let outcome = run::run(&plugin, &case, longest).await;
            ran.push((case, outcome));
        }
        anyhow::Ok((plugin, ran))
    });
    let (plugin, ran) = handle.block_on(testing)??;
    tell(io::stdout(), &report(&plugin, &ran));
    Ok(ran.iter().all(|(_, ran)| ran.wrong.is_empty()))
}

fn report(plugin: &Plugin, ran: &[(Case, Ran)]) -> String {
    let mut table = Table::new([
        ("case", Align::Left),
        ("verdict", Align::Left),
        ("µs", Align::Right),
        ("KiB", Align::Right),
        ("", Align::Left),
    ]);
    for (case, ran) in ran {
        let number = |number: Option<u128>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let holds = if ran.wrong.is_empty() { "ok" } else { "FAILED" };
        let notes = ran.wrong.iter().map(|wrong| format!("{}: {wrong}", case.place)).collect();
        let cells = [
            case.name.clone(),
            ran.verdict.clone(),
            number(ran.took.map(|took| took.as_micros())),
            number(ran.memory.map(|bytes| bytes as u128 / 1_024)),
            holds.to_owned(),
        ];
        table.add(cells, notes);
    }
    let limits = plugin.limits();
    let wrong = ran.iter().filter(|(_, ran)| !ran.wrong.is_empty()).count();
    let (count, plural) = (ran.len(), if ran.len() == 1 { "" } else { "s" });
    let outcome = if wrong == 0 { "all hold".to_owned() } else { format!("{wrong} FAILED") };
    format!(
        "{} {}, within {} µs and {} KiB\n{}{count} case{plural}, {outcome}\n",
        plugin.manifest().name,
        plugin.version(),
        limits.deadline.as_micros(),
        limits.memory / 1_024,
        table.text()
    )
}
