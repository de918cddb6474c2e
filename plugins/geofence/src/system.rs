//! The coordinate systems that places may have.

use crate::geometry::{Bounds, Point};
use crate::unchecked::Unchecked;

/// The radius of the sphere of Web Mercator. Metres.
const RADIUS: f64 = 6_378_137.0;
/// Farthest longitude: maps can be scrolled across the antimeridian. Degrees.
const MAX_LON: f64 = 540.0;
/// Farthest northing of a position in Web Mercator, 1 km from the pole. Metres.
const MAX_NORTHING: f64 = 60_000_000.0;
/// Longest piece of a line in Web Mercator, from south to north. Metres. As lines that are straight in degrees, such
/// pieces deviate by at most a metre.
const MAX_PIECE: f64 = 10_000.0;

/// A coordinate system. The first coordinate is the longitude or easting, the second the latitude or northing, as QGIS
/// sends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum System {
    /// WGS84 longitudes and latitudes: EPSG:4326, OGC:CRS84.
    Degrees,
    /// Web Mercator: EPSG:3857, EPSG:900913.
    WebMercator,
}

impl System {
    /// The system that a message names by an identifier, by the identifier within a definition, or by both.
    ///
    /// # Errors
    /// If it names none of the above, or two.
    pub(crate) fn resolve(authid: &str, wkt: &str) -> Result<Self, Unchecked> {
        let named = (!authid.trim().is_empty()).then(|| authid.split_once(':').unwrap_or((authid, "")));
        let all = named.into_iter().chain(identifier(wkt)).map(|(authority, code)| Self::find(authority, code));
        let same = all.reduce(|one, other| if one == other { one } else { None });
        same.flatten().ok_or(Unchecked::System)
    }

    fn find(authority: &str, code: &str) -> Option<Self> {
        match (authority.trim().to_ascii_uppercase().as_str(), code.trim()) {
            ("EPSG", "4326") => Some(Self::Degrees),
            ("OGC", code) if code.eq_ignore_ascii_case("CRS84") => Some(Self::Degrees),
            ("EPSG", "3857" | "900913") => Some(Self::WebMercator),
            _ => None,
        }
    }

    /// The longitude and latitude of a position; `None` if it is not on Earth.
    pub(crate) fn to_degrees(self, x: f64, y: f64) -> Option<Point> {
        let is_on_earth = match self {
            Self::Degrees => y.abs() <= 90.0,
            Self::WebMercator => y.abs() <= MAX_NORTHING,
        };
        let point = self.convert(x, y);
        (is_on_earth && point.lon.abs() <= MAX_LON).then_some(point)
    }

    /// The box of an extent; `None` if no part of it is on Earth.
    ///
    /// In degrees, a first `x` above the second one means that the extent goes across the antimeridian. Otherwise, the
    /// bounds may be in any order. They may be beyond the poles and around the Earth, as those of a map that is zoomed
    /// out.
    pub(crate) fn bounds(self, x: [f64; 2], y: [f64; 2]) -> Option<Bounds> {
        let ([x, to_x], [y, to_y]) = (x, y);
        let (one, other) = (self.convert(x, y), self.convert(to_x, to_y));
        let (south, north) = (one.lat.min(other.lat), one.lat.max(other.lat));
        let width = other.lon - one.lon;
        let (west, width) = match self {
            Self::Degrees if width < 0.0 => (one.lon, width.rem_euclid(360.0)),
            _ => (one.lon.min(other.lon), width.abs()),
        };
        if !width.is_finite() || south > 90.0 || north < -90.0 {
            return None;
        }
        let (west, width) = if width >= 360.0 { (-180.0, 360.0) } else { (normal(west), width) };
        Some(Bounds { west, east: west + width, south: south.max(-90.0), north: north.min(90.0) })
    }

    /// The positions at which a line must be cut into pieces that are straight in degrees, its ends excluded.
    pub(crate) fn cuts(self, [x, y]: [f64; 2], [to_x, to_y]: [f64; 2]) -> impl Iterator<Item = [f64; 2]> {
        let (width, height) = (to_x - x, to_y - y);
        // Meridians and parallels are straight in degrees, too.
        let is_straight = self == Self::Degrees || width == 0.0 || height == 0.0;
        let pieces = if is_straight { 1.0 } else { (height.abs() / MAX_PIECE).ceil() };
        let next = |step: &f64| Some(step + 1.0);
        let steps = std::iter::successors(Some(1.0), next).take_while(move |step| *step < pieces);
        steps.map(move |step| [x + width * (step / pieces), y + height * (step / pieces)])
    }

    fn convert(self, x: f64, y: f64) -> Point {
        match self {
            Self::Degrees => Point::new(x, y),
            Self::WebMercator => Point::new((x / RADIUS).to_degrees(), (y / RADIUS).sinh().atan().to_degrees()),
        }
    }
}

/// The same longitude from -180 to 180. Leaves those that are within already as they are.
fn normal(lon: f64) -> f64 {
    if lon.abs() <= 180.0 { lon } else { (lon + 180.0).rem_euclid(360.0) - 180.0 }
}

/// The authority and code of the outermost node of a WKT text: `AUTHORITY["EPSG","4326"]` of WKT 1, `ID["EPSG",4326]` of
/// WKT 2. Those of inner nodes, such as the datum, are not those of the system.
fn identifier(wkt: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    let mut rest = wkt;
    loop {
        let at = rest.find(['"', '[', '(', ']', ')'])?;
        let (before, from) = rest.split_at(at);
        let after = from.get(1..)?;
        rest = match from.as_bytes().first()? {
            // A quote within a text is written twice, so that it ends one text and begins another.
            b'"' => after.split_once('"')?.1,
            b'[' | b'(' => {
                let keyword = before.rsplit([',', '[', '(']).next().unwrap_or(before).trim();
                let identifies = ["AUTHORITY", "ID"].iter().any(|word| keyword.eq_ignore_ascii_case(word));
                if depth == 1 && identifies {
                    let (authority, code) = after.split([']', ')']).next()?.split_once(',')?;
                    let code = code.split(',').next().unwrap_or(code);
                    return Some((unquoted(authority), unquoted(code)));
                }
                depth += 1;
                after
            }
            _ => {
                depth = depth.checked_sub(1)?;
                after
            }
        };
    }
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches('"').trim()
}
