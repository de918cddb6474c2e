//! `sanction`: who is muted does not speak, and who is banned neither speaks nor registers. Always the first filter: what
//! it refuses takes from no rate and is looked at by no rule, so that trying again while muted makes nothing worse.

use std::sync::Arc;

use super::{Answer, Filter, Finding, Purpose};
use crate::model::{Basis, Cause, Kind, Match, Message, Mode, Outcome, SanctionKind, Sender, Target, Verdict};
use crate::moderation::{State, refusal};

/// The filter.
#[derive(Debug)]
pub struct Sanctioned {
    state: Arc<State>,
}

impl Sanctioned {
    /// A filter that keeps the sanctions of `state`.
    #[must_use]
    pub fn new(state: Arc<State>) -> Self {
        Self { state }
    }
}

impl Filter for Sanctioned {
    fn name(&self) -> &'static str {
        "sanction"
    }

    fn examine(&self, message: &Message, sender: &Sender, _: Purpose) -> Answer {
        let sanctions = self.state.sanctions();
        let Some(sanction) = sanctions.verdict(&sender.room, &message.author, sender.address, message.at) else {
            return Answer::Now(Finding::PASS);
        };
        // Somebody else may have broken a rule under the name while its owner was away.
        let by_filter = matches!(sanction.cause, Cause::Rule(_) | Cause::Plugin(_));
        if by_filter && sender.facts.trusted && matches!(sanction.target, Target::Nickname(_)) {
            return Answer::Now(Finding::PASS);
        }
        // Who is muted may still be there.
        if sanction.kind == SanctionKind::Mute && matches!(message.kind, Kind::Newcomer) {
            return Answer::Now(Finding::PASS);
        }
        let matched = Match {
            asked: Outcome::Reject,
            mode: Mode::Enforce,
            exempt: false,
            basis: Basis::Sanction { id: sanction.id },
            field: None,
            span: None,
            labels: Vec::new(),
        };
        Answer::Now(Finding { verdict: Verdict::Reject(refusal(&sanction, message.at)), matches: vec![matched] })
    }
}
