//! Tests of single lines, and of files with errors.

use proptest::prelude::*;

use super::*;

/// Returns `location=value` of each variable, and the errors.
fn all(text: &str) -> (Vec<String>, Vec<String>) {
    let (variables, errors) = read(Path::new(".env"), text);
    let shown = |variable: &Variable| {
        format!("{}={}", variable.error("").location, variable.value.as_deref().unwrap_or_default())
    };
    (variables.iter().map(shown).collect(), errors.iter().map(ToString::to_string).collect())
}

/// Returns the value of the variable in a single line.
fn one(line: &str) -> Result<String, String> {
    let (variables, errors) = read(Path::new(".env"), line);
    match (variables.as_slice(), errors.as_slice()) {
        ([variable], []) => Ok(variable.value.clone().unwrap_or_default()),
        (_, [error]) => Err(error.to_string()),
        more => panic!("{line}: {more:?}"),
    }
}

#[test]
fn a_variable_has_its_line_number() {
    let long = "y".repeat(20_000);
    let text = format!("# note\nA=1\n\n  # note\nB=\"x\ny\"\r\n\nC={long}\nexport D='4'");
    let (variables, errors) = all(&text);
    assert_eq!(errors, [""; 0]);
    assert_eq!(variables, [".env:2=1", ".env:5=x\ny", &format!(".env:8={long}"), ".env:9=4"]);
}

#[test]
fn an_unquoted_value_is_trimmed_and_ends_at_a_comment() {
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
fn single_quotes_unescape_only_the_quote() {
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
fn double_quotes_unescape_known_sequences_and_keep_other_backslashes() {
    for (line, value) in [
        (r#"A="b\nc\td\re\"f\\g" # note"#, "b\nc\td\re\"f\\g"),
        (r#"A="C:\dir" "#, r"C:\dir"),
        ("A=\"b # c\nd\"", "b # c\nd"),
    ] {
        assert_eq!(one(line).as_deref(), Ok(value), "{line}");
    }
}

#[test]
fn a_list_of_quoted_items_is_kept_verbatim() {
    assert_eq!(one(r#"A="b", 'c' # note"#).as_deref(), Ok(r#""b", 'c'"#));
}

#[test]
fn an_invalid_line_is_an_error_that_says_what_is_wrong() {
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
fn the_lines_after_an_unclosed_quote_are_read() {
    for end in ["", "D='4'\n", "D=\"4\"\n"] {
        let (variables, errors) = all(&format!("A=1\nB='open\nC=\"open\n{end}E=5\n"));
        assert_eq!(errors, [format!(".env:2: {NOT_CLOSED}"), format!(".env:3: {NOT_CLOSED}")], "{end}");
        assert_eq!(variables.first().map(String::as_str), Some(".env:1=1"));
        assert_eq!(variables.len(), 2 + end.lines().count(), "{variables:?}");
    }
}

#[test]
fn errors_do_not_repeat_their_lines() {
    let (_, errors) = all("hush\nhush hush=x\nA='hush\nB=\"hush\" hush\n1hush=hush\n");
    assert_eq!(errors.len(), 5);
    assert!(!errors.concat().contains("hush"), "{errors:?}");
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_first_name() {
    assert_eq!(all("\u{feff}A=b\n"), (vec![".env:1=b".to_owned()], vec![]));
}

proptest! {
    #[test]
    fn a_value_in_double_quotes_survives_a_round_trip(value in "\\PC*|(?s:.{0,50})") {
        let mut written = String::from("A=\"");
        for c in value.chars() {
            match c {
                '\n' => written.push_str("\\n"),
                '\r' => written.push_str("\\r"),
                '"' | '\\' => written.extend(['\\', c]),
                c => written.push(c),
            }
        }
        written.push('"');
        prop_assert_eq!(one(&written), Ok(value));
    }

    #[test]
    fn every_line_is_read_or_reported_once_and_within_the_file(text in "([A-C]|[ =#'\"\\\\\n\r,é]|export ){0,80}") {
        let (variables, errors) = read(Path::new(".env"), &text);
        let lines = text.lines().count();
        let mut places: Vec<Location> = variables.iter().map(|variable| variable.error("").location).collect();
        places.extend(errors.into_iter().map(|error| error.location));
        let number = places.len();
        places.sort();
        places.dedup();
        prop_assert_eq!(places.len(), number, "a line was reported twice");
        prop_assert!(places.last().is_none_or(|last| *last <= Location::line(".env", lines)));
    }
}

#[test]
fn a_file_of_many_open_quotes_is_read_to_its_end() {
    let lines = "A='\nB=\"\n".repeat(50_000);
    let (variables, errors) = all(&lines);
    assert!(variables.len() + errors.len() > 1_000);
}
