//! The rules file as it is written: TOML into typed entries, each value with its line.
//!
//! Says what the file's shape has wrong: syntax, keys, types, names of choices. What the values mean is for the compiler.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::model::{Mode, Outcome};

use super::MAX_FILE_BYTES;
use super::faults::{Faults, did_you_mean, quoted};
use super::files::too_large;

const KEYS: [&str; 13] = [
    "id",
    "clause",
    "any",
    "all",
    "none",
    "words",
    "words_file",
    "view",
    "verdict",
    "mask",
    "labels",
    "mode",
    "reason",
];

/// Keys of the design that are still to come.
const LATER: [&str; 15] = [
    "accents",
    "accepts",
    "costly",
    "doubled",
    "exempt",
    "hours",
    "lang",
    "leetspeak",
    "links",
    "refuses",
    "repetition",
    "reveal",
    "rooms",
    "sanction",
    "sender",
];

const VERDICTS: [(&str, Outcome); 5] = [
    ("reject", Outcome::Reject),
    ("replace", Outcome::Replace),
    ("hold", Outcome::Hold),
    ("shadow", Outcome::Shadow),
    ("label", Outcome::Pass),
];

/// Which text a rule's patterns see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Exact,
    Folded,
}

/// A value and the line where it is.
#[derive(Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) line: usize,
}

/// One `[[rule]]` as written. What is missing or has the wrong type is `None` or left out, and a fault.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Line of its header.
    pub(super) line: usize,
    /// What faults call it.
    pub(super) name: String,
    pub(super) id: Option<At<String>>,
    pub(super) clause: Option<At<String>>,
    pub(super) any: Vec<At<String>>,
    pub(super) all: Vec<At<String>>,
    pub(super) none: Vec<At<String>>,
    pub(super) words: Vec<At<String>>,
    pub(super) words_file: Option<At<String>>,
    pub(super) view: Option<View>,
    pub(super) asked: Option<Outcome>,
    pub(super) mask: Option<At<String>>,
    pub(super) labels: Vec<At<String>>,
    pub(super) mode: Option<Mode>,
    pub(super) reason: Option<At<String>>,
}

/// Reads the entries of a rules file.
pub(super) fn parse(text: &str, faults: &mut Faults<'_>) -> Vec<Written> {
    if text.len() > MAX_FILE_BYTES {
        faults.add(0, too_large());
        return Vec::new();
    }
    let lines = Lines::of(text);
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut syntax: Vec<_> =
        errors.iter().map(|error| (lines.at(&error.span().unwrap_or(0..0)), error.message())).collect();
    // One slip makes a dozen errors; the first of a line is the one to read.
    syntax.sort_by_key(|&(line, _)| line);
    syntax.dedup_by_key(|&mut (line, _)| line);
    for (line, message) in &syntax {
        faults.add(*line, (*message).to_owned());
    }
    let first_error = syntax.first().map(|&(line, _)| line);

    let mut reader = Reader { lines, faults };
    let mut entries = Vec::new();
    for (key, value) in root.get_ref() {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("rule", DeValue::Array(array)) => entries = reader.entries(array, first_error),
            _ if first_error.is_some() => {}
            ("rule", _) => {
                let line = reader.lines.at(&value.span());
                reader.faults.add(line, "a rule begins with `[[rule]]`, in two pairs of brackets".to_owned());
            }
            (other, _) => {
                let line = reader.lines.at(&key.span());
                let hint = did_you_mean(other, ["rule"]);
                reader.faults.add(line, format!("unknown key {}{hint}", quoted(other)));
            }
        }
    }
    entries
}

/// Where the lines of a text begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    fn at(&self, span: &Range<usize>) -> usize {
        self.0.partition_point(|&feed| feed < span.start) + 1
    }
}

struct Reader<'f, 'p> {
    lines: Lines,
    faults: &'f mut Faults<'p>,
}

type Key<'t> = Spanned<DeString<'t>>;
type Value<'t> = Spanned<DeValue<'t>>;

impl Reader<'_, '_> {
    /// The rules that end before the line `first_error`: what the parser made of the rest is not what was meant.
    fn entries(&mut self, array: &[Value<'_>], first_error: Option<usize>) -> Vec<Written> {
        let mut entries = Vec::new();
        for (index, value) in array.iter().enumerate() {
            let end = array.get(index + 1).map_or(usize::MAX, |next| self.lines.at(&next.span()));
            if first_error.is_some_and(|error| error < end) {
                break;
            }
            let line = self.lines.at(&value.span());
            match value.get_ref() {
                DeValue::Table(table) => entries.push(self.entry(table, line, index + 1)),
                other => self.faults.add(line, format!("a rule is a table, not {}", named(other))),
            }
        }
        entries
    }

    fn entry(&mut self, table: &DeTable<'_>, line: usize, number: usize) -> Written {
        let id = table.get("id").and_then(|id| id.get_ref().as_str());
        let name = id.map_or_else(|| format!("rule {number}"), |id| format!("rule {}", quoted(id)));
        let mut rule = Written { line, name, ..Written::default() };
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "id" => rule.id = self.string(&rule.name, key, value),
                "clause" => rule.clause = self.string(&rule.name, key, value),
                "any" => rule.any = self.strings(&rule.name, key, value),
                "all" => rule.all = self.strings(&rule.name, key, value),
                "none" => rule.none = self.strings(&rule.name, key, value),
                "words" => rule.words = self.strings(&rule.name, key, value),
                "words_file" => rule.words_file = self.string(&rule.name, key, value),
                "view" => {
                    let views = [("exact", View::Exact), ("folded", View::Folded)];
                    rule.view = self.choice(&rule.name, key, value, views);
                }
                "verdict" => rule.asked = self.choice(&rule.name, key, value, VERDICTS),
                "mask" => rule.mask = self.string(&rule.name, key, value),
                "labels" => rule.labels = self.strings(&rule.name, key, value),
                "mode" => {
                    let modes = [("enforce", Mode::Enforce), ("observe", Mode::Observe)];
                    rule.mode = self.choice(&rule.name, key, value, modes);
                }
                "reason" => rule.reason = self.string(&rule.name, key, value),
                other if LATER.contains(&other) => self.fault(&rule.name, key, "is not in this version"),
                other => {
                    let line = self.lines.at(&key.span());
                    let hint = did_you_mean(other, KEYS);
                    self.faults.add(line, format!("{}: unknown key {}{hint}", rule.name, quoted(other)));
                }
            }
        }
        for required in ["id", "verdict"] {
            if !table.contains_key(required) {
                self.faults.add(line, format!("{}: `{required}` is missing", rule.name));
            }
        }
        if !["any", "all", "words", "words_file"].iter().any(|key| table.contains_key(*key)) {
            let name = &rule.name;
            self.faults.add(line, format!("{name}: needs one of `any`, `all`, `words` and `words_file`"));
        }
        rule
    }

    fn fault(&mut self, rule: &str, key: &Key<'_>, what: &str) {
        let line = self.lines.at(&key.span());
        self.faults.add(line, format!("{rule}: `{}` {what}", key.get_ref()));
    }

    fn string(&mut self, rule: &str, key: &Key<'_>, value: &Value<'_>) -> Option<At<String>> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.fault(rule, key, &format!("must be a string, not {}", named(value.get_ref())));
        }
        text.map(|text| At { value: text.to_owned(), line: self.lines.at(&value.span()) })
    }

    fn strings(&mut self, rule: &str, key: &Key<'_>, value: &Value<'_>) -> Vec<At<String>> {
        let Some(array) = value.get_ref().as_array() else {
            self.fault(rule, key, &format!("must be a list of strings, not {}", named(value.get_ref())));
            return Vec::new();
        };
        if array.is_empty() {
            self.fault(rule, key, "is an empty list");
        }
        let mut strings = Vec::with_capacity(array.len());
        for value in array {
            let line = self.lines.at(&value.span());
            if let DeValue::String(text) = value.get_ref() {
                strings.push(At { value: text.to_string(), line });
            } else {
                let (key, kind) = (key.get_ref(), named(value.get_ref()));
                self.faults.add(line, format!("{rule}: `{key}` must hold strings, not {kind}"));
            }
        }
        strings
    }

    fn choice<T, const N: usize>(
        &mut self,
        rule: &str,
        key: &Key<'_>,
        value: &Value<'_>,
        choices: [(&str, T); N],
    ) -> Option<T> {
        let At { value: written, line } = self.string(rule, key, value)?;
        let names = choices.each_ref().map(|&(name, _)| name);
        let found = choices.into_iter().find(|&(name, _)| name == written);
        if found.is_none() {
            let (key, hint) = (key.get_ref(), did_you_mean(&written, names));
            let (written, names) = (quoted(&written), names.join(", "));
            self.faults.add(line, format!("{rule}: `{key}` is one of {names}, not {written}{hint}"));
        }
        found.map(|(_, choice)| choice)
    }
}

fn named(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
