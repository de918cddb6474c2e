//! The permitted form of images, geodata and code.

use super::{characters, length_up_to};
use crate::model::{Content, Crs, Extent, Layer, Position, ProcessingModel, Reason, ReasonCode, Script};
use crate::settings::{Section, Setting};

/// Longest name of a layer, in code points.
const MAX_LAYER_NAME: usize = 255;
/// Longest definition of a coordinate system. The longest of QGIS has 886 characters.
const MAX_WKT: usize = 2_000;
/// Longest identifier of a coordinate system.
const MAX_AUTHID: usize = 50;
/// Longest name of a model, of its group, and of a script.
const MAX_CODE_NAME: usize = 128;

/// Limits of images, geodata and code.
#[derive(Clone, Debug)]
pub struct ContentLimits {
    /// Most features of a layer.
    pub geojson_features: usize,
    /// Longest GeoJSON text of a layer, in code points.
    pub geojson_length: usize,
    /// Longest style of a layer, in code points.
    pub style_length: usize,
    /// Longest XML of a model, in code points.
    pub model_length: usize,
    /// Longest source code of a script, in code points.
    pub script_length: usize,
}

impl ContentLimits {
    /// Reads these settings from the section of the filter.
    pub(super) fn declare(section: &mut Section<'_>) -> Self {
        let mut limit = |key, default: usize, doc, env: &'static [&'static str]| {
            section.read(Setting::new(key, default).doc(doc).env(env).within(1..=16_000_000).reloads())
        };
        Self {
            geojson_features: limit(
                "max_geojson_features",
                500,
                "Maximum number of features of a layer.",
                &["MAX_GEOJSON_FEATURES"],
            ),
            geojson_length: limit("max_geojson_length", 8_000_000, "Longest GeoJSON of a layer, in characters.", &[]),
            style_length: limit("max_style_length", 1_000_000, "Longest style of a layer, in characters.", &[]),
            model_length: limit(
                "max_model_length",
                1_000_000,
                "Longest XML of a processing model, in characters.",
                &["MAX_MODEL_RAW_LENGTH"],
            ),
            script_length: limit(
                "max_script_length",
                2_000_000,
                "Longest source code of a script, in characters.",
                &["MAX_SCRIPT_RAW_LENGTH"],
            ),
        }
    }
}

impl Default for ContentLimits {
    fn default() -> Self {
        Self {
            geojson_features: 500,
            geojson_length: 8_000_000,
            style_length: 1_000_000,
            model_length: 1_000_000,
            script_length: 2_000_000,
        }
    }
}

/// Checks a content. Numbers are finite already: the wire formats admit no others.
pub(super) fn check(content: &Content, limits: &ContentLimits) -> Result<(), Reason> {
    match content {
        Content::Image(image) if image.png.is_none() => Err(bad("`image_data` was not decoded".to_owned())),
        // The relay made the image itself, within its limits.
        Content::Image(_) => Ok(()),
        Content::GeoJson(Layer { name, crs, geojson, features, style }) => {
            check_file_name("layer_name", name, MAX_LAYER_NAME)?;
            check_crs(crs)?;
            if *features > limits.geojson_features {
                // The words of the former backend, which clients' tests compare.
                let max = limits.geojson_features;
                let text = format!("Too many geojson features : {features} vs max {max} allowed");
                return Err(Reason::new(ReasonCode::BadContent, text));
            }
            check_length("geojson", geojson, limits.geojson_length)?;
            style.as_deref().map_or(Ok(()), |style| check_length("style", style, limits.style_length))
        }
        Content::Crs(crs)
        | Content::Bbox(Extent { crs, xmin: _, xmax: _, ymin: _, ymax: _ })
        | Content::Position(Position { crs, x: _, y: _ }) => check_crs(crs),
        Content::Model(ProcessingModel { name, group, xml }) => {
            check_name("model_name", name, MAX_CODE_NAME)?;
            group.as_deref().map_or(Ok(()), |group| check_name("model_group", group, MAX_CODE_NAME))?;
            check_length("raw_xml", xml, limits.model_length)
        }
        Content::Script(Script { name, code }) => {
            check_file_name("name", name, MAX_CODE_NAME)?;
            check_length("raw_pycode", code, limits.script_length)
        }
    }
}

/// Clients also send placeholders and systems that only they know, so nothing is refused for being unusual.
fn check_crs(crs: &Crs) -> Result<(), Reason> {
    check_length("crs_wkt", &crs.wkt, MAX_WKT)?;
    check_length("crs_authid", &crs.authid, MAX_AUTHID)?;
    for (field, value) in [("crs_wkt", &crs.wkt), ("crs_authid", &crs.authid)] {
        if value.chars().any(|c| c.is_control() && !c.is_whitespace()) {
            return Err(bad(format!("`{field}` must not contain control characters")));
        }
    }
    Ok(())
}

fn check_name(field: &str, name: &str, max: usize) -> Result<(), Reason> {
    check_length(field, name, max)?;
    if name.chars().any(char::is_control) {
        return Err(bad(format!("`{field}` must not contain control characters")));
    }
    Ok(())
}

/// Checks a name that clients use as the name of a file.
fn check_file_name(field: &str, name: &str, max: usize) -> Result<(), Reason> {
    check_name(field, name, max)?;
    // Bidirectional controls can make one file look like another.
    let is_hidden = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if name.chars().any(is_hidden) {
        return Err(bad(format!("`{field}` must not contain control characters")));
    }
    if name.contains(['/', '\\']) || name.contains("..") {
        return Err(bad(format!("`{field}` must not contain `/`, `\\` or `..`: clients use it as a file name")));
    }
    Ok(())
}

fn check_length(field: &str, text: &str, max: usize) -> Result<(), Reason> {
    // A text has at most as many code points as bytes, so most need no count.
    let length = if text.len() <= max { text.len() } else { length_up_to(text, max) };
    if length > max {
        let has = characters(text, length, max);
        return Err(Reason::new(ReasonCode::TooLong, format!("`{field}` has {has}; at most {max} are allowed")));
    }
    Ok(())
}

fn bad(text: String) -> Reason {
    Reason::new(ReasonCode::BadContent, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(name: &str, features: usize) -> Content {
        Content::GeoJson(Layer {
            name: name.to_owned(),
            crs: Crs { wkt: "TODO".to_owned(), authid: String::new() },
            geojson: r#"{"features":[]}"#.to_owned(),
            features,
            style: None,
        })
    }

    fn refusal(content: &Content) -> Option<String> {
        check(content, &ContentLimits::default()).err().map(|reason| reason.text.into_owned())
    }

    #[test]
    fn unusual_coordinate_systems_pass() {
        for (wkt, authid) in [("", ""), ("TODO", "USER:100000"), ("PROJCRS[\"x\",\n  y]", "EPSG:2154"), ("né", "?")] {
            let crs = Crs { wkt: wkt.to_owned(), authid: authid.to_owned() };
            assert_eq!(refusal(&Content::Crs(crs.clone())), None, "{crs:?}");
            assert_eq!(refusal(&Content::Position(Position { crs, x: 1.0, y: 2.0 })), None);
        }
    }

    #[test]
    fn lengths_are_bounded_and_the_refusal_names_field_and_bound() {
        let crs = |wkt: usize, authid: usize| Content::Crs(Crs { wkt: "é".repeat(wkt), authid: "é".repeat(authid) });
        assert_eq!(refusal(&crs(2_000, 50)), None);
        let text = "`crs_wkt` has 2001 characters; at most 2000 are allowed";
        assert_eq!(refusal(&crs(2_001, 50)).as_deref(), Some(text));
        let text = "`crs_authid` has 51 characters; at most 50 are allowed";
        assert_eq!(refusal(&crs(0, 51)).as_deref(), Some(text));
        let script = |length| Content::Script(Script { name: "x".repeat(length), code: String::new() });
        assert_eq!(refusal(&script(128)), None);
        assert_eq!(refusal(&script(129)).as_deref(), Some("`name` has 129 characters; at most 128 are allowed"));
    }

    #[test]
    fn names_of_layers_and_scripts_cannot_leave_their_folder() {
        for name in ["a/b", "gpj.\u{202e}exe", "..", "a\\b", "a\0b", "a\nb", "..%2f"] {
            assert!(refusal(&layer(name, 1)).is_some(), "{name:?}");
            let script = Script { name: name.to_owned(), code: String::new() };
            assert!(refusal(&Content::Script(script)).is_some(), "{name:?}");
        }
        assert_eq!(refusal(&layer("Gemeinden 2024 (v1.2)", 1)), None);
    }

    #[test]
    fn too_many_features_are_refused_in_the_words_of_the_former_backend() {
        assert_eq!(refusal(&layer("parcels", 500)), None);
        let text = "Too many geojson features : 501 vs max 500 allowed";
        assert_eq!(refusal(&layer("parcels", 501)).as_deref(), Some(text));
    }
}
