//! Settings that were read again take effect.

use super::settings::Read;
use super::{InForce, Reloader};
use crate::api;
use crate::config::Config;
use crate::settings::Changes;

impl Reloader {
    /// Puts settings and tokens in force, and names the settings that differ.
    pub(super) async fn apply(&self, read: Read, in_force: &mut InForce) -> Changes {
        let Read { config, values, tokens, present } = read;
        let changes = in_force.values.changes(&values);
        self.start.level.set(&config.log.level);
        self.metrics.set_environment(&config.instance.environment);
        self.moderators.replace(tokens);
        let limits = config.live.limits(config.filter.rate.enabled);
        self.live.admission.set_limits(limits);
        self.per_address.set_limit(limits.each);
        self.told.set(told(&config));
        self.filter.set(config.filter.clone());
        let chain = self.live.intake.chain().reconfigured(&config.filter);
        self.live.intake.set_chain(chain.clone());
        let in_shards = async {
            self.rooms.judge_by(&chain).await?;
            self.rooms.change(&config.instance.rooms).await
        };
        if let Err(error) = in_shards.await {
            tracing::warn!(%error, "the rooms could not be changed");
        }
        in_force.config = config;
        in_force.values.take_over(&values);
        in_force.present = present;
        changes
    }
}

/// What the instance says of itself.
pub(in crate::app) fn told(config: &Config) -> api::Rules {
    let shape = &config.filter.shape;
    api::Rules {
        rules: config.instance.rules.clone(),
        main_lang: config.instance.main_lang.clone(),
        min_author_length: shape.min_author_length,
        max_author_length: shape.max_author_length,
        max_message_length: shape.max_message_length,
    }
}
