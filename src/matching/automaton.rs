//! One pass over bytes for many patterns.

use std::ops::{ControlFlow, Range};

use aho_corasick::nfa::contiguous;
use aho_corasick::{Anchored, dfa};

/// Largest automaton of the fast sort. Bytes.
const MOST_BYTES: usize = 32 << 20;

/// Finds all places of all patterns, also where they overlap.
#[derive(Debug, Default)]
pub(super) enum Automaton {
    /// No pattern.
    #[default]
    Empty,
    /// One step for each byte, in hundreds of bytes for each byte of a pattern.
    Fast(dfa::DFA),
    /// For long lists.
    Small(contiguous::NFA),
}

/// More patterns than can be numbered.
#[derive(Debug)]
pub(super) struct TooMany;

impl Automaton {
    /// `patterns` are sorted, distinct and not empty.
    pub(super) fn new<'p>(patterns: impl Iterator<Item = &'p Vec<u8>> + Clone) -> Result<Self, TooMany> {
        if patterns.clone().next().is_none() {
            return Ok(Self::Empty);
        }
        if dfa_bytes(patterns.clone()) <= MOST_BYTES {
            let built = dfa::Builder::new().prefilter(false).build(patterns).map_err(|_| TooMany)?;
            return Ok(Self::Fast(built));
        }
        let built = contiguous::Builder::new().prefilter(false).build(patterns).map_err(|_| TooMany)?;
        Ok(Self::Small(built))
    }

    /// Calls `each` with the number of a pattern and the bytes where it is, in the order of their ends.
    #[inline]
    pub(super) fn each(
        &self,
        text: &[u8],
        each: impl FnMut(usize, Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match self {
            Self::Empty => ControlFlow::Continue(()),
            Self::Fast(dfa) => walk(dfa, text, each),
            Self::Small(nfa) => walk(nfa, text, each),
        }
    }
}

fn walk(
    automaton: &impl aho_corasick::automaton::Automaton,
    text: &[u8],
    mut each: impl FnMut(usize, Range<usize>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let Ok(mut state) = automaton.start_state(Anchored::No) else { return ControlFlow::Continue(()) };
    for (end, byte) in (1..).zip(text) {
        state = automaton.next_state(Anchored::No, state, *byte);
        if automaton.is_special(state) && automaton.is_match(state) {
            for nth in 0..automaton.match_len(state) {
                let pattern = automaton.match_pattern(state, nth);
                let start = end - automaton.pattern_len(pattern).min(end);
                each(pattern.as_usize(), start..end)?;
            }
        }
    }
    ControlFlow::Continue(())
}

/// What an automaton of the fast sort takes: a row for each distinct beginning of a pattern.
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
