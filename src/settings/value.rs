//! The types that settings may have.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

use ipnet::IpNet;

use super::Quotes;

/// A type that settings may have.
///
/// The texts of errors are words that can follow the value in a fault (`is not a whole number`). They never repeat the
/// value itself: whether that may be shown is for the caller to know.
pub trait Value: Clone {
    /// What is expected, to follow "is not": `a whole number`.
    const EXPECTED: &'static str;
    /// A value as it may stand in a file, shown where a setting has none by default.
    const EXAMPLE: &'static str = "\"\"";

    /// Whether a value may begin or end with a quote of its own. By default it may not.
    const QUOTES: Quotes = Quotes::Never;

    /// Reads the value of an environment variable, which is not empty.
    ///
    /// # Errors
    /// What is wrong with it.
    fn from_text(text: &str) -> Result<Self, String>;

    /// Reads the value of a key in a file.
    ///
    /// # Errors
    /// What is wrong with it.
    fn from_toml(value: &toml::Value) -> Result<Self, String> {
        value.as_str().map_or_else(|| Err(is_not::<Self>()), Self::from_text)
    }

    /// The value as it stands in a file.
    fn to_toml(&self) -> String;

    /// The allowed names, where there are only some: `one of "on", "off"`.
    #[must_use]
    fn names() -> Option<String> {
        None
    }

    /// Whether this is the absence of a value, which a file cannot say but by leaving the key out.
    fn is_absent(&self) -> bool {
        false
    }
}

/// The general fault of a type.
pub(super) fn is_not<T: Value>() -> String {
    format!("is not {}", T::EXPECTED)
}

macro_rules! whole_numbers {
    ($($number:ty),*) => {$(
        impl Value for $number {
            const EXPECTED: &'static str = "a whole number";
            const EXAMPLE: &'static str = "1";

            fn from_text(text: &str) -> Result<Self, String> {
                let digits = text.trim().replace('_', "");
                digits.parse().map_err(|_| beyond(&digits, Self::MIN, Self::MAX))
            }

            fn from_toml(value: &toml::Value) -> Result<Self, String> {
                let number = value.as_integer().ok_or_else(is_not::<Self>)?;
                number.to_string().parse().map_err(|_| beyond(&number.to_string(), Self::MIN, Self::MAX))
            }

            fn to_toml(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

whole_numbers!(u16, u32, u64, usize, NonZeroU32);

/// The fault of a text that does not parse as a number from `least` to `most`.
fn beyond(digits: &str, least: impl std::fmt::Display, most: impl std::fmt::Display) -> String {
    match digits.parse::<i128>() {
        Ok(_) => format!("is out of bounds; it must be from {least} to {most}"),
        Err(_) => is_not::<u32>(),
    }
}

impl Value for bool {
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

impl Value for String {
    const EXPECTED: &'static str = "a text";
    const QUOTES: Quotes = Quotes::Allowed;

    fn from_text(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }

    /// Texts of several lines are written as such.
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

impl Value for PathBuf {
    const EXPECTED: &'static str = "a path";
    const EXAMPLE: &'static str = "\"path/to/file\"";

    fn from_text(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("is no path: it is empty".to_owned()) } else { Ok(text.into()) }
    }

    fn to_toml(&self) -> String {
        self.to_string_lossy().into_owned().to_toml()
    }
}

impl Value for SocketAddr {
    const EXPECTED: &'static str = "an IP address with a port, such as 127.0.0.1:8000 or [::1]:8000";
    const EXAMPLE: &'static str = "\"127.0.0.1:9100\"";

    fn from_text(text: &str) -> Result<Self, String> {
        text.trim().parse().map_err(|_| is_not::<Self>())
    }

    fn to_toml(&self) -> String {
        self.to_string().to_toml()
    }
}

impl Value for IpNet {
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
    fn a_number_may_hold_underscores_and_stand_between_blanks() {
        assert_eq!(u32::from_text(" 5_000_000 "), Ok(5_000_000));
        assert_eq!(u32::from_toml(&in_file("5_000_000")), Ok(5_000_000));
    }

    #[test]
    fn a_number_is_refused_beyond_its_type_and_when_it_is_none() {
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
    fn a_switch_has_several_words_for_on_and_off() {
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
    fn a_plain_address_is_a_network_of_one() {
        assert_eq!(IpNet::from_text("192.0.2.7"), IpNet::from_text("192.0.2.7/32"));
        assert_eq!(IpNet::from_text("::1"), IpNet::from_text("::1/128"));
        assert!(IpNet::from_text("192.0.2.7/33").is_err());
    }

    #[test]
    fn what_is_written_reads_as_the_same() {
        fn check<T: Value + PartialEq + std::fmt::Debug>(value: T) {
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
    fn examples_are_values_of_their_type() {
        let examples =
            [u32::EXAMPLE, bool::EXAMPLE, PathBuf::EXAMPLE, SocketAddr::EXAMPLE, IpNet::EXAMPLE].map(in_file);
        let [number, switch, path, address, net] = &examples;
        assert!(NonZeroU32::from_toml(number).is_ok() && bool::from_toml(switch).is_ok());
        assert!(PathBuf::from_toml(path).is_ok() && SocketAddr::from_toml(address).is_ok());
        assert!(IpNet::from_toml(net).is_ok());
    }
}
