//! `shape`: the permitted form of a message. Lengths are counted in Unicode code points.

mod content;

pub use self::content::ContentLimits;
use super::{Filter, FilterAnswer, Finding, Purpose};
use crate::matching::{self, TextError};
use crate::model::{Message, MessageKind, Nickname, Reason, ReasonCode, Replacement, Sender, Verdict};
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

    /// Checks a message. Returns the text with which it continues, if that differs.
    fn check(&self, message: &Message) -> Result<Option<String>, Reason> {
        match &message.kind {
            MessageKind::Text { avatar, text } => {
                self.check_name("author", &message.author)?;
                avatar.as_deref().map_or(Ok(()), |avatar| self.check_avatar(avatar))?;
                self.check_text(text)
            }
            MessageKind::Like { liked, text } => {
                self.check_name("liker_author", &message.author)?;
                self.check_name("liked_author", liked)?;
                self.check_text(text)
            }
            MessageKind::Newcomer => self.check_name("newcomer", &message.author).map(|()| None),
            MessageKind::Content { avatar, content } => {
                self.check_name("author", &message.author)?;
                avatar.as_deref().map_or(Ok(()), |avatar| self.check_avatar(avatar))?;
                content::check(content, &self.config.content).map(|()| None)
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

    fn check_text(&self, text: &str) -> Result<Option<String>, Reason> {
        let max = self.config.max_message_length;
        let counted = matching::without_closers(text);
        let length = length_up_to(counted, max);
        if length > max {
            let has = characters(counted, length, max);
            return Err(Reason::new(
                ReasonCode::TooLong,
                format!("the message text has {has}; at most {max} are allowed"),
            ));
        }
        matching::check_text(text).map_err(|error| {
            let code = match error {
                TextError::Invisible => ReasonCode::Empty,
                TextError::Control(_) => ReasonCode::Malformed,
                TextError::LineBreaks(_) => ReasonCode::TooLong,
            };
            Reason::new(code, format!("the message text {error}"))
        })?;
        Ok(matching::balanced(text))
    }

    /// An avatar names an icon among the client's own files, so it must not point outside their folder.
    fn check_avatar(&self, avatar: &str) -> Result<(), Reason> {
        let max = self.config.max_avatar_length;
        let length = length_up_to(avatar, max);
        if length > max {
            let has = characters(avatar, length, max);
            return Err(Reason::new(ReasonCode::BadAvatar, format!("`avatar` has {has}; at most {max} are allowed")));
        }
        // Some clients send an empty name instead of none.
        if avatar.is_empty() || is_icon_name(avatar) {
            return Ok(());
        }
        let text = "`avatar` must be the file name of an icon: letters A to Z and a to z, digits, _, . and -, with at most \
                    one folder";
        Err(Reason::new(ReasonCode::BadAvatar, text))
    }
}

/// Whether a text is the name of an icon, with at most one folder before it.
fn is_icon_name(text: &str) -> bool {
    let is_name = |name: &str| {
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        !name.is_empty() && !name.starts_with('.') && !name.contains("..") && name.bytes().all(is_allowed)
    };
    match text.split_once('/') {
        Some((folder, name)) => is_name(folder) && is_name(name),
        None => is_name(text),
    }
}

impl Filter for ShapeFilter {
    fn name(&self) -> &'static str {
        "shape"
    }

    fn examine(&self, message: &Message, _: &Sender, _: Purpose) -> FilterAnswer {
        FilterAnswer::Ready(match self.check(message) {
            Ok(None) => Finding::PASS,
            Ok(Some(text)) => Verdict::Replace(Replacement::Text(text)).into(),
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
mod tests;
