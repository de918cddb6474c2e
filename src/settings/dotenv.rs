//! A parser for `.env` files.
//!
//! Where docker compose and python-dotenv agree, this parser follows them, with one exception: `$` is always an
//! ordinary character, so that passwords need no escaping.

use std::path::Path;

use super::text::too_large;
use super::variables::Variable;
use super::{ConfigError, Location};

const NO_EQUALS: &str = "has no `=`; write NAME=value";
const BAD_NAME: &str = "the name before `=` cannot be a variable's; it must consist of letters, digits and `_`, and not \
                        begin with a digit";
const NOT_CLOSED: &str = "a value begins with a quote that is not closed";
const TEXT_BEHIND: &str = "text follows the closing quote; put the whole value in quotes, or leave them out";

/// Parses a file into variables and errors. Errors never repeat a line, which may contain a secret.
pub(super) fn read(path: &Path, text: &str) -> (Vec<Variable>, Vec<ConfigError>) {
    if let Some(error) = too_large(text.len(), path) {
        return (Vec::new(), vec![error]);
    }
    let text = text.replace("\r\n", "\n");
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let (mut variables, mut errors, mut number) = (Vec::new(), Vec::new(), 1);
    while !rest.is_empty() {
        let location = Location::line(path, number);
        // After an error, continue on the next line, even within an open quote.
        let (_, mut next) = first_line(rest);
        match variable(rest) {
            Ok(Some((name, value, behind))) => {
                variables.push(Variable::in_file(name, value, location));
                next = behind;
            }
            Ok(None) => {}
            Err(why) => errors.push(ConfigError::new(location, why)),
        }
        let read = rest.len() - next.len();
        number += rest.bytes().take(read).filter(|byte| *byte == b'\n').count();
        rest = next;
    }
    (variables, errors)
}

fn first_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

/// Returns the name and the value of the first line of a text, and the text after the value; `None` for an empty line
/// or a comment.
fn variable(text: &str) -> Result<Option<(&str, String, &str)>, &'static str> {
    let (line, _) = first_line(text);
    let Some(name) = name(line)? else { return Ok(None) };
    let (value, behind) = value(text)?;
    Ok(Some((name, value, behind)))
}

/// Returns the variable name of a line; `None` for an empty line or a comment.
fn name(line: &str) -> Result<Option<&str>, &'static str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (name, _) = line.split_once('=').ok_or(NO_EQUALS)?;
    let name = name.trim_end();
    let exported = name.strip_prefix("export").filter(|name| name.starts_with(char::is_whitespace));
    let name = exported.map_or(name, str::trim_start);
    if is_name(name) { Ok(Some(name)) } else { Err(BAD_NAME) }
}

/// Allows dots and hyphens because other programs may read such names from the same file.
fn is_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    name.bytes().all(inner) && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
}

/// Returns the value after the first `=` of a text, and the text after the value.
fn value(text: &str) -> Result<(String, &str), &'static str> {
    let (_, text) = text.split_once('=').unwrap_or_default();
    let (line, next) = first_line(text);
    let Some((quote, inner)) = opened(line, text) else { return Ok((unquoted(line).to_owned(), next)) };
    let (value, behind) = quoted(quote, inner).ok_or(NOT_CLOSED)?;
    let (tail, behind) = first_line(behind);
    let tail = tail.trim_start();
    if tail.is_empty() || tail.starts_with('#') {
        Ok((value, behind))
    } else if behind.len() < next.len() {
        // The quote that seems to close this value opens another value on a later line.
        Err(NOT_CLOSED)
    } else if tail.starts_with(',') {
        // A list of quoted items is left to the type of the setting.
        Ok((unquoted(line).to_owned(), next))
    } else {
        Err(TEXT_BEHIND)
    }
}

/// Returns the quote at the start of a value, and the text after it.
fn opened<'a>(line: &str, text: &'a str) -> Option<(char, &'a str)> {
    let quote = line.trim_start().chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let inner = text.trim_start().strip_prefix(quote)?;
    Some((quote, inner))
}

/// Returns an unquoted value. `#` starts a comment only after whitespace.
fn unquoted(line: &str) -> &str {
    let mut starts = line.match_indices('#').map(|(at, _)| line.split_at(at).0);
    starts.find(|before| before.ends_with(char::is_whitespace)).unwrap_or(line).trim()
}

/// Returns the value up to the closing quote, and the text after it; `None` if the quote is not closed.
fn quoted(quote: char, text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '\\' => match (quote, chars.next()?) {
                ('"', 'n') => value.push('\n'),
                ('"', 'r') => value.push('\r'),
                ('"', 't') => value.push('\t'),
                ('"', escaped @ ('"' | '\\' | '$')) | ('\'', escaped @ '\'') => value.push(escaped),
                (_, other) => value.extend(['\\', other]),
            },
            end if end == quote => return Some((value, chars.as_str())),
            other => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests;
