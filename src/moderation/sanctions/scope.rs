//! The senders that a sanction concerns.

use crate::model::{Actor, Address, ConnectionId, Nickname, Sanction, Sender, Skeletons, Target};

/// The address and connection that a message comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The address.
    pub address: Address,
    /// The connection; `None` for a `PUT`.
    pub connection: Option<ConnectionId>,
}

/// A `PUT` from the address.
impl From<Address> for Origin {
    fn from(address: Address) -> Self {
        Self { address, connection: None }
    }
}

impl From<&Sender> for Origin {
    fn from(sender: &Sender) -> Self {
        Self { address: sender.address, connection: sender.connection }
    }
}

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
        Target::Nickname(nickname) => looks_like(nickname, author),
        Target::Address(address) => sender.address == *address,
        Target::Sender { nickname, address } => sender.address == *address && looks_like(nickname, author),
        Target::Connection { id, address } => sender.address == *address && sender.connection == *id,
    }
}

/// Whether an author name is a nickname or looks like it.
fn looks_like(nickname: &Nickname, author: &str) -> bool {
    author.parse::<Nickname>().is_ok_and(|author| share_skeleton(&nickname.skeletons(), &author.skeletons()))
}

/// Whether two nicknames look alike, by their skeletons.
pub(super) fn share_skeleton(one: &Skeletons, other: &Skeletons) -> bool {
    one.iter().any(|skeleton| other.iter().any(|other| other == skeleton))
}
