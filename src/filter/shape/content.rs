//! The permitted form of images, geodata and code.

use super::{characters, length_up_to};
use crate::matching::{TextError, disturbs_line, disturbs_lines, has_visible};
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
        Content::GeoJson(Layer { name, crs, geojson, features, bounds: _, style }) => {
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
            // Models without a group have an empty one.
            let group = group.as_deref().filter(|group| !group.is_empty());
            group.map_or(Ok(()), |group| check_name("model_group", group, MAX_CODE_NAME))?;
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
    for (field, value, is_bad) in
        [("crs_wkt", &crs.wkt, disturbs_lines as fn(&str) -> bool), ("crs_authid", &crs.authid, disturbs_line)]
    {
        if is_bad(value) {
            return Err(no_controls(field));
        }
        if !value.is_empty() {
            check_visible(field, value)?;
        }
    }
    Ok(())
}

/// Checks a name of one line.
fn check_name(field: &str, name: &str, max: usize) -> Result<(), Reason> {
    check_length(field, name, max)?;
    if disturbs_line(name) {
        return Err(no_controls(field));
    }
    check_visible(field, name)
}

fn check_visible(field: &str, text: &str) -> Result<(), Reason> {
    if has_visible(text) {
        return Ok(());
    }
    Err(Reason::new(ReasonCode::Empty, format!("`{field}` {}", TextError::Invisible)))
}

/// Checks a name that clients use as the name of a file.
fn check_file_name(field: &str, name: &str, max: usize) -> Result<(), Reason> {
    check_name(field, name, max)?;
    // Direction marks can make one file look like another.
    if name.contains(['\u{200e}', '\u{200f}', '\u{61c}']) {
        return Err(no_controls(field));
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

fn no_controls(field: &str) -> Reason {
    bad(format!("`{field}` must not contain control characters"))
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
            bounds: None,
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
    fn names_and_systems_that_show_nothing_or_disturb_a_line_are_refused() {
        let model = |name: &str, group: &str| {
            let (name, group) = (name.to_owned(), Some(group.to_owned()));
            Content::Model(ProcessingModel { name, group, xml: String::new() })
        };
        let crs = |wkt: &str, authid: &str| Content::Crs(Crs { wkt: wkt.to_owned(), authid: authid.to_owned() });
        let script = |name: &str| Content::Script(Script { name: name.to_owned(), code: String::new() });
        for blank in ["\u{200b}", "\u{3164}", "\u{2800}", "\u{ad}", " "] {
            for content in [
                layer(blank, 1),
                model(blank, ""),
                model("buffer", blank),
                crs("", blank),
                crs(blank, ""),
                script(blank),
            ] {
                let text = refusal(&content).unwrap_or_default();
                assert!(text.ends_with("is empty; at least 1 visible character is needed"), "{content:?}: {text}");
            }
        }
        for bad in ["a\0", "a\u{1b}[2J", "a\u{9b}", "a\u{202e}", "a\u{2067}"] {
            for content in
                [layer(bad, 1), model(bad, ""), model("buffer", bad), crs("", bad), crs(bad, ""), script(bad)]
            {
                let text = refusal(&content).unwrap_or_default();
                assert!(text.ends_with("must not contain control characters"), "{content:?}: {text}");
            }
        }
        for newline in ["a\nb", "a\u{2028}b"] {
            for content in [layer(newline, 1), model(newline, ""), crs("", newline), script(newline)] {
                assert!(refusal(&content).is_some(), "{content:?}");
            }
        }
    }

    #[test]
    fn the_payloads_of_contents_may_hold_anything() {
        let raw = "\u{1b}\0\u{202e}".to_owned();
        let model = ProcessingModel { name: "buffer".to_owned(), group: Some(String::new()), xml: raw.clone() };
        assert_eq!(refusal(&Content::Model(model)), None);
        assert_eq!(refusal(&Content::Script(Script { name: "x".to_owned(), code: raw.clone() })), None);
        let Content::GeoJson(parcels) = layer("parcels", 1) else { return };
        assert_eq!(refusal(&Content::GeoJson(Layer { style: Some(raw), ..parcels })), None);
    }

    #[test]
    fn too_many_features_are_refused_in_the_words_of_the_former_backend() {
        assert_eq!(refusal(&layer("parcels", 500)), None);
        let text = "Too many geojson features : 501 vs max 500 allowed";
        assert_eq!(refusal(&layer("parcels", 501)).as_deref(), Some(text));
    }
}
