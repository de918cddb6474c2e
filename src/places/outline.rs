//! The outline of an extent in WGS84 longitudes and latitudes.

use super::geometry::{Point, Segment, ordered, ring_segments};
use super::shape::Rectangle;
use super::system::{System, wrap};
use crate::model::Bounds;

/// Points along each side of a projected extent. Between two of them, lines that are straight in degrees deviate from
/// the side: at 45° of latitude by 20 m if the side is 1000 km long, and by 2 km if it is 10 000 km long.
const POINTS_PER_SIDE: u16 = 32;
/// Points along each side of the grid that stands for an extent of which parts are not on Earth.
const SCATTERED_PER_SIDE: u16 = 33;

/// Where an extent is.
#[derive(Debug)]
pub(super) enum Outline {
    /// Within the rings: two if it extends across the antimeridian.
    Rings(Vec<Ring>),
    /// Parts of it are not on Earth, as when a map is zoomed out beyond the domain of its projection. These points are
    /// within it. For others, ask [`is_in_extent`].
    Scattered(Vec<Point>),
}

/// A closed ring, within -180 to 180 degrees. It may be a line or a point.
#[derive(Debug)]
pub(super) struct Ring {
    pub(super) bounds: Bounds,
    pub(super) points: Vec<Point>,
    pub(super) segments: Vec<Segment>,
}

impl Ring {
    fn new(points: Vec<Point>) -> Self {
        Self { bounds: Bounds::around(points.iter().copied()), segments: ring_segments(&points).collect(), points }
    }
}

/// Returns the outline of an extent, or `None` if no point of it can be computed.
pub(super) fn outline(system: &System, extent: &Rectangle) -> Option<Outline> {
    if [extent.xmin, extent.xmax, extent.ymin, extent.ymax].iter().any(|bound| !bound.is_finite()) {
        return None;
    }
    if system.is_geographic() {
        return geographic(system, extent).map(|ring| Outline::Rings(cut(&ring)));
    }
    if let Some(ring) = projected(system, extent) {
        return Some(Outline::Rings(cut(&ring)));
    }
    let grid = (0..SCATTERED_PER_SIDE).flat_map(|x| (0..SCATTERED_PER_SIDE).map(move |y| (x, y)));
    let points: Vec<_> = grid
        .filter_map(|(x, y)| {
            let part = |step: u16| f64::from(step) / f64::from(SCATTERED_PER_SIDE - 1);
            to_point(system, between(extent.xmin, extent.xmax, part(x)), between(extent.ymin, extent.ymax, part(y)))
        })
        .collect();
    (!points.is_empty()).then_some(Outline::Scattered(points))
}

/// Whether a WGS84 position is within an extent of a projected system.
pub(super) fn is_in_extent(system: &System, extent: &Rectangle, point: Point) -> bool {
    let corners = [Point::new(extent.xmin, extent.ymin), Point::new(extent.xmax, extent.ymax)];
    let projected = system.from_lon_lat(point.x, point.y);
    projected.is_some_and(|(x, y)| Bounds::around(corners).holds(Point::new(x, y)))
}

/// The corners of an extent in degrees. Longitudes may be beyond 180.
fn geographic(system: &System, extent: &Rectangle) -> Option<Vec<Point>> {
    let (south, north) = ordered(extent.ymin, extent.ymax);
    if south > 90.0 || north < -90.0 {
        return None;
    }
    // Maps that are zoomed out extend beyond the poles and around the Earth.
    let (south, north) = (south.max(-90.0), north.min(90.0));
    let width = extent.xmax - extent.xmin;
    let (west, width) = match width {
        360.0.. => (-180.0, 360.0),
        0.0.. => (wrap(extent.xmin), width),
        _ => (wrap(extent.xmin), width.rem_euclid(360.0)),
    };
    let corners = [(west, south), (west + width, south), (west + width, north), (west, north)];
    corners.into_iter().map(|(lon, lat)| shifted(system, lon, lat)).collect()
}

/// Shifts a position to WGS84, and leaves its longitude on its turn of the Earth.
fn shifted(system: &System, lon: f64, lat: f64) -> Option<Point> {
    let (wgs84_lon, wgs84_lat) = system.to_lon_lat(wrap(lon), lat)?;
    Some(Point::new(lon + wrap(wgs84_lon - wrap(lon)), wgs84_lat))
}

/// The outline of an extent in projected coordinates, unrolled: the longitudes of neighbours differ by at most half a
/// turn, and may be on any turn of the Earth. `None` if a part cannot be computed.
fn projected(system: &System, extent: &Rectangle) -> Option<Vec<Point>> {
    let Rectangle { xmin, xmax, ymin, ymax } = *extent;
    let corners = [(xmin, ymin), (xmax, ymin), (xmax, ymax), (xmin, ymax), (xmin, ymin)];
    let sides = corners.iter().zip(corners.iter().skip(1));
    let around = sides.flat_map(|(from, to)| {
        (0..POINTS_PER_SIDE).map(|step| {
            let part = f64::from(step) / f64::from(POINTS_PER_SIDE);
            (between(from.0, to.0, part), between(from.1, to.1, part))
        })
    });
    let mut ring: Vec<Point> = Vec::new();
    for (x, y) in around {
        let point = to_point(system, x, y)?;
        let lon = ring.last().map_or(point.x, |last| last.x + wrap(point.x - wrap(last.x)));
        ring.push(Point::new(lon, point.y));
    }
    let (first, last) = (*ring.first()?, *ring.last()?);
    let end = last.x + wrap(first.x - wrap(last.x));
    if (end - first.x).abs() < 180.0 {
        return Some(ring);
    }
    // It runs around the Earth, and so around a pole.
    let pole = [90.0, -90.0].into_iter().find(|pole| is_in_extent(system, extent, Point::new(0.0, *pole)))?;
    ring.extend([Point::new(end, first.y), Point::new(end, pole), Point::new(first.x, pole)]);
    Some(ring)
}

/// Cuts an unrolled ring at the antimeridian, and moves each piece to -180 to 180 degrees. Pieces may overlap.
fn cut(ring: &[Point]) -> Vec<Ring> {
    let bounds = Bounds::around(ring.iter().copied());
    let first_turn = ((bounds.xmin + 180.0) / 360.0).floor();
    let last_turn = (((bounds.xmax + 180.0) / 360.0).ceil() - 1.0).max(first_turn);
    let turns = std::iter::successors(Some(first_turn), |turn| Some(turn + 1.0));
    turns
        .take_while(|turn| *turn <= last_turn)
        .map(|turn| {
            let moved: Vec<_> = ring.iter().map(|point| Point::new(point.x - turn * 360.0, point.y)).collect();
            clip(&clip(&moved, -180.0, |point| point.x >= -180.0), 180.0, |point| point.x <= 180.0)
        })
        .filter(|piece| !piece.is_empty())
        .map(Ring::new)
        .collect()
}

/// Keeps the part of a ring on one side of a meridian: the algorithm of Sutherland and Hodgman. Parts may be joined by
/// lines along the meridian.
fn clip(ring: &[Point], meridian: f64, is_kept: impl Fn(&Point) -> bool) -> Vec<Point> {
    let mut kept = Vec::with_capacity(ring.len() + 2);
    let Some(mut previous) = ring.last() else { return kept };
    for point in ring {
        if is_kept(point) != is_kept(previous) {
            let part = (meridian - previous.x) / (point.x - previous.x);
            kept.push(Point::new(meridian, between(previous.y, point.y, part)));
        }
        if is_kept(point) {
            kept.push(*point);
        }
        previous = point;
    }
    kept
}

fn to_point(system: &System, x: f64, y: f64) -> Option<Point> {
    system.to_lon_lat(x, y).map(|(lon, lat)| Point::new(lon, lat))
}

fn between(from: f64, to: f64, part: f64) -> f64 {
    from + (to - from) * part
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rings(authid: &str, [xmin, ymin, xmax, ymax]: [f64; 4]) -> Vec<Bounds> {
        let system = System::resolve(authid, "").unwrap();
        match outline(&system, &Rectangle { xmin, xmax, ymin, ymax }) {
            Some(Outline::Rings(rings)) => rings.iter().map(|ring| ring.bounds).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn boxed(xmin: f64, ymin: f64, xmax: f64, ymax: f64) -> Bounds {
        Bounds { xmin, ymin, xmax, ymax }
    }

    #[test]
    fn a_geographic_extent_across_the_antimeridian_has_two_rings() {
        let halves = [boxed(170.0, -20.0, 180.0, 10.0), boxed(-180.0, -20.0, -160.0, 10.0)];
        assert_eq!(rings("EPSG:4326", [170.0, -20.0, -160.0, 10.0]), halves);
        assert_eq!(rings("EPSG:4326", [170.0, 10.0, 200.0, -20.0]), halves);
        assert_eq!(rings("EPSG:4326", [-190.0, 10.0, -160.0, -20.0]), halves);
    }

    #[test]
    fn an_extent_beyond_the_whole_earth_is_the_whole_earth() {
        assert_eq!(rings("EPSG:4326", [-250.0, -120.0, 250.0, 120.0]), [boxed(-180.0, -90.0, 180.0, 90.0)]);
    }

    #[test]
    fn the_sides_of_a_projected_extent_are_bent() {
        // Lambert's conic: the middle of the northern side is farther north than its ends.
        let [bent] = rings("EPSG:2154", [100_000.0, 6_000_000.0, 1_300_000.0, 7_000_000.0])[..] else { panic!() };
        let system = System::resolve("EPSG:2154", "").unwrap();
        let (_, corner) = system.to_lon_lat(100_000.0, 7_000_000.0).unwrap();
        assert!(bent.ymax > corner + 0.2, "{bent:?}");
    }

    #[test]
    fn a_projected_extent_around_a_pole_reaches_the_pole() {
        let around = rings("EPSG:3031", [-2e6, -2e6, 2e6, 2e6]);
        let west = around.iter().map(|ring| ring.xmin).fold(f64::INFINITY, f64::min);
        let east = around.iter().map(|ring| ring.xmax).fold(f64::NEG_INFINITY, f64::max);
        assert_eq!((west, east), (-180.0, 180.0));
        assert!(around.iter().all(|ring| ring.ymin <= -90.0), "{around:?}");
    }

    #[test]
    fn a_projected_extent_across_the_antimeridian_has_two_rings() {
        let [west, east] = rings("EPSG:3832", [3_000_000.0, -1e6, 4_000_000.0, 1e6])[..] else { panic!() };
        assert_eq!((west.xmax, east.xmin), (180.0, -180.0));
        assert!(east.xmax < -160.0, "{east:?}");
    }

    #[test]
    fn a_point_and_a_line_are_extents() {
        assert_eq!(rings("EPSG:4326", [2.0, 49.0, 2.0, 49.0]), [boxed(2.0, 49.0, 2.0, 49.0)]);
        assert_eq!(rings("EPSG:4326", [2.0, 49.0, 3.0, 49.0]), [boxed(2.0, 49.0, 3.0, 49.0)]);
    }

    #[test]
    fn an_extent_beyond_the_domain_of_its_projection_is_scattered() {
        let system = System::resolve("EPSG:3035", "").unwrap();
        let extent = Rectangle { xmin: -5e7, xmax: 5e7, ymin: -5e7, ymax: 5e7 };
        assert!(matches!(outline(&system, &extent), Some(Outline::Scattered(_))));
    }

    #[test]
    fn an_extent_that_is_nowhere_has_no_outline() {
        let wgs84 = System::resolve("EPSG:4326", "").unwrap();
        for (ymin, ymax) in [(91.0, 95.0), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
            assert!(outline(&wgs84, &Rectangle { xmin: 0.0, xmax: 1.0, ymin, ymax }).is_none());
        }
    }
}
