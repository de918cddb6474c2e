//! The settings, as in the manifest and as the filter needs them.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::geometry::{Point, TOLERANCE};
use crate::judge::Fence;
use crate::region::{Area, Region};

/// Most corners of all areas together. With `side = "outside"`, an instance compares each with each other when it
/// starts.
const MAX_CORNERS: usize = 5_000;
/// Longest name of an area, which is a label. Bytes.
const MAX_NAME_BYTES: usize = 64;
/// Longest reason. Bytes.
const MAX_REASON_BYTES: usize = 1_024;

/// The `[settings]` of plugin.toml. Their values are read one by one, so that errors name their keys.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The areas: tables with a `name` and either `box` or `polygon`.
    areas: Vec<Value>,
    /// The side that is refused: places that lie, even partly, `within` the areas or `outside` of them.
    side: Value,
    /// The action on them: `reject`, `hold` or `label`.
    action: Value,
    /// The action on a place that cannot be checked: `hold`, `reject` or `pass`.
    unknown_crs: Value,
    /// The reason that the sender sees.
    reason: Value,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Side {
    Within,
    Outside,
}

/// The action on a refused place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnHit {
    Reject,
    Hold,
    Label,
}

/// The action on a place that cannot be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnUnchecked {
    Hold,
    Reject,
    Pass,
}

/// An area, as in the manifest.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AreaSettings {
    name: String,
    /// West, south, east, north.
    #[serde(rename = "box")]
    bounds: Option<Vec<f64>>,
    /// Longitudes and latitudes.
    polygon: Option<Vec<Vec<f64>>>,
}

/// The checked settings.
#[derive(Debug)]
pub(crate) struct Policy {
    /// `None` without areas: every place passes.
    pub(crate) fence: Option<Fence>,
    pub(crate) on_hit: OnHit,
    pub(crate) on_unchecked: OnUnchecked,
    pub(crate) reason: String,
}

impl Policy {
    /// # Errors
    /// A text for the operator that names the key.
    pub(crate) fn new(settings: Settings) -> Result<Self, String> {
        let Settings { areas, side, action, unknown_crs, reason } = settings;
        let side = read::<Option<_>>("side", side)?.unwrap_or(Side::Within);
        let on_hit = read::<Option<_>>("action", action)?.unwrap_or(OnHit::Reject);
        // Labels alone disturb nobody, so an unknown system should not either.
        let default = if on_hit == OnHit::Label { OnUnchecked::Pass } else { OnUnchecked::Hold };
        let on_unchecked = read::<Option<_>>("unknown_crs", unknown_crs)?.unwrap_or(default);
        let reason = read::<Option<String>>("reason", reason)?.unwrap_or_else(|| {
            match side {
                Side::Within => "Places in this area are not shared here.",
                Side::Outside => "Only places in the area of this room are shared here.",
            }
            .to_owned()
        });
        if reason.trim().is_empty() || reason.len() > MAX_REASON_BYTES {
            return Err(format!(
                "`reason` has {} bytes; it must have 1 to {MAX_REASON_BYTES} and not be blank",
                reason.len()
            ));
        }
        let areas = read_areas(areas)?;
        let fence = match side {
            _ if areas.is_empty() => None,
            Side::Within => Some(Fence::Within(areas)),
            Side::Outside => Some(Fence::Outside(Region::new(areas))),
        };
        Ok(Self { fence, on_hit, on_unchecked, reason })
    }
}

fn read<T: DeserializeOwned>(key: &str, value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| format!("`{key}`: {error}"))
}

fn read_areas(values: Vec<Value>) -> Result<Vec<Area>, String> {
    let mut areas = Vec::new();
    let mut corners = 0;
    for (at, value) in values.into_iter().enumerate() {
        let key = format!("areas[{at}]");
        let AreaSettings { name, bounds, polygon } = read(&key, value)?;
        if name.trim().is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(format!(
                "`{key}.name` has {} bytes; it must have 1 to {MAX_NAME_BYTES} and not be blank",
                name.len()
            ));
        }
        let ring = match (bounds, polygon) {
            (Some(bounds), None) => box_ring(&bounds).map_err(|error| format!("`{key}.box` {error}"))?,
            (None, Some(polygon)) => polygon_ring(&polygon).map_err(|error| format!("`{key}.polygon` {error}"))?,
            _ => return Err(format!("`{key}` must have either `box` or `polygon`")),
        };
        corners += ring.len();
        areas.push(Area::new(name, &ring));
    }
    if corners > MAX_CORNERS {
        return Err(format!("`areas` have {corners} corners together; the limit is {MAX_CORNERS}"));
    }
    Ok(areas)
}

fn box_ring(bounds: &[f64]) -> Result<Vec<Point>, String> {
    let &[west, south, east, north] = bounds else {
        return Err(format!("has {} numbers; write [west, south, east, north]", bounds.len()));
    };
    for lon in [west, east] {
        check(lon, south, 180.0)?;
        check(lon, north, 180.0)?;
    }
    if north - south < TOLERANCE || (east - west).abs() < TOLERANCE {
        return Err("has no area; write [west, south, east, north]".to_owned());
    }
    // From 170 to -170 it goes across the antimeridian.
    let east = if east < west { east + 360.0 } else { east };
    Ok(vec![Point::new(west, south), Point::new(east, south), Point::new(east, north), Point::new(west, north)])
}

fn polygon_ring(polygon: &[Vec<f64>]) -> Result<Vec<Point>, String> {
    let mut ring = Vec::with_capacity(polygon.len());
    for position in polygon {
        let &[lon, lat] = position.as_slice() else {
            return Err(format!("has a position of {} numbers; write [longitude, latitude]", position.len()));
        };
        check(lon, lat, 360.0)?;
        ring.push(Point::new(lon, lat));
    }
    if ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    }
    if ring.len() < 3 {
        return Err(format!("has {} corners; it must have at least 3", ring.len()));
    }
    let lons = || ring.iter().map(|point| point.lon);
    if lons().fold(f64::MIN, f64::max) - lons().fold(f64::MAX, f64::min) > 360.0 {
        return Err("goes more than once around the Earth".to_owned());
    }
    Ok(ring)
}

fn check(lon: f64, lat: f64, max_lon: f64) -> Result<(), String> {
    if lon.abs() <= max_lon && lat.abs() <= 90.0 {
        return Ok(());
    }
    Err(format!("has {lon}, {lat}, which is not a longitude of -{max_lon} to {max_lon} and a latitude of -90 to 90"))
}
