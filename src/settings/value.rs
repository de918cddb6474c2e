//! The types of setting values.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

use ipnet::IpNet;

use super::Quotes;

/// A type of setting values.
///
/// Error texts are phrases that follow the value, such as `is not a whole number`. They never repeat the value, because
/// it may be a secret; the caller adds it if it may be shown.
pub trait SettingValue: Clone {
    /// The expected type as a phrase that follows "is not", such as `a whole number`.
    const EXPECTED: &'static str;
    /// An example in TOML, shown for a setting that is not set by default.
    const EXAMPLE: &'static str = "\"\"";

    /// Whether a value may begin or end with a quote. By default it may not.
    const QUOTES: Quotes = Quotes::Never;

    /// Parses the value of an environment variable, which is not empty.
    ///
    /// # Errors
    /// A phrase that says what is wrong.
    fn from_text(text: &str) -> Result<Self, String>;

    /// Parses the value of a key in the settings file.
    ///
    /// # Errors
    /// A phrase that says what is wrong.
    fn from_toml(value: &toml::Value) -> Result<Self, String> {
        value.as_str().map_or_else(|| Err(is_not::<Self>()), Self::from_text)
    }

    /// Returns the value in TOML.
    fn to_toml(&self) -> String;

    /// Returns the allowed names of an enumeration, such as `one of "on", "off"`.
    #[must_use]
    fn names() -> Option<String> {
        None
    }

    /// Whether the value is absent. TOML can only express this by leaving the key out.
    fn is_absent(&self) -> bool {
        false
    }
}

/// Returns the generic error of a type.
pub(super) fn is_not<T: SettingValue>() -> String {
    format!("is not {}", T::EXPECTED)
}

macro_rules! whole_numbers {
    ($($number:ty),*) => {$(
        impl SettingValue for $number {
            const EXPECTED: &'static str = "a whole number";
            const EXAMPLE: &'static str = "1";

            fn from_text(text: &str) -> Result<Self, String> {
                let digits = text.trim().replace('_', "");
                digits.parse().map_err(|_| number_error(&digits, Self::MIN, Self::MAX))
            }

            fn from_toml(value: &toml::Value) -> Result<Self, String> {
                let number = value.as_integer().ok_or_else(is_not::<Self>)?;
                number.to_string().parse().map_err(|_| number_error(&number.to_string(), Self::MIN, Self::MAX))
            }

            fn to_toml(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

whole_numbers!(u8, u16, u32, u64, usize, NonZeroU32);

/// Returns the error for a text that does not parse as a number from `least` to `most`.
fn number_error(digits: &str, least: impl std::fmt::Display, most: impl std::fmt::Display) -> String {
    match digits.parse::<i128>() {
        Ok(_) => format!("is out of bounds; it must be from {least} to {most}"),
        Err(_) => is_not::<u32>(),
    }
}

impl SettingValue for bool {
    const EXPECTED: &'static str = "true or false, on or off";
    const EXAMPLE: &'static str = "true";

    fn from_text(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "on" | "1" | "yes" => Ok(true),
            "false" | "off" | "0" | "no" => Ok(false),
            _ => Err(is_not::<Self>()),
        }
    }

    fn from_toml(value: &toml::Value) -> Result<Self, String> {
        match value {
            toml::Value::Boolean(yes) => Ok(*yes),
            toml::Value::String(text) if text == "on" => Ok(true),
            toml::Value::String(text) if text == "off" => Ok(false),
            _ => Err(is_not::<Self>()),
        }
    }

    fn to_toml(&self) -> String {
        self.to_string()
    }
}

impl SettingValue for String {
    const EXPECTED: &'static str = "a text";
    const QUOTES: Quotes = Quotes::Allowed;

    fn from_text(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }

    /// Writes a text of several lines as a multi-line string.
    fn to_toml(&self) -> String {
        let lines = self.contains('\n');
        let mut written = String::from(if lines { "\"\"\"\n" } else { "\"" });
        for c in self.chars() {
            match c {
                '\n' => written.push('\n'),
                '"' | '\\' => written.extend(['\\', c]),
                c if c.is_control() => written.extend(format!("\\u{:04X}", u32::from(c)).chars()),
                c => written.push(c),
            }
        }
        written.push_str(if lines { "\"\"\"" } else { "\"" });
        written
    }
}

impl SettingValue for PathBuf {
    const EXPECTED: &'static str = "a path";
    const EXAMPLE: &'static str = "\"path/to/file\"";

    fn from_text(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("is not a path: it is empty".to_owned()) } else { Ok(text.into()) }
    }

    fn to_toml(&self) -> String {
        self.to_string_lossy().into_owned().to_toml()
    }
}

impl SettingValue for SocketAddr {
    const EXPECTED: &'static str = "an IP address with a port, such as 127.0.0.1:8000 or [::1]:8000";
    const EXAMPLE: &'static str = "\"127.0.0.1:9100\"";

    fn from_text(text: &str) -> Result<Self, String> {
        text.trim().parse().map_err(|_| is_not::<Self>())
    }

    fn to_toml(&self) -> String {
        self.to_string().to_toml()
    }
}

impl SettingValue for IpNet {
    const EXPECTED: &'static str = "an IP address or network, such as 192.0.2.7 or 10.0.0.0/8";
    const EXAMPLE: &'static str = "\"10.0.0.0/8\"";

    fn from_text(text: &str) -> Result<Self, String> {
        let text = text.trim();
        text.parse().or_else(|_| text.parse::<IpAddr>().map(Self::from)).map_err(|_| is_not::<Self>())
    }

    fn to_toml(&self) -> String {
        self.to_string().to_toml()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_file(text: &str) -> toml::Value {
        format!("a = {text}").parse::<toml::Table>().expect(text).remove("a").expect("a value")
    }

    #[test]
    fn a_number_may_contain_underscores_and_surrounding_whitespace() {
        assert_eq!(u32::from_text(" 5_000_000 "), Ok(5_000_000));
        assert_eq!(u32::from_toml(&in_file("5_000_000")), Ok(5_000_000));
    }

    #[test]
    fn a_number_out_of_range_and_a_text_that_is_not_a_number_are_errors() {
        let bounds = "is out of bounds; it must be from 0 to 65535";
        assert_eq!(u16::from_text("65536"), Err(bounds.into()));
        assert_eq!(u16::from_toml(&in_file("-1")), Err(bounds.into()));
        assert_eq!(u16::from_text("65535"), Ok(u16::MAX));
        assert!(NonZeroU32::from_text("0").is_err());
        for text in ["", "_", "1.5", "0x10", "ten"] {
            assert_eq!(u64::from_text(text), Err("is not a whole number".into()), "{text}");
        }
        assert!(u64::from_toml(&in_file("\"1\"")).is_err());
    }

    #[test]
    fn a_boolean_has_several_words_for_true_and_false() {
        for text in ["true", "on", "1", "yes", " ON "] {
            assert_eq!(bool::from_text(text), Ok(true), "{text}");
        }
        for text in ["false", "off", "0", "no"] {
            assert_eq!(bool::from_text(text), Ok(false), "{text}");
        }
        assert!(bool::from_text("2").is_err());
        assert_eq!(bool::from_toml(&in_file("\"off\"")), Ok(false));
        assert!(bool::from_toml(&in_file("1")).is_err());
    }

    #[test]
    fn a_plain_address_is_a_network_with_a_full_prefix() {
        assert_eq!(IpNet::from_text("192.0.2.7"), IpNet::from_text("192.0.2.7/32"));
        assert_eq!(IpNet::from_text("::1"), IpNet::from_text("::1/128"));
        assert!(IpNet::from_text("192.0.2.7/33").is_err());
    }

    #[test]
    fn values_survive_a_round_trip_through_toml() {
        fn check<T: SettingValue + PartialEq + std::fmt::Debug>(value: T) {
            assert_eq!(T::from_toml(&in_file(&value.to_toml())), Ok(value));
        }
        check(7_u16);
        check(usize::MAX / 4);
        check(true);
        for text in ["", "plain", "a\"b\\c\t", "one\n\"\"\"two\"\n", "\nblank first", "é\u{7f}\u{85}"] {
            check(text.to_owned());
        }
        check(PathBuf::from("a/b"));
        check("[::1]:80".parse::<SocketAddr>().expect("an address"));
        check("10.0.0.0/8".parse::<IpNet>().expect("a network"));
    }

    #[test]
    fn examples_parse_as_their_type() {
        let examples =
            [u32::EXAMPLE, bool::EXAMPLE, PathBuf::EXAMPLE, SocketAddr::EXAMPLE, IpNet::EXAMPLE].map(in_file);
        let [number, switch, path, address, net] = &examples;
        assert!(NonZeroU32::from_toml(number).is_ok() && bool::from_toml(switch).is_ok());
        assert!(PathBuf::from_toml(path).is_ok() && SocketAddr::from_toml(address).is_ok());
        assert!(IpNet::from_toml(net).is_ok());
    }
}
