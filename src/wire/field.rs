//! Reads the JSON objects of clients, of all generations.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::{Notice, Reason, ReasonCode};

/// Reads the keys of a JSON object that `T` names. Ignores others.
///
/// # Errors
/// [`Notice::Uncompliant`] when `text` is not a JSON object or repeats a key.
pub(super) fn from_object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Notice> {
    read_object(text, PhantomData)
}

/// As [`from_object`], for an object that is read by `seed`.
///
/// # Errors
/// As [`from_object`]'s.
pub(super) fn read_object<'a, S: DeserializeSeed<'a>>(text: &'a str, seed: S) -> Result<S::Value, Notice> {
    // Serde would also accept an array of the fields in order.
    if !text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
        return Err(uncompliant("a frame must be a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let object = seed.deserialize(&mut deserializer).and_then(|object| deserializer.end().map(|()| object));
    object.map_err(|error| match error.classify() {
        serde_json::error::Category::Data => uncompliant("the frame has a duplicate key"),
        _ => uncompliant("the frame is not valid JSON"),
    })
}

/// A frame that is not part of the protocol.
pub(super) fn uncompliant(text: impl Into<Cow<'static, str>>) -> Notice {
    Notice::Uncompliant(Reason::new(ReasonCode::Malformed, text))
}

/// A message of the protocol that lacks a field, or has one that is invalid.
pub(super) fn refused(text: impl Into<Cow<'static, str>>) -> Notice {
    Notice::Refused(Reason::new(ReasonCode::Malformed, text))
}

/// The value of a key that should be a string or a number. Other values are skipped, whatever their size or depth.
#[derive(Debug, Default)]
pub(super) enum Field<'a> {
    #[default]
    Absent,
    Null,
    Text(Cow<'a, str>),
    Number(f64),
    Other,
}

impl Field<'_> {
    pub(super) fn is_present(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    /// Returns the string; `name` is the key.
    pub(super) fn required(self, name: &'static str) -> Result<String, Notice> {
        match self {
            Self::Text(text) => Ok(text.into_owned()),
            Self::Absent => Err(refused(format!("`{name}` is missing"))),
            Self::Null | Self::Number(_) | Self::Other => Err(refused(format!("`{name}` must be a string"))),
        }
    }

    /// Returns the string; `None` without one.
    pub(super) fn optional(self, name: &'static str) -> Result<Option<String>, Notice> {
        match self {
            Self::Text(text) => Ok(Some(text.into_owned())),
            Self::Absent | Self::Null => Ok(None),
            Self::Number(_) | Self::Other => Err(refused(format!("`{name}` must be a string or null"))),
        }
    }

    /// Returns the number, which may be written as a string.
    pub(super) fn number(self, name: &'static str) -> Result<f64, Notice> {
        let number = match &self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Absent => return Err(refused(format!("`{name}` is missing"))),
            Self::Null | Self::Other => None,
        };
        number.filter(|number| number.is_finite()).ok_or_else(|| refused(format!("`{name}` must be a finite number")))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor;

        impl<'de> Visitor<'de> for FieldVisitor {
            type Value = Field<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Field::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Field::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Field::Null)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Field::Other)
            }

            #[expect(clippy::cast_precision_loss, reason = "coordinates and times are far smaller")]
            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Field::Number(number as f64))
            }

            #[expect(clippy::cast_precision_loss, reason = "coordinates and times are far smaller")]
            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Field::Number(number as f64))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Field::Number(number))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Field::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Field::Other)
            }
        }

        deserializer.deserialize_any(FieldVisitor)
    }
}
