//! How a text is written: in capitals, with stretched letters, under heaps of marks.

use super::Where;
use crate::filter::rules::look::Look;
use crate::filter::rules::written::{Item, Reader};

/// At least this share of the letters are capitals.
#[derive(Debug)]
pub(in crate::filter::rules) struct Capitals {
    /// Per cent, of letters that have a case.
    share: u8,
    /// A text with fewer letters is not looked at.
    letters: u32,
}

impl Capitals {
    const DEFAULT_LETTERS: u32 = 12;

    pub(super) fn read(reader: &mut Reader<'_, '_>, item: &Item<'_, '_>) -> Option<Self> {
        let (mut share, mut letters) = (None, Some(Self::DEFAULT_LETTERS));
        let mut named = false;
        reader.fields(item, &["share", "letters"], |reader, name, field| match name {
            "share" => (share, named) = (reader.number(field, 1..=100), true),
            _ => letters = reader.number(field, 4..=10_000),
        });
        if !named {
            reader.fault(item, "needs a `share`, in per cent, such as { share = 70 }");
        }
        Some(Self { share: u8::try_from(share?).ok()?, letters: letters? })
    }

    pub(super) fn holds(&self, look: &Look<'_>) -> Option<Where> {
        let letters = look.letters();
        let enough = u32::try_from(letters.cased).is_ok_and(|cased| cased >= self.letters);
        (enough && letters.capital_share() >= self.share).then_some(None)
    }
}

/// A character stands so many times in a row.
#[derive(Debug)]
pub(in crate::filter::rules) struct Repeated(u32);

impl Repeated {
    pub(super) fn read(reader: &mut Reader<'_, '_>, item: &Item<'_, '_>) -> Option<Self> {
        reader.number(item, 3..=1_000).map(Self)
    }

    pub(super) fn holds(&self, look: &Look<'_>) -> Option<Where> {
        let letters = look.letters();
        u32::try_from(letters.longest_run).is_ok_and(|run| run >= self.0).then(|| Some(letters.run.clone()))
    }
}

/// So many marks lie on one letter.
#[derive(Debug)]
pub(in crate::filter::rules) struct Marks(u32);

impl Marks {
    pub(super) fn read(reader: &mut Reader<'_, '_>, item: &Item<'_, '_>) -> Option<Self> {
        reader.number(item, 2..=100).map(Self)
    }

    pub(super) fn holds(&self, look: &Look<'_>) -> Option<Where> {
        let letters = look.letters();
        u32::try_from(letters.most_marks).is_ok_and(|most| most >= self.0).then(|| Some(letters.marks.clone()))
    }
}
