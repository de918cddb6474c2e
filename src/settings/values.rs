//! What each setting is, for comparison with what it is after the settings were read again.

use std::collections::BTreeMap;

use blake3::Hash;

/// The value of each setting as a hash, so that secrets can be compared and not read.
#[derive(Clone, Debug, Default)]
pub struct Values(BTreeMap<String, Value>);

#[derive(Clone, Copy, Debug)]
struct Value {
    hash: Hash,
    /// Whether another value takes effect while the relay runs.
    reloads: bool,
}

/// Which settings differ, by their full keys in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Those that take effect on a reload.
    pub changed: Vec<String>,
    /// Those that need a restart.
    pub needs_restart: Vec<String>,
}

impl Values {
    /// Takes in a setting: its full key, its value in some written form, and whether another value takes effect while
    /// the relay runs.
    pub(super) fn add(&mut self, key: String, value: &str, reloads: bool) {
        self.0.insert(key, Value { hash: blake3::hash(value.as_bytes()), reloads });
    }

    /// The settings that have another value in `new`.
    #[must_use]
    pub fn changes(&self, new: &Self) -> Changes {
        let mut changes = Changes::default();
        for (key, value) in &new.0 {
            if self.0.get(key).is_some_and(|old| old.hash != value.hash) {
                let list = if value.reloads { &mut changes.changed } else { &mut changes.needs_restart };
                list.push(key.clone());
            }
        }
        changes
    }

    /// Takes over the values that take effect while the relay runs. The others stay, and so differ again next time.
    pub fn take_over(&mut self, new: &Self) {
        for (key, value) in new.0.iter().filter(|(_, value)| value.reloads) {
            self.0.insert(key.clone(), *value);
        }
    }

    /// The settings that take effect on a reload, by their full keys in order.
    pub fn reloadable(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, value)| value.reloads).map(|(key, _)| key.as_str())
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::{Setting, Source, Values};

    fn values(file: &str, environment: &[(&str, &str)]) -> Values {
        let environment = environment.iter().map(|(name, value)| (name.into(), value.into()));
        let mut source = Source::new().file("relay.toml", file).environment(environment);
        let mut root = source.root();
        root.read(Setting::new("rooms", 1_u32).env(&["ROOMS"]).reloads());
        root.read(Setting::new("port", 1_u32));
        root.read(Setting::new("token", String::new()).secret().reloads());
        source.values()
    }

    #[test]
    fn a_setting_that_differs_is_named_by_what_it_needs() {
        let before = values("rooms = 2\nport = 3", &[]);
        let changes = before.changes(&values("rooms = 3\nport = 4\ntoken = 'x'", &[]));
        assert_eq!(
            (changes.changed, changes.needs_restart),
            (vec!["rooms".into(), "token".into()], vec!["port".into()])
        );
    }

    #[test]
    fn what_is_written_in_another_way_or_wins_from_elsewhere_is_no_change() {
        let before = values("rooms = 1000", &[]);
        assert_eq!(before.changes(&values("", &[("ROOMS", "1_000")])), super::Changes::default());
        let before = values("rooms = 2", &[("ROOMS", "1")]);
        assert_eq!(before.changes(&values("rooms = 3", &[("ROOMS", "1")])), super::Changes::default());
    }

    #[test]
    fn a_setting_that_needs_a_restart_differs_until_then() {
        let (mut values_now, new) = (values("", &[]), values("rooms = 9\nport = 9", &[]));
        values_now.take_over(&new);
        let changes = values_now.changes(&new);
        assert_eq!((changes.changed, changes.needs_restart), (vec![], vec!["port".to_owned()]));
    }
}
