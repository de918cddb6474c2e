//! The JSON object of a client. It may have the keys of any kind, of which few occur at a time.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::super::field::Field;

/// Number of keys for which there is room without an allocation. A text of v3 has seven.
const USUAL_KEYS: usize = 8;

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

/// The values of the keys that occur. Unknown keys are skipped.
#[derive(Debug)]
pub(super) struct ClientObject<'a> {
    fields: SmallVec<[(Key, Field<'a>); USUAL_KEYS]>,
    geojson: Option<&'a RawValue>,
}

impl<'a> ClientObject<'a> {
    /// Takes the value of a key; [`Field::Absent`] if it does not occur or was taken before.
    pub(super) fn take(&mut self, key: Key) -> Field<'a> {
        let field = self.fields.iter_mut().find(|(of, _)| *of == key);
        field.map_or(Field::Absent, |(_, value)| std::mem::take(value))
    }

    /// The text of `geojson`; `None` if it is null or absent.
    pub(super) fn geojson(&self) -> Option<&'a str> {
        self.geojson.map(RawValue::get)
    }
}

impl<'de> Deserialize<'de> for ClientObject<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;

        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = ClientObject<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                let mut object = ClientObject { fields: SmallVec::new(), geojson: None };
                // A bit for each key that has occurred.
                let mut seen = 0_u32;
                while let Some(key) = entries.next_key::<Key>()? {
                    if key == Key::Unknown {
                        entries.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    let bit = 1 << key as u32;
                    if seen & bit != 0 {
                        return Err(A::Error::custom("duplicate key"));
                    }
                    seen |= bit;
                    let value = if key == Key::Geojson {
                        object.geojson = entries.next_value()?;
                        Field::Other
                    } else {
                        entries.next_value()?
                    };
                    object.fields.push((key, value));
                }
                Ok(object)
            }
        }

        deserializer.deserialize_map(ObjectVisitor)
    }
}
