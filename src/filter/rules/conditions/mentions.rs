//! Whom a text speaks to: `@jane`, `@all`.

use super::Where;
use crate::filter::rules::look::Look;
use crate::filter::rules::written::{Item, Reader};

/// Whom a text must speak to.
#[derive(Debug)]
pub(in crate::filter::rules) struct Mentioned {
    /// At least so many different names.
    min: Option<u32>,
    /// To everybody at once (`true`), or not (`false`).
    everyone: Option<bool>,
}

impl Mentioned {
    /// A number, or a table.
    pub(super) fn read(reader: &mut Reader<'_, '_>, item: &Item<'_, '_>) -> Option<Self> {
        if item.value().is_integer() {
            return reader.number(item, 1..=1_000).map(|min| Self { min: Some(min), everyone: None });
        }
        let (mut min, mut everyone) = (None, None);
        reader.fields(item, &["min", "everyone"], |reader, name, field| match name {
            "min" => min = reader.number(field, 1..=1_000),
            _ => everyone = reader.boolean(field),
        });
        (min.is_some() || everyone.is_some()).then_some(Self { min, everyone })
    }

    pub(super) fn holds(&self, look: &Look<'_>) -> Option<Where> {
        let mentions = look.mentions();
        let enough = self.min.is_none_or(|min| u32::try_from(mentions.names).is_ok_and(|names| names >= min));
        let everyone = self.everyone.is_none_or(|wanted| mentions.everyone == wanted);
        (enough && everyone).then(|| mentions.first.clone())
    }
}
