//! How shapes relate to areas.

use std::ops::ControlFlow;

use super::area::{Area, Polygon};
use super::geojson::{GeojsonError, for_each_position};
use super::geometry::{Location, locate};
use super::outline::{Outline, Ring, is_in_extent, outline};
use super::shape::{Rectangle, Shape};
use super::system::System;

/// How a shape relates to an area. The border of an area belongs to it.
///
/// A shape *touches* an area if it is [`Self::Inside`] or [`Self::Crosses`] it. It is *within* the area only if it is
/// [`Self::Inside`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The position is in the area; the extent is within one polygon of the area; every position of the layer is in the
    /// area.
    Inside,
    /// The position is not in the area; the extent has no point in common with the area; no position of the layer is in
    /// the area.
    Outside,
    /// Part of it is in the area.
    Crosses,
}

/// Why a shape cannot be compared with an area.
#[derive(Debug, thiserror::Error)]
pub enum RelationError {
    /// No longitude and latitude can be computed for it.
    #[error("the shape is not at a place on Earth that can be computed")]
    NotComputable,
    /// The layer is not GeoJSON.
    #[error("the layer cannot be read")]
    Geojson(#[from] GeojsonError),
}

impl Area {
    /// Compares a shape with the area.
    ///
    /// Of an **extent**, the sides are compared: straight lines in its own coordinate system, as 32 pieces each that
    /// are straight in degrees. At 45° of latitude, these deviate by 20 m from a side of 1000 km. An extent across the
    /// border between two polygons of the area is [`Relation::Crosses`], even if both polygons together include it,
    /// unless that border is the antimeridian. An extent of which parts are not on Earth is compared by a grid of 33
    /// by 33 points and by one point of each polygon, and is never [`Relation::Inside`]. Takes 0.1 to 0.2 ms.
    ///
    /// Of a **layer**, only positions are compared, not the lines between them: a polygon around the area without a
    /// vertex in it is [`Relation::Outside`]. A position that cannot be computed counts as outside. A layer without
    /// positions is [`Relation::Outside`]. Reading ends as soon as the answer is known. Takes 1 to 2 µs a position: up
    /// to 2 s for a text of 16 MiB that is little but positions.
    ///
    /// # Errors
    /// [`RelationError::NotComputable`] if nothing of a position or an extent can be computed;
    /// [`RelationError::Geojson`] if a layer is malformed, unless the answer was known before that place.
    pub fn relation(&self, shape: &Shape<'_>) -> Result<Relation, RelationError> {
        match *shape {
            Shape::Position { system, x, y } => {
                let (lon, lat) = system.to_lon_lat(x, y).ok_or(RelationError::NotComputable)?;
                Ok(if self.contains(lon, lat) { Relation::Inside } else { Relation::Outside })
            }
            Shape::Extent { system, extent } => {
                let outline = outline(system, &extent).ok_or(RelationError::NotComputable)?;
                Ok(match outline {
                    Outline::Rings(rings) => of_parts(rings.iter().map(|ring| of_ring(self, ring))),
                    Outline::Scattered(points) => {
                        let is_touched = points.iter().any(|point| self.contains(point.x, point.y))
                            || has_polygon_in(self, system, &extent);
                        if is_touched { Relation::Crosses } else { Relation::Outside }
                    }
                })
            }
            Shape::Layer { system, geojson } => of_layer(self, system, geojson),
        }
    }
}

fn of_parts(parts: impl IntoIterator<Item = Relation>) -> Relation {
    let all = parts.into_iter().reduce(|all, part| if all == part { all } else { Relation::Crosses });
    all.unwrap_or(Relation::Outside)
}

fn of_layer(area: &Area, system: &System, geojson: &str) -> Result<Relation, RelationError> {
    let mut relation = None;
    for_each_position(geojson, |x, y| {
        let is_inside = system.to_lon_lat(x, y).is_some_and(|(lon, lat)| area.contains(lon, lat));
        let part = if is_inside { Relation::Inside } else { Relation::Outside };
        if *relation.get_or_insert(part) == part {
            return ControlFlow::Continue(());
        }
        relation = Some(Relation::Crosses);
        ControlFlow::Break(())
    })?;
    Ok(relation.unwrap_or(Relation::Outside))
}

fn of_ring(area: &Area, ring: &Ring) -> Relation {
    let mut relation = Relation::Outside;
    let _ended = area.visit_polygons(&ring.bounds, |polygon| {
        // A polygon that cannot include the ring tells nothing new once the ring is known to touch the area.
        if relation == Relation::Crosses && !polygon.bounds.includes(&ring.bounds) {
            return ControlFlow::Continue(());
        }
        match of_ring_and_polygon(polygon, ring) {
            Relation::Outside => ControlFlow::Continue(()),
            Relation::Crosses => {
                relation = Relation::Crosses;
                ControlFlow::Continue(())
            }
            Relation::Inside => {
                relation = Relation::Inside;
                ControlFlow::Break(())
            }
        }
    });
    relation
}

fn of_ring_and_polygon(polygon: &Polygon, ring: &Ring) -> Relation {
    let (mut is_inside, mut is_outside) = (false, false);
    for point in &ring.points {
        let location = polygon.locate(*point);
        is_inside |= location != Location::Outside;
        is_outside |= location == Location::Outside;
        if is_inside && is_outside {
            return Relation::Crosses;
        }
    }
    if ring.segments.iter().any(|segment| polygon.is_crossed_by(segment)) {
        return Relation::Crosses;
    }
    // The outlines do not cross. A hole, or the whole polygon, may still be within the extent.
    let is_around = polygon.has_vertex(&ring.bounds, |vertex| match locate(vertex, &ring.segments) {
        Location::Inside => true,
        Location::Border => is_outside,
        Location::Outside => false,
    });
    match (is_around, is_inside) {
        (true, _) => Relation::Crosses,
        (false, true) => Relation::Inside,
        (false, false) => Relation::Outside,
    }
}

/// Whether the first vertex of any polygon is within an extent.
fn has_polygon_in(area: &Area, system: &System, extent: &Rectangle) -> bool {
    let vertices = area.polygons().iter().filter_map(Polygon::first_vertex);
    vertices.into_iter().any(|vertex| is_in_extent(system, extent, vertex))
}

#[cfg(test)]
mod tests;
