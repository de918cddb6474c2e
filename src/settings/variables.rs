//! Variables of the environment and of a `.env` file.

use std::cell::Cell;
use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;

use super::text::too_large;
use super::{Fault, Place};

/// One variable that is set.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    /// `None` when it is not UTF-8.
    pub(super) value: Option<String>,
    /// The line of `.env`; `None` for the environment.
    line: Option<Place>,
}

impl Variable {
    /// A fault of this variable.
    pub(super) fn fault(&self, text: &str) -> Fault {
        match &self.line {
            Some(line) => Fault::new(line.clone(), format!("{}: {text}", self.name)),
            None => Fault::new(Place::Variable(self.name.clone()), text),
        }
    }

    /// Whether it holds something: compose files pass variables on that are empty, and mean that they are not set.
    pub(super) fn is_set(&self) -> bool {
        self.value.as_ref().is_none_or(|value| !value.trim().is_empty())
    }
}

/// The variables of the environment.
pub(super) fn environment(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<Variable> {
    variables
        .into_iter()
        .map(|(name, value)| Variable {
            name: name.to_string_lossy().into_owned(),
            value: value.into_string().ok(),
            line: None,
        })
        .collect()
}

/// The variables of a `.env` file, with the faults of its lines.
pub(super) fn dotenv(path: &Path, text: &str) -> (Vec<Variable>, Vec<Fault>) {
    if let Some(fault) = too_large(text.len(), path) {
        return (Vec::new(), vec![fault]);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let read_to = Cell::new(0);
    let items = dotenvy::from_read_iter(LineByLine { rest: text.as_bytes(), next: 1, read_to: &read_to });
    let (mut variables, mut faults, mut done) = (Vec::new(), Vec::new(), 0);
    for item in items {
        let line = Place::line(path, first_line(text, done).min(read_to.get()));
        done = read_to.get();
        match item {
            Ok((name, value)) => variables.push(Variable { name, value: Some(value), line: Some(line) }),
            // What dotenvy says repeats the line, and with it perhaps a secret.
            Err(_) => faults.push(Fault::new(
                line,
                "cannot be read as NAME=value; put a value with blanks, quotes or a backslash in single quotes",
            )),
        }
    }
    (variables, faults)
}

/// The first line after `done` that is neither empty nor a comment: the one where the next variable starts.
fn first_line(text: &str, done: usize) -> usize {
    let skipped = text.lines().skip(done).take_while(|line| {
        let line = line.trim_start();
        line.is_empty() || line.starts_with('#')
    });
    done + skipped.count() + 1
}

/// Hands out a text line by line. dotenvy tells no line numbers, but reads no line before it needs it.
struct LineByLine<'a> {
    rest: &'a [u8],
    next: usize,
    /// The line handed out last.
    read_to: &'a Cell<usize>,
}

impl Read for LineByLine<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let end = self.rest.iter().position(|byte| *byte == b'\n').map_or(self.rest.len(), |at| at + 1);
        let (mut line, _) = self.rest.split_at_checked(end.min(buffer.len())).unwrap_or_default();
        let read = line.read(buffer)?;
        if read > 0 {
            self.read_to.set(self.next);
            self.next += usize::from(read == end && self.rest.get(end - 1) == Some(&b'\n'));
            self.rest = self.rest.get(read..).unwrap_or_default();
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<(String, String)>, Vec<String>) {
        let (variables, faults) = dotenv(Path::new(".env"), text);
        let variables = variables
            .iter()
            .map(|variable| (variable.fault("x").place.to_string(), variable.value.clone().unwrap_or_default()))
            .collect();
        (variables, faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_variable_knows_its_line() {
        let long = "y".repeat(20_000);
        let text = format!("# note\nA=1\n\n  # note\nB=\"x\ny\"\r\n\nC={long}\nexport D='4'");
        let (variables, faults) = read(&text);
        assert_eq!(faults, [""; 0]);
        let expected = [(".env:2", "1"), (".env:5", "x\ny"), (".env:8", &long), (".env:9", "4")];
        assert_eq!(variables, expected.map(|(place, value)| (place.to_owned(), value.to_owned())));
    }

    #[test]
    fn each_malformed_line_is_a_fault_that_does_not_repeat_it() {
        let (variables, faults) = read("A=1\nTOKEN=secret phrase\n\n2B=x\nC=\"secret\nD=4\n");
        assert_eq!(variables.len(), 1);
        let places: Vec<&str> = faults.iter().filter_map(|fault| fault.split(": ").next()).collect();
        assert_eq!(places, [".env:2", ".env:4", ".env:5"]);
        assert!(!faults.concat().contains("secret"), "{faults:?}");
    }

    #[test]
    fn a_mark_of_byte_order_is_no_part_of_the_first_name() {
        let (variables, faults) = dotenv(Path::new(".env"), "\u{feff}ROOMS=a\n");
        assert_eq!(faults, []);
        assert_eq!(variables.first().map(|variable| variable.name.as_str()), Some("ROOMS"));
    }

    #[test]
    fn a_variable_of_blanks_is_not_set() {
        let given = [("A", ""), ("B", " "), ("C", "x")].map(|(name, value)| (name.into(), value.into()));
        let set: Vec<bool> = environment(given).iter().map(Variable::is_set).collect();
        assert_eq!(set, [false, false, true]);
    }
}
