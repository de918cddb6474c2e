//! The starter preset, and reloads of the configuration.

use std::sync::Arc;

use super::{ActionError, Actions, ReloadReport, ReloadTrigger, run_to_end};
use crate::filter::rules::Preset;
use crate::model::{ActKind, Actor};
use crate::moderation::PRESET_KEY;

impl Actions {
    /// Changes the preset of the starter rules, also for later starts.
    ///
    /// # Errors
    /// [`ActionError::Preset`], in which case the preset stays as it was; [`ActionError::NotPersisted`].
    pub async fn set_preset(self: &Arc<Self>, actor: Actor, preset: Preset) -> Result<(), ActionError> {
        let this = Arc::clone(self);
        let set = run_to_end(&self.configuration, async move {
            this.record(actor, ActKind::Preset { preset: preset.as_str().into() }).await?;
            this.rules.set_preset(preset).await?;
            this.moderation.state().set_setting(PRESET_KEY, preset.as_str());
            Ok(())
        });
        set.await?;
        self.persist().await
    }

    /// Resets the breaker of a rule or plugin, which is in force again.
    ///
    /// # Errors
    /// [`ActionError::NotTripped`].
    pub async fn reset_breaker(self: &Arc<Self>, actor: Actor, target: Actor) -> Result<(), ActionError> {
        let reset = self.take_turn(|this| async move {
            if !this.breakers.is_tripped(&target) {
                return Err(ActionError::NotTripped(target));
            }
            this.moderation.record(actor, None, ActKind::BreakerReset { actor: target.clone() }).await;
            if this.breakers.reset(&target) { Ok(()) } else { Err(ActionError::NotTripped(target)) }
        });
        reset.await
    }

    /// Reloads settings with tokens, rules and plugins.
    ///
    /// # Errors
    /// [`ActionError::Failed`]. Errors in files are in the report.
    pub async fn reload(self: &Arc<Self>, trigger: ReloadTrigger) -> Result<ReloadReport, ActionError> {
        let this = Arc::clone(self);
        let reloaded = run_to_end(&self.configuration, async move {
            let actor = match &trigger {
                ReloadTrigger::Moderator(name) => Actor::Moderator(Arc::clone(name)),
                ReloadTrigger::Signal => Actor::Relay,
            };
            this.record(actor, ActKind::Reloaded).await?;
            Ok(this.reload.reload(trigger).await)
        });
        reloaded.await
    }

    /// Records an act that concerns all rooms when its turn comes, without waiting for its effect.
    async fn record(self: &Arc<Self>, actor: Actor, act: ActKind) -> Result<(), ActionError> {
        let recorded = self.take_turn(|this| async move {
            this.moderation.record(actor, None, act).await;
            Ok(())
        });
        recorded.await
    }
}
