//! Refuses messages that contain a word from its settings.

use gischat_filter::{Filter, Message, Sender, Verdict, export};
use serde::Deserialize;

/// The `[settings]` of plugin.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    words: Vec<String>,
}

/// The filter. Its fields are lost when the relay creates a new instance; `gischat_filter::store` lasts.
#[derive(Debug)]
pub struct MyFilter {
    words: Vec<String>,
}

impl Filter for MyFilter {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, String> {
        if settings.words.is_empty() {
            return Err("`words` is empty: the filter would refuse nothing".to_owned());
        }
        Ok(Self { words: settings.words.iter().map(|word| word.to_lowercase()).collect() })
    }

    fn check(&mut self, message: &Message, _: &Sender) -> Verdict {
        // `folded` is the text with case differences removed.
        let mut words = message.folded.split(|c: char| !c.is_alphanumeric());
        match words.find(|word| self.words.iter().any(|refused| refused == word)) {
            Some(word) => Verdict::reject(format!("Please do not say {word} here.")).label("word"),
            None => Verdict::pass(),
        }
    }
}

export!(MyFilter);

#[cfg(test)]
mod tests {
    use gischat_filter::Action;
    use gischat_filter::testing::{Harness, json};

    use super::*;

    #[test]
    fn a_word_of_the_settings_is_refused() {
        let mut harness = Harness::<MyFilter>::new(json!({ "words": ["Shapefile"] }));
        assert_eq!(harness.check("Send me a SHAPEFILE!").action, Action::Reject);
        assert_eq!(harness.check("Send me a GeoPackage!"), Verdict::pass());
    }

    #[test]
    fn settings_without_words_are_refused() {
        assert!(Harness::<MyFilter>::try_new(json!({ "words": [] })).is_err());
    }
}
