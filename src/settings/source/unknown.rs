//! Keys and variables that do not belong to any setting.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{SettingsSource, join_key};
use crate::settings::setting::default_env_name;
use crate::settings::text::{nearest, shorten};
use crate::settings::tree::{TomlItem, TomlTable};
use crate::settings::{ConfigError, ConfigWarning, Location, lookalike};

/// The prefix of default environment variables.
const PREFIX: &str = "RELAY__";

impl SettingsSource {
    pub(super) fn find_unknown_keys(&mut self, path: &Path, table: &TomlTable, section: &str) {
        let known: Vec<&str> = self.known_in(section).collect();
        let mut inner = Vec::new();
        let mut errors = Vec::new();
        for (key, entry) in &table.entries {
            if known.contains(&key.as_str()) {
                let full = join_key(section, key);
                match &entry.item {
                    TomlItem::Table(table) if self.declared.iter().any(|s| s.path == full) => inner.push((full, table)),
                    _ => {}
                }
                continue;
            }
            let kind = if matches!(entry.item, TomlItem::Table(_)) { "section" } else { "key" };
            let elsewhere = || self.settings().find(|(_, other)| other.key == key).map(|(at, _)| join_key(at, key));
            let hint = nearest(key, known.iter().copied()).map(str::to_owned).or_else(elsewhere);
            let hint = hint.map(|hint| format!("; did you mean `{hint}`?")).unwrap_or_default();
            let text = format!("{}: unknown {kind}{hint}", shorten(&join_key(section, key)));
            errors.push(ConfigError::new(Location::line(path, entry.line), text));
        }
        self.errors.extend(errors);
        for (section, table) in inner {
            self.find_unknown_keys(path, table, &section);
        }
    }

    /// Returns the keys and subsections known in a section.
    fn known_in<'a>(&'a self, section: &'a str) -> impl Iterator<Item = &'a str> {
        let keys = self.settings().filter(move |(path, _)| *path == section).map(|(_, setting)| setting.key);
        let sections = self.declared.iter().filter_map(move |inner| {
            let (parent, name) = inner.path.rsplit_once('.').unwrap_or(("", &inner.path));
            (parent == section && !name.is_empty()).then_some(name)
        });
        keys.chain(sections)
    }

    pub(super) fn find_unknown_variables(&mut self) {
        // Maps the default variable of each setting to its actual variable.
        let names: BTreeMap<String, &str> = self
            .settings()
            .filter_map(|(path, setting)| {
                Some((default_env_name(&join_key(path, setting.key)), setting.names.first()?.as_str()))
            })
            .collect();
        let unknown = self.environment.iter().chain(&self.dotenv).filter(|variable| {
            variable.name.starts_with(PREFIX)
                && variable.is_set()
                && names.get(&variable.name).is_none_or(|name| *name != variable.name)
        });
        let errors: Vec<ConfigError> = unknown
            .map(|variable| {
                let near = names.get(nearest(&variable.name, names.keys().map(String::as_str)).unwrap_or_default());
                let hint = near.map(|name| format!("; did you mean {name}?")).unwrap_or_default();
                variable.error(&format!("unknown setting{hint}"))
            })
            .collect();
        self.errors.extend(errors);
    }

    /// Warns of variables without the prefix that are probably misspelt settings.
    pub(super) fn find_lookalikes(&mut self) {
        let settings = self.settings().flat_map(|(_, setting)| &setting.names);
        let ours: BTreeSet<&str> = settings.chain(&self.read_early).map(String::as_str).collect();
        let set = self.environment.iter().chain(&self.dotenv).filter(|variable| variable.is_set());
        let unknown = set.filter(|v| {
            !v.name.starts_with(PREFIX) && !ours.contains(v.name.as_str()) && !self.without_effect.contains(&v.name)
        });
        let warnings: Vec<ConfigWarning> = unknown
            .filter_map(|variable| {
                let meant = lookalike::suggest(&variable.name, ours.iter().copied())?;
                Some(variable.warning(&format!("has no effect; did you mean {meant}?")))
            })
            .collect();
        self.warnings.extend(warnings);
    }
}
