//! Conditions on the sender.

use std::time::Duration;

use crate::filter::NewcomerDefinition;
use crate::model::SenderContext;
use crate::settings::{KeyedValue, TomlReader};

/// Conditions on the sender. `None` matches any sender.
#[derive(Debug, Default)]
pub(in crate::filter::rules) struct SenderCondition {
    registered: Option<bool>,
    trusted: Option<bool>,
    newcomer: Option<bool>,
    connected_under: Option<Duration>,
    accepted_under: Option<u32>,
}

impl SenderCondition {
    pub(in crate::filter::rules) fn read(reader: &mut TomlReader<'_, '_>, item: &KeyedValue<'_, '_>) -> Option<Self> {
        const KEYS: [&str; 5] = ["registered", "trusted", "newcomer", "connected_under", "accepted_under"];
        let mut sender = Self::default();
        reader.each_known_key(item, &KEYS, |reader, name, field| match name {
            "registered" => sender.registered = reader.boolean(field),
            "trusted" => sender.trusted = reader.boolean(field),
            "newcomer" => sender.newcomer = reader.boolean(field),
            "connected_under" => {
                sender.connected_under =
                    reader.duration(field, Duration::from_secs(1)..=Duration::from_hours(24 * 366));
            }
            _ => sender.accepted_under = reader.number(field, 1..=1_000_000),
        });
        let Self { registered, trusted, newcomer, connected_under, accepted_under } = &sender;
        let has_any = [registered, trusted, newcomer].iter().any(|condition| condition.is_some())
            || connected_under.is_some()
            || accepted_under.is_some();
        has_any.then_some(sender)
    }

    pub(in crate::filter::rules) fn holds(&self, context: &SenderContext, definition: &NewcomerDefinition) -> bool {
        self.registered.is_none_or(|expected| context.registered == expected)
            && self.trusted.is_none_or(|expected| context.trusted == expected)
            && self.newcomer.is_none_or(|expected| definition.covers(context) == expected)
            && self.connected_under.is_none_or(|limit| context.connected < limit)
            && self.accepted_under.is_none_or(|limit| context.accepted < u64::from(limit))
    }
}
