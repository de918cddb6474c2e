//! The language of a text, where it is certain.

use crate::filter::rules::text_features::TextFeatures;
use crate::matching::LANGUAGES;
use crate::settings::{KeyedValue, TomlReader};

/// The languages a text must, or must not, be in. Never holds for a text whose language is uncertain.
#[derive(Debug)]
pub(in crate::filter::rules) struct LanguageCondition {
    is: Vec<&'static str>,
    not: Vec<&'static str>,
}

impl LanguageCondition {
    pub(super) fn read(reader: &mut TomlReader<'_, '_>, item: &KeyedValue<'_, '_>) -> Option<Self> {
        let known: Vec<(&'static str, &'static str)> = LANGUAGES.iter().map(|code| (*code, *code)).collect();
        let (mut is, mut not) = (Vec::new(), Vec::new());
        reader.each_known_key(item, &["is", "not"], |reader, name, field| match name {
            "is" => is = reader.choices(field, &known),
            _ => not = reader.choices(field, &known),
        });
        if !is.is_empty() && !not.is_empty() {
            reader.error_at_key(item, "has both `is` and `not`; use one of them");
        }
        (!is.is_empty() || !not.is_empty()).then_some(Self { is, not })
    }

    pub(super) fn holds(&self, features: &TextFeatures<'_>) -> bool {
        features
            .language()
            .is_some_and(|code| if self.is.is_empty() { !self.not.contains(&code) } else { self.is.contains(&code) })
    }
}
