//! A hit of a rule.

use std::ops::Range;

use crate::model::{Content, Mode, Outcome};

/// A rule that hits.
pub(super) struct RuleHit {
    /// The index of the rule.
    pub(super) rule: usize,
    /// The mode of the rule, read once per message.
    pub(super) mode: Mode,
    /// Whether the sender is exempt.
    pub(super) is_exempt: bool,
    /// The part of the message that it hits, as a trace names it; `None` for the text.
    pub(super) field: Option<&'static str>,
    /// The hit, in code points of its field.
    pub(super) span: Option<Range<usize>>,
    /// The outcome that it asks for: that of the rule, or that for a place that cannot be computed.
    pub(super) outcome: Outcome,
    /// Whether the place of the message cannot be computed.
    pub(super) is_place_unknown: bool,
    /// The content with a rounded place, if the rule rounds.
    pub(super) rounded: Option<Content>,
}

impl RuleHit {
    /// A hit of a rule in force, on no part in particular.
    pub(super) fn of_whole_message(rule: usize, outcome: Outcome) -> Self {
        Self {
            rule,
            mode: Mode::Enforce,
            is_exempt: false,
            field: None,
            span: None,
            outcome,
            is_place_unknown: false,
            rounded: None,
        }
    }

    /// Whether the rule is enforced on the sender.
    pub(super) fn is_enforced(&self) -> bool {
        self.mode == Mode::Enforce && !self.is_exempt
    }
}
