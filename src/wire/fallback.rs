//! Short texts in place of contents that a generation does not know.

use std::borrow::Cow;

use crate::model::{Content, Crs, Extent, Layer, Position};

/// Longest name that is shown, in code points.
const MAX_NAME: usize = 100;

/// Returns a short text that says what is shared, for clients that cannot show it. It is shown in the sender's name.
#[must_use]
pub fn fallback_text(content: &Content) -> String {
    match content {
        Content::Image(_) => "shared an image".to_owned(),
        Content::GeoJson(Layer { name, crs, features, .. }) => {
            let unit = if *features == 1 { "feature" } else { "features" };
            format!("shared the layer \"{}\" ({features} {unit}, {})", shortened(name), shown(crs))
        }
        Content::Crs(crs) => format!("shared a coordinate system: {}", shown(crs)),
        Content::Bbox(Extent { crs, xmin, xmax, ymin, ymax }) => {
            let [xmin, ymin, xmax, ymax] = [xmin, ymin, xmax, ymax].map(|number| coordinate(*number));
            format!("shared an extent: {xmin}, {ymin} to {xmax}, {ymax} ({})", shown(crs))
        }
        Content::Position(Position { crs, x, y }) => {
            format!("shared a position: {}, {} ({})", coordinate(*x), coordinate(*y), shown(crs))
        }
        Content::Model(model) => format!("shared the model \"{}\"", shortened(&model.name)),
        Content::Script(script) => format!("shared the script \"{}\"", shortened(&script.name)),
    }
}

/// Returns a name, or its beginning.
fn shortened(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(MAX_NAME) {
        Some((end, _)) => Cow::Owned(format!("{}\u{2026}", name.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(name),
    }
}

/// Returns a coordinate in its shortest form.
fn coordinate(number: f64) -> String {
    if number == 0.0 || (1e-9..1e15).contains(&number.abs()) { number.to_string() } else { format!("{number:e}") }
}

/// Returns the identifier of a coordinate system, if it has one.
fn shown(crs: &Crs) -> &str {
    if crs.authid.trim().is_empty() { "unknown coordinate system" } else { &crs.authid }
}
