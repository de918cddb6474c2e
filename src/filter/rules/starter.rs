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

/// The modes of single rules by their id, in place of the preset's.
pub(super) type Modes = BTreeMap<String, At<Option<Mode>>>;

/// All starter rules as they are written.
fn written() -> Vec<Written> {
    let mut faults = Faults::new(Path::new(NAME));
    let written = written::parse(TEXT, &mut faults).rules;
    // They are as they were tested.
    debug_assert!(faults.none_or_all().is_ok(), "the starter rules are at fault");
    written
}

fn id(rule: &Written) -> &str {
    rule.id.as_ref().map_or("", |id| &id.value)
}

/// Names the modes that are of no starter rule.
pub(super) fn check(modes: &Modes, faults: &mut Faults<'_>) {
    if modes.is_empty() {
        return;
    }
    let written = written();
    let ids: Vec<&str> = written.iter().map(id).collect();
    for (id, At { line, .. }) in modes.iter().filter(|(id, _)| !ids.contains(&id.as_str())) {
        let hint = did_you_mean(id, ids.iter().copied());
        let list = if hint.is_empty() { format!("; there are {}", ids.join(", ")) } else { hint };
        faults.add(*line, format!("there is no starter rule {}{list}", quoted(id)));
    }
}

/// The starter rules that run, with their modes: those of the preset, unless `modes` has another one. A rule that the
/// operator has under the same id takes the place of a starter rule.
pub(super) fn chosen(preset: Preset, modes: &Modes, is_own: impl Fn(&str) -> bool) -> Vec<Written> {
    let chosen = written().into_iter().filter_map(|mut rule| {
        let of_preset = rule.presets.iter().find(|(of, _)| *of == preset).map(|(_, mode)| *mode);
        rule.mode = modes.get(id(&rule)).map_or(of_preset, |at| at.value);
        (rule.mode.is_some() && !is_own(id(&rule))).then_some(rule)
    });
    chosen.collect()
}
