//! Short texts in place of contents that a generation does not know.

use crate::model::{Content, Crs, Extent, Layer, Position};

/// Returns a short text that says what is shared, for clients that cannot show it. It is shown in the sender's name.
pub(super) fn fallback_text(content: &Content) -> String {
    match content {
        Content::Image(_) => "shared an image".to_owned(),
        Content::GeoJson(Layer { name, crs, features, .. }) => {
            let unit = if *features == 1 { "feature" } else { "features" };
            format!("shared the layer \"{name}\" ({features} {unit}, {})", shown(crs))
        }
        Content::Crs(crs) => format!("shared a coordinate system: {}", shown(crs)),
        Content::Bbox(Extent { crs, xmin, xmax, ymin, ymax }) => {
            format!("shared an extent: {xmin}, {ymin} to {xmax}, {ymax} ({})", shown(crs))
        }
        Content::Position(Position { crs, x, y }) => format!("shared a position: {x}, {y} ({})", shown(crs)),
        Content::Model(model) => format!("shared the model \"{}\"", model.name),
        Content::Script(script) => format!("shared the script \"{}\"", script.name),
    }
}

/// Returns the identifier of a coordinate system, if it has one.
fn shown(crs: &Crs) -> &str {
    if crs.authid.trim().is_empty() { "unknown coordinate system" } else { &crs.authid }
}
