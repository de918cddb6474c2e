//! Enumerations whose values have stable names.

use std::fmt;

/// A closed set of names. The macro `named` declares one.
pub trait Named: Copy + fmt::Display + 'static {
    /// Each name with its value.
    const NAMES: &'static [(&'static str, Self)];
}

/// A text is not the name of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such name")]
pub struct UnknownName;

/// Declares an enumeration with the name of each value. The name is the one in Rust (`as_str`, `Display`, `FromStr`), in
/// JSON, in settings and in rules.
macro_rules! named {
    (
        $(#[$attribute:meta])*
        $vis:vis enum $Type:ident {
            $($(#[$of_variant:meta])* $Variant:ident = $name:literal,)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        $vis enum $Type {
            $($(#[$of_variant])* #[serde(rename = $name)] $Variant,)+
        }

        impl $Type {
            /// All values.
            $vis const ALL: [Self; [$($name),+].len()] = [$(Self::$Variant),+];

            /// Returns the stable name.
            #[must_use]
            $vis const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Variant => $name,)+
                }
            }
        }

        impl $crate::names::Named for $Type {
            const NAMES: &'static [(&'static str, Self)] = &[$(($name, Self::$Variant)),+];
        }

        impl std::fmt::Display for $Type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $Type {
            type Err = $crate::names::UnknownName;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                Self::ALL.into_iter().find(|value| value.as_str() == name).ok_or($crate::names::UnknownName)
            }
        }
    };
}

pub(crate) use named;

#[cfg(test)]
mod tests {
    use super::*;

    named! {
        /// A colour.
        enum Colour {
            Red = "red",
            DarkBlue = "dark-blue",
        }
    }

    #[test]
    fn a_value_has_one_name_in_all_forms() {
        assert_eq!(Colour::NAMES, [("red", Colour::Red), ("dark-blue", Colour::DarkBlue)]);
        for (name, colour) in Colour::NAMES {
            assert_eq!((colour.as_str(), colour.to_string().as_str(), name.parse()), (*name, *name, Ok(*colour)));
            let json = serde_json::to_value(colour).unwrap();
            assert_eq!((json.as_str(), serde_json::from_value(json.clone()).ok()), (Some(*name), Some(*colour)));
        }
    }

    #[test]
    fn a_name_is_exact() {
        for name in ["", "Red", "red ", "DarkBlue", "green"] {
            assert_eq!(name.parse::<Colour>(), Err(UnknownName), "{name}");
        }
        let error = serde_json::from_str::<Colour>("\"green\"").unwrap_err().to_string();
        assert!(error.starts_with("unknown variant `green`, expected `red` or `dark-blue`"), "{error}");
    }
}
