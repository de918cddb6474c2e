//! Lines, and the rings of polygons.

use crate::geometry::{Bounds, Point, Segment};
use crate::index::Index;

/// Lines, or the rings of one polygon.
#[derive(Debug)]
pub(crate) struct Path {
    points: Vec<Point>,
    /// The index after the last point of each part.
    ends: Vec<usize>,
    bounds: Bounds,
}

impl Default for Path {
    fn default() -> Self {
        Self { points: Vec::new(), ends: Vec::new(), bounds: Bounds::EMPTY }
    }
}

impl Path {
    /// The ring around a box.
    pub(crate) fn around(Bounds { west, south, east, north }: Bounds) -> Self {
        let corners = [(west, south), (east, south), (east, north), (west, north), (west, south)];
        let mut path = Self::default();
        for (lon, lat) in corners {
            path.add(Point::new(lon, lat));
        }
        path.end_part();
        path
    }

    pub(crate) fn clear(&mut self) {
        self.points.clear();
        self.ends.clear();
        self.bounds = Bounds::EMPTY;
    }

    /// Adds a point to the part that has not ended yet.
    pub(crate) fn add(&mut self, point: Point) {
        self.bounds.add(point);
        self.points.push(point);
    }

    pub(crate) fn end_part(&mut self) {
        self.ends.push(self.points.len());
    }

    pub(crate) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    pub(crate) fn points(&self) -> &[Point] {
        &self.points
    }

    /// The points of each line or ring. A ring ends with its first point.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &[Point]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| self.points.get(std::mem::replace(&mut start, end)..end).unwrap_or_default())
    }

    /// The segments, to be found by latitude.
    pub(crate) fn index(&self) -> Index {
        // There may be many, so they are not moved to longer and longer vectors.
        let mut segments = Vec::with_capacity(self.points.len());
        segments.extend(self.segments());
        Index::new(segments)
    }

    pub(crate) fn segments(&self) -> impl Iterator<Item = Segment> {
        self.parts().flat_map(|part| part.array_windows().map(|&[start, end]| Segment::new(start, end)))
    }
}
