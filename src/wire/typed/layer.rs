//! Checks a GeoJSON object while it is read, without building a tree: its shape, depth and numbers. The text itself is
//! passed on unchanged.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::super::field::refused;
use crate::model::{Bounds, Notice};

/// Maximum depth of arrays and objects. A multipolygon in a collection of geometries takes 10.
const MAX_DEPTH: usize = 32;
/// Maximum number of properties of a feature.
const MAX_PROPERTIES: usize = 1_000;

/// The features of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Features {
    pub(super) count: usize,
    /// The box around their coordinates; `None` if they have none.
    pub(super) bounds: Option<Bounds>,
}

/// Checks a GeoJSON object with `features`, and returns their number and bounds.
///
/// Geometries may be malformed, since clients skip what they cannot read. The bounds are those of each array of
/// `coordinates` that starts with two numbers. Takes time linear in the length of the text, and no memory but for keys with escapes.
///
/// # Errors
/// The [`Notice`] for the sender.
pub(super) fn check_features(geojson: &str) -> Result<Features, Notice> {
    let mut walk = Walk { features: None, bounds: Bounds::EMPTY, position: Read::Done, problem: None };
    let mut deserializer = serde_json::Deserializer::from_str(geojson);
    let read = Value { walk: &mut walk, place: Place::Root, depth: 0 }.deserialize(&mut deserializer);
    match (read, walk) {
        (Ok(()), Walk { features: Some(count), bounds, .. }) => {
            Ok(Features { count, bounds: (bounds != Bounds::EMPTY).then_some(bounds) })
        }
        (Ok(()), Walk { features: None, .. }) => Err(refused("`geojson` has no `features`")),
        (Err(_), Walk { problem: Some(problem), .. }) => Err(refused(problem)),
        // The text is valid JSON, so what remains are numbers beyond the range of floating point numbers, and halves of
        // surrogate pairs.
        (Err(_), Walk { problem: None, .. }) => {
            Err(refused("`geojson` has a number that is not finite, or a text that is not Unicode"))
        }
    }
}

/// The findings so far.
struct Walk {
    features: Option<usize>,
    bounds: Bounds,
    position: Read,
    problem: Option<String>,
}

/// How far a position has been read.
#[derive(Clone, Copy)]
enum Read {
    Nothing,
    X(f64),
    /// What follows is a height, or not part of a position.
    Done,
}

impl Walk {
    /// A number among coordinates.
    fn ordinate(&mut self, number: f64) {
        self.position = match self.position {
            Read::Nothing => Read::X(number),
            Read::X(x) => {
                self.bounds.add([x, number]);
                Read::Done
            }
            Read::Done => Read::Done,
        };
    }
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    /// The array of features.
    Features,
    Feature,
    /// The properties of a feature.
    Properties,
    Geometry,
    /// The array of geometries of a collection.
    Geometries,
    /// The coordinates of a geometry, or an array among them.
    Coordinates,
    Other,
}

struct Value<'w> {
    walk: &'w mut Walk,
    place: Place,
    /// Number of arrays and objects around it.
    depth: usize,
}

impl Value<'_> {
    fn fail<E: serde::de::Error>(self, problem: String) -> E {
        self.walk.problem = Some(problem);
        E::custom("")
    }

    /// A value that is neither an object nor an array.
    fn scalar<E: serde::de::Error>(self, is_null: bool) -> Result<(), E> {
        match self.place {
            Place::Root => Err(self.fail("`geojson` must be an object".to_owned())),
            Place::Features => Err(self.fail("`features` of `geojson` must be an array".to_owned())),
            Place::Feature => Err(self.fail("each of the `features` must be an object".to_owned())),
            Place::Properties if !is_null => {
                Err(self.fail("the `properties` of a feature must be an object".to_owned()))
            }
            Place::Properties | Place::Geometry | Place::Geometries | Place::Coordinates | Place::Other => Ok(()),
        }
    }

    fn number<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        if self.place == Place::Coordinates {
            self.walk.ordinate(number);
        }
        self.scalar(false)
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.depth > MAX_DEPTH {
            return Err(self.fail(format!("`geojson` is nested deeper than {MAX_DEPTH} levels")));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GeoJSON")
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.scalar(false)
    }

    #[expect(clippy::cast_precision_loss, reason = "a coordinate is a float, however it is written")]
    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<(), E> {
        self.number(number as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "a coordinate is a float, however it is written")]
    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        self.number(number as f64)
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        self.number(number)
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        self.scalar(false)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.scalar(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let place = match self.place {
            Place::Features => Place::Feature,
            Place::Geometries => Place::Geometry,
            Place::Coordinates => Place::Coordinates,
            Place::Geometry | Place::Other => Place::Other,
            Place::Root | Place::Feature | Place::Properties => return self.scalar(false),
        };
        self.walk.position = if place == Place::Coordinates { Read::Nothing } else { Read::Done };
        let mut count = 0;
        while seq.next_element_seed(Value { walk: &mut *self.walk, place, depth: self.depth + 1 })?.is_some() {
            count += 1;
        }
        self.walk.position = Read::Done;
        if self.place == Place::Features {
            self.walk.features = Some(count);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.place == Place::Features {
            return self.scalar(false);
        }
        let mut count = 0;
        while let Some(place) = map.next_key_seed(Key(self.place))? {
            count += 1;
            if self.place == Place::Properties && count > MAX_PROPERTIES {
                return Err(self.fail(format!("a feature has more than {MAX_PROPERTIES} properties")));
            }
            if place == Place::Features && self.walk.features.is_some() {
                // Clients would disagree about which one counts.
                return Err(self.fail("`geojson` has `features` twice".to_owned()));
            }
            map.next_value_seed(Value { walk: &mut *self.walk, place, depth: self.depth + 1 })?;
        }
        Ok(())
    }
}

/// A key of an object at this place. Returns the place of its value.
struct Key(Place);

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Place;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Place, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Place;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Place, E> {
        Ok(match (self.0, key) {
            (Place::Root, "features") => Place::Features,
            (Place::Feature, "properties") => Place::Properties,
            (Place::Feature, "geometry") => Place::Geometry,
            (Place::Geometry, "coordinates") => Place::Coordinates,
            (Place::Geometry, "geometries") => Place::Geometries,
            _ => Place::Other,
        })
    }
}
