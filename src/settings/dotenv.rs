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
        let (line, mut next) = first_line(rest);
        match name(line).and_then(|name| name.map(|name| Ok((name, value(rest)?))).transpose()) {
            Ok(Some((name, (value, behind)))) => {
                variables.push(Variable::in_file(name, value, place));
                next = behind;
            }
            Ok(None) => {}
            // After an error, reading goes on in the next line, also when a quote was opened.
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
    let befores = line.match_indices('#').map(|(at, _)| line.split_at(at).0);
    befores.into_iter().find(|before| before.ends_with(char::is_whitespace)).unwrap_or(line).trim()
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
mod tests {
    use super::*;

    /// `place=value` of each variable, and the errors.
    fn all(text: &str) -> (Vec<String>, Vec<String>) {
        let (variables, faults) = read(Path::new(".env"), text);
        let shown = |variable: &Variable| {
            format!("{}={}", variable.fault("").place, variable.value.as_deref().unwrap_or_default())
        };
        (variables.iter().map(shown).collect(), faults.iter().map(ToString::to_string).collect())
    }

    /// The value of the variable in the one line given.
    fn one(line: &str) -> Result<String, String> {
        let (variables, faults) = read(Path::new(".env"), line);
        match (variables.as_slice(), faults.as_slice()) {
            ([variable], []) => Ok(variable.value.clone().unwrap_or_default()),
            (_, [fault]) => Err(fault.to_string()),
            more => panic!("{line}: {more:?}"),
        }
    }

    #[test]
    fn a_variable_knows_its_line() {
        let long = "y".repeat(20_000);
        let text = format!("# note\nA=1\n\n  # note\nB=\"x\ny\"\r\n\nC={long}\nexport D='4'");
        let (variables, faults) = all(&text);
        assert_eq!(faults, [""; 0]);
        assert_eq!(variables, [".env:2=1", ".env:5=x\ny", &format!(".env:8={long}"), ".env:9=4"]);
    }

    #[test]
    fn a_value_without_quotes_is_the_line_without_outer_blanks_and_comment() {
        for (line, value) in [
            ("A=b", "b"),
            ("  A = b c \t", "b c"),
            ("export A=b", "b"),
            ("export\tA =b", "b"),
            ("export=b", "b"),
            ("A=b\r\n", "b"),
            ("A=b # note", "b"),
            ("A=b\t#note", "b"),
            ("A=b#c", "b#c"),
            ("A=b#c # d#e", "b#c"),
            ("A=#b", "#b"),
            ("A= # note", ""),
            ("A=", ""),
            ("A=b=c==", "b=c=="),
            (r"A=C:\new", r"C:\new"),
            ("A=it's", "it's"),
            ("A=5\" plot", "5\" plot"),
            ("A=[\"b, c\", 'd']", "[\"b, c\", 'd']"),
        ] {
            assert_eq!(one(line).as_deref(), Ok(value), "{line}");
        }
    }

    #[test]
    fn a_dollar_is_an_ordinary_character() {
        for line in ["A=$B${C}$(d)", "A='$B${C}$(d)'", "A=\"$B${C}$(d)\"", "A=\"\\$B\\${C}$(d)\""] {
            assert_eq!(one(line).as_deref(), Ok("$B${C}$(d)"), "{line}");
        }
    }

    #[test]
    fn single_quotes_keep_everything_but_an_escaped_quote() {
        for (line, value) in [
            (r#"A='b \n # c \\ "d"' # note"#, r#"b \n # c \\ "d""#),
            (r"A='Let\'s go'", "Let's go"),
            ("A = ' b '", " b "),
            ("A='b\r\n\r\nc'#note", "b\n\nc"),
            ("A=''", ""),
        ] {
            assert_eq!(one(line).as_deref(), Ok(value), "{line}");
        }
    }

    #[test]
    fn double_quotes_know_escapes_and_leave_other_backslashes_alone() {
        for (line, value) in [
            (r#"A="b\nc\td\re\"f\\g" # note"#, "b\nc\td\re\"f\\g"),
            (r#"A="C:\dir" "#, r"C:\dir"),
            ("A=\"b # c\nd\"", "b # c\nd"),
        ] {
            assert_eq!(one(line).as_deref(), Ok(value), "{line}");
        }
    }

    #[test]
    fn a_list_of_quoted_items_is_left_as_it_is() {
        assert_eq!(one(r#"A="b", 'c' # note"#).as_deref(), Ok(r#""b", 'c'"#));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_an_error_that_says_what_is_wrong() {
        for (line, why) in [
            ("A", NO_EQUALS),
            ("export A", NO_EQUALS),
            ("A: b", NO_EQUALS),
            ("=b", BAD_NAME),
            ("2A=b", BAD_NAME),
            ("A B=c", BAD_NAME),
            ("Á=b", BAD_NAME),
            ("'A'=b", BAD_NAME),
            ("A=\"b", NOT_CLOSED),
            ("A='b\\'", NOT_CLOSED),
            ("A=\"b\" c", TEXT_BEHIND),
            ("A='b'c", TEXT_BEHIND),
        ] {
            assert_eq!(one(line), Err(format!(".env:1: {why}")), "{line}");
        }
    }

    #[test]
    fn the_lines_behind_an_unclosed_quote_are_read() {
        for end in ["", "D='4'\n", "D=\"4\"\n"] {
            let (variables, faults) = all(&format!("A=1\nB='open\nC=\"open\n{end}E=5\n"));
            assert_eq!(faults, [format!(".env:2: {NOT_CLOSED}"), format!(".env:3: {NOT_CLOSED}")], "{end}");
            assert_eq!(variables.first().map(String::as_str), Some(".env:1=1"));
            assert_eq!(variables.len(), 2 + end.lines().count(), "{variables:?}");
        }
    }

    #[test]
    fn no_error_repeats_what_stands_in_its_line() {
        let (_, faults) = all("hush\nhush hush=x\nA='hush\nB=\"hush\" hush\n1hush=hush\n");
        assert_eq!(faults.len(), 5);
        assert!(!faults.concat().contains("hush"), "{faults:?}");
    }

    #[test]
    fn a_mark_of_byte_order_is_no_part_of_the_first_name() {
        assert_eq!(all("\u{feff}A=b\n"), (vec![".env:1=b".to_owned()], vec![]));
    }

    #[test]
    fn a_file_of_many_open_quotes_is_read_at_once() {
        let lines = "A='\nB=\"\n".repeat(50_000);
        let started = std::time::Instant::now();
        let (variables, faults) = all(&lines);
        assert!(variables.len() + faults.len() > 1_000);
        assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
    }
}
