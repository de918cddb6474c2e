//! What a rules file says of the starter rules: a preset, and what is otherwise than it.

use std::collections::BTreeMap;

use super::reader::{At, Item, Reader};
use crate::model::Mode;
use crate::settings::Choice;

/// How much the starter rules do: each has a mode in each preset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Preset {
    /// None of them runs.
    Off,
    /// They all watch and none acts.
    Open,
    /// Those act that can hardly be wrong; the others watch.
    #[default]
    Balanced,
    /// All of them act.
    Strict,
}

impl Preset {
    /// The name as the rules file has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, preset)| *preset == self).map_or("", |(name, _)| name)
    }
}

impl Choice for Preset {
    const NAMES: &'static [(&'static str, Self)] =
        &[("off", Self::Off), ("open", Self::Open), ("balanced", Self::Balanced), ("strict", Self::Strict)];
}

/// The modes of rules; none for one that does not run.
const MODES: [(&str, Option<Mode>); 3] =
    [("enforce", Some(Mode::Enforce)), ("observe", Some(Mode::Observe)), ("off", None)];

/// The `[starter]` of a rules file.
#[derive(Debug, Default)]
pub(in crate::filter::rules) struct StarterChoice {
    /// As the file says, if it does.
    pub(in crate::filter::rules) preset: Option<Preset>,
    /// The modes of single rules by their id, in place of the preset's.
    pub(in crate::filter::rules) modes: BTreeMap<String, At<Option<Mode>>>,
}

impl StarterChoice {
    pub(super) fn read(reader: &mut Reader<'_, '_>, item: &Item<'_, '_>) -> Self {
        let mut choice = Self::default();
        reader.fields(item, &["preset", "modes"], |reader, name, field| match name {
            "preset" => choice.preset = reader.choice(field, Preset::NAMES),
            _ => choice.modes = modes(reader, field),
        });
        choice
    }
}

/// `modes = { raid = "enforce", … }`
fn modes(reader: &mut Reader<'_, '_>, item: &Item<'_, '_>) -> BTreeMap<String, At<Option<Mode>>> {
    let mut modes = BTreeMap::new();
    let toml::de::DeValue::Table(table) = item.value() else {
        reader.fault(item, "must be a table: the id of a rule and its mode, such as `raid = \"enforce\"`");
        return modes;
    };
    reader.every_field(item, table, |reader, name, field| {
        let line = field.line();
        modes.extend(reader.choice(field, &MODES).map(|value| (name.to_owned(), At { value, line })));
    });
    modes
}
