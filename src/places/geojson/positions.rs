//! The parts of a GeoJSON text that lead to positions, as `serde` seeds: objects, lists of objects, coordinates.

use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Deepest nesting of collections of geometries.
const MAX_COLLECTIONS: usize = 8;
/// Deepest nesting of coordinates: a `MultiPolygon` has four.
const MAX_ARRAYS: usize = 5;

/// Passes positions on, and remembers whether it was told to stop.
pub(super) struct Positions<F> {
    visit: F,
    stopped: bool,
}

impl<F: FnMut(f64, f64) -> ControlFlow<()>> Positions<F> {
    pub(super) fn new(visit: F) -> Self {
        Self { visit, stopped: false }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// The error only ends the reading: [`Self::is_stopped`] tells that it is none.
    fn pass_on<E: Error>(&mut self, x: f64, y: f64) -> Result<(), E> {
        match (self.visit)(x, y) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => {
                self.stopped = true;
                Err(E::custom("stopped"))
            }
        }
    }
}

/// The kind of an object, as far as its place in the text tells.
#[derive(Clone, Copy)]
pub(super) enum Context {
    /// The text itself: anything.
    Root,
    Feature,
    /// A geometry within so many collections.
    Geometry(usize),
}

impl Context {
    /// The keys of the object that lead to positions.
    fn leads(self, key: &str) -> bool {
        match self {
            Self::Root => matches!(key, "coordinates" | "geometries" | "geometry" | "features"),
            Self::Feature => key == "geometry",
            Self::Geometry(_) => matches!(key, "coordinates" | "geometries"),
        }
    }

    /// A geometry within this object.
    fn collected<E: Error>(self) -> Result<Self, E> {
        match self {
            Self::Geometry(MAX_COLLECTIONS..) => {
                Err(E::custom(format_args!("more than {MAX_COLLECTIONS} collections of geometries within each other")))
            }
            Self::Geometry(collections) => Ok(Self::Geometry(collections + 1)),
            Self::Root | Self::Feature => Ok(Self::Geometry(1)),
        }
    }
}

/// A feature, a geometry, a collection, or null.
pub(super) struct Object<'p, F> {
    pub(super) positions: &'p mut Positions<F>,
    pub(super) context: Context,
}

impl<'de, F: FnMut(f64, f64) -> ControlFlow<()>> DeserializeSeed<'de> for Object<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        // The text itself must be an object. A geometry may be missing.
        match self.context {
            Context::Root => reader.deserialize_map(self),
            Context::Feature | Context::Geometry(_) => reader.deserialize_option(self),
        }
    }
}

impl<'de, F: FnMut(f64, f64) -> ControlFlow<()>> Visitor<'de> for Object<'_, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a GeoJSON object")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { positions, context } = self;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match key.as_ref() {
                key if !context.leads(key) => map.next_value::<IgnoredAny>().map(drop)?,
                "coordinates" => map.next_value_seed(Coordinates { positions, arrays: 1 })?,
                "geometry" => map.next_value_seed(Object { positions, context: Context::Geometry(0) })?,
                "features" => map.next_value_seed(Objects { positions, context: Context::Feature })?,
                _ => map.next_value_seed(Objects { positions, context: context.collected()? })?,
            }
        }
        Ok(())
    }
}

/// A list of features or of geometries.
struct Objects<'p, F> {
    positions: &'p mut Positions<F>,
    context: Context,
}

impl<'de, F: FnMut(f64, f64) -> ControlFlow<()>> DeserializeSeed<'de> for Objects<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(f64, f64) -> ControlFlow<()>> Visitor<'de> for Objects<'_, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of GeoJSON objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { positions, context } = self;
        while items.next_element_seed(Object { positions, context })?.is_some() {}
        Ok(())
    }
}

/// A position, or a list of positions or of further lists.
struct Coordinates<'p, F> {
    positions: &'p mut Positions<F>,
    /// How deep it is, itself included.
    arrays: usize,
}

/// An element of coordinates.
enum Element {
    Number(f64),
    /// Already visited.
    List,
}

impl<'de, F: FnMut(f64, f64) -> ControlFlow<()>> DeserializeSeed<'de> for Coordinates<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_option(self)
    }
}

impl<'de, F: FnMut(f64, f64) -> ControlFlow<()>> Visitor<'de> for Coordinates<'_, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of coordinates")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { positions, arrays } = self;
        match items.next_element_seed(ElementSeed { positions, arrays })? {
            None => Ok(()),
            Some(Element::Number(x)) => {
                let y: f64 = items.next_element()?.ok_or_else(|| Error::custom("a position of one number"))?;
                while items.next_element::<IgnoredAny>()?.is_some() {}
                positions.pass_on(x, y)
            }
            Some(Element::List) => {
                while let Some(element) = items.next_element_seed(ElementSeed { positions, arrays })? {
                    if let Element::Number(_) = element {
                        return Err(Error::custom("a number among positions"));
                    }
                }
                Ok(())
            }
        }
    }
}

struct ElementSeed<'p, F> {
    positions: &'p mut Positions<F>,
    arrays: usize,
}

impl<'de, F: FnMut(f64, f64) -> ControlFlow<()>> DeserializeSeed<'de> for ElementSeed<'_, F> {
    type Value = Element;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Element, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de, F: FnMut(f64, f64) -> ControlFlow<()>> Visitor<'de> for ElementSeed<'_, F> {
    type Value = Element;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number or an array of coordinates")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Element, E> {
        Ok(Element::Number(number))
    }

    #[expect(clippy::cast_precision_loss, reason = "a coordinate is a float, however it is written")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<Element, E> {
        Ok(Element::Number(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "a coordinate is a float, however it is written")]
    fn visit_i64<E: Error>(self, number: i64) -> Result<Element, E> {
        Ok(Element::Number(number as f64))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Element, A::Error> {
        let Self { positions, arrays } = self;
        if arrays == MAX_ARRAYS {
            return Err(Error::custom(format_args!("coordinates more than {MAX_ARRAYS} arrays deep")));
        }
        Coordinates { positions, arrays: arrays + 1 }.visit_seq(items).map(|()| Element::List)
    }
}
