//! Areas of rules: polygons in WGS84 longitudes and latitudes.

mod polygon;
mod reader;
mod rings;

use std::ops::ControlFlow;

use static_aabb2d_index::{StaticAABB2DIndex, StaticAABB2DIndexBuilder};

use super::geometry::{Location, Point};
use crate::model::Bounds;
pub(super) use polygon::Polygon;
pub use reader::AreaError;
pub use rings::AreaErrorKind;

/// Most positions of an area, the repeated last one of each ring included.
pub const MAX_AREA_VERTICES: usize = 100_000;

/// Fewer items are looked at one by one.
const MIN_INDEXED: usize = 16;

/// One or more polygons on the WGS84 ellipsoid. Borders belong to the area.
///
/// Edges are straight in longitude and latitude, as RFC 7946 says. Polygons may overlap; a position in any of them is
/// in the area. Within a polygon, the even-odd rule applies: holes are outside, and the direction of rings does not
/// matter.
#[derive(Debug)]
pub struct Area {
    bounds: Bounds,
    polygons: Vec<Polygon>,
    /// Of the bounds of `polygons`.
    index: Option<BoxIndex>,
}

impl Area {
    /// Reads a GeoJSON text (RFC 7946): a polygon, a multipolygon, a collection of them, or features with such
    /// geometries. All polygons together are the area.
    ///
    /// A polygon that crosses the antimeridian must be cut in two there, as RFC 7946 says in 3.1.9. An uncut one is
    /// taken literally: a box from 170 to -170 degrees extends across Greenwich. At most [`MAX_AREA_VERTICES`]
    /// positions.
    ///
    /// # Errors
    /// [`AreaError`] if the text is not GeoJSON, holds another kind of geometry, has a ring that is not closed or a
    /// position outside of -180 to 180 and -90 to 90 degrees, has too many positions, or has no polygon.
    pub fn from_geojson(text: &str) -> Result<Self, AreaError> {
        reader::read(text).map(Self::from_polygons)
    }

    /// Joins areas to one. The result may have more than [`MAX_AREA_VERTICES`] positions. Without areas, nothing is
    /// inside.
    #[must_use]
    pub fn union(areas: impl IntoIterator<Item = Self>) -> Self {
        Self::from_polygons(areas.into_iter().flat_map(|area| area.polygons).collect())
    }

    fn from_polygons(polygons: Vec<Polygon>) -> Self {
        let index = BoxIndex::of(polygons.iter().map(|polygon| polygon.bounds));
        let corners = polygons.iter().map(|polygon| polygon.bounds);
        let corners = corners.flat_map(|b| [Point::new(b.xmin, b.ymin), Point::new(b.xmax, b.ymax)]);
        Self { bounds: Bounds::around(corners), polygons, index }
    }

    /// Returns the box around the area. Degrees.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Whether a WGS84 position is in the area or on its border. Degrees.
    ///
    /// The longitudes 180 and -180 are the same. A position outside of -180 to 180 and -90 to 90 degrees is outside.
    #[must_use]
    pub fn contains(&self, lon: f64, lat: f64) -> bool {
        let holds = |lon: f64| self.holds(Point::new(lon, lat));
        // The antimeridian has two names.
        holds(lon) || (lon.abs() >= 180.0 && holds(-lon))
    }

    fn holds(&self, point: Point) -> bool {
        let at = Bounds::around([point]);
        let found = self.visit_polygons(&at, |polygon| {
            if polygon.locate(point) == Location::Outside { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        found.is_break()
    }

    pub(super) fn polygons(&self) -> &[Polygon] {
        &self.polygons
    }

    /// Calls `visit` for the polygons whose bounds touch a box, until it breaks.
    pub(super) fn visit_polygons(
        &self,
        near: &Bounds,
        mut visit: impl FnMut(&Polygon) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if !self.bounds.touches(near) {
            return ControlFlow::Continue(());
        }
        match &self.index {
            Some(index) => index.visit(near, |at| self.polygons.get(at).map_or(ControlFlow::Continue(()), &mut visit)),
            None => self.polygons.iter().filter(|polygon| polygon.bounds.touches(near)).try_for_each(visit),
        }
    }
}

/// Finds the boxes that touch another one: a packed Hilbert R-tree (crate `static_aabb2d_index`).
#[derive(Debug)]
struct BoxIndex(StaticAABB2DIndex<f64>);

impl BoxIndex {
    /// `None` if there are so few boxes that an index gains nothing.
    fn of(boxes: impl ExactSizeIterator<Item = Bounds>) -> Option<Self> {
        if boxes.len() < MIN_INDEXED {
            return None;
        }
        let mut builder = StaticAABB2DIndexBuilder::new(boxes.len());
        for item in boxes {
            builder.add(item.xmin, item.ymin, item.xmax, item.ymax);
        }
        // Fails only if fewer items were added than announced.
        builder.build().ok().map(Self)
    }

    /// Calls `visit` with the numbers of the boxes that touch another one, until it breaks.
    fn visit(&self, near: &Bounds, mut visit: impl FnMut(usize) -> ControlFlow<()>) -> ControlFlow<()> {
        let mut visit = |at: usize| match visit(at) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(()),
        };
        let visited: Result<(), ()> = self.0.visit_query(near.xmin, near.ymin, near.xmax, near.ymax, &mut visit);
        if visited.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

#[cfg(test)]
mod tests;
