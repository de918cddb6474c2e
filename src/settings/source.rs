//! What was given for the settings, where, and which of it counts.

mod unknown;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::listing::{DeclaredSection, DeclaredSetting};
use super::text::shorten;
use super::tree::{self, Item, Table};
use super::variables::{self, Variable};
use super::{Fault, Findings, Place, Quotes, RefusedVariable, Section, Values, Warning, dotenv};

/// Most variables that one warning names.
const MAX_NAMES: usize = 100;

/// Everything that was given: a file, a `.env`, the environment. Settings are read from [`Source::root`]; then
/// [`Source::finish`] tells all faults and warnings.
#[derive(Debug, Default)]
pub struct Source {
    file: Option<File>,
    dotenv: Vec<Variable>,
    environment: Vec<Variable>,
    pub(super) declared: Vec<DeclaredSection>,
    /// Where the value of each setting comes from, by its full key; those with their default are not in it.
    origins: BTreeMap<String, Origin>,
    /// Variables that were read by [`Source::variable`].
    early: BTreeSet<String>,
    /// Variables that are known and have no effect.
    without_effect: BTreeSet<String>,
    faults: Vec<Fault>,
    warnings: Vec<Warning>,
    pub(super) values: Values,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    root: Table,
    /// Whether its syntax is wrong somewhere, so that a key may seem to stand elsewhere than it does.
    broken: bool,
}

/// A value as it was given.
#[derive(Debug)]
pub(super) enum Raw {
    /// By a variable of the environment.
    Environment(String),
    /// By a variable of `.env`.
    Dotenv(String),
    /// In the file.
    Toml(toml::Value),
}

impl Raw {
    /// All of it, in some written form.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Environment(text) | Self::Dotenv(text) => text.clone(),
            Self::Toml(value) => value.to_string(),
        }
    }
}

/// Where a value comes from, and the name that it goes by there unless the place says it.
#[derive(Debug)]
struct Origin {
    place: Place,
    name: Option<String>,
}

impl Origin {
    fn fault(&self, text: &str) -> Fault {
        let name = self.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        Fault::new(self.place.clone(), format!("{name}{text}"))
    }
}

impl Source {
    /// Nothing given: every setting has its default.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the settings file: its name in faults, and its text.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>, text: &str) -> Self {
        let path = path.into();
        let (root, faults) = tree::parse(&path, text);
        self.file = root.map(|root| File { path, root, broken: !faults.is_empty() });
        self.faults.extend(faults);
        self
    }

    /// Adds a `.env` file: its name in faults, and its text.
    #[must_use]
    pub fn dotenv(mut self, path: impl AsRef<Path>, text: &str) -> Self {
        let (variables, faults) = dotenv::read(path.as_ref(), text);
        self.dotenv = variables;
        self.faults.extend(faults);
        self
    }

    /// Adds the environment, as [`std::env::vars_os`] gives it.
    #[must_use]
    pub fn environment(mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        self.environment = variables::environment(variables);
        self
    }

    /// The value of one variable of the environment or of `.env`, for what has to be known before settings are read.
    pub fn variable(&mut self, name: &str) -> Option<String> {
        self.early.insert(name.to_owned());
        let found = self.find_variable(&[name.to_owned()])?;
        match self.without_quotes(found, Quotes::Never)? {
            (Raw::Environment(text) | Raw::Dotenv(text), _) => Some(text),
            (Raw::Toml(_), _) => None,
        }
    }

    /// Where the sections are declared.
    pub fn root(&mut self) -> Section<'_> {
        Section::new(self, String::new(), "")
    }

    /// What each setting is that was read so far, for comparison.
    #[must_use]
    pub fn values(&self) -> Values {
        self.values.clone()
    }

    /// Notes a fault.
    pub fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// All faults and warnings, ordered by place. Keys of the file and `RELAY__` variables that nothing has declared are
    /// among the faults, other variables whose names are nearly those of settings among the warnings.
    pub fn finish(mut self) -> Findings {
        if let Some(file) = self.file.take_if(|file| !file.broken) {
            self.find_unknown_keys(&file.path, &file.root, "");
        }
        self.find_unknown_variables();
        self.find_lookalikes();
        self.faults.sort();
        self.faults.dedup();
        self.warnings.sort();
        self.warnings.dedup();
        Findings { faults: self.faults, warnings: self.warnings }
    }

    /// The section at a path, noted with what it is for.
    pub(super) fn declare_section(&mut self, path: &str, doc: &'static str) {
        if self.declared.iter().any(|section| section.path == path) {
            return;
        }
        self.declared.push(DeclaredSection { path: path.to_owned(), doc, settings: Vec::new() });
        let Some(file) = self.file.as_ref() else { return };
        if let Some(entry) = file.root.at(path)
            && let Item::Value(value) = &entry.item
        {
            let text = if matches!(value, toml::Value::Array(items) if items.iter().any(toml::Value::is_table)) {
                format!("{path}: there is only one such section; write [{path}] once, not [[{path}]]")
            } else {
                format!("{path}: is a section, not a value; write [{path}] and its settings below it")
            };
            self.faults.push(Fault::new(Place::line(&file.path, entry.line), text));
        }
    }

    /// A setting of a section that is declared, noted for the listing and for what is known.
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

    /// What was given for the setting of a full key and its variables, if anything; its origin is noted.
    pub(super) fn find(&mut self, key: &str, names: &[String], expected: &str, quotes: Quotes) -> Option<Raw> {
        let found = if let Some(found) = self.find_variable(names) {
            found
        } else {
            let file = self.file.as_ref()?;
            let entry = file.root.at(key)?;
            let origin = Origin { place: Place::line(&file.path, entry.line), name: Some(key.to_owned()) };
            match &entry.item {
                Item::Value(value) => (Raw::Toml(value.clone()), origin),
                Item::Broken => return None,
                Item::Table(_) => {
                    self.faults.push(origin.fault(&format!("is not a section; it must be {expected}")));
                    return None;
                }
            }
        };
        let (raw, origin) = self.without_quotes(found, quotes)?;
        self.origins.insert(key.to_owned(), origin);
        Some(raw)
    }

    /// A value without the quotes that were left around it, noted as a warning; `None` when they are a fault.
    fn without_quotes(&mut self, (raw, origin): (Raw, Origin), quotes: Quotes) -> Option<(Raw, Origin)> {
        match raw.without_quotes(quotes) {
            Ok(None) => Some((raw, origin)),
            Ok(Some((raw, warning))) => {
                let Fault { place, text } = origin.fault(warning);
                self.warnings.push(Warning { place, text });
                Some((raw, origin))
            }
            Err(text) => {
                self.faults.push(origin.fault(&text));
                None
            }
        }
    }

    /// Notes a fault where the value of a full key comes from.
    pub(super) fn fault_of(&mut self, key: &str, text: &str) {
        let fault = self.origins.get(key).map_or_else(
            || Origin { place: Place::Default, name: Some(key.to_owned()) }.fault(text),
            |origin| origin.fault(text),
        );
        self.faults.push(fault);
    }

    /// Notes a fault at each place where a variable is set.
    pub(super) fn refuse(&mut self, refused: &RefusedVariable) {
        let set = self.environment.iter().chain(&self.dotenv).filter(|v| v.name == refused.name && v.is_set());
        self.faults.extend(set.filter(|v| !v.is_one_of(refused.except)).map(|variable| variable.fault(refused.why)));
        self.without_effect.insert(refused.name.to_owned());
    }

    /// Notes one warning of all variables that are set and have no effect.
    pub(super) fn ignore(&mut self, is_one: impl Fn(&str) -> bool, why: &str) {
        let set = self.environment.iter().chain(&self.dotenv).filter(|v| is_one(&v.name) && v.is_set());
        let names: BTreeSet<&str> = set.map(|variable| variable.name.as_str()).collect();
        if names.is_empty() {
            return;
        }
        let shown = names.iter().take(MAX_NAMES).map(|name| shorten(name));
        let more = names.len().checked_sub(MAX_NAMES).filter(|more| *more > 0).map(|more| format!("{more} more"));
        self.warnings.push(Warning::new(Place::Variables(shown.chain(more).collect()), why));
        self.without_effect.extend(names.into_iter().map(str::to_owned));
    }

    /// The value that counts for a variable and its aliases: the environment's, else that of `.env`.
    fn find_variable(&mut self, names: &[String]) -> Option<(Raw, Origin)> {
        for level in [&self.environment, &self.dotenv] {
            let mut set =
                names.iter().flat_map(|name| level.iter().filter(move |v| v.name == *name)).filter(|v| v.is_set());
            let Some(first) = set.next() else { continue };
            for other in set.filter(|other| other.value != first.value) {
                let fault = if other.name == first.name {
                    other.fault("is set twice, to different values")
                } else {
                    other.fault(&format!("is another name of {}, which has a different value; keep one", first.name))
                };
                self.faults.push(fault);
            }
            let Some(text) = first.value.clone() else {
                self.faults.push(first.fault("is not UTF-8 text"));
                return None;
            };
            let Fault { place, .. } = first.fault("");
            return Some(if matches!(place, Place::Line { .. }) {
                (Raw::Dotenv(text), Origin { place, name: Some(first.name.clone()) })
            } else {
                (Raw::Environment(text), Origin { place, name: None })
            });
        }
        None
    }

    /// Every setting with the path of its section.
    fn settings(&self) -> impl Iterator<Item = (&str, &DeclaredSetting)> {
        self.declared.iter().flat_map(|section| section.settings.iter().map(|setting| (section.path.as_str(), setting)))
    }
}

/// The full key of something in a section.
pub(super) fn join(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

#[cfg(test)]
mod tests;
