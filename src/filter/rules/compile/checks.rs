//! What is wrong with patterns that are well formed: they would never hit, cost too much, or have no effect.

use std::time::Duration;

use crate::filter::rules::faults::Faults;
use crate::filter::rules::written::{View, Written};
use crate::matching::{BoundedRegex, Views};

/// Longest time of a regex on 2 kB that are made to be hard for it, of which a message is an eighth. Far above what the
/// other limits allow on an ordinary machine, so that a busy one finds no fault where there is none.
const MAX_TRIAL: Duration = Duration::from_millis(100);

/// Keys that would change nothing: whoever writes them believes that they do.
pub(super) fn check_effect(written: &Written, faults: &mut Faults<'_>) {
    let of = &written.patterns;
    let has_words = !of.words.is_empty() || of.words_file.is_some();
    let has_regexes = !of.any.is_empty() || !of.all.is_empty() || !of.none.is_empty();
    let forgives = [("accents", of.accents), ("doubled", of.doubled), ("masked", of.masked), ("leetspeak", of.plain)];
    for (key, _) in forgives.into_iter().filter(|(_, set)| *set) {
        if !has_words {
            written.fault(faults, written.line, &format!("`{key}` is for `words`, and there are none"));
        } else if of.view == Some(View::Exact) {
            written.fault(faults, written.line, &format!("`{key}` has no effect where `view` is \"exact\""));
        }
    }
    if of.view.is_some() && !has_words && !has_regexes {
        written.fault(faults, written.line, "`view` is for patterns, and there are none");
    }
    if of.costly && !has_regexes {
        written.fault(faults, written.line, "`costly` is for regular expressions, and there are none");
    }
}

/// Whether a regex keeps within its time.
pub(super) fn check_trial(pattern: &BoundedRegex) -> Result<(), String> {
    let took = pattern.trial();
    if took <= MAX_TRIAL {
        return Ok(());
    }
    let (took, limit) = (took.as_millis(), MAX_TRIAL.as_millis());
    Err(format!(
        "takes {took} ms on a text made to be hard for it; the limit is {limit} ms; write it with fewer repetitions"
    ))
}

/// Whether what a regex says can stand in a folded text: its letters must be those that remain once disguises are
/// undone.
pub(super) fn check_folded(pattern: &str) -> Result<(), String> {
    if pattern.contains("(?-i") || pattern.contains("(?i-") {
        return Err("asks for the letter case, and where `view` is \"folded\" all letters are small".to_owned());
    }
    let (mut views, mut letter) = (Views::default(), [0; 4]);
    for c in pattern.chars().filter(|c| !c.is_ascii()) {
        views.read(c.encode_utf8(&mut letter));
        let small: String = c.to_lowercase().collect();
        if views.clean() != small {
            let folded = if views.clean().is_empty() { "nothing".to_owned() } else { format!("`{}`", views.clean()) };
            return Err(format!("holds `{c}`, which is {folded} where `view` is \"folded\"; write that"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_for_folded_texts_is_written_in_their_letters() {
        for good in [r"\bcasino\w+", r"казин\w+", r"crédit", r"(?i)ELLÁ", "赌场"] {
            assert_eq!(check_folded(good), Ok(()), "{good}");
        }
        for (bad, wanted) in [
            ("scheiß", "holds `ß`, which is `ss` where `view` is \"folded\"; write that"),
            ("kadın", "holds `ı`, which is `i` where `view` is \"folded\"; write that"),
            ("ｃａｓｉｎｏ", "holds `ｃ`, which is `c` where `view` is \"folded\"; write that"),
            ("(?-i)CASINO", "asks for the letter case, and where `view` is \"folded\" all letters are small"),
        ] {
            assert_eq!(check_folded(bad), Err(wanted.to_owned()));
        }
    }
}
