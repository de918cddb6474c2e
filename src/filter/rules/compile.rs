//! Entries of the rules file into rules that run: what the values mean, and their limits.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use crate::matching::Words;
use crate::model::{Mode, Outcome};
use crate::settings::Place;

use super::faults::{Faults, quoted};
use super::file::{At, View, Written};
use super::files;
use super::rule::{Patterns, Rule};
use super::view::Form;

const MAX_RULES: usize = 1_000;
/// Regexes, words and phrases of all rules together.
const MAX_PATTERNS: usize = 10_000;
/// Of one regex, word or phrase.
const MAX_PATTERN_BYTES: usize = 1_000;
const MAX_REASON_CHARS: usize = 300;
const MAX_NAME_BYTES: usize = 64;
/// What one regex may take once compiled, in bytes.
const REGEX_SIZE: usize = 256 << 10;
/// What one regex may take for its cache while it runs, in bytes.
const REGEX_CACHE: usize = 1 << 20;
const REGEX_NESTING: u32 = 32;

const DEFAULT_REASON: &str = "This message breaks a rule of this instance.";

/// Compiles the entries of one file.
pub(super) struct Compiler<'a, 'p> {
    path: &'p Path,
    base: &'a Path,
    clauses: Vec<&'a str>,
    faults: &'a mut Faults<'p>,
    /// The line where each id was first seen.
    ids: HashMap<String, usize>,
    patterns: usize,
}

impl<'a, 'p> Compiler<'a, 'p> {
    pub(super) fn new(path: &'p Path, base: &'a Path, clauses: &'a str, faults: &'a mut Faults<'p>) -> Self {
        let clauses = clauses.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        Self { path, base, clauses, faults, ids: HashMap::new(), patterns: 0 }
    }

    /// The rules without a fault. What is beyond the limits of the file is not looked at.
    pub(super) fn compile(mut self, written: Vec<Written>) -> Vec<Rule> {
        let mut rules = Vec::with_capacity(written.len());
        for (index, entry) in written.into_iter().enumerate() {
            if index == MAX_RULES {
                self.faults.add(entry.line, format!("more than {MAX_RULES} rules"));
                break;
            }
            rules.extend(self.rule(&entry));
            if self.patterns > MAX_PATTERNS {
                break;
            }
        }
        rules
    }

    fn rule(&mut self, written: &Written) -> Option<Rule> {
        let id = self.id(written);
        let clause = written.clause.as_ref().and_then(|clause| self.clause(written, clause));
        let reason = self.reason(written);
        let mask = self.mask(written);
        let labels = self.labels(written);
        let patterns = self.patterns(written)?;
        let (id, asked) = (id?, written.asked?);
        let labels = if asked == Outcome::Pass && labels.is_empty() { vec![Arc::clone(&id)] } else { labels };
        Some(Rule {
            source: format!("{}:{}", self.path.display(), written.line).into(),
            labels,
            mode: written.mode.unwrap_or(Mode::Enforce),
            asked,
            reason: reason.or(clause).unwrap_or_else(|| DEFAULT_REASON.to_owned()),
            mask,
            patterns,
            hits: super::hits::Hits::default(),
            id,
        })
    }

    fn fault(&mut self, written: &Written, line: usize, what: &str) {
        self.faults.add(line, format!("{}: {what}", written.name));
    }

    fn id(&mut self, written: &Written) -> Option<Arc<str>> {
        let At { value: id, line } = written.id.as_ref()?;
        if !is_name(id) {
            self.fault(written, *line, &format!("`id` {NAME_HELP}"));
            return None;
        }
        if let Some(first) = self.ids.get(id) {
            let what = format!("a rule of this `id` is already at line {first}");
            self.fault(written, *line, &what);
            return None;
        }
        self.ids.insert(id.clone(), written.line);
        Some(id.as_str().into())
    }

    fn clause(&mut self, written: &Written, clause: &At<String>) -> Option<String> {
        let wanted = clause.value.trim();
        let found = self.clauses.contains(&wanted).then(|| wanted.to_owned());
        if found.is_none() {
            self.fault(written, clause.line, &format!("`clause` {} is no line of RULES", quoted(wanted)));
        }
        found
    }

    fn reason(&mut self, written: &Written) -> Option<String> {
        let At { value, line } = written.reason.as_ref()?;
        let length = value.chars().count();
        if value.trim().is_empty() {
            self.fault(written, *line, "`reason` is empty");
        } else if length > MAX_REASON_CHARS {
            let what = format!("`reason` has {length} characters; the limit is {MAX_REASON_CHARS}");
            self.fault(written, *line, &what);
        }
        Some(value.clone())
    }

    fn mask(&mut self, written: &Written) -> char {
        let Some(At { value, line }) = &written.mask else { return '*' };
        if written.asked.is_some_and(|asked| asked != Outcome::Replace) {
            self.fault(written, *line, "`mask` is for the verdict replace");
        }
        let mut chars = value.chars();
        match (chars.next(), chars.next()) {
            (Some(mask), None) if !mask.is_control() && !mask.is_whitespace() => mask,
            _ => {
                self.fault(written, *line, "`mask` must be one visible character");
                '*'
            }
        }
    }

    fn labels(&mut self, written: &Written) -> Vec<Arc<str>> {
        for At { value, line } in &written.labels {
            if !is_name(value) {
                self.fault(written, *line, &format!("label {} {NAME_HELP}", quoted(value)));
            }
        }
        if let (Some(first), Some(asked)) = (written.labels.first(), written.asked)
            && asked != Outcome::Pass
        {
            self.fault(written, first.line, "`labels` are for the verdict label");
        }
        written.labels.iter().map(|label| label.value.as_str().into()).collect()
    }

    fn patterns(&mut self, written: &Written) -> Option<Patterns> {
        let (regexes_see, words_see) = match written.view {
            None => (Form::Original, Form::Folded),
            Some(View::Exact) => (Form::Original, Form::Case),
            Some(View::Folded) => (Form::Folded, Form::Folded),
        };
        let [any, all, none] = [&written.any, &written.all, &written.none].map(|list| self.regexes(written, list));
        let listed = self.listed_words(written, words_see);
        let from_file = written.words_file.as_ref().and_then(|file| self.words_of_file(written, file, words_see));
        let mut words: Vec<String> = listed.into_iter().chain(from_file.into_iter().flatten()).collect();
        words.sort_unstable();
        words.dedup();
        if written.asked == Some(Outcome::Replace)
            && words.is_empty()
            && written.any.is_empty()
            && !written.all.is_empty()
        {
            self.fault(
                written,
                written.line,
                "the verdict replace needs `any`, `words` or `words_file`: what it masks",
            );
        }
        let words = if words.is_empty() {
            None
        } else {
            Words::new(words).inspect_err(|e| self.fault(written, written.line, &format!("too many words: {e}"))).ok()
        };
        Some(Patterns { any: any?, all: all?, none: none?, words, regexes_see, words_see })
    }

    /// Counts one more pattern; `false` beyond the limit, which is a fault the first time.
    fn counted(&mut self, line: usize) -> bool {
        self.patterns += 1;
        if self.patterns == MAX_PATTERNS + 1 {
            self.faults.add(line, format!("more than {MAX_PATTERNS} patterns and words in all"));
        }
        self.patterns <= MAX_PATTERNS
    }

    fn regexes(&mut self, written: &Written, list: &[At<String>]) -> Option<Vec<Regex>> {
        let mut regexes = Vec::with_capacity(list.len());
        for At { value, line } in list {
            if !self.counted(*line) {
                break;
            }
            match regex(value) {
                Ok(regex) => regexes.push(regex),
                Err(why) => self.fault(written, *line, &format!("pattern {} {why}", quoted(value))),
            }
        }
        (regexes.len() == list.len()).then_some(regexes)
    }

    fn listed_words(&mut self, written: &Written, form: Form) -> Vec<String> {
        let mut words = Vec::with_capacity(written.words.len());
        for At { value, line } in &written.words {
            if !self.counted(*line) {
                break;
            }
            match word(value, form) {
                Ok(word) => words.push(word),
                Err(why) => self.fault(written, *line, &why),
            }
        }
        words
    }

    fn words_of_file(&mut self, written: &Written, file: &At<String>, form: Form) -> Option<Vec<String>> {
        let text = files::locate(self.base, &file.value).and_then(|path| Ok((files::read_text(&path)?, path)));
        let (text, path) = text
            .inspect_err(|why| self.fault(written, file.line, &format!("`words_file` {} {why}", quoted(&file.value))))
            .ok()?;
        let mut words = Vec::new();
        for (line, value) in files::words(&text) {
            if !self.counted(file.line) {
                break;
            }
            match word(value, form) {
                Ok(word) => words.push(word),
                Err(why) => self.faults.add_elsewhere(file.line, Place::Line { file: path.clone(), line }, why),
            }
        }
        if files::words(&text).next().is_none() {
            self.fault(written, file.line, &format!("`words_file` {} holds no word", quoted(&file.value)));
        }
        Some(words)
    }
}

const NAME_HELP: &str = "must be 1 to 64 of a-z, 0-9, _ and -, beginning with a letter or digit";

fn is_name(text: &str) -> bool {
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.len() <= MAX_NAME_BYTES
        && text.as_bytes().first().is_some_and(plain)
        && text.bytes().all(|b| plain(&b) || b == b'_' || b == b'-')
}

/// A word as it is looked for, or what is wrong with it.
fn word(text: &str, form: Form) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("a word is empty".to_owned());
    }
    check_length(text).map_err(|why| format!("word {} {why}", quoted(text)))?;
    Ok(form.apply(text))
}

fn check_length(text: &str) -> Result<(), String> {
    let length = text.len();
    let fits = length <= MAX_PATTERN_BYTES;
    if fits { Ok(()) } else { Err(format!("is {length} bytes; the limit is {MAX_PATTERN_BYTES}")) }
}

/// Compiles a regex, or says what is wrong with it.
fn regex(pattern: &str) -> Result<Regex, String> {
    check_length(pattern)?;
    // Parsed by itself first: the errors name the place, and what it can match is known.
    let mut parser = regex_syntax::ParserBuilder::new().case_insensitive(true).nest_limit(REGEX_NESTING).build();
    let parsed = parser.parse(pattern).map_err(|e| match &e {
        regex_syntax::Error::Parse(e) => format!("does not compile: {} (at byte {})", e.kind(), e.span().start.offset),
        regex_syntax::Error::Translate(e) => {
            format!("does not compile: {} (at byte {})", e.kind(), e.span().start.offset)
        }
        _ => "does not compile".to_owned(),
    })?;
    match parsed.properties().minimum_len() {
        None => return Err("can never match".to_owned()),
        Some(0) => return Err("matches the empty text, so every message".to_owned()),
        Some(_) => {}
    }
    RegexBuilder::new(pattern)
        .case_insensitive(true)
        .nest_limit(REGEX_NESTING)
        .size_limit(REGEX_SIZE)
        .dfa_size_limit(REGEX_CACHE)
        .build()
        .map_err(|e| match e {
            regex::Error::CompiledTooBig(limit) => format!("needs more than {limit} bytes once compiled"),
            _ => "does not compile".to_owned(),
        })
}
