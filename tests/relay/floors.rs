//! Checks the layering of modules: imports go downward only, and files stay small enough to read.
//!
//! The order is that of `pub mod` in `src/lib.rs`. The check works on source text, so only a re-export can hide an
//! import.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Longest file in `src`, in lines.
const MAX_LINES: usize = 300;
/// Generated tables, which are exempt.
const TABLES: [&str; 1] = ["matching/table/data.rs"];

/// A token of Rust source: names, braces and path separators; comments and literals are dropped.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    /// `::`
    Path,
    Open,
    Close,
    /// Anything else.
    Other,
}

/// The tokens of a text with their line numbers.
fn tokens(text: &str) -> Vec<(usize, Token)> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let (mut found, mut i, mut line) = (Vec::new(), 0, 1);
    while i < chars.len() {
        let (start, start_line) = (i, line);
        let token = match (at(i), at(i + 1)) {
            ('/', '/') => {
                i += chars.iter().skip(i).take_while(|c| **c != '\n').count();
                None
            }
            ('/', '*') => {
                let mut depth = 0;
                loop {
                    match (at(i), at(i + 1)) {
                        ('/', '*') => (depth, i) = (depth + 1, i + 2),
                        ('*', '/') => (depth, i) = (depth - 1, i + 2),
                        _ => i += 1,
                    }
                    if depth == 0 || i >= chars.len() {
                        break None;
                    }
                }
            }
            ('r', '"' | '#') if { hashes(&chars, i + 1).is_some() } => {
                let hashes = hashes(&chars, i + 1).unwrap_or(0);
                i += hashes + 2;
                while i < chars.len() && !(at(i) == '"' && (1..=hashes).all(|n| at(i + n) == '#')) {
                    i += 1;
                }
                i += hashes + 1;
                Some(Token::Other)
            }
            ('"', _) => {
                i += 1;
                while i < chars.len() && at(i) != '"' {
                    i += if at(i) == '\\' { 2 } else { 1 };
                }
                i += 1;
                Some(Token::Other)
            }
            // A character, not a lifetime.
            ('\'', next) if next == '\\' || at(i + 2) == '\'' => {
                i += if next == '\\' { 3 } else { 2 };
                while i < chars.len() && at(i) != '\'' {
                    i += 1;
                }
                i += 1;
                Some(Token::Other)
            }
            (':', ':') => {
                i += 2;
                Some(Token::Path)
            }
            (c, _) if is_name(c) => {
                i += chars.iter().skip(i).take_while(|c| is_name(**c)).count();
                Some(Token::Name(chars.iter().skip(start).take(i - start).collect()))
            }
            (c, _) => {
                i += 1;
                match c {
                    '{' => Some(Token::Open),
                    '}' => Some(Token::Close),
                    c if c.is_whitespace() => None,
                    _ => Some(Token::Other),
                }
            }
        };
        line += chars.iter().skip(start).take(i - start).filter(|c| **c == '\n').count();
        found.extend(token.map(|token| (start_line, token)));
    }
    found
}

/// The number of `#` before the quote of a raw string; `None` if it is not a raw string.
fn hashes(chars: &[char], from: usize) -> Option<usize> {
    let hashes = chars.iter().skip(from).take_while(|c| **c == '#').count();
    (chars.get(from + hashes) == Some(&'"')).then_some(hashes)
}

/// The top-level modules that a file refers to, by `crate::` or by enough `super::`, with line numbers.
///
/// `depth` is the depth of the file's module: 1 for `src/room/mod.rs`.
fn imports(text: &str, depth: usize) -> Vec<(usize, String)> {
    let tokens = tokens(text);
    let token = |i: usize| tokens.get(i).map(|(_, token)| token);
    let name = |i: usize| match token(i) {
        Some(Token::Name(name)) => Some(name.as_str()),
        _ => None,
    };
    let mut found = Vec::new();
    // The brace depths at which inline modules begin.
    let (mut braces, mut inner) = (0_usize, Vec::new());
    let mut i = 0;
    while let Some(token_here) = token(i) {
        match token_here {
            Token::Open => braces += 1,
            Token::Close => {
                braces = braces.saturating_sub(1);
                inner.pop_if(|begin| *begin == braces);
            }
            Token::Name(word) if word == "mod" && token(i + 2) == Some(&Token::Open) => inner.push(braces),
            Token::Name(word) if word == "crate" || word == "super" => {
                let mut up = usize::from(word == "super");
                let mut end = i + 1;
                while token(end) == Some(&Token::Path) && name(end + 1) == Some("super") {
                    (up, end) = (up + 1, end + 2);
                }
                let to_top = word == "crate" || up >= depth + inner.len();
                if to_top && token(end) == Some(&Token::Path) {
                    found.extend(first_names(&tokens, end + 1));
                }
                i = end;
                continue;
            }
            _ => {}
        }
        i += 1;
    }
    found
}

/// The first name of a path, or of each path in a group.
fn first_names(tokens: &[(usize, Token)], at: usize) -> Vec<(usize, String)> {
    match tokens.get(at) {
        Some((line, Token::Name(name))) => vec![(*line, name.clone())],
        Some((_, Token::Open)) => {
            let (mut depth, mut names, mut begins) = (0_usize, Vec::new(), true);
            for (line, token) in tokens.iter().skip(at) {
                match token {
                    Token::Open => depth += 1,
                    Token::Close => depth -= 1,
                    Token::Name(name) if depth == 1 && begins => names.push((*line, name.clone())),
                    // In a group of paths, this can only be a comma.
                    Token::Other if depth == 1 => {
                        begins = true;
                        continue;
                    }
                    _ => {}
                }
                begins = depth == 1 && *token == Token::Open;
                if depth == 0 {
                    break;
                }
            }
            names
        }
        _ => Vec::new(),
    }
}

/// The modules that `lib.rs` declares, lowest first.
fn floors(lib: &str) -> Vec<String> {
    let tokens = tokens(lib);
    let declared = tokens.windows(3).filter_map(|three| match three {
        [(_, Token::Name(word)), (_, Token::Name(name)), (_, Token::Other)] if word == "mod" => Some(name.clone()),
        _ => None,
    });
    declared.collect()
}

/// Returns the upward imports of a file, given its path relative to `src`.
fn check(floors: &[String], path: &Path, text: &str) -> Vec<String> {
    let parts: Vec<String> = path.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let own = parts.first().cloned().unwrap_or_default();
    let floor = |name: &str| floors.iter().position(|floor| floor == name);
    let Some(mine) = floor(&own) else { return vec![format!("{}: not a module of lib.rs", path.display())] };
    let depth = parts.len() - usize::from(parts.last().is_some_and(|last| last == "mod"));
    let upward = imports(text, depth).into_iter().filter(|(_, name)| floor(name).is_none_or(|floor| floor > mine));
    upward.map(|(line, name)| format!("{}:{line}: `{own}` imports `{name}`", path.display())).collect()
}

fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All files in a folder, recursively, with their contents, sorted.
fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            found.push((path, text));
        }
    }
    found.sort();
    found
}

fn below_source(path: &Path) -> PathBuf {
    path.strip_prefix(source_folder()).unwrap().to_owned()
}

#[test]
fn imports_go_downward_only() {
    let floors = floors(&std::fs::read_to_string(source_folder().join("lib.rs")).unwrap());
    assert!(floors.len() > 5, "{floors:?}");
    let roots = ["lib.rs", "main.rs"].map(PathBuf::from);
    let mut wrong = String::new();
    for (path, text) in files(&source_folder()) {
        let path = below_source(&path);
        if path.extension().is_some_and(|end| end == "rs") && !roots.contains(&path) {
            for error in check(&floors, &path, &text) {
                writeln!(wrong, "{error}").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "src/lib.rs declares modules from lowest to highest:\n{wrong}");
}

#[test]
fn no_source_file_is_too_long() {
    let mut long = String::new();
    for (path, text) in files(&source_folder()) {
        let path = below_source(&path);
        let tests = path.file_name().is_some_and(|name| name == "tests.rs");
        let table = TABLES.iter().any(|table| path == Path::new(table));
        let lines = text.lines().count();
        if !tests && !table && lines > MAX_LINES {
            writeln!(long, "{}: {lines} lines", path.display()).unwrap();
        }
    }
    assert!(
        long.is_empty(),
        "files may have at most {MAX_LINES} lines, except test modules and tables; split them by topic:\n{long}"
    );
}

#[test]
fn a_planted_upward_import_is_found() {
    let floors = ["model", "wire", "room", "app"].map(str::to_owned);
    let found = |path: &str, text: &str| check(&floors, Path::new(path), text);
    for (path, text, lines) in [
        ("wire/v1.rs", "use crate::room::Room;", vec![1]),
        ("wire/v1.rs", "use crate::{model::Message,\n room::{Room, app},\n wire, app};", vec![2, 3]),
        ("wire/v1.rs", "fn f() {\n crate::app::run(\"crate::room\", 'c')\n}", vec![2]),
        ("wire/mod.rs", "use super::room::Room;", vec![1]),
        ("wire/v1.rs", "use super::super::room::Room;", vec![1]),
        ("wire/v1.rs", "use super::room::Room;", vec![]),
        ("wire/mod.rs", "mod tests {\n use super::room;\n use super::super::room;\n}\nuse super::app;", vec![3, 5]),
        ("wire.rs", "fn f<'a>(x: &'a str) {} type X = crate :: room :: Y;", vec![1]),
        ("wire/v1.rs", "pub(crate) use crate::rooms::Room;", vec![1]),
        ("room/mod.rs", "use crate::{model, wire::{self, room}};\nuse crate::room::x;", vec![]),
        ("room/mod.rs", "/* crate::app /* nested */ crate::app */ // crate::app\n//! [`crate::app`]", vec![]),
        (
            "room/mod.rs",
            "const X: &str = r#\"crate::app \" crate::app\"#; const Q: char = '\"'; use crate::app;",
            vec![1],
        ),
    ] {
        let wanted: Vec<String> = lines.iter().map(|line| format!("{path}:{line}: ")).collect();
        let found = found(path, text);
        assert_eq!(found.len(), wanted.len(), "{text}: {found:?}");
        assert!(found.iter().zip(&wanted).all(|(found, wanted)| found.starts_with(wanted)), "{text}: {found:?}");
    }
    assert_eq!(found("attic/mod.rs", ""), ["attic/mod.rs: not a module of lib.rs"]);
}
