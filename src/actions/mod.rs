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
mod retract;
mod sanctions;

use std::sync::Arc;

use tokio::sync::Mutex;

pub use self::error::ActionError;
pub use self::reload::{Reload, ReloadReport, ReloadTrigger};
pub use self::sanctions::Undone;
use crate::filter::RulesReload;
use crate::filter::breakers::Breakers;
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
    breakers: Arc<Breakers>,
    reload: Arc<dyn Reload>,
    /// Held by the action whose turn it is.
    turn: Arc<Mutex<()>>,
    /// Held while the configuration changes. A reload compiles plugins for up to minutes, and other actions do not wait
    /// for it.
    configuration: Arc<Mutex<()>>,
}

impl Actions {
    /// Creates the actions on `rooms`. `rules` changes the starter preset, `reload` the rest of the configuration.
    /// `breakers` are those of rules and plugins.
    #[must_use]
    pub fn new(
        moderation: Arc<Moderation>,
        rooms: Arc<Rooms>,
        rules: Arc<RulesReload>,
        breakers: Arc<Breakers>,
        reload: Arc<dyn Reload>,
    ) -> Arc<Self> {
        let (turn, configuration) = Default::default();
        Arc::new(Self { moderation, rooms, rules, breakers, reload, turn, configuration })
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn an_action_that_has_begun_goes_on_without_its_caller() {
        let lock: Arc<Mutex<()>> = Arc::default();
        let (resume, resumed) = oneshot::channel::<()>();
        let (done, mut is_done) = oneshot::channel();
        let action = async move {
            resumed.await.unwrap();
            done.send(()).unwrap();
            Ok(())
        };
        assert!(run_to_end(&lock, action).now_or_never().is_none(), "the caller goes away");
        resume.send(()).unwrap();
        drop(lock.lock().await);
        is_done.try_recv().unwrap();
    }

    #[tokio::test]
    async fn an_action_whose_caller_goes_away_before_its_turn_does_nothing() {
        let lock: Arc<Mutex<()>> = Arc::default();
        let turn = Arc::clone(&lock).lock_owned().await;
        let (done, is_done) = oneshot::channel();
        let action = async move {
            done.send(()).unwrap();
            Ok(())
        };
        assert!(run_to_end(&lock, action).now_or_never().is_none());
        drop(turn);
        drop(lock.lock().await);
        assert!(is_done.await.is_err(), "the action was dropped");
    }

    #[tokio::test]
    async fn an_action_that_panics_is_an_error_and_ends_its_turn() {
        let lock: Arc<Mutex<()>> = Arc::default();
        let panicked: Result<(), _> = run_to_end(&lock, async { panic!("on purpose") }).await;
        assert!(matches!(panicked, Err(ActionError::Failed)));
        assert!(lock.try_lock().is_ok());
    }
}
