//! How a text is written: capitals, repeated characters, combining marks.

use super::HitSpan;
use crate::filter::rules::text_features::TextFeatures;
use crate::settings::{KeyedValue, TomlReader};

/// At least this share of the letters is capital.
#[derive(Debug)]
pub(in crate::filter::rules) struct CapitalsCondition {
    /// In per cent of the letters that have a case.
    share: u8,
    /// Never holds for a text with fewer letters that have a case.
    min_letters: u32,
}

impl CapitalsCondition {
    const DEFAULT_MIN_LETTERS: u32 = 12;

    pub(super) fn read(reader: &mut TomlReader<'_, '_>, item: &KeyedValue<'_, '_>) -> Option<Self> {
        let (mut share, mut min_letters) = (None, Some(Self::DEFAULT_MIN_LETTERS));
        let mut has_share = false;
        reader.each_known_key(item, &["share", "letters"], |reader, name, field| match name {
            "share" => (share, has_share) = (reader.number(field, 1..=100), true),
            _ => min_letters = reader.number(field, 4..=10_000),
        });
        if !has_share {
            reader.error_at_key(item, "needs a `share`, in per cent, such as { share = 70 }");
        }
        Some(Self { share: u8::try_from(share?).ok()?, min_letters: min_letters? })
    }

    pub(super) fn holds(&self, features: &TextFeatures<'_>) -> Option<HitSpan> {
        let letters = features.letters();
        let enough = u32::try_from(letters.cased).is_ok_and(|cased| cased >= self.min_letters);
        (enough && letters.uppercase_percent() >= self.share).then_some(None)
    }
}

/// A character is repeated at least this many times in a row.
#[derive(Debug)]
pub(in crate::filter::rules) struct RepeatedCondition(u32);

impl RepeatedCondition {
    pub(super) fn read(reader: &mut TomlReader<'_, '_>, item: &KeyedValue<'_, '_>) -> Option<Self> {
        reader.number(item, 3..=1_000).map(Self)
    }

    pub(super) fn holds(&self, features: &TextFeatures<'_>) -> Option<HitSpan> {
        let letters = features.letters();
        u32::try_from(letters.longest_run).is_ok_and(|run| run >= self.0).then(|| Some(letters.run.clone()))
    }
}

/// One letter carries at least this many combining marks.
#[derive(Debug)]
pub(in crate::filter::rules) struct MarksCondition(u32);

impl MarksCondition {
    pub(super) fn read(reader: &mut TomlReader<'_, '_>, item: &KeyedValue<'_, '_>) -> Option<Self> {
        reader.number(item, 2..=100).map(Self)
    }

    pub(super) fn holds(&self, features: &TextFeatures<'_>) -> Option<HitSpan> {
        let letters = features.letters();
        u32::try_from(letters.max_marks).is_ok_and(|most| most >= self.0).then(|| Some(letters.marks.clone()))
    }
}
