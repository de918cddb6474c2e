//! The shapes that messages carry: positions, extents and layers.

use super::system::System;

/// A shape in the coordinates of its system, as a client sent it.
#[derive(Clone, Copy, Debug)]
pub enum Shape<'m> {
    /// A single position.
    Position {
        /// Its coordinate system.
        system: &'m System,
        /// Easting or longitude.
        x: f64,
        /// Northing or latitude.
        y: f64,
    },
    /// A rectangle.
    Extent {
        /// Its coordinate system.
        system: &'m System,
        /// Its bounds.
        extent: Rectangle,
    },
    /// A layer: all positions of its features.
    Layer {
        /// The coordinate system of its positions. RFC 7946 asks for WGS84; QGIS sends others as well.
        system: &'m System,
        /// A GeoJSON text.
        geojson: &'m str,
    },
}

/// The bounds of a rectangle as clients send them, in the units of its coordinate system.
///
/// The order of `ymin` and `ymax` does not matter: clients send both. In a geographic system, an `xmin` above `xmax`
/// means that the rectangle extends across the antimeridian; in a projected one, the order does not matter either.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rectangle {
    /// The western bound.
    pub xmin: f64,
    /// The eastern bound.
    pub xmax: f64,
    /// The southern bound, or the northern one.
    pub ymin: f64,
    /// The northern bound, or the southern one.
    pub ymax: f64,
}
