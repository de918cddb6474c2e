//! Reads an area from GeoJSON, with the place of the first error.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::MAX_AREA_VERTICES;
use super::polygon::Polygon;
use super::rings::{AreaErrorKind, Coordinates};
use crate::places::geometry::Point;

/// Deepest nesting of objects: features, geometries and collections of them.
const MAX_OBJECTS: usize = 10;
/// Deepest nesting of coordinates: a `MultiPolygon` has four.
const MAX_ARRAYS: usize = 4;
/// Longest type that an error repeats. Characters.
const MAX_TYPE_CHARS: usize = 40;

/// Why a text is not an area.
#[derive(Debug, thiserror::Error)]
pub enum AreaError {
    /// The text is not GeoJSON.
    #[error("cannot be read as GeoJSON")]
    Syntax(#[source] serde_json::Error),
    /// The text is GeoJSON, but not of an area.
    #[error("line {line}, column {column}: {kind}")]
    Invalid {
        /// Where reading stopped: in the invalid object or right behind it. From 1.
        line: usize,
        /// Bytes, from 1.
        column: usize,
        /// The error there.
        kind: AreaErrorKind,
    },
}

/// Reads the polygons of a GeoJSON text: at least one.
pub(super) fn read(text: &str) -> Result<Vec<Polygon>, AreaError> {
    let mut state = State::default();
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Object { state: &mut state, depth: 0 }.deserialize(&mut reader).and_then(|()| reader.end());
    let kind = state.error.take();
    match (read, kind) {
        (Err(error), Some(kind)) => Err(AreaError::Invalid { line: error.line(), column: error.column(), kind }),
        (Err(error), None) => Err(AreaError::Syntax(error)),
        (Ok(()), _) if state.polygons.is_empty() => {
            Err(AreaError::Invalid { line: 1, column: 1, kind: AreaErrorKind::Empty })
        }
        (Ok(()), _) => Ok(state.polygons),
    }
}

#[derive(Default)]
struct State {
    polygons: Vec<Polygon>,
    positions: usize,
    /// The error for which reading stopped.
    error: Option<AreaErrorKind>,
}

impl State {
    /// Stops reading.
    fn fail<T, E: Error>(&mut self, kind: AreaErrorKind) -> Result<T, E> {
        self.error = Some(kind);
        Err(E::custom("not an area"))
    }

    fn count_position<E: Error>(&mut self, point: Point) -> Result<Point, E> {
        self.positions += 1;
        if self.positions > MAX_AREA_VERTICES {
            return self.fail(AreaErrorKind::TooManyPositions { limit: MAX_AREA_VERTICES });
        }
        // Negated so that it holds for no NaN.
        if !(point.x.abs() <= 180.0 && point.y.abs() <= 90.0) {
            return self.fail(AreaErrorKind::NotOnEarth { lon: point.x, lat: point.y });
        }
        Ok(point)
    }
}

/// A feature, a geometry or a collection, or null.
struct Object<'s> {
    state: &'s mut State,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        if self.depth == MAX_OBJECTS {
            return Err(D::Error::custom(format_args!("more than {MAX_OBJECTS} objects within each other")));
        }
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a GeoJSON object")
    }

    /// A feature may lack a geometry.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        if self.depth == 0 { Err(E::invalid_type(serde::de::Unexpected::Unit, &self)) } else { Ok(()) }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { state, depth } = self;
        let (mut kind, mut coordinates, mut has_children) = (None::<Cow<'de, str>>, None, false);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match key.as_ref() {
                "type" => kind = Some(map.next_value()?),
                "coordinates" => coordinates = Some(map.next_value_seed(Nested { state, arrays: 0 })?),
                "geometry" => {
                    has_children = true;
                    map.next_value_seed(Object { state, depth: depth + 1 })?;
                }
                "geometries" | "features" => {
                    has_children = true;
                    map.next_value_seed(Objects { state, depth: depth + 1 })?;
                }
                _ => map.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        let polygons = match (kind.as_deref(), coordinates) {
            (Some("Polygon"), Some(coordinates)) => coordinates.into_polygon().map(|polygon| vec![polygon]),
            (Some("MultiPolygon"), Some(coordinates)) => coordinates.into_polygons(),
            (Some("Polygon" | "MultiPolygon"), None) => Err(AreaErrorKind::Missing { member: "coordinates" }),
            (Some("Feature"), _) if !has_children => Err(AreaErrorKind::Missing { member: "geometry" }),
            (Some("GeometryCollection"), _) if !has_children => Err(AreaErrorKind::Missing { member: "geometries" }),
            (Some("FeatureCollection"), _) if !has_children => Err(AreaErrorKind::Missing { member: "features" }),
            (Some("Feature" | "FeatureCollection" | "GeometryCollection"), _) => Ok(Vec::new()),
            (Some(other), _) => Err(AreaErrorKind::NotAnArea { found: other.chars().take(MAX_TYPE_CHARS).collect() }),
            (None, _) => Err(AreaErrorKind::Missing { member: "type" }),
        };
        match polygons {
            Ok(polygons) => state.polygons.extend(polygons),
            Err(kind) => state.fail(kind)?,
        }
        Ok(())
    }
}

/// A list of features or geometries.
struct Objects<'s> {
    state: &'s mut State,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Objects<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Objects<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of GeoJSON objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { state, depth } = self;
        while items.next_element_seed(Object { state, depth })?.is_some() {}
        Ok(())
    }
}

/// A position, a number of one, or a list. A number is told apart by [`Part`].
struct Nested<'s> {
    state: &'s mut State,
    /// How many arrays there are around it.
    arrays: usize,
}

/// An element of coordinates.
enum Part {
    Number(f64),
    Coordinates(Coordinates),
}

impl<'de> DeserializeSeed<'de> for Nested<'_> {
    type Value = Coordinates;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Coordinates, D::Error> {
        match reader.deserialize_any(PartSeed(self))? {
            Part::Coordinates(coordinates) => Ok(coordinates),
            Part::Number(_) => Err(D::Error::custom("a number instead of coordinates")),
        }
    }
}

struct PartSeed<'s>(Nested<'s>);

impl<'de> DeserializeSeed<'de> for PartSeed<'_> {
    type Value = Part;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Part, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PartSeed<'_> {
    type Value = Part;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number or an array of coordinates")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Part, E> {
        Ok(Part::Number(number))
    }

    #[expect(clippy::cast_precision_loss, reason = "a coordinate is a float, however it is written")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<Part, E> {
        Ok(Part::Number(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "a coordinate is a float, however it is written")]
    fn visit_i64<E: Error>(self, number: i64) -> Result<Part, E> {
        Ok(Part::Number(number as f64))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Part, A::Error> {
        let Nested { state, arrays } = self.0;
        if arrays == MAX_ARRAYS {
            return Err(A::Error::custom(format_args!("coordinates more than {MAX_ARRAYS} arrays deep")));
        }
        let arrays = arrays + 1;
        let mut list = match items.next_element_seed(PartSeed(Nested { state, arrays }))? {
            None => Vec::new(),
            Some(Part::Number(lon)) => {
                let lat = items.next_element()?.ok_or_else(|| A::Error::custom("a position of one number"))?;
                while items.next_element::<IgnoredAny>()?.is_some() {}
                return state.count_position(Point::new(lon, lat)).map(Coordinates::Position).map(Part::Coordinates);
            }
            Some(Part::Coordinates(first)) => vec![first],
        };
        while let Some(next) = items.next_element_seed(Nested { state, arrays })? {
            list.push(next);
        }
        Ok(Part::Coordinates(Coordinates::List(list)))
    }
}
