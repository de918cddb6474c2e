//! The actions of moderators, and of the relay in their place: each is one method of [`Actions`].
//!
//! An action is written to the audit log, takes effect, and reaches open connections, in this order and one action at a
//! time, so that the log lists acts in the order in which they took effect. Callers check rights beforehand. Penalties
//! that rules and plugins request are no actions: shards impose them at once, through [`Moderation`].

mod configuration;
mod error;
mod held;
mod levels;
mod members;
mod reload;
mod sanctions;

use std::sync::Arc;

use tokio::sync::Mutex;

pub use self::error::ActionError;
pub use self::reload::{Reload, ReloadReport, ReloadTrigger};
pub use self::sanctions::Undone;
use crate::filter::RulesReload;
use crate::live::rooms::Rooms;
use crate::moderation::Moderation;

/// Carries out the actions.
///
/// An action runs to its end even if its caller goes away. A caller that goes away earlier, while it waits for its turn,
/// has done nothing. An action takes its turn for at most the two seconds that the audit log may take, and for what open
/// connections need to be told; waiting for the store comes after that.
#[derive(Debug)]
pub struct Actions {
    moderation: Arc<Moderation>,
    rooms: Arc<Rooms>,
    rules: Arc<RulesReload>,
    reload: Arc<dyn Reload>,
    /// Held by the action whose turn it is.
    turn: Arc<Mutex<()>>,
    /// Held while the configuration changes. A reload compiles plugins for up to minutes, and other actions do not wait
    /// for it.
    configuration: Arc<Mutex<()>>,
}

impl Actions {
    /// Creates the actions on `rooms`. `rules` changes the starter preset, `reload` the rest of the configuration.
    #[must_use]
    pub fn new(
        moderation: Arc<Moderation>,
        rooms: Arc<Rooms>,
        rules: Arc<RulesReload>,
        reload: Arc<dyn Reload>,
    ) -> Arc<Self> {
        let (turn, configuration) = Default::default();
        Arc::new(Self { moderation, rooms, rules, reload, turn, configuration })
    }

    /// Carries out an action when its turn comes.
    async fn take_turn<T, F>(self: &Arc<Self>, action: impl FnOnce(Arc<Self>) -> F) -> Result<T, ActionError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, ActionError>> + Send + 'static,
    {
        run_to_end(&self.turn, action(Arc::clone(self))).await
    }

    /// Waits until the store has what has changed so far.
    async fn persist(&self) -> Result<(), ActionError> {
        Ok(self.moderation.state().flush().await?)
    }
}

/// Runs `action` while it holds `lock`, in a task of its own.
///
/// # Cancel safety
/// Dropping the future before it has the lock does nothing; after that, the action goes on.
async fn run_to_end<T: Send + 'static>(
    lock: &Arc<Mutex<()>>,
    action: impl Future<Output = Result<T, ActionError>> + Send + 'static,
) -> Result<T, ActionError> {
    let guard = Arc::clone(lock).lock_owned().await;
    let running = tokio::spawn(async move {
        let result = action.await;
        drop(guard);
        result
    });
    running.await.unwrap_or_else(|error| {
        tracing::error!(%error, "an action of a moderator failed");
        Err(ActionError::Failed)
    })
}
