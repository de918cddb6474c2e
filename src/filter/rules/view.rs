//! The forms of one text that rules look at.

use std::cell::OnceCell;
use std::ops::Range;

use crate::matching::{Folded, char_span};

/// Which form of a text something is matched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The text itself.
    Original,
    /// The text with its letter case folded: the exact view, as literals see it.
    Case,
    /// Compatibility forms undone as well.
    Folded,
}

impl Form {
    /// The form of a literal that can be found in this form of a text.
    pub(super) fn apply(self, literal: &str) -> String {
        match self {
            Self::Original => literal.to_owned(),
            Self::Case => Folded::case_of(literal).text().to_owned(),
            Self::Folded => Folded::of(literal).text().to_owned(),
        }
    }
}

/// One text in all of its forms, each made when it is first asked for.
pub(super) struct Views<'t> {
    original: &'t str,
    case: OnceCell<Folded<'t>>,
    folded: OnceCell<Folded<'t>>,
}

impl<'t> Views<'t> {
    pub(super) fn new(original: &'t str) -> Self {
        Self { original, case: OnceCell::new(), folded: OnceCell::new() }
    }

    pub(super) fn text(&self, form: Form) -> &str {
        self.made(form).map_or(self.original, Folded::text)
    }

    /// The code points of the original behind a range of bytes of a form.
    pub(super) fn chars(&self, form: Form, bytes: Range<usize>) -> Range<usize> {
        match self.made(form) {
            Some(folded) => folded.original_chars(bytes),
            None => char_span(self.original, bytes),
        }
    }

    fn made(&self, form: Form) -> Option<&Folded<'t>> {
        match form {
            Form::Original => None,
            Form::Case => Some(self.case.get_or_init(|| Folded::case_of(self.original))),
            Form::Folded => Some(self.folded.get_or_init(|| Folded::of(self.original))),
        }
    }
}
