//! What a rule asks of a message beside its patterns. A file for each kind of evidence: how it is written, and when it
//! holds. To add one: a file, a variant, a name in [`CONDITIONS`].

mod hours;
mod language;
mod letters;
mod links;
mod mentions;
mod repetition;
mod sender;

use std::ops::Range;

pub(super) use hours::Hours;
pub(super) use repetition::By;
pub(super) use sender::SenderIs;

use super::look::Look;
use super::memory::Recall;
use super::written::{Item, Reader};
use language::Languages;
use letters::{Capitals, Marks, Repeated};
use links::Links;
use mentions::Mentioned;
use repetition::Repetition;

/// The keys of the conditions on a text.
pub(super) const CONDITIONS: [&str; 7] =
    ["links", "mentions", "capitals", "repeated", "marks", "repetition", "language"];

/// A condition on a text.
#[derive(Debug)]
pub(super) enum Condition {
    Links(Links),
    Mentions(Mentioned),
    Capitals(Capitals),
    Repeated(Repeated),
    Marks(Marks),
    Repetition(Repetition),
    Language(Languages),
}

/// Where something holds: in bytes of the text unless it says otherwise, or nowhere in particular.
pub(super) type Where = Option<Range<usize>>;

impl Condition {
    /// Reads the condition of this key.
    pub(super) fn read(reader: &mut Reader<'_, '_>, key: &str, item: &Item<'_, '_>) -> Option<Self> {
        match key {
            "links" => Links::read(reader, item).map(Self::Links),
            "mentions" => Mentioned::read(reader, item).map(Self::Mentions),
            "capitals" => Capitals::read(reader, item).map(Self::Capitals),
            "repeated" => Repeated::read(reader, item).map(Self::Repeated),
            "marks" => Marks::read(reader, item).map(Self::Marks),
            "repetition" => Repetition::read(reader, item).map(Self::Repetition),
            "language" => Languages::read(reader, item).map(Self::Language),
            _ => None,
        }
    }

    /// Whether a text alone can show it, without what was said before.
    pub(super) fn is_of_text(&self) -> bool {
        !matches!(self, Self::Repetition(_))
    }

    /// Whether it is about who says something, and not about what is said: nobody says what is only liked.
    pub(super) fn is_of_author(&self) -> bool {
        matches!(self, Self::Links(_) | Self::Mentions(_) | Self::Repetition(_))
    }

    /// Whether it can be asked of a nickname.
    pub(super) fn is_of_nickname(&self) -> bool {
        matches!(self, Self::Capitals(_) | Self::Repeated(_) | Self::Marks(_))
    }

    /// How much it costs to look, the cheapest first.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Capitals(_) | Self::Repeated(_) | Self::Marks(_) => 0,
            Self::Mentions(_) => 1,
            Self::Links(_) => 2,
            Self::Repetition(_) => 3,
            Self::Language(_) => 4,
        }
    }

    /// Where it holds; `None` if it does not. Without a recollection, what is said more than once counts as said so
    /// often.
    pub(super) fn holds(&self, look: &Look<'_>, recall: Option<&Recall>) -> Option<Where> {
        match self {
            Self::Links(links) => links.holds(look),
            Self::Mentions(mentions) => mentions.holds(look),
            Self::Capitals(capitals) => capitals.holds(look),
            Self::Repeated(repeated) => repeated.holds(look),
            Self::Marks(marks) => marks.holds(look),
            Self::Repetition(repetition) => recall.is_none_or(|recall| repetition.holds(recall)).then_some(None),
            Self::Language(languages) => languages.holds(look).then_some(None),
        }
    }
}
