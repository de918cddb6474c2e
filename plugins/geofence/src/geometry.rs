//! Points, boxes and line segments, in degrees. Longitudes may be on any turn of the Earth.

/// Points that are this close count as the same, since coordinates that were computed are not exact: 0.1 mm. Degrees.
pub(crate) const TOLERANCE: f64 = 1e-9;

/// A longitude and a latitude, or the difference of two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) lon: f64,
    pub(crate) lat: f64,
}

impl Point {
    pub(crate) fn new(lon: f64, lat: f64) -> Self {
        Self { lon, lat }
    }

    /// The point after this many degrees to the east.
    pub(crate) fn turned(self, degrees: f64) -> Self {
        Self { lon: self.lon + degrees, ..self }
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self::new(self.lon - other.lon, self.lat - other.lat)
    }

    /// This point plus `times` another.
    pub(crate) fn plus(self, times: f64, other: Self) -> Self {
        Self::new(self.lon + times * other.lon, self.lat + times * other.lat)
    }

    pub(crate) fn cross(self, other: Self) -> f64 {
        self.lon * other.lat - self.lat * other.lon
    }

    fn dot(self, other: Self) -> f64 {
        self.lon * other.lon + self.lat * other.lat
    }

    pub(crate) fn length(self) -> f64 {
        self.dot(self).sqrt()
    }
}

/// A box. Its border belongs to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) west: f64,
    pub(crate) south: f64,
    pub(crate) east: f64,
    pub(crate) north: f64,
}

impl Bounds {
    /// Around nothing.
    pub(crate) const EMPTY: Self =
        Self { west: f64::INFINITY, south: f64::INFINITY, east: f64::NEG_INFINITY, north: f64::NEG_INFINITY };

    pub(crate) fn at(Point { lon, lat }: Point) -> Self {
        Self { west: lon, south: lat, east: lon, north: lat }
    }

    pub(crate) fn add(&mut self, Point { lon, lat }: Point) {
        // Without the treatment of NaN in `f64::min`, a function call in WebAssembly.
        let (min, max) = (|a, b| if b < a { b } else { a }, |a, b| if b > a { b } else { a });
        (self.west, self.east) = (min(self.west, lon), max(self.east, lon));
        (self.south, self.north) = (min(self.south, lat), max(self.north, lat));
    }

    pub(crate) fn touches(&self, other: &Self) -> bool {
        self.west <= other.east + TOLERANCE
            && other.west <= self.east + TOLERANCE
            && self.south <= other.north + TOLERANCE
            && other.south <= self.north + TOLERANCE
    }

    /// The degrees by which a shape must be turned to the east to touch this box: multiples of 360.
    pub(crate) fn turns_of(&self, shape: &Self) -> impl Iterator<Item = f64> + use<> {
        let is_near = shape.south <= self.north + TOLERANCE && self.south <= shape.north + TOLERANCE;
        let first = ((self.west - TOLERANCE - shape.east) / 360.0).ceil();
        let last = ((self.east + TOLERANCE - shape.west) / 360.0).floor();
        let next = |turn: &f64| Some(turn + 1.0);
        std::iter::successors(is_near.then_some(first), next)
            .take_while(move |turn| *turn <= last)
            .map(|turn| turn * 360.0)
    }
}

/// A straight line between two points.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub(crate) start: Point,
    pub(crate) end: Point,
    bounds: Bounds,
}

impl Segment {
    pub(crate) fn new(start: Point, end: Point) -> Self {
        let mut bounds = Bounds::at(start);
        bounds.add(end);
        Self { start, end, bounds }
    }

    pub(crate) fn turned(&self, degrees: f64) -> Self {
        Self::new(self.start.turned(degrees), self.end.turned(degrees))
    }

    pub(crate) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    pub(crate) fn direction(&self) -> Point {
        self.end.minus(self.start)
    }

    /// Whether a point is on the segment, within the tolerance.
    pub(crate) fn holds(&self, point: Point) -> bool {
        self.bounds.touches(&Bounds::at(point)) && {
            let nearest = self.start.plus(self.part_of(point), self.direction());
            point.minus(nearest).length() <= TOLERANCE
        }
    }

    /// The part of the segment, from 0 to 1, at the end of which it is nearest to a point.
    fn part_of(&self, point: Point) -> f64 {
        let direction = self.direction();
        let square = direction.dot(direction);
        if square > 0.0 { (point.minus(self.start).dot(direction) / square).clamp(0.0, 1.0) } else { 0.0 }
    }

    /// Whether the segments have a point in common, within the tolerance.
    pub(crate) fn touches(&self, other: &Self) -> bool {
        self.bounds.touches(&other.bounds)
            && ((self.has_on_both_sides(other) && other.has_on_both_sides(self))
                || self.holds(other.start)
                || self.holds(other.end)
                || other.holds(self.start)
                || other.holds(self.end))
    }

    /// Whether the ends of another segment are on different sides of the line through this one.
    fn has_on_both_sides(&self, other: &Self) -> bool {
        let side = |point: Point| self.direction().cross(point.minus(self.start));
        let (start, end) = (side(other.start), side(other.end));
        (start < 0.0 && end > 0.0) || (start > 0.0 && end < 0.0)
    }

    /// Adds the parts, from 0 to 1, at which another segment crosses this one, begins on it or ends on it.
    pub(crate) fn add_cuts(&self, other: &Self, cuts: &mut Vec<f64>) {
        if !self.bounds.touches(&other.bounds) {
            return;
        }
        if self.has_on_both_sides(other) && other.has_on_both_sides(self) {
            let (own, its) = (self.direction(), other.direction());
            cuts.push(other.start.minus(self.start).cross(its) / own.cross(its));
        }
        cuts.extend([other.start, other.end].into_iter().filter(|end| self.holds(*end)).map(|end| self.part_of(end)));
    }

    /// The pieces of the segment between cuts, except those that are too short to matter. Sorts the cuts.
    pub(crate) fn pieces(&self, cuts: &mut [f64]) -> impl Iterator<Item = Self> {
        cuts.sort_by(f64::total_cmp);
        let at = |part: f64| self.start.plus(part, self.direction());
        let mut from = self.start;
        let ends = cuts.iter().map(move |&part| at(part)).chain([self.end]);
        let pieces = ends.map(move |to| Self::new(std::mem::replace(&mut from, to), to));
        pieces.filter(|piece| piece.direction().length() > TOLERANCE)
    }

    pub(crate) fn middle(&self) -> Point {
        self.start.plus(0.5, self.direction())
    }
}

/// Whether a point is inside of rings, by the even-odd rule. Says nothing about points on their border.
pub(crate) fn is_inside(point: Point, rings: impl Iterator<Item = Segment>) -> bool {
    let mut is_inside = false;
    for Segment { start, end, .. } in rings {
        if (start.lat > point.lat) != (end.lat > point.lat) {
            let part = (point.lat - start.lat) / (end.lat - start.lat);
            is_inside ^= point.lon < start.lon + part * (end.lon - start.lon);
        }
    }
    is_inside
}
