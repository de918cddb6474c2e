//! The starter rules, which suit every instance. They contain no lists of words.

use std::collections::BTreeMap;
use std::path::Path;

use super::document::{self, Preset, RuleEntry};
use crate::model::Mode;
use crate::settings::{FileErrors, Located, backticked, did_you_mean};

/// The file name shown in matches and listings.
pub(super) const FILE_NAME: &str = "starter.toml";

/// The starter rules in the format of a rules file. Each rule lists the presets in which it runs.
pub const TEXT: &str = include_str!("starter.toml");

/// The modes of single rules by id. They override the preset.
pub(super) type ModeOverrides = BTreeMap<String, Located<Option<Mode>>>;

/// Parses all starter rules.
fn entries() -> Vec<RuleEntry> {
    let mut errors = FileErrors::new(Path::new(FILE_NAME));
    let entries = document::parse(TEXT, &mut errors).rules;
    // A test loads them in every preset.
    debug_assert!(errors.into_result().is_ok(), "the starter rules have errors");
    entries
}

fn id(rule: &RuleEntry) -> &str {
    rule.id.as_ref().map_or("", |id| &id.value)
}

/// Reports modes for ids that are no starter rules.
pub(super) fn check_modes(modes: &ModeOverrides, errors: &mut FileErrors<'_>) {
    if modes.is_empty() {
        return;
    }
    let entries = entries();
    let ids: Vec<&str> = entries.iter().map(id).collect();
    for (id, Located { line, .. }) in modes.iter().filter(|(id, _)| !ids.contains(&id.as_str())) {
        let hint = did_you_mean(id, ids.iter().copied());
        let list = if hint.is_empty() { format!("; there are {}", ids.join(", ")) } else { hint };
        errors.add(*line, format!("there is no starter rule {}{list}", backticked(id)));
    }
}

/// Returns the starter rules that run, with their modes: that of the preset, unless `modes` overrides it. Skips rules
/// whose id the operator uses.
pub(super) fn select(preset: Preset, modes: &ModeOverrides, is_own: impl Fn(&str) -> bool) -> Vec<RuleEntry> {
    let selected = entries().into_iter().filter_map(|mut rule| {
        let of_preset = rule.presets.iter().find(|(of, _)| *of == preset).map(|(_, mode)| *mode);
        rule.mode = modes.get(id(&rule)).map_or(of_preset, |at| at.value);
        (rule.mode.is_some() && !is_own(id(&rule))).then_some(rule)
    });
    selected.collect()
}
