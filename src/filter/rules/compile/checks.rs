//! Checks of well-formed patterns: those that can never match, cost too much, or have no effect.

use std::time::Duration;

use crate::filter::rules::document::{PatternView, RuleEntry};
use crate::matching::{BoundedRegex, Views};
use crate::settings::FileErrors;

/// Longest time a regex may take on a worst-case text of 2 kB, eight times the longest message. Far above what the
/// other limits allow on an ordinary machine, so that a busy machine does not reject a good pattern.
const MAX_TRIAL: Duration = Duration::from_millis(100);

/// Reports keys without effect, since the author expects one.
pub(super) fn check_effect(entry: &RuleEntry, errors: &mut FileErrors<'_>) {
    let patterns = &entry.patterns;
    let has_words = !patterns.words.is_empty() || patterns.words_file.is_some();
    let has_regexes = !patterns.any.is_empty() || !patterns.all.is_empty() || !patterns.none.is_empty();
    let leniencies = [
        ("accents", patterns.accents),
        ("doubled", patterns.doubled),
        ("masked", patterns.masked),
        ("leetspeak", patterns.no_leetspeak),
    ];
    for (key, _) in leniencies.into_iter().filter(|(_, set)| *set) {
        if !has_words {
            entry.error(errors, entry.line, &format!("`{key}` applies only to `words`, and this rule has none"));
        } else if patterns.view == Some(PatternView::Original) {
            entry.error(errors, entry.line, &format!("`{key}` has no effect with `view = \"exact\"`"));
        }
    }
    if patterns.view.is_some() && !has_words && !has_regexes {
        entry.error(errors, entry.line, "`view` applies only to patterns, and this rule has none");
    }
    if patterns.costly && !has_regexes {
        entry.error(errors, entry.line, "`costly` applies only to regular expressions, and this rule has none");
    }
}

/// Checks that a regex stays within its time limit.
pub(super) fn check_trial(pattern: &BoundedRegex) -> Result<(), String> {
    let took = pattern.worst_case_time();
    if took <= MAX_TRIAL {
        return Ok(());
    }
    let (took, limit) = (took.as_millis(), MAX_TRIAL.as_millis());
    Err(format!("takes {took} ms on a worst-case text; the limit is {limit} ms; use fewer repetitions"))
}

/// Checks that a regex can match a folded text: it must be case-insensitive and contain only letters that folding
/// leaves unchanged.
pub(super) fn check_folded(pattern: &str) -> Result<(), String> {
    if pattern.contains("(?-i") || pattern.contains("(?i-") {
        return Err("is case-sensitive, but with `view = \"folded\"` all letters are lower case".to_owned());
    }
    let (mut views, mut letter) = (Views::default(), [0; 4]);
    for c in pattern.chars().filter(|c| !c.is_ascii()) {
        views.read(c.encode_utf8(&mut letter));
        let lowercase: String = c.to_lowercase().collect();
        if views.clean() != lowercase {
            let folded = if views.clean().is_empty() { "nothing".to_owned() } else { format!("`{}`", views.clean()) };
            return Err(format!("contains `{c}`, which becomes {folded} with `view = \"folded\"`; write that instead"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folded_pattern_may_only_contain_folded_letters() {
        for good in [r"\bcasino\w+", r"казин\w+", r"crédit", r"(?i)ELLÁ", "赌场"] {
            assert_eq!(check_folded(good), Ok(()), "{good}");
        }
        for (bad, error) in [
            ("scheiß", "contains `ß`, which becomes `ss` with `view = \"folded\"`; write that instead"),
            ("kadın", "contains `ı`, which becomes `i` with `view = \"folded\"`; write that instead"),
            ("ｃａｓｉｎｏ", "contains `ｃ`, which becomes `c` with `view = \"folded\"`; write that instead"),
            ("(?-i)CASINO", "is case-sensitive, but with `view = \"folded\"` all letters are lower case"),
        ] {
            assert_eq!(check_folded(bad), Err(error.to_owned()));
        }
    }
}
