//! `sanction`: rejects messages of muted senders, and messages and registrations of banned ones. Always the first
//! filter: rejected messages use up no rate limit and reach no rule, so that retrying while muted has no consequences.

use std::sync::Arc;

use super::{Filter, FilterAnswer, Finding, Purpose};
use crate::model::{Basis, Match, Message, MessageKind, Mode, Outcome, SanctionKind, Sender, Verdict};
use crate::moderation::{State, is_exempt, refusal_reason};

/// The `sanction` filter.
#[derive(Debug)]
pub struct SanctionFilter {
    state: Arc<State>,
}

impl SanctionFilter {
    /// Creates a filter that enforces the sanctions in `state`.
    #[must_use]
    pub fn new(state: Arc<State>) -> Self {
        Self { state }
    }
}

impl Filter for SanctionFilter {
    fn name(&self) -> &'static str {
        "sanction"
    }

    fn examine(&self, message: &Message, sender: &Sender, _: Purpose) -> FilterAnswer {
        let (sanctions, now) = (self.state.sanctions(), self.state.time_at(sender.context.since_start));
        let Some(sanction) = sanctions.strongest(&sender.room, &message.author, sender, now) else {
            return FilterAnswer::Ready(Finding::PASS);
        };
        if is_exempt(&sanction, sender) {
            return FilterAnswer::Ready(Finding::PASS);
        }
        // A muted connection may still join under its nickname.
        if sanction.kind == SanctionKind::Mute && matches!(message.kind, MessageKind::Newcomer) {
            return FilterAnswer::Ready(Finding::PASS);
        }
        let matched = Match {
            requested: Outcome::Reject,
            mode: Mode::Enforce,
            exempt: false,
            basis: Basis::Sanction { id: sanction.id },
            field: None,
            span: None,
            labels: Vec::new(),
        };
        FilterAnswer::Ready(Finding {
            verdict: Verdict::Reject(refusal_reason(&sanction, now)),
            matches: vec![matched],
        })
    }
}
