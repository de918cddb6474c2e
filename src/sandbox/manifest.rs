//! `plugin.toml`: what an operator says of a plugin.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::failure::told;
use super::limits::{Caps, Limits};
use crate::model::Mode;

/// Longest manifest, in bytes.
pub(super) const MAX_MANIFEST_BYTES: u64 = 256 * 1024;

/// What becomes of a message that a plugin cannot answer for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// It goes on, as if there were no such plugin.
    #[default]
    Pass,
    /// A moderator is to look at it.
    Hold,
    /// It is refused.
    Reject,
}

impl OnFailure {
    /// The policy that a manifest gives, as far as that can be told of one that is at fault otherwise.
    pub(super) fn of_text<'a>(text: &'a str) -> Self {
        let key = |line: &'a str| line.trim().trim_start_matches(['"', '\'']).strip_prefix("on_failure");
        let line = text.lines().find_map(key);
        match line {
            Some(line) if line.contains("reject") => Self::Reject,
            Some(line) if line.contains("hold") => Self::Hold,
            _ => Self::Pass,
        }
    }

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Hold => "hold",
            Self::Reject => "reject",
        }
    }
}

/// What is said of one plugin.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The plugin's name: that of its folder or file.
    pub name: String,
    /// Its version, where the manifest gives one.
    pub version: Option<String>,
    /// The digest that its file must have, in hexadecimal.
    pub sha256: Option<String>,
    /// The rooms that it filters; all when there are none.
    pub rooms: Vec<String>,
    /// Whether it acts.
    pub mode: Mode,
    /// Whether the text says so, or it is the default.
    gives_mode: bool,
    /// What becomes of a message that it cannot answer for.
    pub on_failure: OnFailure,
    /// Bounds that differ from the defaults.
    limits: LimitsTable,
    /// Its own settings, as JSON.
    pub settings: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    version: Option<String>,
    api: Option<String>,
    sha256: Option<String>,
    #[serde(default)]
    rooms: Vec<String>,
    mode: Option<Mode>,
    #[serde(default)]
    on_failure: OnFailure,
    #[serde(default)]
    limits: LimitsTable,
    #[serde(default)]
    settings: toml::Table,
    /// For the kit: how it is built.
    #[serde(default, rename = "build")]
    _build: toml::Table,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsTable {
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
    /// The manifest of a plugin that has none.
    #[must_use]
    pub fn bare(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: None,
            sha256: None,
            rooms: Vec::new(),
            mode: Mode::Enforce,
            gives_mode: false,
            on_failure: OnFailure::default(),
            limits: LimitsTable::default(),
            settings: "{}".to_owned(),
        }
    }

    /// The rooms that it names and the instance does not have, by what `is_room` says.
    pub fn unknown_rooms(&self, is_room: impl Fn(&str) -> bool) -> Vec<&str> {
        self.rooms.iter().map(String::as_str).filter(|room| !is_room(room)).collect()
    }

    /// Reads the manifest of the plugin in the folder `name`.
    ///
    /// # Errors
    /// What is wrong, with its line.
    pub fn parse(name: &str, path: &Path, text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|fault| {
            let before = fault.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = 1 + before.matches('\n').count();
            // Keys, which the message quotes, may have any character, and any number of them.
            format!("{}:{}: {}", path.display(), line, told(fault.message()))
        })?;
        let fault = |text: String| format!("{}: {}", path.display(), told(&text));
        if let Some(own) = file.name.as_ref().filter(|own| *own != name) {
            return Err(fault(format!("`name` is `{own}`, and its folder is `{name}`: they must be the same")));
        }
        if let Some(api) = file.api.as_ref().filter(|api| api.split('.').next() != Some("1")) {
            return Err(fault(format!("`api` is `{api}`, and this relay speaks version 1 of the contract")));
        }
        if file.sha256.as_ref().is_some_and(|sum| sum.len() != 64 || !sum.bytes().all(|b| b.is_ascii_hexdigit())) {
            return Err(fault("`sha256` must be 64 hexadecimal digits".to_owned()));
        }
        file.limits.check().map_err(fault)?;
        let settings = json(toml::Value::Table(file.settings)).map_err(|text| fault(format!("`settings`: {text}")))?;
        let settings = settings.to_string();
        Ok(Self {
            name: name.to_owned(),
            version: file.version,
            sha256: file.sha256.map(|sum| sum.to_ascii_lowercase()),
            rooms: file.rooms.iter().map(|room| room.trim().to_owned()).collect(),
            mode: file.mode.unwrap_or(Mode::Enforce),
            gives_mode: file.mode.is_some(),
            on_failure: file.on_failure,
            limits: file.limits,
            settings,
        })
    }

    /// This manifest with other settings: the keys of `settings` replace those that are there.
    ///
    /// # Errors
    /// What JSON cannot hold.
    pub fn with_settings(mut self, settings: toml::Table) -> Result<Self, String> {
        let fault = |fault: serde_json::Error| fault.to_string();
        let mut all: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&self.settings).map_err(fault)?;
        for (key, value) in settings {
            all.insert(key, json(value)?);
        }
        self.settings = serde_json::Value::Object(all).to_string();
        Ok(self)
    }

    /// This manifest, with the mode and the settings of `defaults` that it does not give itself.
    #[must_use]
    pub(super) fn with_defaults_of(mut self, defaults: &Self) -> Self {
        type Settings = serde_json::Map<String, serde_json::Value>;
        let read = |manifest: &Self| serde_json::from_str::<Settings>(&manifest.settings).unwrap_or_default();
        let mut all = read(defaults);
        all.extend(read(&self));
        self.settings = serde_json::Value::Object(all).to_string();
        if !self.gives_mode {
            self.mode = defaults.mode;
        }
        self
    }

    /// The bounds for a component of that many bytes, within the operator's `caps`.
    #[must_use]
    pub fn limits(&self, component: usize, caps: &Caps) -> Limits {
        let defaults = Limits { deadline: caps.deadline, ..Limits::of_component(component) };
        let caps = &caps.most;
        let own = &self.limits;
        let millis = |own: Option<u64>, default, cap: Duration| own.map_or(default, Duration::from_millis).min(cap);
        let bytes = |own: Option<usize>, unit: usize, default: usize, cap: usize| {
            own.map_or(default, |own| own.saturating_mul(unit)).min(cap)
        };
        Limits {
            deadline: millis(own.deadline_ms, defaults.deadline, caps.deadline),
            configure_deadline: millis(own.configure_ms, defaults.configure_deadline, caps.configure_deadline),
            memory: bytes(own.memory_mib, 1024 * 1024, defaults.memory, caps.memory),
            table_elements: bytes(own.table_elements, 1, defaults.table_elements, caps.table_elements),
            instances: bytes(own.instances, 1, defaults.instances, caps.instances),
            copied: bytes(own.answer_kib, 1024, defaults.copied, caps.copied),
            host_calls: own.host_calls.unwrap_or(defaults.host_calls).min(caps.host_calls),
            log_lines: own.log_lines.unwrap_or(defaults.log_lines).min(caps.log_lines),
            store: bytes(own.store_kib, 1024, defaults.store, caps.store),
        }
    }
}

/// TOML as JSON: a date is its text, and a number that is none has no place there.
fn json(value: toml::Value) -> Result<serde_json::Value, String> {
    Ok(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) if number.is_finite() => number.into(),
        toml::Value::Float(number) => return Err(format!("{number} is no number that JSON has")),
        toml::Value::Boolean(value) => value.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(values) => values.into_iter().map(json).collect::<Result<Vec<_>, _>>()?.into(),
        toml::Value::Table(table) => {
            let entries = table.into_iter().map(|(key, value)| Ok((key, json(value)?)));
            serde_json::Value::Object(entries.collect::<Result<_, String>>()?)
        }
    })
}

impl LimitsTable {
    fn check(&self) -> Result<(), String> {
        let zero = [
            ("deadline_ms", self.deadline_ms == Some(0)),
            ("configure_ms", self.configure_ms == Some(0)),
            ("memory_mib", self.memory_mib == Some(0)),
            ("instances", self.instances == Some(0)),
            ("answer_kib", self.answer_kib == Some(0)),
        ];
        match zero.iter().find(|(_, is_zero)| *is_zero) {
            Some((key, _)) => Err(format!("`limits.{key}` is 0, and nothing runs with that")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
