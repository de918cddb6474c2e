//! The texts that the contents of messages carry, in pieces of bounded size.

mod layer;

use std::ops::ControlFlow;

use super::document::Field;
use crate::model::{Content, Layer, Message, ProcessingModel, Script};
use layer::{LayerStrings, strings_of};

/// Longest text that is searched at once, in bytes. The memory for matching grows with it.
const MAX_PIECE_BYTES: usize = 16 << 10;
/// Bytes that a piece has in common with the one before it, so that a word between the two is found. At least the longest
/// word.
const OVERLAP_BYTES: usize = 1 << 10;

/// A piece of a text of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TextPiece<'t> {
    /// The part of the message, as a trace names it; `None` for the text of a message.
    pub(super) name: Option<&'static str>,
    pub(super) text: &'t str,
    /// Where it begins in the text, in code points; `None` if positions mean nothing to a reader.
    pub(super) start: Option<usize>,
}

/// Calls `each` with the texts of `message` that belong to `field`, until it breaks. Names and values of the properties of
/// a layer are one text, a line each.
///
/// Takes time linear in the size of the message.
pub(super) fn for_each_piece(field: Field, message: &Message, each: &mut impl FnMut(TextPiece<'_>) -> ControlFlow<()>) {
    // The result tells whether `each` broke, which is of no interest here.
    let _broke = for_each_text(field, message, &mut |text| in_pieces(text, each)).is_break();
}

/// Whether rules on the contents of `message` should be run on another thread, because its texts are long.
pub(super) fn are_long(message: &Message) -> bool {
    message
        .content()
        .is_some_and(|content| !matches!(content, Content::Image(_)) && content.payload_bytes() > MAX_PIECE_BYTES / 4)
}

fn for_each_text(
    field: Field,
    message: &Message,
    each: &mut impl FnMut(TextPiece<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let is_any = field == Field::Any;
    let mut give = |name: &'static str, text: &str| {
        // The strings of a layer stand at no position that a reader could find.
        let start = (!matches!(name, "geojson" | "properties")).then_some(0);
        if text.is_empty() { ControlFlow::Continue(()) } else { each(TextPiece { name: Some(name), text, start }) }
    };
    match message.content() {
        None if is_any => {
            let text = message.text().unwrap_or_default();
            return each(TextPiece { name: None, text, start: Some(0) });
        }
        Some(Content::GeoJson(layer)) => {
            let Layer { name, crs: _, geojson, features: _, bounds: _, style } = layer;
            if is_any || field == Field::LayerName {
                give("layer_name", name)?;
            }
            if is_any || field == Field::Properties {
                let which = if is_any { LayerStrings::All } else { LayerStrings::Properties };
                let strings = strings_of(geojson, which);
                give(if is_any { "geojson" } else { "properties" }, &strings)?;
            }
            if let Some(style) = style.as_deref().filter(|_| is_any) {
                give("style", style)?;
            }
        }
        Some(Content::Model(ProcessingModel { name, group, xml })) if is_any || field == Field::Model => {
            give("model_name", name)?;
            give("model_group", group.as_deref().unwrap_or_default())?;
            give("model", xml)?;
        }
        Some(Content::Script(Script { name, code })) if is_any || field == Field::Script => {
            give("script_name", name)?;
            give("script", code)?;
        }
        _ => {}
    }
    if let Some(crs) = message.content().and_then(Content::crs).filter(|_| is_any) {
        give("crs_authid", &crs.authid)?;
        give("crs_wkt", &crs.wkt)?;
    }
    ControlFlow::Continue(())
}

/// Gives a long text in overlapping pieces.
fn in_pieces(whole: TextPiece<'_>, each: &mut impl FnMut(TextPiece<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
    let (mut rest, mut start) = (whole.text, whole.start);
    while rest.len() > MAX_PIECE_BYTES {
        let (piece, _) = rest.split_at(rest.floor_char_boundary(MAX_PIECE_BYTES));
        each(TextPiece { text: piece, start, ..whole })?;
        let (passed, next) = rest.split_at(rest.floor_char_boundary(piece.len() - OVERLAP_BYTES));
        start = start.map(|start| start + passed.chars().count());
        rest = next;
    }
    each(TextPiece { text: rest, start, ..whole })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fixtures::message;
    use crate::model::{Crs, MessageKind};

    fn shared(content: Content) -> Message {
        Message::new("jane", MessageKind::Content { avatar: None, content: Arc::new(content) })
    }

    fn script(code: &str) -> Message {
        shared(Content::Script(Script { name: "join".to_owned(), code: code.to_owned() }))
    }

    fn pieces(field: Field, message: &Message) -> Vec<(Option<&'static str>, String, Option<usize>)> {
        let mut all = Vec::new();
        for_each_piece(field, message, &mut |TextPiece { name, text, start }| {
            all.push((name, text.to_owned(), start));
            ControlFlow::Continue(())
        });
        all
    }

    fn texts(field: Field, message: &Message) -> Vec<(Option<&'static str>, String)> {
        pieces(field, message).into_iter().map(|(name, text, _)| (name, text)).collect()
    }

    fn layer() -> Message {
        shared(Content::GeoJson(Layer {
            name: "stops".to_owned(),
            crs: Crs { wkt: String::new(), authid: "EPSG:4326".to_owned() },
            geojson: r#"{"name":"n","features":[{"id":"f","properties":{"a":"b"},"geometry":null}]}"#.to_owned(),
            features: 1,
            bounds: None,
            style: Some("<qgis/>".to_owned()),
        }))
    }

    #[test]
    fn a_field_has_the_texts_of_its_kind() {
        let named = |name: &'static str, text: &str| (Some(name), text.to_owned());
        assert_eq!(texts(Field::LayerName, &layer()), [named("layer_name", "stops")]);
        assert_eq!(texts(Field::Properties, &layer()), [named("properties", "a\nb\n")]);
        assert_eq!(texts(Field::Script, &script("x")), [named("script_name", "join"), named("script", "x")]);
        for field in [Field::Script, Field::Model] {
            assert_eq!(texts(field, &layer()), []);
        }
        assert_eq!(texts(Field::LayerName, &message("jane", "hello")), []);
    }

    #[test]
    fn any_field_has_all_texts_of_a_message() {
        let named = |name: &'static str, text: &str| (Some(name), text.to_owned());
        assert_eq!(texts(Field::Any, &message("jane", "hello")), [(None, "hello".to_owned())]);
        let geojson = named("geojson", "name\nn\nfeatures\nid\nf\nproperties\na\nb\ngeometry\n");
        let (name, style) = (named("layer_name", "stops"), named("style", "<qgis/>"));
        assert_eq!(texts(Field::Any, &layer()), [name, geojson, style, named("crs_authid", "EPSG:4326")]);
    }

    #[test]
    fn a_long_text_is_given_in_pieces_that_overlap() {
        let code = "é".repeat(MAX_PIECE_BYTES);
        let given: Vec<(String, usize)> = pieces(Field::Script, &script(&code))
            .into_iter()
            .filter(|(name, ..)| *name == Some("script"))
            .map(|(_, text, start)| (text, start.unwrap()))
            .collect();
        assert_eq!(given.len(), 3);
        for (text, start) in &given {
            assert!(text.len() <= MAX_PIECE_BYTES);
            assert_eq!(*text, code.chars().skip(*start).take(text.chars().count()).collect::<String>());
        }
        for pair in given.windows(2) {
            let end = pair[0].1 + pair[0].0.chars().count();
            assert_eq!((end - pair[1].1) * 2, OVERLAP_BYTES);
        }
        let (text, start) = given.last().unwrap();
        assert_eq!(start + text.chars().count(), code.chars().count());
    }
}
