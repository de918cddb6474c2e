//! Coordinate systems, from the names that messages carry.

mod authority;
mod definitions;

use std::fmt;
use std::sync::{Arc, LazyLock};

use proj4rs::Proj;
use proj4rs::transform::transform;

/// Farthest longitude of a geographic system: a turn and a half, since maps can be scrolled across the antimeridian.
/// Degrees.
const MAX_LONGITUDE: f64 = 540.0;
/// How far a computed latitude may be beyond the pole by rounding. Degrees.
const POLE_TOLERANCE: f64 = 1e-9;

static WGS84: LazyLock<Option<Proj>> =
    LazyLock::new(|| Proj::from_proj_string("+proj=longlat +ellps=WGS84 +towgs84=0,0,0").ok());

/// A coordinate system with coordinates that can be computed. Cheap to clone.
///
/// The first coordinate is the easting or longitude, the second the northing or latitude, as QGIS sends them, even if
/// the authority has them in the other order. Systems that count to the west or south keep doing so. Units are those of
/// the system; degrees for geographic ones.
#[derive(Clone)]
pub struct System {
    name: &'static str,
    projection: Arc<Proj>,
    /// Whether there is nothing to compute, so that positions keep their last digit.
    is_plain_degrees: bool,
}

impl System {
    /// Returns the system that a message names, or `None` if it names none or one that cannot be computed.
    ///
    /// `authid` is an authority and a code, such as `EPSG:2154`, in any letter case. If it names no system of the
    /// table, as `USER:100000` and the empty text do not, the identifier of the outermost node of `wkt` decides:
    /// `AUTHORITY["EPSG","2154"]` (WKT 1) or `ID["EPSG",2154]` (WKT 2). The rest of `wkt` is not understood.
    ///
    /// The table has 9 863 systems of EPSG, OGC, ESRI and IGNF, with their accuracy as [said above](super#accuracy). A
    /// system with heights stands for its horizontal part. Any texts may be passed. Takes 3 to 7 µs, and 20 µs with a
    /// `wkt` of 2000 characters; a cache would gain little.
    #[must_use]
    pub fn resolve(authid: &str, wkt: &str) -> Option<Self> {
        let named = authid.split_once(':').and_then(|(authority, code)| Self::find(authority.trim(), code.trim()));
        named.or_else(|| {
            let (authority, code) = authority::identifier(wkt)?;
            Self::find(authority, code)
        })
    }

    fn find(authority: &str, code: &str) -> Option<Self> {
        let definition = definitions::find(authority, code)?;
        let projection = Arc::new(Proj::from_proj_string(&definition.proj_string()).ok()?);
        Some(Self { name: definition.name, projection, is_plain_degrees: definition.is_plain_degrees() })
    }

    /// Returns the authority and code, such as `EPSG:2154`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether coordinates are longitudes and latitudes. Degrees.
    #[must_use]
    pub fn is_geographic(&self) -> bool {
        self.projection.is_latlong()
    }

    /// Returns the WGS84 longitude (-180 to 180) and latitude (-90 to 90) of a position. Degrees.
    ///
    /// `None` if the position is not on Earth or cannot be computed: numbers that are not finite, latitudes beyond a
    /// pole, longitudes of more than a turn and a half, coordinates to which the projection maps nothing. A position
    /// far outside of the area for which a system is made is computed all the same, as PROJ does.
    #[must_use]
    pub fn to_lon_lat(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        let wgs84 = WGS84.as_ref()?;
        if !x.is_finite() || !y.is_finite() {
            return None;
        }
        let mut point = if self.is_geographic() {
            if x.abs() > MAX_LONGITUDE || y.abs() > 90.0 {
                return None;
            }
            if self.is_plain_degrees {
                return Some((wrap(x), y));
            }
            (wrap(x).to_radians(), y.to_radians(), 0.0)
        } else {
            (x, y, 0.0)
        };
        transform(&self.projection, wgs84, &mut point).ok()?;
        let (lon, lat) = (point.0.to_degrees(), point.1.to_degrees());
        let is_on_earth = lon.is_finite() && lat.abs() <= 90.0 + POLE_TOLERANCE;
        is_on_earth.then(|| (wrap(lon), lat.clamp(-90.0, 90.0)))
    }

    /// Returns the coordinates of a WGS84 position in this system: the inverse of [`Self::to_lon_lat`]. Degrees.
    ///
    /// `None` if the longitude is outside of -180 to 180, the latitude outside of -90 to 90, or the projection maps
    /// the position to nothing, as Mercator does the poles.
    #[must_use]
    pub fn from_lon_lat(&self, lon: f64, lat: f64) -> Option<(f64, f64)> {
        let wgs84 = WGS84.as_ref()?;
        if !(lon.abs() <= 180.0 && lat.abs() <= 90.0) {
            return None;
        }
        if self.is_plain_degrees {
            return Some((lon, lat));
        }
        let mut point = (lon.to_radians(), lat.to_radians(), 0.0);
        transform(wgs84, &self.projection, &mut point).ok()?;
        let (x, y) =
            if self.is_geographic() { (wrap(point.0.to_degrees()), point.1.to_degrees()) } else { (point.0, point.1) };
        (x.is_finite() && y.is_finite()).then_some((x, y))
    }
}

impl fmt::Debug for System {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("System").field(&self.name).finish()
    }
}

/// The same meridian within -180 to 180. Leaves longitudes as they are that are within already.
pub(super) fn wrap(lon: f64) -> f64 {
    if lon.abs() <= 180.0 { lon } else { (lon + 180.0).rem_euclid(360.0) - 180.0 }
}

#[cfg(test)]
mod tests;
