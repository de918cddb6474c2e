//! Boxes around coordinates.

use std::ops::ControlFlow;

use super::geojson::{GeojsonError, for_each_position};
use super::geometry::Point;

/// A box of coordinates, its border included. In the units of its coordinate system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The smallest easting or longitude.
    pub xmin: f64,
    /// The smallest northing or latitude.
    pub ymin: f64,
    /// The largest easting or longitude.
    pub xmax: f64,
    /// The largest northing or latitude.
    pub ymax: f64,
}

/// Returns the box around all positions of a GeoJSON text, in the coordinates of the text, or `None` if it has none.
///
/// # Errors
/// Those of [`for_each_position`].
pub fn bounds(geojson: &str) -> Result<Option<Bounds>, GeojsonError> {
    let mut bounds = Bounds::EMPTY;
    for_each_position(geojson, |x, y| {
        bounds.add(Point::new(x, y));
        ControlFlow::Continue(())
    })?;
    Ok((bounds.xmin <= bounds.xmax).then_some(bounds))
}

impl Bounds {
    /// Around nothing: holds no point, and is within every box.
    pub(super) const EMPTY: Self =
        Self { xmin: f64::INFINITY, ymin: f64::INFINITY, xmax: f64::NEG_INFINITY, ymax: f64::NEG_INFINITY };

    pub(super) fn around(points: impl IntoIterator<Item = Point>) -> Self {
        let mut bounds = Self::EMPTY;
        points.into_iter().for_each(|point| bounds.add(point));
        bounds
    }

    pub(super) fn add(&mut self, point: Point) {
        self.xmin = self.xmin.min(point.x);
        self.ymin = self.ymin.min(point.y);
        self.xmax = self.xmax.max(point.x);
        self.ymax = self.ymax.max(point.y);
    }

    pub(super) fn holds(&self, point: Point) -> bool {
        self.xmin <= point.x && point.x <= self.xmax && self.ymin <= point.y && point.y <= self.ymax
    }

    pub(super) fn touches(&self, other: &Self) -> bool {
        self.xmin <= other.xmax && other.xmin <= self.xmax && self.ymin <= other.ymax && other.ymin <= self.ymax
    }

    pub(super) fn includes(&self, other: &Self) -> bool {
        self.xmin <= other.xmin && other.xmax <= self.xmax && self.ymin <= other.ymin && other.ymax <= self.ymax
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_of_a_layer_are_those_of_all_its_geometries() {
        let layer = r#"{"type":"FeatureCollection","features":[
            {"type":"Feature","properties":{"coordinates":[99,99]},"geometry":{"type":"Point","coordinates":[2,49,120]}},
            {"type":"Feature","properties":null,"geometry":{"type":"LineString","coordinates":[[-3.5,47],[1,50.25]]}}]}"#;
        assert_eq!(bounds(layer).unwrap(), Some(Bounds { xmin: -3.5, ymin: 47.0, xmax: 2.0, ymax: 50.25 }));
    }

    #[test]
    fn a_layer_without_positions_has_no_bounds() {
        assert_eq!(bounds(r#"{"type":"FeatureCollection","features":[]}"#).unwrap(), None);
    }
}
