//! `plugin list`: the plugins that a relay of this configuration has, and whether they can be loaded.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::table::{Align, Table};
use super::terminal::printable;
use super::{failed, tell};
use crate::config::Config;
use crate::filter::Name;
use crate::sandbox::{self, Catalog, Entry, Sandbox, Unloaded};

const TITLES: [&str; 7] = ["name", "version", "from", "mode", "rooms", "on_failure", "state"];

/// Prints the list; 1 when a plugin cannot be loaded, or when messages are held or refused because nobody has built one.
pub(super) fn run(config: &Config) -> ExitCode {
    let plugins = &config.filter.plugins;
    let catalog = match load(plugins) {
        Ok(catalog) => catalog,
        Err(fault) => return failed(printable(&fault.to_string())),
    };
    // A folder that the configuration names must be there; the default one need not.
    let default = Path::new(sandbox::Config::DEFAULT_DIR);
    if catalog.entries.is_empty() && plugins.dir.is_none() && !default.exists() {
        tell(io::stdout(), &format!("there are no plugins: there is no folder {}\n", default.display()));
        return ExitCode::SUCCESS;
    }
    let mut table = Table::new(TITLES.map(|title| (title, Align::Left)));
    for entry in &catalog.entries {
        table.add(row(entry), Vec::new());
    }
    tell(io::stdout(), &table.text());
    for name in &plugins.order {
        if !catalog.entries.iter().any(|entry| entry.manifest.name == *name) {
            let name = printable(name);
            tell(io::stderr(), &format!("filter.plugins.order names {name}, which is not there\n"));
        }
    }
    if !config.filter.order.contains(&Name::Plugin) {
        tell(io::stderr(), "no plugin is in force: filter.order does not name `plugin`\n");
    }
    if catalog.faults().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn load(plugins: &sandbox::Config) -> anyhow::Result<Catalog> {
    let sandbox = Arc::new(Sandbox::of(plugins)?);
    let (of_task, settings) = (Arc::clone(&sandbox), plugins.clone());
    let handle = sandbox.handle();
    Ok(handle.block_on(handle.spawn(async move { Catalog::read(&of_task, &settings).await }))??)
}

fn row(entry: &Entry) -> [String; 7] {
    let manifest = &entry.manifest;
    let of_plugin = || entry.plugin.as_ref().ok().map(|plugin| plugin.version().to_owned());
    let cells = [
        manifest.name.clone(),
        manifest.version.clone().or_else(of_plugin).unwrap_or_else(|| "-".to_owned()),
        entry.origin.as_str().to_owned(),
        manifest.mode.as_str().to_owned(),
        if manifest.rooms.is_empty() { "all".to_owned() } else { manifest.rooms.join(", ") },
        manifest.on_failure.as_str().to_owned(),
        state(entry),
    ];
    // Names, versions, rooms and what plugins say of themselves were written by others.
    cells.map(|cell| printable(&cell))
}

fn state(entry: &Entry) -> String {
    match &entry.plugin {
        Ok(_) => "loaded".to_owned(),
        Err(unbuilt @ Unloaded::NotBuilt { .. }) => {
            format!("not built: {}", unbuilt.command().unwrap_or_default())
        }
        Err(why) => format!("not loaded: {why}"),
    }
}
