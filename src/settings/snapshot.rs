//! A snapshot of all setting values, to find out what a reload changes.

use std::collections::BTreeMap;

use blake3::Hash;

/// A hash of each setting's value. Secrets can be compared but not read.
#[derive(Clone, Debug, Default)]
pub struct SettingsSnapshot(BTreeMap<String, Fingerprint>);

#[derive(Clone, Copy, Debug)]
struct Fingerprint {
    hash: Hash,
    /// Whether a new value takes effect on a reload.
    reloads: bool,
}

/// The settings that differ, as sorted full keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingChanges {
    /// Settings that take effect on a reload.
    pub changed: Vec<String>,
    /// Settings that need a restart.
    pub needs_restart: Vec<String>,
}

impl SettingsSnapshot {
    /// Adds a setting: its full key, its value in text form, and whether it is reloadable.
    pub(super) fn add(&mut self, key: String, value: &str, reloads: bool) {
        self.0.insert(key, Fingerprint { hash: blake3::hash(value.as_bytes()), reloads });
    }

    /// Returns the settings whose value differs in `new`.
    #[must_use]
    pub fn changes(&self, new: &Self) -> SettingChanges {
        let mut changes = SettingChanges::default();
        for (key, value) in &new.0 {
            if self.0.get(key).is_some_and(|old| old.hash != value.hash) {
                let list = if value.reloads { &mut changes.changed } else { &mut changes.needs_restart };
                list.push(key.clone());
            }
        }
        changes
    }

    /// Copies the reloadable values from `new`. The others stay as they are and are reported again by the next
    /// comparison.
    pub fn apply_reloadable(&mut self, new: &Self) {
        for (key, value) in new.0.iter().filter(|(_, value)| value.reloads) {
            self.0.insert(key.clone(), *value);
        }
    }

    /// Returns the reloadable settings, as sorted full keys.
    pub fn reloadable(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, value)| value.reloads).map(|(key, _)| key.as_str())
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::{Setting, SettingsSnapshot, SettingsSource};

    fn values(file: &str, environment: &[(&str, &str)]) -> SettingsSnapshot {
        let environment = environment.iter().map(|(name, value)| (name.into(), value.into()));
        let mut source = SettingsSource::new().file("relay.toml", file).environment(environment);
        let mut root = source.root();
        root.read(Setting::new("rooms", 1_u32).env(&["ROOMS"]).reloads());
        root.read(Setting::new("port", 1_u32));
        root.read(Setting::new("token", String::new()).secret().reloads());
        source.snapshot()
    }

    #[test]
    fn changes_are_grouped_by_whether_they_need_a_restart() {
        let before = values("rooms = 2\nport = 3", &[]);
        let changes = before.changes(&values("rooms = 3\nport = 4\ntoken = 'x'", &[]));
        assert_eq!(
            (changes.changed, changes.needs_restart),
            (vec!["rooms".into(), "token".into()], vec!["port".into()])
        );
    }

    #[test]
    fn another_spelling_and_an_overridden_value_are_not_changes() {
        let before = values("rooms = 1000", &[]);
        assert_eq!(before.changes(&values("", &[("ROOMS", "1_000")])), super::SettingChanges::default());
        let before = values("rooms = 2", &[("ROOMS", "1")]);
        assert_eq!(before.changes(&values("rooms = 3", &[("ROOMS", "1")])), super::SettingChanges::default());
    }

    #[test]
    fn a_setting_that_needs_a_restart_is_reported_again() {
        let (mut current, new) = (values("", &[]), values("rooms = 9\nport = 9", &[]));
        current.apply_reloadable(&new);
        let changes = current.changes(&new);
        assert_eq!((changes.changed, changes.needs_restart), (vec![], vec!["port".to_owned()]));
    }
}
