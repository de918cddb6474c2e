//! The senders that a sanction concerns.

use crate::model::{Actor, Nickname, Sanction, Sender, Target};

/// Whether a sanction concerns this sender under this author name, in force or not.
#[must_use]
pub fn concerns(sanction: &Sanction, sender: &Sender, author: &str) -> bool {
    sanction.applies_to(&sender.room) && !is_exempt(sanction, sender) && is_target(&sanction.target, sender, author)
}

/// Whether the sender is exempt: sanctions of rules and plugins on nicknames do not apply to trusted senders, since
/// somebody else may have broken a rule under the nickname while its owner was away.
#[must_use]
pub fn is_exempt(sanction: &Sanction, sender: &Sender) -> bool {
    let by_filter = matches!(sanction.actor, Actor::Rule(_) | Actor::Plugin(_));
    by_filter && sender.context.trusted && !matches!(sanction.target, Target::Address(_))
}

fn is_target(target: &Target, sender: &Sender, author: &str) -> bool {
    match target {
        Target::Address(address) => sender.address == *address,
        Target::Nickname(nickname) => looks_like(nickname, author),
    }
}

/// Whether an author name is a nickname or looks like it.
fn looks_like(nickname: &Nickname, author: &str) -> bool {
    let Ok(author) = author.parse::<Nickname>() else { return false };
    let (one, other) = (nickname.skeletons(), author.skeletons());
    one.iter().any(|skeleton| other.iter().any(|other| other == skeleton))
}
