//! Applies reloaded settings.

use super::settings::ReloadedSettings;
use super::{ActiveSettings, Reloader};
use crate::api;
use crate::config::Config;
use crate::settings::SettingChanges;

impl Reloader {
    /// Applies settings and tokens, and returns the settings that differ.
    pub(super) async fn apply(&self, read: ReloadedSettings, active: &mut ActiveSettings) -> SettingChanges {
        let ReloadedSettings { config, snapshot, tokens, present } = read;
        let changes = active.snapshot.changes(&snapshot);
        self.start.level.set(&config.log.level);
        self.metrics.set_build(env!("CARGO_PKG_VERSION"), &config.instance.environment);
        let guarded = tokens.guarded_names();
        self.moderators.replace(tokens);
        let limits = config.live.address_limits(config.filter.rate.enabled);
        self.live.set_limits(limits);
        self.per_address.set_limit(limits.max_connections);
        self.instance_info.set(instance_info(&config));
        self.filter.set(config.filter.clone());
        let chain = self.live.intake.chain().reconfigured(&config.filter);
        self.live.intake.set_chain(chain.clone());
        let in_shards = async {
            self.rooms.set_guarded_names(guarded).await?;
            self.rooms.set_chain(&chain).await?;
            self.rooms.set_rooms(&config.instance.rooms).await
        };
        if let Err(error) = in_shards.await {
            tracing::warn!(%error, "changing the rooms failed");
        }
        active.config = config;
        active.snapshot.apply_reloadable(&snapshot);
        active.present = present;
        changes
    }
}

/// Returns the instance information served by the API.
pub(in crate::app) fn instance_info(config: &Config) -> api::InstanceInfo {
    let shape = &config.filter.shape;
    api::InstanceInfo {
        rules: config.instance.rules.clone(),
        main_lang: config.instance.main_lang.clone(),
        min_author_length: shape.min_author_length,
        max_author_length: shape.max_author_length,
        max_message_length: shape.max_message_length,
        max_image_size: config.images.max_size,
        max_geojson_features: shape.content.geojson_features,
    }
}
