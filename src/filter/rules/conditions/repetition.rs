//! Repetition of the same or nearly the same text, by one sender or by many.

use std::time::Duration;

use crate::filter::rules::memory::{MAX_REPETITIONS, MAX_SENDERS, RETENTION, Recall};
use crate::settings::{KeyedValue, TomlReader};

/// How often a text must have been sent within some time, this message included.
#[derive(Debug)]
pub(in crate::filter::rules) struct RepetitionCondition {
    pub(in crate::filter::rules) by: RepetitionBy,
    times: u32,
    pub(in crate::filter::rules) within: Duration,
    /// Shorter texts may be repeated: many greetings are not a raid.
    pub(in crate::filter::rules) min_letters: u32,
    /// Counts only texts with the same letters and digits.
    exact: bool,
}

/// Whose messages are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::filter::rules) enum RepetitionBy {
    /// Repetitions by one sender.
    Sender,
    /// Different senders in a room, each counted once.
    Room,
}

impl RepetitionBy {
    /// Returns the default of `letters`.
    fn default_min_letters(self) -> u32 {
        match self {
            Self::Sender => 8,
            Self::Room => 20,
        }
    }

    fn max_times(self) -> u32 {
        match self {
            Self::Sender => MAX_REPETITIONS,
            Self::Room => MAX_SENDERS,
        }
    }
}

impl RepetitionCondition {
    pub(super) fn read(reader: &mut TomlReader<'_, '_>, item: &KeyedValue<'_, '_>) -> Option<Self> {
        let (mut by, mut times, mut within, mut min_letters, mut exact) = (None, None, None, None, false);
        let mut given = Vec::new();
        reader.each_known_key(item, &["by", "times", "within", "letters", "exact"], |reader, name, field| {
            given.push(name.to_owned());
            match name {
                "by" => {
                    by = reader.choice(field, &[("sender", RepetitionBy::Sender), ("room", RepetitionBy::Room)]);
                }
                "times" => times = reader.number(field, 2..=MAX_SENDERS),
                "within" => within = reader.duration(field, Duration::from_secs(1)..=RETENTION),
                "exact" => exact = reader.boolean(field) == Some(true),
                _ => min_letters = reader.number(field, 1..=10_000),
            }
        });
        for required in ["by", "times", "within"] {
            if item.value().is_table() && !given.iter().any(|name| name == required) {
                reader.error_at_key(
                    item,
                    &format!("needs `{required}`, as in {{ by = \"sender\", times = 4, within = \"60s\" }}"),
                );
            }
        }
        let (by, times, within) = (by?, times?, within?);
        if times > by.max_times() {
            reader.error_at_key(item, &format!("allows at most {} `times` here, not {times}", by.max_times()));
            return None;
        }
        let min_letters = min_letters.unwrap_or(by.default_min_letters());
        Some(Self { by, times, within, min_letters, exact })
    }

    pub(super) fn holds(&self, recall: &Recall) -> bool {
        let times = match self.by {
            RepetitionBy::Sender => recall.times_by_sender(self.within, self.exact),
            RepetitionBy::Room => recall.distinct_senders(self.within, self.exact),
        };
        recall.letter_count() >= self.min_letters && times >= self.times
    }
}
