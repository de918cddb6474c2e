//! The `[starter]` section of a rules file: a preset, and modes of single starter rules.

use std::collections::BTreeMap;

use crate::model::Mode;
use crate::names::{Named as _, named};
use crate::settings::{KeyedValue, Located, TomlReader};

named! {
    /// A preset of the starter rules. It gives each of them a mode.
    #[derive(Default)]
    pub enum Preset {
        /// None of the rules runs.
        Off = "off",
        /// All rules observe.
        Open = "open",
        /// Rules with few false positives enforce; the others observe.
        #[default]
        Balanced = "balanced",
        /// All rules enforce.
        Strict = "strict",
    }
}

/// The modes of a starter rule; `None` does not run it.
const MODES: [(&str, Option<Mode>); 3] =
    [("enforce", Some(Mode::Enforce)), ("observe", Some(Mode::Observe)), ("off", None)];

/// The `[starter]` section of a rules file.
#[derive(Debug, Default)]
pub(in crate::filter::rules) struct StarterSection {
    /// The preset, if the file sets one.
    pub(in crate::filter::rules) preset: Option<Preset>,
    /// The modes of single rules by id. They override the preset.
    pub(in crate::filter::rules) modes: BTreeMap<String, Located<Option<Mode>>>,
}

impl StarterSection {
    pub(super) fn read(reader: &mut TomlReader<'_, '_>, item: &KeyedValue<'_, '_>) -> Self {
        let mut choice = Self::default();
        reader.each_known_key(item, &["preset", "modes"], |reader, name, field| match name {
            "preset" => choice.preset = reader.choice(field, Preset::NAMES),
            _ => choice.modes = modes(reader, field),
        });
        choice
    }
}

/// Reads `modes = { raid = "enforce", … }`.
fn modes(reader: &mut TomlReader<'_, '_>, item: &KeyedValue<'_, '_>) -> BTreeMap<String, Located<Option<Mode>>> {
    let mut modes = BTreeMap::new();
    let toml::de::DeValue::Table(table) = item.value() else {
        reader.error_at_key(item, "must be a table: the id of a rule and its mode, such as `raid = \"enforce\"`");
        return modes;
    };
    reader.each_key(item, table, |reader, name, field| {
        let line = field.line();
        modes.extend(reader.choice(field, &MODES).map(|value| (name.to_owned(), Located { value, line })));
    });
    modes
}
