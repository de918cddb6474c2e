//! `plugin list`: lists the plugins of a relay with this configuration, and whether they can be loaded.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::table::{Align, Table};
use super::terminal::printable;
use super::{fail, print_to};
use crate::config::Config;
use crate::filter::FilterName;
use crate::sandbox::{self, Catalog, NotLoadedReason, PluginEntry, Sandbox};

const TITLES: [&str; 7] = ["name", "version", "from", "mode", "rooms", "on_failure", "state"];

/// Prints the list. Exits with 1 if a plugin cannot be loaded, or if one that is not built holds or refuses messages.
pub(super) fn run(config: &Config) -> ExitCode {
    let plugins = &config.filter.plugins;
    let catalog = match load(plugins) {
        Ok(catalog) => catalog,
        Err(error) => return fail(printable(&error.to_string())),
    };
    // Only the default folder may be missing.
    let default = Path::new(sandbox::Config::DEFAULT_DIR);
    if catalog.entries.is_empty() && plugins.dir.is_none() && !default.exists() {
        print_to(io::stdout(), &format!("no plugins: the folder {} does not exist\n", default.display()));
        return ExitCode::SUCCESS;
    }
    let mut table = Table::new(TITLES.map(|title| (title, Align::Left)));
    for entry in &catalog.entries {
        table.add(row(entry), Vec::new());
    }
    print_to(io::stdout(), &table.text());
    for name in &plugins.order {
        if !catalog.entries.iter().any(|entry| entry.manifest.name == *name) {
            let name = printable(name);
            print_to(io::stderr(), &format!("filter.plugins.order names {name}, which does not exist\n"));
        }
    }
    if !config.filter.order.contains(&FilterName::Plugin) {
        print_to(io::stderr(), "plugins are not used: filter.order does not contain `plugin`\n");
    }
    if catalog.errors().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn load(plugins: &sandbox::Config) -> anyhow::Result<Catalog> {
    let sandbox = Arc::new(Sandbox::from_config(plugins)?);
    let (of_task, settings) = (Arc::clone(&sandbox), plugins.clone());
    let handle = sandbox.handle();
    Ok(handle.block_on(handle.spawn(async move { Catalog::load(&of_task, &settings).await }))??)
}

fn row(entry: &PluginEntry) -> [String; 7] {
    let manifest = &entry.manifest;
    let plugin_version = || entry.plugin.as_ref().ok().map(|plugin| plugin.version().to_owned());
    let cells = [
        manifest.name.clone(),
        manifest.version.clone().or_else(plugin_version).unwrap_or_else(|| "-".to_owned()),
        entry.origin.as_str().to_owned(),
        manifest.mode.to_string(),
        if manifest.rooms.is_empty() { "all".to_owned() } else { manifest.rooms.join(", ") },
        manifest.on_failure.to_string(),
        state(entry),
    ];
    // Names, versions, rooms and descriptions are untrusted.
    cells.map(|cell| printable(&cell))
}

fn state(entry: &PluginEntry) -> String {
    match &entry.plugin {
        Ok(_) => "loaded".to_owned(),
        Err(unbuilt @ NotLoadedReason::NotBuilt { .. }) => {
            format!("not built: {}", unbuilt.build_command().unwrap_or_default())
        }
        Err(reason) => format!("not loaded: {reason}"),
    }
}
