//! Durations as operators write them: a whole number and a unit, such as `90s`, `10m`, `2h` or `7d`.

use std::time::Duration;

/// The units, with their seconds.
const UNITS: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];

/// Parses a duration.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (digits, seconds) = UNITS.into_iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))?;
    // `parse` would accept a sign.
    let number: u64 = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    number.checked_mul(seconds).map(Duration::from_secs)
}

/// Writes a duration in its largest whole unit. Parts of a second are dropped.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let all = duration.as_secs();
    let largest = UNITS.into_iter().rev().find(|(_, seconds)| all.is_multiple_of(*seconds));
    let (unit, seconds) = largest.unwrap_or(("s", 1));
    format!("{}{unit}", all / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        for (text, seconds) in [("90s", 90), ("10m", 600), (" 2h ", 7_200), ("7d", 604_800), ("0s", 0)] {
            assert_eq!(parse_duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in
            ["", "s", "10", "-1s", "+1s", "1.5h", "10 m", "1w", "é", "99999999999999999999d", "9999999999999999999d"]
        {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_duration_is_written_in_its_largest_whole_unit() {
        for text in ["61s", "10m", "36h", "1d", "365d"] {
            assert_eq!(parse_duration(text).map(format_duration).as_deref(), Some(text));
        }
    }
}
