//! The manifest of a plugin, `plugin.toml`.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::failure::single_line;
use super::limits::{OperatorLimits, PluginLimits};
use crate::model::Mode;
use crate::names::named;
use crate::settings::{ConfigError, FileErrors, from_toml};

/// Maximum number of errors of a manifest that are shown.
const MAX_SHOWN_ERRORS: usize = 10;

/// Longest manifest, in bytes.
pub(super) const MAX_MANIFEST_BYTES: u64 = 256 * 1024;

named! {
    /// The action on a message when a plugin fails to check it.
    #[derive(Default)]
    pub enum OnFailure {
        /// Pass it on, as if there were no such plugin.
        #[default]
        Pass = "pass",
        /// Hold it for a moderator.
        Hold = "hold",
        /// Refuse it.
        Reject = "reject",
    }
}

impl OnFailure {
    /// Extracts the policy from the text of an invalid manifest, as far as possible.
    pub(super) fn scan<'a>(text: &'a str) -> Self {
        let key = |line: &'a str| line.trim().trim_start_matches(['"', '\'']).strip_prefix("on_failure");
        let line = text.lines().find_map(key);
        match line {
            Some(line) if line.contains("reject") => Self::Reject,
            Some(line) if line.contains("hold") => Self::Hold,
            _ => Self::Pass,
        }
    }
}

/// The manifest of a plugin.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The plugin's name: that of its folder or file.
    pub name: String,
    /// Its version, if the manifest sets one.
    pub version: Option<String>,
    /// The digest that its code must have, in hexadecimal.
    pub sha256: Option<String>,
    /// The rooms that it filters; empty means all.
    pub rooms: Vec<String>,
    /// Whether it acts on its verdicts.
    pub mode: Mode,
    /// Whether the manifest sets the mode.
    has_mode: bool,
    /// The action on a message when the plugin fails to check it.
    pub on_failure: OnFailure,
    /// Whether the manifest sets that action.
    has_on_failure: bool,
    /// Limits that differ from the defaults.
    limits: RawLimits,
    /// The plugin's settings, as JSON.
    pub settings: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    name: Option<String>,
    version: Option<String>,
    api: Option<String>,
    sha256: Option<String>,
    #[serde(default)]
    rooms: Vec<String>,
    mode: Option<Mode>,
    on_failure: Option<OnFailure>,
    #[serde(default)]
    limits: RawLimits,
    #[serde(default)]
    settings: toml::Table,
    /// For `plugin build`.
    #[serde(default, rename = "build")]
    _build: toml::Table,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimits {
    deadline_ms: Option<u64>,
    configure_ms: Option<u64>,
    memory_mib: Option<usize>,
    table_elements: Option<usize>,
    instances: Option<usize>,
    answer_kib: Option<usize>,
    host_calls: Option<u32>,
    log_lines: Option<u32>,
    store_kib: Option<usize>,
}

impl Manifest {
    /// The manifest of a plugin without one.
    #[must_use]
    pub fn default_for(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: None,
            sha256: None,
            rooms: Vec::new(),
            mode: Mode::Enforce,
            has_mode: false,
            on_failure: OnFailure::default(),
            has_on_failure: false,
            limits: RawLimits::default(),
            settings: "{}".to_owned(),
        }
    }

    /// Returns the rooms in the manifest for which `is_room` is false.
    pub fn unknown_rooms(&self, is_room: impl Fn(&str) -> bool) -> Vec<&str> {
        self.rooms.iter().map(String::as_str).filter(|room| !is_room(room)).collect()
    }

    /// Parses the manifest of the plugin in the folder `name`.
    ///
    /// # Errors
    /// The first reasons why it is invalid, on one line, each with path and line.
    pub fn parse(name: &str, path: &Path, text: &str) -> Result<Self, String> {
        Self::read(name, path, text).map_err(|errors| {
            // The errors quote keys, which may be long and contain control characters.
            let shown = errors.iter().take(MAX_SHOWN_ERRORS).map(|error| single_line(&error.to_string()));
            let mut lines: Vec<String> = shown.collect();
            if errors.len() > MAX_SHOWN_ERRORS {
                lines.push("and more errors".to_owned());
            }
            lines.join("; ")
        })
    }

    fn read(name: &str, path: &Path, text: &str) -> Result<Self, Vec<ConfigError>> {
        let file: RawManifest = from_toml(path, text)?;
        let mut errors = FileErrors::new(path);
        if let Some(own) = file.name.as_ref().filter(|own| *own != name) {
            errors.add(0, format!("`name` is `{own}` and the folder is `{name}`: they must be the same"));
        }
        if let Some(api) = file.api.as_ref().filter(|api| api.split('.').next() != Some("1")) {
            errors.add(0, format!("`api` is `{api}`; this relay supports version 1 of the contract"));
        }
        if file.sha256.as_ref().is_some_and(|sum| sum.len() != 64 || !sum.bytes().all(|b| b.is_ascii_hexdigit())) {
            errors.add(0, "`sha256` must be 64 hexadecimal digits".to_owned());
        }
        if let Err(text) = file.limits.check() {
            errors.add(0, text);
        }
        let settings = to_json(toml::Value::Table(file.settings)).unwrap_or_else(|text| {
            errors.add(0, format!("`settings`: {text}"));
            serde_json::Value::Null
        });
        errors.into_result()?;
        Ok(Self {
            name: name.to_owned(),
            version: file.version,
            sha256: file.sha256.map(|sum| sum.to_ascii_lowercase()),
            rooms: file.rooms.iter().map(|room| room.trim().to_owned()).collect(),
            mode: file.mode.unwrap_or(Mode::Enforce),
            has_mode: file.mode.is_some(),
            on_failure: file.on_failure.unwrap_or_default(),
            has_on_failure: file.on_failure.is_some(),
            limits: file.limits,
            settings: settings.to_string(),
        })
    }

    /// Returns this manifest with the keys of `settings` added to its settings, replacing existing ones.
    ///
    /// # Errors
    /// If a value has no JSON form.
    pub fn with_settings(mut self, settings: toml::Table) -> Result<Self, String> {
        let mut all: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&self.settings).map_err(|error| error.to_string())?;
        for (key, value) in settings {
            all.insert(key, to_json(value)?);
        }
        self.settings = serde_json::Value::Object(all).to_string();
        Ok(self)
    }

    /// Returns this manifest with mode, failure policy, limits and settings of `defaults` where it does not set them.
    #[must_use]
    pub(super) fn with_defaults_from(mut self, defaults: &Self) -> Self {
        type Settings = serde_json::Map<String, serde_json::Value>;
        let read = |manifest: &Self| serde_json::from_str::<Settings>(&manifest.settings).unwrap_or_default();
        let mut all = read(defaults);
        all.extend(read(&self));
        self.settings = serde_json::Value::Object(all).to_string();
        if !self.has_mode {
            self.mode = defaults.mode;
        }
        if !self.has_on_failure {
            self.on_failure = defaults.on_failure;
        }
        self.limits = self.limits.or(defaults.limits);
        self
    }

    /// Returns the limits for a component of this size, within the operator's limits.
    #[must_use]
    pub fn limits(&self, component: usize, operator: &OperatorLimits) -> PluginLimits {
        let defaults =
            PluginLimits { deadline: operator.default_deadline, ..PluginLimits::for_component_size(component) };
        let caps = &operator.max;
        let own = &self.limits;
        let millis = |own: Option<u64>, default, cap: Duration| own.map_or(default, Duration::from_millis).min(cap);
        let bytes = |own: Option<usize>, unit: usize, default: usize, cap: usize| {
            own.map_or(default, |own| own.saturating_mul(unit)).min(cap)
        };
        PluginLimits {
            deadline: millis(own.deadline_ms, defaults.deadline, caps.deadline),
            configure_deadline: millis(own.configure_ms, defaults.configure_deadline, caps.configure_deadline),
            memory: bytes(own.memory_mib, 1024 * 1024, defaults.memory, caps.memory),
            table_elements: bytes(own.table_elements, 1, defaults.table_elements, caps.table_elements),
            instances: bytes(own.instances, 1, defaults.instances, caps.instances),
            transfer_bytes: bytes(own.answer_kib, 1024, defaults.transfer_bytes, caps.transfer_bytes),
            host_calls: own.host_calls.unwrap_or(defaults.host_calls).min(caps.host_calls),
            log_lines: own.log_lines.unwrap_or(defaults.log_lines).min(caps.log_lines),
            store: bytes(own.store_kib, 1024, defaults.store, caps.store),
        }
    }
}

/// Converts TOML to JSON. Dates become strings; infinities and NaN are errors.
fn to_json(value: toml::Value) -> Result<serde_json::Value, String> {
    Ok(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) if number.is_finite() => number.into(),
        toml::Value::Float(number) => return Err(format!("JSON has no number {number}")),
        toml::Value::Boolean(value) => value.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(values) => values.into_iter().map(to_json).collect::<Result<Vec<_>, _>>()?.into(),
        toml::Value::Table(table) => {
            let entries = table.into_iter().map(|(key, value)| Ok((key, to_json(value)?)));
            serde_json::Value::Object(entries.collect::<Result<_, String>>()?)
        }
    })
}

impl RawLimits {
    /// Returns these limits, with those of `other` where none is set.
    fn or(self, other: Self) -> Self {
        Self {
            deadline_ms: self.deadline_ms.or(other.deadline_ms),
            configure_ms: self.configure_ms.or(other.configure_ms),
            memory_mib: self.memory_mib.or(other.memory_mib),
            table_elements: self.table_elements.or(other.table_elements),
            instances: self.instances.or(other.instances),
            answer_kib: self.answer_kib.or(other.answer_kib),
            host_calls: self.host_calls.or(other.host_calls),
            log_lines: self.log_lines.or(other.log_lines),
            store_kib: self.store_kib.or(other.store_kib),
        }
    }

    fn check(&self) -> Result<(), String> {
        let zero = [
            ("deadline_ms", self.deadline_ms == Some(0)),
            ("configure_ms", self.configure_ms == Some(0)),
            ("memory_mib", self.memory_mib == Some(0)),
            ("instances", self.instances == Some(0)),
            ("answer_kib", self.answer_kib == Some(0)),
        ];
        match zero.iter().find(|(_, is_zero)| *is_zero) {
            Some((key, _)) => Err(format!("`limits.{key}` is 0; it must be at least 1")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
