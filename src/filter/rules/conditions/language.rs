//! The language of a text, where it can be told.

use crate::filter::rules::look::Look;
use crate::filter::rules::written::{Item, Reader};
use crate::matching::LANGUAGES;

/// In which language a text must be, or must not be. A text whose language cannot be told is in none.
#[derive(Debug)]
pub(in crate::filter::rules) struct Languages {
    is: Vec<&'static str>,
    not: Vec<&'static str>,
}

impl Languages {
    pub(super) fn read(reader: &mut Reader<'_, '_>, item: &Item<'_, '_>) -> Option<Self> {
        let known: Vec<(&'static str, &'static str)> = LANGUAGES.iter().map(|code| (*code, *code)).collect();
        let (mut is, mut not) = (Vec::new(), Vec::new());
        reader.fields(item, &["is", "not"], |reader, name, field| match name {
            "is" => is = reader.choices(field, &known),
            _ => not = reader.choices(field, &known),
        });
        if !is.is_empty() && !not.is_empty() {
            reader.fault(item, "has both `is` and `not`; one of them is enough");
        }
        (!is.is_empty() || !not.is_empty()).then_some(Self { is, not })
    }

    pub(super) fn holds(&self, look: &Look<'_>) -> bool {
        look.language()
            .is_some_and(|code| if self.is.is_empty() { !self.not.contains(&code) } else { self.is.contains(&code) })
    }
}
