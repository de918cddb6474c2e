//! The sources of settings (file, `.env`, environment) and their precedence.

mod unknown;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::declared::{DeclaredSection, DeclaredSetting};
use super::raw_value::RawValue;
use super::text::shorten;
use super::tree::{self, TomlItem, TomlTable};
use super::variables::{self, Variable};
use super::{ConfigError, ConfigWarning, Diagnostics, Location, Quotes, SettingsSnapshot, UnsupportedVariable, dotenv};

/// Most variables named in one warning.
const MAX_NAMES: usize = 100;

/// The input for all settings: a file, `.env` and the environment. Settings are read through [`SettingsSource::root`];
/// then [`SettingsSource::finish`] returns all errors and warnings.
#[derive(Debug, Default)]
pub struct SettingsSource {
    file: Option<SettingsFile>,
    dotenv: Vec<Variable>,
    environment: Vec<Variable>,
    pub(super) declared: Vec<DeclaredSection>,
    /// Where the value of each setting comes from, by full key. Settings at their default are not included.
    origins: BTreeMap<String, Origin>,
    /// Variables read by [`SettingsSource::variable`].
    read_early: BTreeSet<String>,
    /// Known variables without effect.
    without_effect: BTreeSet<String>,
    errors: Vec<ConfigError>,
    warnings: Vec<ConfigWarning>,
    pub(super) snapshot: SettingsSnapshot,
}

#[derive(Debug)]
struct SettingsFile {
    path: PathBuf,
    root: TomlTable,
    /// Whether the file has syntax errors. Keys may then appear in the wrong section.
    broken: bool,
}

/// Where a value comes from, with its name unless the location includes it.
#[derive(Debug)]
struct Origin {
    location: Location,
    name: Option<String>,
}

impl Origin {
    fn error(&self, text: &str) -> ConfigError {
        let name = self.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        ConfigError::new(self.location.clone(), format!("{name}{text}"))
    }
}

impl SettingsSource {
    /// Creates an empty source: every setting has its default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the settings file. `path` is used in errors.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>, text: &str) -> Self {
        let path = path.into();
        let (root, errors) = tree::parse(&path, text);
        self.file = root.map(|root| SettingsFile { path, root, broken: !errors.is_empty() });
        self.errors.extend(errors);
        self
    }

    /// Adds a `.env` file. `path` is used in errors.
    #[must_use]
    pub fn dotenv(mut self, path: impl AsRef<Path>, text: &str) -> Self {
        let (variables, errors) = dotenv::read(path.as_ref(), text);
        self.dotenv = variables;
        self.errors.extend(errors);
        self
    }

    /// Adds the environment, as returned by [`std::env::vars_os`].
    #[must_use]
    pub fn environment(mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        self.environment = variables::environment(variables);
        self
    }

    /// Returns the value of one variable from the environment or `.env`, for values needed before settings are read.
    pub fn variable(&mut self, name: &str) -> Option<String> {
        self.read_early.insert(name.to_owned());
        let found = self.find_variable(&[name.to_owned()])?;
        match self.without_quotes(found, Quotes::Never)? {
            (RawValue::Environment(text) | RawValue::Dotenv(text), _) => Some(text),
            (RawValue::Toml(_), _) => None,
        }
    }

    /// Returns a snapshot of all settings read so far.
    #[must_use]
    pub fn snapshot(&self) -> SettingsSnapshot {
        self.snapshot.clone()
    }

    /// Records an error.
    pub fn error(&mut self, error: ConfigError) {
        self.errors.push(error);
    }

    /// Returns all errors and warnings, ordered by location. Undeclared keys and `RELAY__` variables are errors; other
    /// variables whose names resemble those of settings are warnings.
    pub fn finish(mut self) -> Diagnostics {
        if let Some(file) = self.file.take_if(|file| !file.broken) {
            self.find_unknown_keys(&file.path, &file.root, "");
        }
        self.find_unknown_variables();
        self.find_lookalikes();
        self.errors.sort();
        self.errors.dedup();
        self.warnings.sort();
        self.warnings.dedup();
        Diagnostics { errors: self.errors, warnings: self.warnings }
    }

    /// Registers a section.
    pub(super) fn declare_section(&mut self, path: &str, doc: &'static str) {
        if self.declared.iter().any(|section| section.path == path) {
            return;
        }
        self.declared.push(DeclaredSection { path: path.to_owned(), doc, settings: Vec::new() });
        let Some(file) = self.file.as_ref() else { return };
        if let Some(entry) = file.root.at(path)
            && let TomlItem::Value(value) = &entry.item
        {
            let text = if matches!(value, toml::Value::Array(items) if items.iter().any(toml::Value::is_table)) {
                format!("{path}: there is only one such section; write [{path}] once, not [[{path}]]")
            } else {
                format!("{path}: is a section, not a value; write [{path}] and its settings below it")
            };
            self.errors.push(ConfigError::new(Location::line(&file.path, entry.line), text));
        }
    }

    /// Registers a setting of a declared section.
    pub(super) fn declare_setting(&mut self, section: &str, setting: DeclaredSetting) {
        debug_assert!(
            !self.settings().any(|(_, other)| other.names.iter().any(|name| setting.names.contains(name))),
            "two settings have the same variable: {:?}",
            setting.names
        );
        if let Some(section) = self.declared.iter_mut().find(|known| known.path == section) {
            section.settings.push(setting);
        }
    }

    /// Returns the value given for a setting, if any, and records its origin. `key` is the full key.
    pub(super) fn find(&mut self, key: &str, names: &[String], expected: &str, quotes: Quotes) -> Option<RawValue> {
        let found = if let Some(found) = self.find_variable(names) {
            found
        } else {
            let file = self.file.as_ref()?;
            let entry = file.root.at(key)?;
            let origin = Origin { location: Location::line(&file.path, entry.line), name: Some(key.to_owned()) };
            match &entry.item {
                TomlItem::Value(value) => (RawValue::Toml(value.clone()), origin),
                TomlItem::Invalid => return None,
                TomlItem::Table(_) => {
                    self.errors.push(origin.error(&format!("is not a section; it must be {expected}")));
                    return None;
                }
            }
        };
        let (raw, origin) = self.without_quotes(found, quotes)?;
        self.origins.insert(key.to_owned(), origin);
        Some(raw)
    }

    /// Removes literal quotes around a value and records a warning. Returns `None` after recording an error if the
    /// quotes are unbalanced.
    fn without_quotes(&mut self, (raw, origin): (RawValue, Origin), quotes: Quotes) -> Option<(RawValue, Origin)> {
        match raw.without_quotes(quotes) {
            Ok(None) => Some((raw, origin)),
            Ok(Some((raw, warning))) => {
                let ConfigError { location, text } = origin.error(warning);
                self.warnings.push(ConfigWarning { location, text });
                Some((raw, origin))
            }
            Err(text) => {
                self.errors.push(origin.error(&text));
                None
            }
        }
    }

    /// Records an error at the origin of a setting's value. `key` is the full key.
    pub(super) fn error_at(&mut self, key: &str, text: &str) {
        let error = self.origins.get(key).map_or_else(
            || Origin { location: Location::Default, name: Some(key.to_owned()) }.error(text),
            |origin| origin.error(text),
        );
        self.errors.push(error);
    }

    /// Records an error for each source that sets an unsupported variable.
    pub(super) fn reject(&mut self, variable: &UnsupportedVariable) {
        let set = self.environment.iter().chain(&self.dotenv).filter(|v| v.name == variable.name && v.is_set());
        self.errors.extend(set.filter(|v| !v.is_one_of(variable.except)).map(|set| set.error(variable.why)));
        self.without_effect.insert(variable.name.to_owned());
    }

    /// Records one warning for all set variables that have no effect.
    pub(super) fn ignore(&mut self, matches: impl Fn(&str) -> bool, why: &str) {
        let set = self.environment.iter().chain(&self.dotenv).filter(|v| matches(&v.name) && v.is_set());
        let names: BTreeSet<&str> = set.map(|variable| variable.name.as_str()).collect();
        if names.is_empty() {
            return;
        }
        let shown = names.iter().take(MAX_NAMES).map(|name| shorten(name));
        let more = names.len().checked_sub(MAX_NAMES).filter(|more| *more > 0).map(|more| format!("{more} more"));
        self.warnings.push(ConfigWarning::new(Location::Variables(shown.chain(more).collect()), why));
        self.without_effect.extend(names.into_iter().map(str::to_owned));
    }

    /// Returns the effective value of a variable and its aliases: from the environment, else from `.env`.
    fn find_variable(&mut self, names: &[String]) -> Option<(RawValue, Origin)> {
        for level in [&self.environment, &self.dotenv] {
            let mut set =
                names.iter().flat_map(|name| level.iter().filter(move |v| v.name == *name)).filter(|v| v.is_set());
            let Some(first) = set.next() else { continue };
            for other in set.filter(|other| other.value != first.value) {
                let error = if other.name == first.name {
                    other.error("is set twice, to different values")
                } else {
                    other.error(&format!("is another name of {}, which has a different value; keep one", first.name))
                };
                self.errors.push(error);
            }
            let Some(text) = first.value.clone() else {
                self.errors.push(first.error("is not UTF-8 text"));
                return None;
            };
            let ConfigError { location, .. } = first.error("");
            return Some(if matches!(location, Location::Line { .. }) {
                (RawValue::Dotenv(text), Origin { location, name: Some(first.name.clone()) })
            } else {
                (RawValue::Environment(text), Origin { location, name: None })
            });
        }
        None
    }

    /// Returns all settings with the paths of their sections.
    fn settings(&self) -> impl Iterator<Item = (&str, &DeclaredSetting)> {
        self.declared.iter().flat_map(|section| section.settings.iter().map(|setting| (section.path.as_str(), setting)))
    }
}

/// Returns the full key of a key in a section.
pub(super) fn join_key(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

#[cfg(test)]
mod tests;
