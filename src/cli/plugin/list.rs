//! `plugin list`: the plugins of the configured folder, and whether they can be loaded.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::table::{Align, Table};
use super::{failed, tell};
use crate::config::Config;
use crate::filter::Name;
use crate::sandbox::{self, Catalog, Entry, Sandbox};

/// Prints the list; 1 when a plugin cannot be loaded.
pub(super) fn run(config: &Config) -> ExitCode {
    let plugins = &config.filter.plugins;
    // Where a folder is named, a missing one is a fault; the default one need not be there.
    let default = Path::new(sandbox::Config::DEFAULT_DIR);
    if plugins.dir.is_none() && !default.exists() {
        tell(io::stdout(), &format!("there are no plugins: there is no folder {}\n", default.display()));
        return ExitCode::SUCCESS;
    }
    let catalog = match load(plugins) {
        Ok(catalog) => catalog,
        Err(fault) => return failed(fault),
    };
    let mut table =
        Table::new(["name", "version", "mode", "rooms", "on_failure", "state"].map(|title| (title, Align::Left)));
    for entry in &catalog.entries {
        table.add(row(entry), Vec::new());
    }
    tell(io::stdout(), &table.text());
    for name in &plugins.order {
        if !catalog.entries.iter().any(|entry| entry.manifest.name == *name) {
            tell(io::stderr(), &format!("filter.plugins.order names {name}, which is not there\n"));
        }
    }
    if !config.filter.order.contains(&Name::Plugin) {
        tell(io::stderr(), "no plugin is in force: filter.order does not name `plugin`\n");
    }
    let all_loaded = catalog.entries.iter().all(|entry| entry.plugin.is_ok());
    if all_loaded { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn load(plugins: &sandbox::Config) -> anyhow::Result<Catalog> {
    let sandbox = Arc::new(Sandbox::of(plugins)?);
    let (of_task, settings) = (Arc::clone(&sandbox), plugins.clone());
    let handle = sandbox.handle();
    Ok(handle.block_on(handle.spawn(async move { Catalog::read(&of_task, &settings).await }))??)
}

fn row(entry: &Entry) -> [String; 6] {
    let manifest = &entry.manifest;
    let of_plugin = || entry.plugin.as_ref().ok().map(|plugin| plugin.version().to_owned());
    [
        manifest.name.clone(),
        manifest.version.clone().or_else(of_plugin).unwrap_or_else(|| "-".to_owned()),
        manifest.mode.as_str().to_owned(),
        if manifest.rooms.is_empty() { "all".to_owned() } else { manifest.rooms.join(", ") },
        manifest.on_failure.as_str().to_owned(),
        entry.plugin.as_ref().err().map_or_else(|| "loaded".to_owned(), |fault| format!("not loaded: {fault}")),
    ]
}
