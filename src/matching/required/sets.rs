//! Sets of literals.

use super::{MAX_BYTES, MAX_LITERALS};

/// Returns the concatenation of every pair, or `None` if there are too many.
pub(super) fn cross(left: &[String], right: &[String]) -> Option<Vec<String>> {
    if left.len() * right.len() > MAX_LITERALS {
        return None;
    }
    let pairs = left.iter().flat_map(|left| right.iter().map(move |right| format!("{left}{right}")));
    Some(distinct(pairs.collect()))
}

/// Truncates texts to [`MAX_BYTES`], keeping their prefixes (`head`) or suffixes.
pub(super) fn clip(texts: Vec<String>, head: bool) -> Vec<String> {
    let clip = |text: String| {
        if text.len() <= MAX_BYTES {
            return text;
        }
        let range = if head {
            0..text.floor_char_boundary(MAX_BYTES)
        } else {
            text.ceil_char_boundary(text.len() - MAX_BYTES)..text.len()
        };
        text.get(range).unwrap_or_default().to_owned()
    };
    distinct(texts.into_iter().map(clip).collect())
}

pub(super) fn distinct(mut literals: Vec<String>) -> Vec<String> {
    literals.sort_unstable();
    literals.dedup();
    literals
}
