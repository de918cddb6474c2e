//! The coordinates of one geometry in a `GeoJSON` text.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

/// Most arrays and objects of a text. Each position is an array.
const MAX_READ: usize = 400_000;

/// The coordinates of one geometry, in the units of its system.
#[derive(Debug, Default)]
pub(crate) struct Coordinates {
    positions: Vec<[f64; 2]>,
    /// The index after the last position of each line or ring.
    line_ends: Vec<usize>,
    /// The index after the last ring of each polygon.
    polygon_ends: Vec<usize>,
    /// The number of arrays and objects that were read so far.
    read: usize,
}

impl Coordinates {
    /// All positions, in order.
    pub(crate) fn positions(&self) -> &[[f64; 2]] {
        &self.positions
    }

    /// The positions of each line.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &[[f64; 2]]> {
        self.lines_from(0, self.line_ends.len())
    }

    /// The positions of each ring of each polygon.
    pub(crate) fn polygons(&self) -> impl Iterator<Item = impl Iterator<Item = &[[f64; 2]]>> {
        let mut first = 0;
        self.polygon_ends.iter().map(move |&end| self.lines_from(std::mem::replace(&mut first, end), end))
    }

    fn lines_from(&self, first: usize, end: usize) -> impl Iterator<Item = &[[f64; 2]]> {
        let mut start = first.checked_sub(1).and_then(|before| self.line_ends.get(before)).copied().unwrap_or(0);
        let ends = self.line_ends.get(first..end).unwrap_or_default();
        ends.iter().map(move |&end| self.positions.get(std::mem::replace(&mut start, end)..end).unwrap_or_default())
    }

    /// Whether reading ended because there are too many arrays and objects: more than [`MAX_READ`].
    pub(crate) fn is_full(&self) -> bool {
        self.read > MAX_READ
    }

    /// Prepares for another geometry of the same text.
    pub(crate) fn clear(&mut self) {
        self.positions.clear();
        self.line_ends.clear();
        self.polygon_ends.clear();
    }

    /// Counts an array or object.
    pub(crate) fn count<E: Error>(&mut self) -> Result<(), E> {
        self.read += 1;
        if self.is_full() { Err(E::custom("too many positions")) } else { Ok(()) }
    }
}

/// A value within coordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Nested {
    Number(f64),
    /// Arrays without positions.
    Empty,
    /// Arrays of this depth, of which a position is 1.
    Array(u8),
}

impl Nested {
    /// The depth of neighbours in an array; `None` if they cannot be neighbours.
    fn beside(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Number(_), _) | (_, Self::Number(_)) => None,
            (Self::Empty, array) | (array, Self::Empty) => Some(array),
            (one, other) => (one == other).then_some(one),
        }
    }
}

/// Reads coordinates of any depth.
pub(crate) struct Nest<'c>(pub(crate) &'c mut Coordinates);

impl<'de> DeserializeSeed<'de> for Nest<'_> {
    type Value = Nested;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Nested, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nest<'_> {
    type Value = Nested;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("coordinates")
    }

    fn visit_unit<E: Error>(self) -> Result<Nested, E> {
        Ok(Nested::Empty)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Nested, E> {
        Ok(Nested::Number(number))
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers that large are not on Earth")]
    fn visit_i64<E: Error>(self, number: i64) -> Result<Nested, E> {
        Ok(Nested::Number(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers that large are not on Earth")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<Nested, E> {
        Ok(Nested::Number(number as f64))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Nested, A::Error> {
        let Self(coordinates) = self;
        coordinates.count()?;
        let Some(mut inner) = seq.next_element_seed(Nest(coordinates))? else { return Ok(Nested::Empty) };
        if let Nested::Number(x) = inner {
            let y = seq.next_element()?.ok_or_else(|| A::Error::custom("a position of one number"))?;
            // Heights and measures.
            while seq.next_element::<Option<f64>>()?.is_some() {}
            coordinates.positions.push([x, y]);
            return Ok(Nested::Array(1));
        }
        while let Some(next) = seq.next_element_seed(Nest(coordinates))? {
            inner = inner.beside(next).ok_or_else(|| A::Error::custom("arrays of different depth"))?;
        }
        let Nested::Array(depth) = inner else { return Ok(inner) };
        match depth {
            1 => coordinates.line_ends.push(coordinates.positions.len()),
            2 => coordinates.polygon_ends.push(coordinates.line_ends.len()),
            _ => {}
        }
        Ok(Nested::Array(depth.saturating_add(1)))
    }
}
