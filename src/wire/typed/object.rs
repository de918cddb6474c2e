//! The JSON object of a client. It may have the keys of any kind, of which few occur at a time.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::field::{Field, read_object};
use crate::model::Notice;

/// A key of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
pub(super) enum Key {
    Type,
    Id,
    Timestamp,
    InReplyToId,
    Author,
    Avatar,
    Text,
    ImageData,
    Newcomer,
    LikerAuthor,
    LikedAuthor,
    Message,
    LayerName,
    CrsWkt,
    CrsAuthid,
    Geojson,
    Style,
    Xmin,
    Xmax,
    Ymin,
    Ymax,
    X,
    Y,
    ModelName,
    ModelGroup,
    RawXml,
    Name,
    RawPycode,
    #[serde(other)]
    Unknown,
}

/// Number of keys of the protocol.
const KEYS: usize = Key::Unknown as usize;

/// The values of the keys of the protocol. Unknown keys are skipped.
#[derive(Debug, Default)]
pub(super) struct ClientObject<'a> {
    fields: [Field<'a>; KEYS],
    geojson: Option<&'a RawValue>,
}

impl<'a> ClientObject<'a> {
    /// Reads a frame into this object, which must be empty. It is not returned, because it is large and would be moved.
    ///
    /// # Errors
    /// As [`read_object`]'s.
    pub(super) fn read(&mut self, text: &'a str) -> Result<(), Notice> {
        read_object(text, Reader(self))
    }

    /// Takes the value of a key; [`Field::Absent`] if it does not occur or was taken before.
    pub(super) fn take(&mut self, key: Key) -> Field<'a> {
        self.fields.get_mut(key as usize).map_or(Field::Absent, std::mem::take)
    }

    /// The text of `geojson`; `None` if it is null or absent.
    pub(super) fn geojson(&self) -> Option<&'a str> {
        self.geojson.map(RawValue::get)
    }
}

/// Reads the keys of an object.
struct Reader<'r, 'a>(&'r mut ClientObject<'a>);

impl<'de> DeserializeSeed<'de> for Reader<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Self(object) = self;
        while let Some(key) = entries.next_key::<Key>()? {
            // None for an unknown key.
            let Some(field) = object.fields.get_mut(key as usize) else {
                entries.next_value::<IgnoredAny>()?;
                continue;
            };
            if field.is_present() {
                return Err(A::Error::custom("duplicate key"));
            }
            *field = if key == Key::Geojson {
                object.geojson = entries.next_value()?;
                Field::Other
            } else {
                entries.next_value()?
            };
        }
        Ok(())
    }
}
