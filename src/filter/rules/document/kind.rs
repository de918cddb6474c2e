//! The kinds of message that rules can check.

use crate::names::named;

named! {
    /// A kind of message that rules can check.
    pub(in crate::filter::rules) enum RuleKind {
        /// A chat line.
        Text = "text",
        /// A like, which quotes a text.
        Like = "like",
        /// An image.
        Image = "image",
        /// A layer.
        GeoJson = "geojson",
        /// A coordinate reference system.
        Crs = "crs",
        /// An extent.
        Bbox = "bbox",
        /// A position.
        Position = "position",
        /// A processing model.
        Model = "model",
        /// A script.
        Script = "script",
    }
}

impl RuleKind {
    /// Whether messages of this kind are at a place.
    pub(in crate::filter::rules) fn has_place(self) -> bool {
        matches!(self, Self::GeoJson | Self::Bbox | Self::Position)
    }
}
