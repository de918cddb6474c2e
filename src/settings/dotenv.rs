//! The lines of a `.env` file.
//!
//! Where docker compose and python-dotenv agree on a line, this reader follows them, with one exception: a `$` is an
//! ordinary character everywhere, so that a password that holds one needs no care.

use std::path::Path;

use super::text::too_large;
use super::variables::Variable;
use super::{Fault, Place};

const NO_EQUALS: &str = "has no `=`; write NAME=value";
const BAD_NAME: &str = "the name before `=` cannot be a variable's; it must consist of letters, digits and `_`, and not \
                        begin with a digit";
const NOT_CLOSED: &str = "a value begins with a quote that is not closed";
const TEXT_BEHIND: &str = "text follows the closing quote; put the whole value in quotes, or leave them out";

/// The variables of a file, with the errors of its lines, which never repeat a line: it may hold a secret.
pub(super) fn read(path: &Path, text: &str) -> (Vec<Variable>, Vec<Fault>) {
    if let Some(fault) = too_large(text.len(), path) {
        return (Vec::new(), vec![fault]);
    }
    let text = text.replace("\r\n", "\n");
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let (mut variables, mut faults, mut number) = (Vec::new(), Vec::new(), 1);
    while !rest.is_empty() {
        let place = Place::line(path, number);
        // After an error, reading goes on in the next line, also when a quote was opened.
        let (_, mut next) = first_line(rest);
        match variable(rest) {
            Ok(Some((name, value, behind))) => {
                variables.push(Variable::in_file(name, value, place));
                next = behind;
            }
            Ok(None) => {}
            Err(why) => faults.push(Fault::new(place, why)),
        }
        let read = rest.len() - next.len();
        number += rest.bytes().take(read).filter(|byte| *byte == b'\n').count();
        rest = next;
    }
    (variables, faults)
}

fn first_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

/// The name and the value that the first line of a text holds, and the lines behind that value; `None` for an empty line
/// and a comment.
fn variable(text: &str) -> Result<Option<(&str, String, &str)>, &'static str> {
    let (line, _) = first_line(text);
    let Some(name) = name(line)? else { return Ok(None) };
    let (value, behind) = value(text)?;
    Ok(Some((name, value, behind)))
}

/// The name that a line gives a value to; `None` for an empty line and a comment.
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

/// Dots and hyphens are in names that other programs read from the same file.
fn is_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    name.bytes().all(inner) && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
}

/// The value behind the first `=` of a text, and the lines behind that value.
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
        // The quote that seemed to close this value opens another one, some lines below.
        Err(NOT_CLOSED)
    } else if tail.starts_with(',') {
        // A list of quoted items. What they are is for the type of the setting to say.
        Ok((unquoted(line).to_owned(), next))
    } else {
        Err(TEXT_BEHIND)
    }
}

/// The quote that a value begins with, and all the text behind it.
fn opened<'a>(line: &str, text: &'a str) -> Option<(char, &'a str)> {
    let quote = line.trim_start().chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let inner = text.trim_start().strip_prefix(quote)?;
    Some((quote, inner))
}

/// A value without quotes. A `#` begins a comment only behind a blank.
fn unquoted(line: &str) -> &str {
    let mut starts = line.match_indices('#').map(|(at, _)| line.split_at(at).0);
    starts.find(|before| before.ends_with(char::is_whitespace)).unwrap_or(line).trim()
}

/// The value up to the closing quote, and the text behind that; `None` when nothing closes it.
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
