//! From coordinates, as GeoJSON nests them, to polygons.

use super::polygon::Polygon;
use crate::places::geometry::Point;

/// The value of a member `coordinates`.
#[derive(Debug)]
pub(super) enum Coordinates {
    Position(Point),
    List(Vec<Coordinates>),
}

/// Why a GeoJSON text is not an area.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AreaErrorKind {
    /// The text has too many positions.
    #[error("has more than {limit} positions, the limit of an area")]
    TooManyPositions {
        /// The limit: [`MAX_AREA_VERTICES`](super::MAX_AREA_VERTICES).
        limit: usize,
    },
    /// A position is not on Earth, which usually means that it is in another coordinate system.
    #[error("{lon}, {lat} is not a longitude of -180 to 180 and a latitude of -90 to 90; areas are in WGS84 degrees")]
    NotOnEarth {
        /// The first number of the position.
        lon: f64,
        /// The second number of the position.
        lat: f64,
    },
    /// A ring has too few positions.
    #[error("a ring has {positions} positions; it needs 4, of which the last repeats the first")]
    ShortRing {
        /// How many positions it has.
        positions: usize,
    },
    /// A ring does not end where it begins.
    #[error("a ring ends at {}, {}, not at its first position {}, {}", end.0, end.1, start.0, start.1)]
    OpenRing {
        /// Its first position: longitude and latitude.
        start: (f64, f64),
        /// Its last position: longitude and latitude.
        end: (f64, f64),
    },
    /// The coordinates are nested otherwise than the type of the geometry asks.
    #[error("the coordinates are not those of a {geometry}")]
    Nesting {
        /// `Polygon` or `MultiPolygon`.
        geometry: &'static str,
    },
    /// An object is of a type that is not an area.
    #[error("has the type `{found}`; an area is of polygons, multipolygons, and collections of them")]
    NotAnArea {
        /// The type, at most 40 characters of it.
        found: String,
    },
    /// An object has no type, or none of the members that its type asks for.
    #[error("an object has no `{member}`")]
    Missing {
        /// The name of the member.
        member: &'static str,
    },
    /// The text has no polygon.
    #[error("has no polygon")]
    Empty,
}

impl Coordinates {
    pub(super) fn into_polygon(self) -> Result<Polygon, AreaErrorKind> {
        self.polygon("Polygon")
    }

    pub(super) fn into_polygons(self) -> Result<Vec<Polygon>, AreaErrorKind> {
        let nesting = AreaErrorKind::Nesting { geometry: "MultiPolygon" };
        let Self::List(polygons) = self else { return Err(nesting) };
        polygons.into_iter().map(|polygon| polygon.polygon("MultiPolygon")).collect()
    }

    fn polygon(self, geometry: &'static str) -> Result<Polygon, AreaErrorKind> {
        let nesting = || AreaErrorKind::Nesting { geometry };
        let Self::List(rings) = self else { return Err(nesting()) };
        if rings.is_empty() {
            return Err(nesting());
        }
        let rings: Result<Vec<_>, _> = rings.into_iter().map(|ring| ring.ring(geometry)).collect();
        Ok(Polygon::new(&rings?))
    }

    fn ring(self, geometry: &'static str) -> Result<Vec<Point>, AreaErrorKind> {
        let nesting = || AreaErrorKind::Nesting { geometry };
        let Self::List(positions) = self else { return Err(nesting()) };
        let points = positions.into_iter().map(|position| match position {
            Self::Position(point) => Ok(point),
            Self::List(_) => Err(nesting()),
        });
        let points = points.collect::<Result<Vec<_>, _>>()?;
        let (Some(start), Some(end), 4..) = (points.first(), points.last(), points.len()) else {
            return Err(AreaErrorKind::ShortRing { positions: points.len() });
        };
        if start != end {
            return Err(AreaErrorKind::OpenRing { start: (start.x, start.y), end: (end.x, end.y) });
        }
        Ok(points)
    }
}
