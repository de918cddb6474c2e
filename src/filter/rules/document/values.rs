//! Reads values of a rule that have a form of their own.

use std::time::Duration;

use toml::de::DeValue;

use super::starter::Preset;
use crate::model::{Mode, Penalty};
use crate::names::Named as _;
use crate::settings::{KeyedValue, Located, TomlReader};

/// The reason for the sender: one text, or one per language.
#[derive(Clone, Debug)]
pub(in crate::filter::rules) enum ReasonTexts {
    Single(Located<String>),
    /// By language tag, in the order of the file; not empty.
    PerLanguage(Vec<(String, Located<String>)>),
}

/// Reads one text, or a table of texts by language.
pub(super) fn read_reason(reader: &mut TomlReader<'_, '_>, item: &KeyedValue<'_, '_>) -> Option<ReasonTexts> {
    let DeValue::Table(table) = item.value() else { return reader.string(item).map(ReasonTexts::Single) };
    let mut texts = Vec::with_capacity(table.len());
    reader.each_key(item, table, |reader, tag, field| {
        let is_plain = tag.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
        if !is_plain || !(2..=16).contains(&tag.len()) {
            reader.error_at_key(field, "is not a language tag such as \"en\" or \"pt-BR\"");
        }
        texts.extend(reader.string(field).map(|text| (tag.to_owned(), text)));
    });
    if table.is_empty() {
        reader.error_at_key(item, "is an empty table");
    }
    (!texts.is_empty()).then_some(ReasonTexts::PerLanguage(texts))
}

/// Reads `{ kind = "mute", duration = "10m" }`.
pub(super) fn read_sanction(reader: &mut TomlReader<'_, '_>, item: &KeyedValue<'_, '_>) -> Option<Penalty> {
    const KINDS: [(&str, &str); 5] =
        [("warn", "warn"), ("mute", "mute"), ("kick", "kick"), ("ban", "ban"), ("ladder", Penalty::LADDER)];
    let (mut kind, mut duration) = (None, None);
    reader.each_known_key(item, &["kind", "duration"], |reader, name, field| match name {
        "kind" => kind = reader.choice(field, &KINDS),
        _ => duration = reader.duration(field, Duration::from_secs(1)..=Duration::from_hours(24 * 366)),
    });
    match (kind?, duration) {
        (kind @ ("mute" | "ban"), None) => {
            reader.error_at_key(item, &format!("{kind} needs a `duration`, such as \"10m\""));
            None
        }
        (kind @ ("warn" | "kick"), Some(_)) => {
            reader.error_at_key(item, &format!("{kind} takes no `duration`, as it is instantaneous"));
            None
        }
        (kind @ Penalty::LADDER, Some(_)) => {
            reader.error_at_key(item, &format!("{kind} takes no `duration`, as each step has its own"));
            None
        }
        (kind, duration) => Penalty::from_name(kind, duration),
    }
}

/// Reads `{ open = "observe", strict = "enforce" }`. The rule does not run in presets that are not named.
pub(super) fn read_presets(reader: &mut TomlReader<'_, '_>, item: &KeyedValue<'_, '_>) -> Vec<(Preset, Mode)> {
    let mut modes = Vec::new();
    reader.each_known_key(item, &Preset::ALL.map(Preset::as_str), |reader, name, field| {
        let mode = reader.choice(field, Mode::NAMES);
        modes.extend(name.parse().ok().zip(mode));
    });
    modes
}
