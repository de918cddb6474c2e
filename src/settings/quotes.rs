//! Removal of literal quotes around a value.
//!
//! A shell removes the quotes of `ROOMS="QGIS,QField"`. `docker run --env-file` and the list form of compose files
//! (`- ROOMS="QGIS,QField"`) keep them.

/// Whether a value may begin or end with a quote that is part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quotes {
    /// It may not: a quote at one end only is an error.
    Never,
    /// It may, such as `"Be kind" is all we ask`.
    Allowed,
    /// The value is a list; the inner value applies to its items.
    List(&'static Self),
}

/// A value without its quotes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unquoted {
    pub(super) text: String,
    /// The warning for the operator, to follow the name of the variable.
    pub(super) warning: &'static str,
}

const AROUND_VALUE: &str = "the quotes around the value are not part of it and were removed";
const AROUND_ITEMS: &str = "the quotes around its items are not part of them and were removed";

/// Removes quotes around a whole value. Returns `None` if there are none.
///
/// # Errors
/// If there is a quote at one end only and `quotes` does not allow it. The error does not repeat the value.
pub(super) fn strip_from_value(text: &str, quotes: Quotes) -> Result<Option<Unquoted>, String> {
    if let Quotes::List(items) = quotes {
        return strip_from_list(text, *items);
    }
    let text = text.trim();
    if let Some(text) = inside(text) {
        return Ok(Some(Unquoted { text, warning: AROUND_VALUE }));
    }
    if quotes == Quotes::Never && (text.starts_with(is_quote) || text.ends_with(is_quote)) {
        return Err("has a quote at one end that does not belong there; write the value without quotes".to_owned());
    }
    Ok(None)
}

/// Removes quotes around a whole list or around its items. Returns `None` if there are none. Quoted items are returned
/// as a JSON list, which preserves their commas.
///
/// # Errors
/// If an item has a quote at one end only and `of_items` does not allow it.
pub(super) fn strip_from_list(text: &str, of_items: Quotes) -> Result<Option<Unquoted>, String> {
    let text = text.trim();
    if let Some(text) = inside(text).or_else(|| inside_list(text)) {
        let items = strip_from_list(&text, of_items)?.map(|inner| inner.text);
        return Ok(Some(Unquoted { text: items.unwrap_or(text), warning: AROUND_VALUE }));
    }
    if text.starts_with('[') || !text.contains(is_quote) {
        return Ok(None);
    }
    let (mut items, mut any_quoted, mut rest) = (Vec::new(), false, text);
    // An unclosed quote stays unclosed for all later items; searching once keeps the time linear.
    let mut unclosed = Vec::new();
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|first| is_quote(*first) && !unclosed.contains(first));
        let quoted = quote.and_then(|quote| quoted_item(quote, rest));
        unclosed.extend(quote.filter(|_| quoted.is_none()));
        any_quoted |= quoted.is_some();
        let (item, behind) = quoted.unwrap_or_else(|| rest.split_once(',').unwrap_or((rest, "")));
        let item = item.trim();
        if quoted.is_none() && of_items == Quotes::Never && (item.starts_with(is_quote) || item.ends_with(is_quote)) {
            return Err(format!(
                "holds an item, number {}, with a quote at one end only; write items without quotes, or all of them as \
                 in [\"first\", \"second\"]",
                items.len() + 1
            ));
        }
        if !item.is_empty() {
            items.push(item);
        }
        rest = behind.trim_start();
    }
    let text = any_quoted.then(|| serde_json::json!(items).to_string());
    Ok(text.map(|text| Unquoted { text, warning: AROUND_ITEMS }))
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'')
}

/// Returns the text between quotes that enclose the whole text, that is, if every inner quote is escaped.
pub(super) fn inside(text: &str) -> Option<String> {
    let (quote, inner) = between(text)?;
    let escaped = format!("\\{quote}");
    let whole = !inner.replace(&escaped, "").contains(quote);
    whole.then(|| inner.replace(&escaped, &quote.to_string()))
}

/// Returns the list in `"["A", "B"]"`.
fn inside_list(text: &str) -> Option<String> {
    let (_, inner) = between(text)?;
    let inner = inner.trim();
    (inner.starts_with('[') && inner.ends_with(']')).then(|| inner.to_owned())
}

/// Returns the quote at both ends of a text, and the text between.
fn between(text: &str) -> Option<(char, &str)> {
    let quote = text.chars().next().filter(|first| is_quote(*first))?;
    Some((quote, text.strip_prefix(quote)?.strip_suffix(quote)?))
}

/// Returns the quoted item at the start of a list, and the rest of the list after its comma.
fn quoted_item(quote: char, list: &str) -> Option<(&str, &str)> {
    let inner = list.strip_prefix(quote)?;
    inner.match_indices(quote).find_map(|(at, _)| {
        let (item, behind) = inner.split_at(at);
        let behind = behind.strip_prefix(quote)?.trim_start();
        let behind = if behind.is_empty() { behind } else { behind.strip_prefix(',')? };
        Some((item, behind))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, quotes: Quotes) -> Result<Option<String>, String> {
        strip_from_value(text, quotes).map(|unquoted| unquoted.map(|unquoted| unquoted.text))
    }

    const NAMES: Quotes = Quotes::List(&Quotes::Never);

    #[test]
    fn matching_quotes_around_a_value_are_removed() {
        for (text, inner) in
            [(r#""b""#, "b"), ("'b'", "b"), (r#" "b c" "#, "b c"), ("\"it's\"", "it's"), (r#""\"b\" c""#, r#""b" c"#)]
        {
            for quotes in [Quotes::Never, Quotes::Allowed] {
                assert_eq!(value(text, quotes), Ok(Some(inner.to_owned())), "{text}");
            }
        }
    }

    #[test]
    fn a_quote_at_one_end_is_kept_in_texts_and_an_error_elsewhere() {
        for text in [r#""b"#, "b'", r#""b'"#, "\"", r#""b" and "c""#, r#""b" c"#] {
            assert_eq!(value(text, Quotes::Allowed), Ok(None), "{text}");
            assert!(value(text, Quotes::Never).is_err(), "{text}");
        }
        for text in ["b", "it's", "5\" plot b"] {
            assert_eq!(value(text, Quotes::Never), Ok(None), "{text}");
        }
    }

    #[test]
    fn quotes_around_a_list_and_around_its_items_are_removed() {
        for (text, list, warning) in [
            (r#""A,B""#, "A,B", AROUND_VALUE),
            (r#"'["A","B"]'"#, r#"["A","B"]"#, AROUND_VALUE),
            (r#""["A","B"]""#, r#"["A","B"]"#, AROUND_VALUE),
            (r#""[\"A\",\"B\"]""#, r#"["A","B"]"#, AROUND_VALUE),
            (r#""A","B""#, r#"["A","B"]"#, AROUND_ITEMS),
            (r#"'A, B' , C, "D",,"#, r#"["A, B","C","D"]"#, AROUND_ITEMS),
            (r#"'"A","B"'"#, r#"["A","B"]"#, AROUND_VALUE),
        ] {
            assert_eq!(strip_from_value(text, NAMES), Ok(Some(Unquoted { text: list.to_owned(), warning })), "{text}");
        }
        for text in [r#"["A","B"]"#, "A,B", "Surveyors' room,B", ""] {
            assert_eq!(strip_from_value(text, NAMES), Ok(None), "{text}");
        }
    }

    #[test]
    fn an_item_with_a_quote_at_one_end_is_reported_by_its_number() {
        for (text, number) in [("A,\"B", 2), ("'A,B", 1), ("A,B\"", 2), (r#""A" B,C"#, 1), (r#""A","B"]"#, 2)] {
            let error = value(text, NAMES).expect_err(text);
            assert!(error.starts_with(&format!("holds an item, number {number}, with a quote")), "{text}: {error}");
            assert!(value(text, Quotes::List(&Quotes::Allowed)).is_ok(), "{text}");
        }
    }
}
