//! The starter rules: what every instance can use, without a word that anybody might have to say.

use std::collections::BTreeMap;
use std::path::Path;

use super::faults::{Faults, did_you_mean, quoted};
use super::written::{self, At, Preset, Written};
use crate::model::Mode;

/// What matches and listings call their file.
pub(super) const NAME: &str = "starter.toml";

/// Their file, as the rules file of an operator is written. Each has the presets in which it runs.
pub const TEXT: &str = include_str!("starter.toml");

/// The starter rules that run, with their modes: those of the preset, unless `modes` has another one. A rule that the
/// operator has under the same id takes the place of a starter rule.
pub(super) fn chosen(
    preset: Preset,
    mut modes: BTreeMap<String, At<Option<Mode>>>,
    is_own: impl Fn(&str) -> bool,
    faults: &mut Faults<'_>,
) -> Vec<Written> {
    let mut own_faults = Faults::new(Path::new(NAME));
    let written = written::parse(TEXT, &mut own_faults).rules;
    // They are as they were tested.
    debug_assert!(own_faults.none_or_all().is_ok(), "the starter rules are at fault");
    let ids: Vec<String> = written.iter().filter_map(|rule| rule.id.as_ref().map(|id| id.value.clone())).collect();
    let chosen = written.into_iter().filter_map(|mut rule| {
        let id = rule.id.as_ref().map(|id| id.value.clone()).unwrap_or_default();
        let preset = rule.presets.iter().find(|(of, _)| *of == preset).map(|(_, mode)| *mode);
        rule.mode = modes.remove(&id).map_or(preset, |at| at.value);
        (rule.mode.is_some() && !is_own(&id)).then_some(rule)
    });
    let chosen = chosen.collect();
    for (id, At { line, .. }) in modes {
        let hint = did_you_mean(&id, ids.iter().map(String::as_str));
        let list = if hint.is_empty() { format!("; there are {}", ids.join(", ")) } else { hint };
        faults.add(line, format!("there is no starter rule {}{list}", quoted(&id)));
    }
    chosen
}
