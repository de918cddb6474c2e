//! Mentions in a text: `@jane`, `@all`.

use super::HitSpan;
use crate::filter::rules::text_features::TextFeatures;
use crate::settings::{KeyedValue, TomlReader};

/// The names a text must mention.
#[derive(Debug)]
pub(in crate::filter::rules) struct MentionsCondition {
    /// At least this many different names.
    min: Option<u32>,
    /// Whether everyone must (`true`), or must not (`false`), be mentioned.
    everyone: Option<bool>,
}

impl MentionsCondition {
    /// Reads a number or a table.
    pub(super) fn read(reader: &mut TomlReader<'_, '_>, item: &KeyedValue<'_, '_>) -> Option<Self> {
        if item.value().is_integer() {
            return reader.number(item, 1..=1_000).map(|min| Self { min: Some(min), everyone: None });
        }
        let (mut min, mut everyone) = (None, None);
        reader.each_known_key(item, &["min", "everyone"], |reader, name, field| match name {
            "min" => min = reader.number(field, 1..=1_000),
            _ => everyone = reader.boolean(field),
        });
        (min.is_some() || everyone.is_some()).then_some(Self { min, everyone })
    }

    pub(super) fn holds(&self, features: &TextFeatures<'_>) -> Option<HitSpan> {
        let mentions = features.mentions();
        let enough = self.min.is_none_or(|min| u32::try_from(mentions.names).is_ok_and(|names| names >= min));
        let everyone = self.everyone.is_none_or(|expected| mentions.everyone == expected);
        (enough && everyone).then(|| mentions.first.clone())
    }
}
