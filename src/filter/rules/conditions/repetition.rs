//! The same text again, or nearly the same: from one sender, or from many.

use std::time::Duration;

use crate::filter::rules::memory::{MAX_SENDERS, MAX_TIMES, REMEMBERED, Recall};
use crate::filter::rules::written::{Item, Reader};

/// How often a text must have been said within some time, this time included.
#[derive(Debug)]
pub(in crate::filter::rules) struct Repetition {
    pub(in crate::filter::rules) by: By,
    times: u32,
    pub(in crate::filter::rules) within: Duration,
    /// A text with fewer letters may be said by all: a greeting is no raid.
    pub(in crate::filter::rules) letters: u32,
    /// Only the same text counts, letter for letter and digit for digit.
    exact: bool,
}

/// Who repeats a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::filter::rules) enum By {
    /// One sender, so many times.
    Sender,
    /// So many senders of a room, each at least once.
    Room,
}

impl By {
    /// Fewest letters when a rule does not say.
    fn letters(self) -> u32 {
        match self {
            Self::Sender => 8,
            Self::Room => 20,
        }
    }

    fn most(self) -> u32 {
        match self {
            Self::Sender => MAX_TIMES,
            Self::Room => MAX_SENDERS,
        }
    }
}

impl Repetition {
    pub(super) fn read(reader: &mut Reader<'_, '_>, item: &Item<'_, '_>) -> Option<Self> {
        let (mut by, mut times, mut within, mut letters, mut exact) = (None, None, None, None, false);
        let mut named = Vec::new();
        reader.fields(item, &["by", "times", "within", "letters", "exact"], |reader, name, field| {
            named.push(name.to_owned());
            match name {
                "by" => by = reader.choice(field, &[("sender", By::Sender), ("room", By::Room)]),
                "times" => times = reader.number(field, 2..=MAX_SENDERS),
                "within" => within = reader.duration(field, Duration::from_secs(1)..=REMEMBERED),
                "exact" => exact = reader.boolean(field) == Some(true),
                _ => letters = reader.number(field, 1..=10_000),
            }
        });
        for needed in ["by", "times", "within"] {
            if item.value().is_table() && !named.iter().any(|name| name == needed) {
                reader.fault(
                    item,
                    &format!("needs `{needed}`, as in {{ by = \"sender\", times = 4, within = \"60s\" }}"),
                );
            }
        }
        let (by, times, within) = (by?, times?, within?);
        if times > by.most() {
            reader.fault(item, &format!("can count to {} times here, not {times}", by.most()));
            return None;
        }
        Some(Self { by, times, within, letters: letters.unwrap_or(by.letters()), exact })
    }

    pub(super) fn holds(&self, recall: &Recall) -> bool {
        let said = match self.by {
            By::Sender => recall.times_by_sender(self.within, self.exact),
            By::Room => recall.senders(self.within, self.exact),
        };
        recall.letters() >= self.letters && said >= self.times
    }
}
