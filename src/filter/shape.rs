//! `shape`: the permitted form of a message. Lengths are counted in Unicode code points.

mod content;

pub use self::content::ContentLimits;
use super::{Filter, FilterAnswer, Finding, Purpose};
use crate::model::{Message, MessageKind, Nickname, Reason, ReasonCode, Sender, Verdict};
use crate::settings::{Section, Setting};

/// Limits of a message.
#[derive(Clone, Debug)]
pub struct Config {
    /// Shortest nickname.
    pub min_author_length: usize,
    /// Longest nickname.
    pub max_author_length: usize,
    /// Longest text.
    pub max_message_length: usize,
    /// Longest file name of an avatar.
    pub max_avatar_length: usize,
    /// Limits of images, geodata and code.
    pub content: ContentLimits,
}

impl Config {
    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        let config = Self {
            min_author_length: section.read(
                Setting::new("min_author_length", 3_usize)
                    .doc("Shortest nickname, in characters.")
                    .env(&["MIN_AUTHOR_LENGTH"])
                    .within(1..=64)
                    .reloads(),
            ),
            max_author_length: section.read(
                Setting::new("max_author_length", 32_usize)
                    .doc("Longest nickname, in characters.")
                    .env(&["MAX_AUTHOR_LENGTH"])
                    .within(1..=64)
                    .reloads(),
            ),
            max_message_length: section.read(
                Setting::new("max_message_length", 255_usize)
                    .doc("Longest text, in Unicode code points.")
                    .env(&["MAX_MESSAGE_LENGTH"])
                    .within(1..=65_536)
                    .reloads(),
            ),
            max_avatar_length: section.read(
                Setting::new("max_avatar_length", 128_usize)
                    .doc("Longest file name of an avatar, in Unicode code points.")
                    .within(1..=1_024)
                    .reloads(),
            ),
            content: ContentLimits::declare(section),
        };
        if config.min_author_length > config.max_author_length {
            section.error(
                "min_author_length",
                format!("{} is more than max_author_length, {}", config.min_author_length, config.max_author_length),
            );
        }
        config
    }
}

/// The `shape` filter.
#[derive(Debug)]
pub struct ShapeFilter {
    config: Config,
}

impl ShapeFilter {
    /// Creates a filter that enforces these limits.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config }
    }

    fn check(&self, message: &Message) -> Result<(), Reason> {
        match &message.kind {
            MessageKind::Text { avatar, text } => {
                self.check_name("author", &message.author)?;
                self.check_text(text)?;
                avatar.as_deref().map_or(Ok(()), |avatar| self.check_avatar(avatar))
            }
            MessageKind::Like { liked, text } => {
                self.check_name("liker_author", &message.author)?;
                self.check_name("liked_author", liked)?;
                self.check_text(text)
            }
            MessageKind::Newcomer => self.check_name("newcomer", &message.author),
            MessageKind::Content { avatar, content } => {
                self.check_name("author", &message.author)?;
                avatar.as_deref().map_or(Ok(()), |avatar| self.check_avatar(avatar))?;
                content::check(content, &self.config.content)
            }
        }
    }

    fn check_name(&self, field: &str, name: &str) -> Result<(), Reason> {
        let Config { min_author_length: min, max_author_length: max, .. } = self.config;
        let length = length_up_to(name, max);
        if !(min..=max).contains(&length) {
            let has = characters(name, length, max);
            return Err(Reason::new(ReasonCode::BadAuthor, format!("`{field}` has {has}; {min} to {max} are allowed")));
        }
        Nickname::check(name).map_err(|error| Reason::new(ReasonCode::BadAuthor, format!("`{field}` {error}")))
    }

    fn check_text(&self, text: &str) -> Result<(), Reason> {
        let max = self.config.max_message_length;
        let length = length_up_to(text, max);
        if length > max {
            let has = characters(text, length, max);
            return Err(Reason::new(
                ReasonCode::TooLong,
                format!("the message text has {has}; at most {max} are allowed"),
            ));
        }
        if text.trim().is_empty() {
            return Err(Reason::new(
                ReasonCode::Empty,
                "the message text is empty; at least 1 visible character is needed",
            ));
        }
        Ok(())
    }

    /// An avatar names an icon among the client's own files, so it must not point outside their folder.
    fn check_avatar(&self, avatar: &str) -> Result<(), Reason> {
        let max = self.config.max_avatar_length;
        let length = length_up_to(avatar, max);
        if length > max {
            let has = characters(avatar, length, max);
            return Err(Reason::new(ReasonCode::BadAvatar, format!("`avatar` has {has}; at most {max} are allowed")));
        }
        let is_path =
            avatar.starts_with('/') || avatar.matches('/').count() > 1 || avatar.split('/').any(|part| part == "..");
        // A colon would make it an address.
        if is_path || avatar.chars().any(|c| c.is_control() || matches!(c, '\\' | ':')) {
            return Err(Reason::new(ReasonCode::BadAvatar, "`avatar` must be the file name of an icon"));
        }
        Ok(())
    }
}

impl Filter for ShapeFilter {
    fn name(&self) -> &'static str {
        "shape"
    }

    fn examine(&self, message: &Message, _: &Sender, _: Purpose) -> FilterAnswer {
        FilterAnswer::Ready(match self.check(message) {
            Ok(()) => Finding::PASS,
            Err(reason) => Verdict::Reject(reason).into(),
        })
    }

    fn reconfigured(&self, config: &super::Config) -> Option<Box<dyn Filter>> {
        Some(Box::new(Self::new(config.shape.clone())))
    }
}

/// Returns the number of code points, or `max + 1` if there are more. Bounds the cost of a huge text.
fn length_up_to(text: &str, max: usize) -> usize {
    // A code point has one to four bytes.
    if text.len() <= max && text.is_ascii() { text.len() } else { text.chars().take(max + 1).count() }
}

/// `1 character`, `12 characters`, `more than 255 characters`.
fn characters(text: &str, length: usize, max: usize) -> String {
    match length {
        1 => "1 character".to_owned(),
        // Do not count huge texts to the end.
        _ if length > max && text.len() > 16 * max => format!("more than {max} characters"),
        _ => format!("{} characters", text.chars().count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape() -> ShapeFilter {
        ShapeFilter::new(Config {
            min_author_length: 3,
            max_author_length: 32,
            max_message_length: 255,
            max_avatar_length: 128,
            content: ContentLimits::default(),
        })
    }

    fn refusal(author: &str, avatar: Option<&str>, text: &str) -> Option<(ReasonCode, String)> {
        let kind = MessageKind::Text { avatar: avatar.map(str::to_owned), text: text.to_owned() };
        shape().check(&Message::new(author, kind)).err().map(|reason| (reason.code, reason.text.into_owned()))
    }

    fn refused(code: ReasonCode, text: &str) -> (ReasonCode, String) {
        (code, text.to_owned())
    }

    #[test]
    fn an_author_may_have_3_to_32_characters() {
        assert_eq!(refusal("abc", None, "hi"), None);
        assert_eq!(refusal(&"a".repeat(32), None, "hi"), None);
        let bounds = "3 to 32 are allowed";
        assert_eq!(
            refusal("x", None, "hi"),
            Some(refused(ReasonCode::BadAuthor, &format!("`author` has 1 character; {bounds}")))
        );
        let long = "a".repeat(33);
        assert_eq!(
            refusal(&long, None, "hi"),
            Some(refused(ReasonCode::BadAuthor, &format!("`author` has 33 characters; {bounds}")))
        );
    }

    #[test]
    fn an_author_may_have_letters_digits_underscores_and_hyphens() {
        assert_eq!(refusal("Hans_Hibbel-2", None, "hi"), None);
        for name in ["a b c", "jané", "abc\n", "a.b"] {
            assert_eq!(refusal(name, None, "hi").map(|r| r.0), Some(ReasonCode::BadAuthor), "{name}");
        }
    }

    #[test]
    fn a_text_is_counted_in_code_points() {
        for unit in ["a", "é", "e\u{301}", "👨\u{200d}👩\u{200d}👧"] {
            let points = unit.chars().count();
            assert_eq!(refusal("jane", None, &unit.repeat(255 / points)), None, "{unit}");
            assert_eq!(
                refusal("jane", None, &unit.repeat(255 / points + 1)).map(|r| r.0),
                Some(ReasonCode::TooLong),
                "{unit}"
            );
        }
        let text = "the message text has 256 characters; at most 255 are allowed";
        assert_eq!(refusal("jane", None, &"é".repeat(256)), Some(refused(ReasonCode::TooLong, text)));
    }

    #[test]
    fn empty_and_blank_texts_are_refused() {
        for text in ["", " ", "\n\t\u{2003}"] {
            assert_eq!(refusal("jane", None, text).map(|r| r.0), Some(ReasonCode::Empty), "{text:?}");
        }
    }

    #[test]
    fn an_avatar_is_a_file_name_of_at_most_128_characters() {
        for good in ["mGeoPackage.svg", "console/icon.svg", "", &"é".repeat(128)] {
            assert_eq!(refusal("jane", Some(good), "hi"), None, "{good}");
        }
        for bad in [
            "http://x.example/a.svg",
            "file:///etc/passwd",
            "/etc/passwd",
            "a/b/c.svg",
            "../../etc/passwd",
            "a/../b.svg",
            "..\\b.svg",
            "a\0.svg",
            &"é".repeat(129),
        ] {
            assert_eq!(refusal("jane", Some(bad), "hi").map(|r| r.0), Some(ReasonCode::BadAvatar), "{bad}");
        }
    }

    #[test]
    fn the_names_and_the_text_of_a_like_have_the_same_limits() {
        let like = |liker: &str, liked: &str, text: &str| {
            let kind = MessageKind::Like { liked: liked.to_owned(), text: text.to_owned() };
            shape().check(&Message::new(liker, kind)).err().map(|reason| reason.code)
        };
        assert_eq!(like("jane", "hans", "nice"), None);
        assert_eq!(like("x", "hans", "nice"), Some(ReasonCode::BadAuthor));
        assert_eq!(like("jane", "x", "nice"), Some(ReasonCode::BadAuthor));
        assert_eq!(like("jane", "hans", &"a".repeat(256)), Some(ReasonCode::TooLong));
    }

    #[test]
    fn a_huge_text_is_refused_without_counting_it() {
        let text = "the message text has more than 255 characters; at most 255 are allowed";
        assert_eq!(refusal("jane", None, &"a".repeat(5_000)), Some(refused(ReasonCode::TooLong, text)));
    }
}
