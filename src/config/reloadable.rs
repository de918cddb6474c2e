//! The settings that a reload applies.

use super::Config;

impl Config {
    /// Returns these settings with the reloadable ones taken from `new`.
    #[must_use]
    pub fn with_reloadable(&self, new: &Self) -> Self {
        let mut config = Self { instance: new.instance.clone(), ..self.clone() };
        config.log.level.clone_from(&new.log.level);
        config.live.max_per_address = new.live.max_per_address;
        config.live.joins = new.live.joins;
        config.filter.rules_file.clone_from(&new.filter.rules_file);
        config.filter.preset = new.filter.preset;
        config.filter.shape = new.filter.shape.clone();
        config.filter.rate = new.filter.rate.clone();
        config.filter.level = new.filter.level.clone();
        config.auth = new.auth.clone();
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SettingsSource;

    #[test]
    fn the_reloadable_settings_are_those_that_a_reload_applies() {
        let mut source = SettingsSource::new();
        Config::declare(&mut source);
        // Each of these needs a line in `Config::with_reloadable`.
        let expected = [
            "filter.code_from_strangers",
            "filter.newcomer.accepted_messages",
            "filter.newcomer.connected_seconds",
            "filter.preset",
            "filter.rate.address.burst",
            "filter.rate.address.per_second",
            "filter.rate.connection.burst",
            "filter.rate.connection.per_second",
            "filter.rate.enabled",
            "filter.rate.nickname.burst",
            "filter.rate.nickname.per_second",
            "filter.rate.put.burst",
            "filter.rate.put.per_second",
            "filter.rate.room.burst",
            "filter.rate.room.per_second",
            "filter.rules_file",
            "filter.shape.max_author_length",
            "filter.shape.max_avatar_length",
            "filter.shape.max_geojson_features",
            "filter.shape.max_geojson_length",
            "filter.shape.max_message_length",
            "filter.shape.max_model_length",
            "filter.shape.max_script_length",
            "filter.shape.max_style_length",
            "filter.shape.min_author_length",
            "instance.environment",
            "instance.main_lang",
            "instance.rooms",
            "instance.rules",
            "live.joins.burst",
            "live.joins.per_second",
            "live.max_per_address",
            "log.level",
            "moderation.moderators",
            "moderation.reserved_nicknames",
            "moderation.tokens_file",
        ];
        assert_eq!(source.snapshot().reloadable().collect::<Vec<_>>(), expected);
    }
}
