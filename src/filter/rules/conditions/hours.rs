//! Hours of the day.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::settings::{KeyedValue, TomlReader, backticked};

/// Hours of the day in a time zone: `22:00-06:00 Europe/Paris`.
#[derive(Debug)]
pub(in crate::filter::rules) struct HoursCondition {
    from: Time,
    /// Exclusive. Earlier than `from` when the range crosses midnight.
    until: Time,
    zone: TimeZone,
}

/// Why a text is not hours of the day: phrases that follow the key.
#[derive(Debug, thiserror::Error)]
pub(in crate::filter::rules) enum HoursError {
    #[error("must be hours such as \"22:00-06:00\" or \"22:00-06:00 Europe/Paris\", not {}", backticked(.0))]
    Malformed(String),
    #[error("begins and ends at the same time")]
    Empty,
    #[error("has the unknown time zone {}; an example is \"Europe/Paris\"", backticked(.0))]
    UnknownZone(String),
}

impl HoursCondition {
    pub(in crate::filter::rules) fn read(reader: &mut TomlReader<'_, '_>, item: &KeyedValue<'_, '_>) -> Option<Self> {
        let written = reader.string(item)?.value;
        let hours = written.parse();
        hours.map_err(|error: HoursError| reader.error_at_key(item, &error.to_string())).ok()
    }

    pub(in crate::filter::rules) fn holds(&self, at: Timestamp) -> bool {
        let now = self.zone.to_datetime(at).time();
        if self.from < self.until { self.from <= now && now < self.until } else { self.from <= now || now < self.until }
    }
}

impl FromStr for HoursCondition {
    type Err = HoursError;

    fn from_str(written: &str) -> Result<Self, HoursError> {
        let not_hours = || HoursError::Malformed(written.to_owned());
        let (from, rest) = written.split_once('-').ok_or_else(not_hours)?;
        let (until, zone) = rest.trim().split_once(' ').unwrap_or((rest.trim(), "UTC"));
        let until = if until == "24:00" { "00:00" } else { until };
        let (from, until) = (time(from).ok_or_else(not_hours)?, time(until).ok_or_else(not_hours)?);
        if from == until {
            return Err(HoursError::Empty);
        }
        let zone = zone.trim();
        let zone = TimeZone::get(zone).map_err(|_| HoursError::UnknownZone(zone.to_owned()))?;
        Ok(Self { from, until, zone })
    }
}

/// `06:30`
fn time(text: &str) -> Option<Time> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let two = |digits: &str| digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !two(hours) || !two(minutes) {
        return None;
    }
    Time::new(hours.parse().ok()?, minutes.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        format!("2026-07-01T{time}Z").parse().unwrap()
    }

    #[test]
    fn hours_include_their_start_and_exclude_their_end() {
        let hours: HoursCondition = "08:00-18:30".parse().unwrap();
        for (time, holds) in [("07:59:59", false), ("08:00:00", true), ("18:29:59", true), ("18:30:00", false)] {
            assert_eq!(hours.holds(at(time)), holds, "{time}");
        }
    }

    #[test]
    fn hours_may_cross_midnight() {
        let hours: HoursCondition = "22:00-06:00".parse().unwrap();
        for (time, holds) in [("21:59:59", false), ("22:00:00", true), ("00:00:00", true), ("06:00:00", false)] {
            assert_eq!(hours.holds(at(time)), holds, "{time}");
        }
    }

    #[test]
    fn hours_follow_daylight_saving_time() {
        let hours: HoursCondition = "22:00-06:00 Europe/Paris".parse().unwrap();
        assert!(hours.holds(at("20:00:00")) && !hours.holds(at("04:00:00")));
        let winter: Timestamp = "2026-01-01T20:00:00Z".parse().unwrap();
        assert!(!hours.holds(winter));
    }

    #[test]
    fn hours_may_end_at_24_and_contain_blanks() {
        let hours: HoursCondition = " 20:00 - 24:00  Europe/Paris".parse().unwrap();
        assert!(hours.holds(at("21:59:59")) && !hours.holds(at("22:00:00")));
    }

    #[test]
    fn malformed_hours_are_an_error() {
        for text in ["", "8-18", "08:00", "08:00-25:00", "08:00-8:00", "-", "08:00-08:00", "08:00-09:00 Nowhere/Here"] {
            assert!(text.parse::<HoursCondition>().is_err(), "{text}");
        }
    }
}
