//! What the relay knows of a sender.

use std::time::Duration;

use crate::filter::rules::written::{Item, Reader};
use crate::model::Facts;

/// What must be so of the sender. What is `None` is not asked.
#[derive(Debug, Default)]
pub(in crate::filter::rules) struct SenderIs {
    registered: Option<bool>,
    trusted: Option<bool>,
    connected_under: Option<Duration>,
    accepted_under: Option<u32>,
}

impl SenderIs {
    pub(in crate::filter::rules) fn read(reader: &mut Reader<'_, '_>, item: &Item<'_, '_>) -> Option<Self> {
        const KEYS: [&str; 4] = ["registered", "trusted", "connected_under", "accepted_under"];
        let mut sender = Self::default();
        reader.fields(item, &KEYS, |reader, name, field| match name {
            "registered" => sender.registered = reader.boolean(field),
            "trusted" => sender.trusted = reader.boolean(field),
            "connected_under" => {
                sender.connected_under =
                    reader.duration(field, Duration::from_secs(1)..=Duration::from_hours(24 * 366));
            }
            _ => sender.accepted_under = reader.number(field, 1..=1_000_000),
        });
        let Self { registered, trusted, connected_under, accepted_under } = &sender;
        let asks = registered.is_some() || trusted.is_some() || connected_under.is_some() || accepted_under.is_some();
        asks.then_some(sender)
    }

    pub(in crate::filter::rules) fn holds(&self, facts: &Facts) -> bool {
        self.registered.is_none_or(|wanted| facts.registered == wanted)
            && self.trusted.is_none_or(|wanted| facts.trusted == wanted)
            && self.connected_under.is_none_or(|limit| facts.connected < limit)
            && self.accepted_under.is_none_or(|limit| facts.accepted < u64::from(limit))
    }
}
