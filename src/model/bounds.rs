//! Boxes around coordinates.

use serde::{Deserialize, Serialize};

/// A box of coordinates, its border included. In the units of its coordinate system.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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

impl Bounds {
    /// Around nothing: holds no point, and is within every box.
    pub const EMPTY: Self =
        Self { xmin: f64::INFINITY, ymin: f64::INFINITY, xmax: f64::NEG_INFINITY, ymax: f64::NEG_INFINITY };

    /// Returns the box around these points.
    pub fn around(points: impl IntoIterator<Item = impl Into<[f64; 2]>>) -> Self {
        let mut bounds = Self::EMPTY;
        points.into_iter().for_each(|point| bounds.add(point));
        bounds
    }

    /// Enlarges the box to hold this point.
    pub fn add(&mut self, point: impl Into<[f64; 2]>) {
        let [x, y] = point.into();
        self.xmin = self.xmin.min(x);
        self.ymin = self.ymin.min(y);
        self.xmax = self.xmax.max(x);
        self.ymax = self.ymax.max(y);
    }

    /// Whether it holds this point.
    #[must_use]
    pub fn holds(&self, point: impl Into<[f64; 2]>) -> bool {
        let [x, y] = point.into();
        self.xmin <= x && x <= self.xmax && self.ymin <= y && y <= self.ymax
    }

    /// Whether the boxes have a point in common.
    #[must_use]
    pub fn touches(&self, other: &Self) -> bool {
        self.xmin <= other.xmax && other.xmin <= self.xmax && self.ymin <= other.ymax && other.ymin <= self.ymax
    }

    /// Whether the other box is within this one.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        self.xmin <= other.xmin && other.xmax <= self.xmax && self.ymin <= other.ymin && other.ymax <= self.ymax
    }
}
