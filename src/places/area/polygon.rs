//! One polygon: a ring and its holes.

use std::ops::ControlFlow;

use super::BoxIndex;
use crate::model::Bounds;
use crate::places::geometry::{Location, Point, Segment, locate, ring_segments};

/// A polygon, its border included.
#[derive(Debug)]
pub(in crate::places) struct Polygon {
    pub(in crate::places) bounds: Bounds,
    /// The edges of all rings, ring by ring.
    edges: Vec<Segment>,
    /// Of the bounds of `edges`.
    index: Option<BoxIndex>,
}

impl Polygon {
    pub(super) fn new(rings: &[Vec<Point>]) -> Self {
        let edges: Vec<_> = rings.iter().flat_map(|ring| ring_segments(ring)).collect();
        Self {
            bounds: Bounds::around(rings.iter().flatten().copied()),
            index: BoxIndex::of(edges.iter().map(|edge| Bounds::around([edge.from, edge.to]))),
            edges,
        }
    }

    pub(in crate::places) fn first_vertex(&self) -> Option<Point> {
        self.edges.first().map(|edge| edge.from)
    }

    pub(in crate::places) fn locate(&self, point: Point) -> Location {
        if !self.bounds.holds(point) {
            return Location::Outside;
        }
        let Some(index) = &self.index else { return locate(point, &self.edges) };
        // Only edges on the ray to the east matter.
        let ray = Bounds { xmin: point.x, xmax: self.bounds.xmax, ymin: point.y, ymax: point.y };
        let (mut is_inside, mut is_on_border) = (false, false);
        let _ended = index.visit(&ray, |at| {
            let Some(edge) = self.edges.get(at) else { return ControlFlow::Continue(()) };
            if edge.holds(point) {
                is_on_border = true;
                return ControlFlow::Break(());
            }
            is_inside ^= edge.is_east_of(point);
            ControlFlow::Continue(())
        });
        match (is_on_border, is_inside) {
            (true, _) => Location::Border,
            (false, true) => Location::Inside,
            (false, false) => Location::Outside,
        }
    }

    /// Whether any edge crosses the segment, at a point that is an end of neither.
    pub(in crate::places) fn is_crossed_by(&self, segment: &Segment) -> bool {
        let near = Bounds::around([segment.from, segment.to]);
        if !self.bounds.touches(&near) {
            return false;
        }
        let Some(index) = &self.index else { return self.edges.iter().any(|edge| edge.crosses(segment)) };
        let found = index.visit(&near, |at| match self.edges.get(at) {
            Some(edge) if edge.crosses(segment) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        found.is_break()
    }

    /// Whether a vertex near a box passes a test.
    pub(in crate::places) fn has_vertex(&self, near: &Bounds, mut passes: impl FnMut(Point) -> bool) -> bool {
        let mut is_found = |edge: &Segment| near.holds(edge.from) && passes(edge.from);
        let Some(index) = &self.index else { return self.edges.iter().any(is_found) };
        let found = index.visit(near, |at| match self.edges.get(at) {
            Some(edge) if is_found(edge) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        found.is_break()
    }
}

#[cfg(test)]
impl Polygon {
    pub(super) fn forget_index(&mut self) {
        self.index = None;
    }
}
