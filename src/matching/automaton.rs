//! Finds many byte patterns in one pass.

use std::ops::{ControlFlow, Range};

use aho_corasick::nfa::contiguous;
use aho_corasick::{Anchored, dfa};

/// Largest DFA that is built. Bytes.
const MAX_DFA_BYTES: usize = 32 << 20;

/// Finds all matches of all patterns, including overlapping ones.
#[derive(Debug, Default)]
pub(super) enum Automaton {
    /// There are no patterns.
    #[default]
    Empty,
    /// The fastest search: one step per byte, at hundreds of bytes of memory per pattern byte.
    Dfa(dfa::DFA),
    /// Slower and smaller, for long lists.
    Nfa(contiguous::NFA),
}

/// There are too many patterns to number.
#[derive(Debug)]
pub(super) struct TooManyPatterns;

impl Automaton {
    /// Builds an automaton. `patterns` must be sorted, distinct and non-empty.
    pub(super) fn new<'p>(patterns: impl Iterator<Item = &'p Vec<u8>> + Clone) -> Result<Self, TooManyPatterns> {
        if patterns.clone().next().is_none() {
            return Ok(Self::Empty);
        }
        if dfa_bytes(patterns.clone()) <= MAX_DFA_BYTES {
            let built = dfa::Builder::new().prefilter(false).build(patterns).map_err(|_| TooManyPatterns)?;
            return Ok(Self::Dfa(built));
        }
        let built = contiguous::Builder::new().prefilter(false).build(patterns).map_err(|_| TooManyPatterns)?;
        Ok(Self::Nfa(built))
    }

    /// Calls `on_match` with the index and byte range of each match, in the order of their ends.
    #[inline]
    pub(super) fn for_each_match(
        &self,
        text: &[u8],
        on_match: impl FnMut(usize, Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match self {
            Self::Empty => ControlFlow::Continue(()),
            Self::Dfa(dfa) => walk(dfa, text, on_match),
            Self::Nfa(nfa) => walk(nfa, text, on_match),
        }
    }
}

fn walk(
    automaton: &impl aho_corasick::automaton::Automaton,
    text: &[u8],
    mut on_match: impl FnMut(usize, Range<usize>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let Ok(mut state) = automaton.start_state(Anchored::No) else { return ControlFlow::Continue(()) };
    for (end, byte) in (1..).zip(text) {
        state = automaton.next_state(Anchored::No, state, *byte);
        if automaton.is_special(state) && automaton.is_match(state) {
            for nth in 0..automaton.match_len(state) {
                let pattern = automaton.match_pattern(state, nth);
                let start = end - automaton.pattern_len(pattern).min(end);
                on_match(pattern.as_usize(), start..end)?;
            }
        }
    }
    ControlFlow::Continue(())
}

/// Estimates the size of a DFA, which has a row for each distinct prefix of a pattern. Bytes.
fn dfa_bytes<'p>(patterns: impl Iterator<Item = &'p Vec<u8>>) -> usize {
    let (mut states, mut used, mut last) = (1_usize, [false; 256], &Vec::new());
    for pattern in patterns {
        let shared = last.iter().zip(pattern).take_while(|(a, b)| a == b).count();
        states += pattern.len() - shared;
        for byte in pattern {
            if let Some(used) = used.get_mut(usize::from(*byte)) {
                *used = true;
            }
        }
        last = pattern;
    }
    let classes = used.iter().filter(|used| **used).count() + 2;
    states.saturating_mul(classes.next_power_of_two() * size_of::<u32>())
}
