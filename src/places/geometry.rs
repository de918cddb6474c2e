//! Points, segments, and exact predicates about them.
//!
//! The predicates are exact for all finite coordinates (Shewchuk's adaptive arithmetic, crate `robust`): a point on a
//! slanted border is on it or it is not, without a tolerance.

use robust::{Coord, orient2d};

/// A point in the plane: in an area, `x` is a longitude and `y` a latitude. Degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

impl Point {
    pub(super) const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }
}

impl From<Point> for [f64; 2] {
    fn from(Point { x, y }: Point) -> Self {
        [x, y]
    }
}

/// A straight line between two points.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) from: Point,
    pub(super) to: Point,
}

/// Where a point is, seen from a ring or a polygon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Location {
    Inside,
    Border,
    Outside,
}

impl Segment {
    /// Whether the point is on the segment, its ends included.
    pub(super) fn holds(&self, point: Point) -> bool {
        let (west, east) = ordered(self.from.x, self.to.x);
        let (south, north) = ordered(self.from.y, self.to.y);
        let in_box = west <= point.x && point.x <= east && south <= point.y && point.y <= north;
        in_box && side(self.from, self.to, point) == 0.0
    }

    /// Whether a ray from the point to the east crosses the segment. Counts the lower end of the segment, not the upper
    /// one, so that a ray through a vertex is counted once.
    pub(super) fn is_east_of(&self, point: Point) -> bool {
        if (self.from.y > point.y) == (self.to.y > point.y) {
            return false;
        }
        let (low, high) = if self.from.y < self.to.y { (self.from, self.to) } else { (self.to, self.from) };
        side(low, high, point) > 0.0
    }

    /// Whether the two segments cross at a point that is an end of neither. Segments that touch or overlap do not
    /// cross.
    pub(super) fn crosses(&self, other: &Self) -> bool {
        let differ = |one: f64, two: f64| (one > 0.0 && two < 0.0) || (one < 0.0 && two > 0.0);
        differ(side(self.from, self.to, other.from), side(self.from, self.to, other.to))
            && differ(side(other.from, other.to, self.from), side(other.from, other.to, self.to))
    }
}

/// Finds where a point is by the even-odd rule: a ray that crosses the segments an odd number of times began inside.
pub(super) fn locate<'s>(point: Point, segments: impl IntoIterator<Item = &'s Segment>) -> Location {
    let mut location = Location::Outside;
    for segment in segments {
        if segment.holds(point) {
            return Location::Border;
        }
        if segment.is_east_of(point) {
            location = if location == Location::Outside { Location::Inside } else { Location::Outside };
        }
    }
    location
}

/// The segments of a closed ring. The first point may or may not be repeated at the end.
pub(super) fn ring_segments(points: &[Point]) -> impl Iterator<Item = Segment> {
    let closing = points.first().zip(points.last()).map(|(first, last)| Segment { from: *last, to: *first });
    let along = points.iter().zip(points.iter().skip(1)).map(|(from, to)| Segment { from: *from, to: *to });
    along.chain(closing).filter(|segment| segment.from != segment.to)
}

pub(super) fn ordered(one: f64, two: f64) -> (f64, f64) {
    if one <= two { (one, two) } else { (two, one) }
}

/// Positive when `point` is to the left of the line, negative to the right, zero on it.
fn side(from: Point, to: Point, point: Point) -> f64 {
    let coord = |point: Point| Coord { x: point.x, y: point.y };
    orient2d(coord(from), coord(to), coord(point))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(from: (f64, f64), to: (f64, f64)) -> Segment {
        Segment { from: Point::new(from.0, from.1), to: Point::new(to.0, to.1) }
    }

    #[test]
    fn a_point_on_a_slanted_segment_is_recognised_exactly() {
        let slanted = segment((0.0, 0.0), (3.0, 1.0));
        assert!(slanted.holds(Point::new(1.5, 0.5)) && slanted.holds(Point::new(3.0, 1.0)));
        assert!(!slanted.holds(Point::new(1.5, 0.5_f64.next_up())) && !slanted.holds(Point::new(4.5, 1.5)));
    }

    #[test]
    fn segments_that_touch_do_not_cross() {
        let flat = segment((0.0, 0.0), (2.0, 0.0));
        assert!(flat.crosses(&segment((1.0, -1.0), (1.0, 1.0))));
        for touching in [
            segment((1.0, 0.0), (1.0, 1.0)),
            segment((0.0, 0.0), (0.0, 1.0)),
            segment((1.0, 0.0), (3.0, 0.0)),
            segment((3.0, -1.0), (3.0, 1.0)),
        ] {
            assert!(!flat.crosses(&touching), "{touching:?}");
        }
    }

    #[test]
    fn a_ray_through_a_vertex_is_counted_once() {
        let diamond: Vec<_> = [(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)].map(|(x, y)| Point::new(x, y)).into();
        let sides: Vec<_> = ring_segments(&diamond).collect();
        let located = |x: f64, y: f64| locate(Point::new(x, y), &sides);
        assert_eq!(located(0.0, 0.0), Location::Inside);
        assert_eq!(located(-2.0, 0.0), Location::Outside);
        assert_eq!(located(-2.0, 1.0), Location::Outside);
        assert_eq!(located(0.5, 0.5), Location::Border);
    }
}
