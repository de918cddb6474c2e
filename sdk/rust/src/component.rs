//! The component's side of the contract. Only [`export!`](crate::export) uses it.

use std::cell::RefCell;
use std::fmt;

use crate::{Action, Filter, Hook, log};

#[allow(
    unsafe_code,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated"
)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit",
        world: "filter",
        pub_export_macro: true,
        export_macro_name: "export_component",
        default_bindings_module: "gischat_filter::component::bindings",
    });
}

pub use bindings::exports::gischat::filter::guest::Guest;
pub use bindings::gischat::filter::types::{Description, Message, Sender, Verdict};

use bindings::gischat::filter::types;

/// The filter of one instance of the component; `None` until it is configured.
pub struct Instance<F>(RefCell<Option<F>>);

impl<F> fmt::Debug for Instance<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").finish_non_exhaustive()
    }
}

impl<F> Default for Instance<F> {
    fn default() -> Self {
        Self(RefCell::new(None))
    }
}

impl<F: Filter> Instance<F> {
    /// Creates the filter from its settings as JSON.
    ///
    /// # Errors
    ///
    /// The reason why the settings are invalid.
    pub fn configure(&self, settings: &str) -> Result<(), String> {
        // A trap carries no message, so log the panic's first.
        std::panic::set_hook(Box::new(|panic| log::error(panic.to_string().replace('\n', " "))));
        self.0.replace(Some(crate::configure(settings)?));
        Ok(())
    }

    /// Returns the filter's description of itself.
    pub fn describe(&self, name: &str, version: &str) -> Description {
        let hook = |hook: &Hook| match hook {
            Hook::Check => "check".to_owned(),
            Hook::CheckNickname => "check-nickname".to_owned(),
        };
        Description {
            name: name.to_owned(),
            version: version.to_owned(),
            kinds: F::KINDS.iter().map(|&kind| kind.to_owned()).collect(),
            hooks: F::HOOKS.iter().map(hook).collect(),
            payload: self.0.borrow().as_ref().map_or(F::PAYLOAD, F::needs_payload),
        }
    }

    /// Checks a message.
    pub fn check(&self, message: Message, sender: Sender) -> Verdict {
        self.call(|filter| filter.check(&message.into(), &sender.into()))
    }

    /// Checks a nickname.
    pub fn check_nickname(&self, nickname: &str, room: &str, sender: Sender) -> Verdict {
        self.call(|filter| filter.check_nickname(nickname, room, &sender.into()))
    }

    fn call(&self, check: impl FnOnce(&mut F) -> crate::Verdict) -> Verdict {
        match self.0.borrow_mut().as_mut() {
            Some(filter) => check(filter).into(),
            None => panic!("the filter is called before it is configured"),
        }
    }
}

impl From<Message> for crate::Message {
    fn from(message: Message) -> Self {
        let Message { id, room, author, kind, text, folded, avatar, payload, at } = message;
        Self { id, room, author, kind, text, folded, avatar, payload, at }
    }
}

impl From<Sender> for crate::Sender {
    fn from(sender: Sender) -> Self {
        let Sender { connection, address, registered, seconds_connected, accepted, refused, trusted } = sender;
        Self { connection, address, registered, seconds_connected, accepted, refused, trusted }
    }
}

impl From<crate::Verdict> for Verdict {
    fn from(verdict: crate::Verdict) -> Self {
        let action = match verdict.action {
            Action::Pass => types::Action::Pass,
            Action::Replace(text) => types::Action::Replace(text),
            Action::Hold => types::Action::Hold,
            Action::Shadow => types::Action::Shadow,
            Action::Reject => types::Action::Reject,
        };
        let sanction = verdict.sanction.map(|crate::Sanction { kind, seconds }| types::Sanction { kind, seconds });
        Self { action, reason: verdict.reason, labels: verdict.labels, sanction }
    }
}
