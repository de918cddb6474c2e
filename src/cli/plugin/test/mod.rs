//! `plugin test`: runs the cases of plugins in the relay's sandbox, within their limits.

mod case;
mod run;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use self::case::PluginCase;
use self::run::CaseResult;
use super::table::{Align, Table};
use super::{fail, print_to};
use crate::config::Config;
use crate::sandbox::{Plugin, PluginEntry, Sandbox};
use crate::telemetry::logging;

/// Tests each folder and prints a table. Exits with 1 if a case fails or cannot be run.
pub(super) fn run(folders: &[PathBuf], config: &Config) -> ExitCode {
    // Show the log of plugins, which contains the messages of panics.
    let _log = match logging::start(&config.log) {
        Ok(log) => log,
        Err(error) => return fail(format_args!("the log cannot be started: {error}")),
    };
    let sandbox = match Sandbox::from_config(&config.filter.plugins) {
        Ok(sandbox) => Arc::new(sandbox),
        Err(error) => return fail(anyhow::Error::from(error).root_cause()),
    };
    let mut all_passed = true;
    for folder in folders {
        all_passed &= match test(&sandbox, folder, config) {
            Ok(passed) => passed,
            Err(error) => {
                print_to(io::stderr(), &format!("{error}\n"));
                false
            }
        };
    }
    if all_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Tests a folder. Returns whether all of its cases passed.
fn test(sandbox: &Arc<Sandbox>, folder: &Path, config: &Config) -> anyhow::Result<bool> {
    let cases = case::read(folder).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!(errors.join("\n"))
    })?;
    if cases.is_empty() && folder.is_dir() {
        anyhow::bail!("{}: there are no cases; write them to cases/NAME.toml", folder.display());
    }
    let (task_sandbox, folder, limits) = (Arc::clone(sandbox), folder.to_owned(), config.filter.plugins.limits);
    let max_chars = config.filter.shape.max_message_length;
    let handle = sandbox.handle();
    // Plugins must be called on the sandbox's threads.
    let testing = handle.spawn(async move {
        let plugin =
            PluginEntry::load_folder(&task_sandbox, &folder, &limits).await?.plugin.map_err(anyhow::Error::msg)?;
        let mut results = Vec::with_capacity(cases.len());
        for case in cases {
            let result = run::run(&plugin, &case, max_chars).await;
            results.push((case, result));
        }
        anyhow::Ok((plugin, results))
    });
    let (plugin, results) = handle.block_on(testing)??;
    print_to(io::stdout(), &report(&plugin, &results));
    Ok(results.iter().all(|(_, result)| result.mismatches.is_empty()))
}

fn report(plugin: &Plugin, results: &[(PluginCase, CaseResult)]) -> String {
    let mut table = Table::new([
        ("case", Align::Left),
        ("verdict", Align::Left),
        ("µs", Align::Right),
        ("KiB", Align::Right),
        ("", Align::Left),
    ]);
    for (case, result) in results {
        let number = |number: Option<u128>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let status = if result.mismatches.is_empty() { "ok" } else { "FAILED" };
        let notes = result.mismatches.iter().map(|mismatch| format!("{}: {mismatch}", case.location)).collect();
        let cells = [
            case.name.clone(),
            result.verdict.clone(),
            number(result.took.map(|took| took.as_micros())),
            number(result.memory.map(|bytes| bytes as u128 / 1_024)),
            status.to_owned(),
        ];
        table.add(cells, notes);
    }
    let limits = plugin.limits();
    let failed = results.iter().filter(|(_, result)| !result.mismatches.is_empty()).count();
    let (count, plural) = (results.len(), if results.len() == 1 { "" } else { "s" });
    let outcome = if failed == 0 { "all passed".to_owned() } else { format!("{failed} FAILED") };
    format!(
        "{} {}, within {} µs and {} KiB\n{}{count} case{plural}, {outcome}\n",
        plugin.manifest().name,
        plugin.version(),
        limits.deadline.as_micros(),
        limits.memory / 1_024,
        table.text()
    )
}
