//! Reads the geometries of a `GeoJSON` text one after another, without building a tree.

use std::fmt;
use std::ops::ControlFlow;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::coordinates::{Coordinates, Nest, Nested};
use crate::unchecked::Unchecked;

/// The shape that the positions of a geometry form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Points,
    Lines,
    Polygons,
}

impl Form {
    /// The form of a type of geometry, and the depth of its coordinates.
    fn of(name: &str) -> Option<(Self, u8)> {
        match name {
            "Point" => Some((Self::Points, 1)),
            "MultiPoint" => Some((Self::Points, 2)),
            "LineString" => Some((Self::Lines, 2)),
            "MultiLineString" => Some((Self::Lines, 3)),
            "Polygon" => Some((Self::Polygons, 3)),
            "MultiPolygon" => Some((Self::Polygons, 4)),
            _ => None,
        }
    }
}

/// Calls `visit` with each geometry of a text, until it breaks: those of features, of collections of features and of
/// collections of geometries. Ignores properties, heights and `bbox`.
///
/// # Errors
/// If the text is not `GeoJSON`, if readers could disagree about an object, or if it has too many positions. The
/// geometries before that have been visited.
pub(crate) fn for_each_geometry(
    text: &str,
    visit: impl FnMut(Form, &Coordinates) -> ControlFlow<()>,
) -> Result<(), Unchecked> {
    let mut reader = Reader { visit, coordinates: Coordinates::default(), is_stopped: false };
    let mut json = serde_json::Deserializer::from_str(text);
    let read = Object(&mut reader).deserialize(&mut json).and_then(|()| json.end());
    match read {
        Ok(()) => Ok(()),
        Err(_) if reader.is_stopped => Ok(()),
        Err(_) if reader.coordinates.is_full() => Err(Unchecked::TooLarge),
        Err(_) => Err(Unchecked::Malformed),
    }
}

struct Reader<V> {
    visit: V,
    coordinates: Coordinates,
    is_stopped: bool,
}

/// A geometry, a feature, or a collection.
struct Object<'r, V>(&'r mut Reader<V>);
/// An array of objects.
struct Objects<'r, V>(&'r mut Reader<V>);

#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Type,
    Coordinates,
    Geometry,
    Geometries,
    Features,
    #[serde(other)]
    Other,
}

impl<V: FnMut(Form, &Coordinates) -> ControlFlow<()>> Reader<V> {
    /// Visits the geometry that was read.
    fn visit<E: Error>(&mut self, name: Option<&str>, nested: Nested) -> Result<(), E> {
        if nested == Nested::Empty {
            return Ok(());
        }
        let (form, depth) = name.and_then(Form::of).ok_or_else(|| E::custom("not a type of geometry"))?;
        if nested != Nested::Array(depth) {
            return Err(E::custom("not the coordinates of its type"));
        }
        if (self.visit)(form, &self.coordinates).is_break() {
            self.is_stopped = true;
            return Err(E::custom("the visitor breaks"));
        }
        Ok(())
    }
}

impl<'de, V: FnMut(Form, &Coordinates) -> ControlFlow<()>> DeserializeSeed<'de> for Object<'_, V> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de, V: FnMut(Form, &Coordinates) -> ControlFlow<()>> Visitor<'de> for Object<'_, V> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    /// A feature may have no geometry.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(reader) = self;
        reader.coordinates.count()?;
        let (mut name, mut nested, mut has_parts) = (None::<String>, Nested::Empty, false);
        while let Some(key) = map.next_key()? {
            // Of two, readers would disagree about which one counts.
            let is_second = if matches!(key, Key::Type) { name.is_some() } else { has_parts };
            match key {
                Key::Other => drop(map.next_value::<IgnoredAny>()?),
                _ if is_second => return Err(A::Error::custom("two types, or two sources of positions")),
                Key::Type => name = Some(map.next_value()?),
                Key::Coordinates => {
                    reader.coordinates.clear();
                    nested = map.next_value_seed(Nest(&mut reader.coordinates))?;
                    has_parts = true;
                }
                Key::Geometry => {
                    map.next_value_seed(Object(reader))?;
                    has_parts = true;
                }
                Key::Geometries | Key::Features => {
                    map.next_value_seed(Objects(reader))?;
                    has_parts = true;
                }
            }
        }
        reader.visit(name.as_deref(), nested)
    }
}

impl<'de, V: FnMut(Form, &Coordinates) -> ControlFlow<()>> DeserializeSeed<'de> for Objects<'_, V> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de, V: FnMut(Form, &Coordinates) -> ControlFlow<()>> Visitor<'de> for Objects<'_, V> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Object(&mut *self.0))?.is_some() {}
        Ok(())
    }
}
