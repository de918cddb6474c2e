//! Lengths as operators write them: `500m`, `0.5 km`.

use std::str::FromStr;

/// The units, with their metres. `km` first: its last letter is that of `m`.
const UNITS: [(&str, f64); 2] = [("km", 1_000.0), ("m", 1.0)];

/// A length on the ground: 1 m to 1 000 km.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Length {
    metres: f64,
}

/// Why a text or a number is not a length.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum LengthError {
    /// The text is not a number and a unit.
    #[error("a length is a number and a unit, `m` or `km`, such as \"500m\" or \"0.5 km\"")]
    Malformed,
    /// The length is out of bounds.
    #[error("a length is 1 m to 1000 km, not {metres} m")]
    OutOfRange {
        /// The length. Metres.
        metres: f64,
    },
}

impl Length {
    const MIN_METRES: f64 = 1.0;
    const MAX_METRES: f64 = 1_000_000.0;

    /// Takes a number of metres, 1 to 1 000 000.
    ///
    /// # Errors
    /// [`LengthError::OutOfRange`] for any other number.
    pub fn from_metres(metres: f64) -> Result<Self, LengthError> {
        if (Self::MIN_METRES..=Self::MAX_METRES).contains(&metres) {
            Ok(Self { metres })
        } else {
            Err(LengthError::OutOfRange { metres })
        }
    }

    /// Returns the length. Metres, 1 to 1 000 000.
    #[must_use]
    pub fn metres(self) -> f64 {
        self.metres
    }
}

impl FromStr for Length {
    type Err = LengthError;

    /// Parses a decimal number and a unit, with or without blanks around them.
    fn from_str(written: &str) -> Result<Self, LengthError> {
        let written = written.trim();
        let (number, metres) = UNITS
            .into_iter()
            .find_map(|(unit, metres)| Some((written.strip_suffix(unit)?.trim_end(), metres)))
            .ok_or(LengthError::Malformed)?;
        // `parse` would accept signs, exponents and `inf`.
        let is_decimal = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let number: f64 = number.parse().ok().filter(|_| is_decimal).ok_or(LengthError::Malformed)?;
        Self::from_metres(number * metres)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_a_number_and_a_unit() {
        for (text, metres) in
            [("1km", 1_000.0), ("500m", 500.0), (" 0.5 km ", 500.0), ("2.25m", 2.25), ("1000 km", 1e6)]
        {
            assert_eq!(text.parse(), Length::from_metres(metres), "{text}");
        }
    }

    #[test]
    fn other_texts_are_not_lengths() {
        for text in
            ["", "m", "km", "5", "5 miles", "-5m", "+5m", "1e3m", "infm", "NaNkm", "1,5km", "1.2.3m", "5 M", "5kmm"]
        {
            assert_eq!(text.parse::<Length>(), Err(LengthError::Malformed), "{text}");
        }
    }

    #[test]
    fn a_length_is_between_a_metre_and_a_thousand_kilometres() {
        for text in ["0m", "0.9m", "1001km", "999999999999999999999999km"] {
            assert!(matches!(text.parse::<Length>(), Err(LengthError::OutOfRange { .. })), "{text}");
        }
        assert!(Length::from_metres(f64::NAN).is_err() && Length::from_metres(f64::INFINITY).is_err());
    }
}
