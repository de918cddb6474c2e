//! Conditions of rules besides patterns. Each kind has a file that says how it is written and when it holds. A new one
//! needs a file, a variant of [`TextCondition`], and a key in [`CONDITIONS`].

mod hours;
mod language;
mod letters;
mod links;
mod mentions;
mod place;
mod repetition;
mod sender;

use std::ops::Range;

pub(super) use hours::HoursCondition;
pub(super) use place::{AreaFileError, PlaceCondition, PlaceEntry, PlaceMatch, PlaceSide, SidedArea};
pub(super) use repetition::RepetitionBy;
pub(super) use sender::SenderCondition;

use super::memory::Recall;
use super::text_features::TextFeatures;
use crate::settings::{KeyedValue, TomlReader};
use language::LanguageCondition;
use letters::{CapitalsCondition, MarksCondition, RepeatedCondition};
use links::LinksCondition;
use mentions::MentionsCondition;
use repetition::RepetitionCondition;

/// The keys of the conditions on a text.
pub(super) const CONDITIONS: [&str; 7] =
    ["links", "mentions", "capitals", "repeated", "marks", "repetition", "language"];

/// A condition on a text.
#[derive(Debug)]
pub(super) enum TextCondition {
    Links(LinksCondition),
    Mentions(MentionsCondition),
    Capitals(CapitalsCondition),
    Repeated(RepeatedCondition),
    Marks(MarksCondition),
    Repetition(RepetitionCondition),
    Language(LanguageCondition),
}

/// Where a rule or condition hits: a range of bytes of the text unless stated otherwise, or `None` for all of it.
pub(super) type HitSpan = Option<Range<usize>>;

impl TextCondition {
    /// Reads the condition with this key.
    pub(super) fn read(reader: &mut TomlReader<'_, '_>, key: &str, item: &KeyedValue<'_, '_>) -> Option<Self> {
        match key {
            "links" => LinksCondition::read(reader, item).map(Self::Links),
            "mentions" => MentionsCondition::read(reader, item).map(Self::Mentions),
            "capitals" => CapitalsCondition::read(reader, item).map(Self::Capitals),
            "repeated" => RepeatedCondition::read(reader, item).map(Self::Repeated),
            "marks" => MarksCondition::read(reader, item).map(Self::Marks),
            "repetition" => RepetitionCondition::read(reader, item).map(Self::Repetition),
            "language" => LanguageCondition::read(reader, item).map(Self::Language),
            _ => None,
        }
    }

    /// Whether it depends on the text alone, and not on earlier messages.
    pub(super) fn is_stateless(&self) -> bool {
        !matches!(self, Self::Repetition(_))
    }

    /// Whether it is about the author's behaviour. Such conditions never hold for a like, whose text somebody else
    /// wrote.
    pub(super) fn is_about_author(&self) -> bool {
        matches!(self, Self::Links(_) | Self::Mentions(_) | Self::Repetition(_))
    }

    /// Whether it can apply to a nickname.
    pub(super) fn is_for_nicknames(&self) -> bool {
        matches!(self, Self::Capitals(_) | Self::Repeated(_) | Self::Marks(_))
    }

    /// Returns the rank of its cost; the cheapest is 0.
    pub(super) fn cost(&self) -> u8 {
        match self {
            Self::Capitals(_) | Self::Repeated(_) | Self::Marks(_) => 0,
            Self::Mentions(_) => 1,
            Self::Links(_) => 2,
            Self::Repetition(_) => 3,
            Self::Language(_) => 4,
        }
    }

    /// Returns where it holds, or `None` if it does not. Without `recall`, repetition counts as given.
    pub(super) fn holds(&self, features: &TextFeatures<'_>, recall: Option<&Recall>) -> Option<HitSpan> {
        match self {
            Self::Links(links) => links.holds(features),
            Self::Mentions(mentions) => mentions.holds(features),
            Self::Capitals(capitals) => capitals.holds(features),
            Self::Repeated(repeated) => repeated.holds(features),
            Self::Marks(marks) => marks.holds(features),
            Self::Repetition(repetition) => recall.is_none_or(|recall| repetition.holds(recall)).then_some(None),
            Self::Language(languages) => languages.holds(features).then_some(None),
        }
    }
}
