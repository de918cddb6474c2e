//! Declared settings, without their types.

use super::{Setting, SettingValue};

/// A declared section.
#[derive(Debug)]
pub(super) struct DeclaredSection {
    pub(super) path: String,
    pub(super) doc: &'static str,
    pub(super) settings: Vec<DeclaredSetting>,
}

/// A declared setting, without its type.
#[derive(Debug)]
pub(super) struct DeclaredSetting {
    pub(super) key: &'static str,
    /// Its environment variable, followed by aliases.
    pub(super) names: Vec<String>,
    pub(super) doc: &'static str,
    pub(super) allowed: Option<String>,
    /// The default in TOML, or an example if the setting is not set by default.
    pub(super) default: String,
    /// Whether the setting is not set by default.
    pub(super) absent: bool,
    /// Whether a new value takes effect on a reload.
    pub(super) reloads: bool,
}

impl DeclaredSetting {
    pub(super) fn new<T: SettingValue>(setting: &Setting<T>, names: Vec<String>) -> Self {
        Self {
            key: setting.key,
            names,
            doc: setting.doc,
            allowed: setting.allowed(),
            default: setting.default.to_toml(),
            absent: setting.default.is_absent(),
            reloads: setting.reloads,
        }
    }
}
