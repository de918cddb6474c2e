#![allow(missing_docs, unused, clippy::all, clippy::pedantic, unreachable_pub)]
use super::{Folded, char_span};
use std::borrow::Cow;
use std::ops::{ControlFlow, Range};
use std::time::Duration;
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    Exact,
    Folded,
}
#[derive(Debug, Default)]
pub struct Views {
    exact: String,
    clean: String,
    chars: Vec<usize>,
    cmap: Vec<usize>,
    emap: Vec<usize>,
}
impl Views {
    pub fn read(&mut self, text: &str) {
        let offsets: Vec<usize> = text.char_indices().map(|c| c.0).chain([text.len()]).collect();
        let f = Folded::of(text);
        self.clean = f.text().to_owned();
        self.cmap =
            (0..=self.clean.len()).map(|i| offsets[f.original_chars(i..i + 1).start.min(offsets.len() - 1)]).collect();
        let f = Folded::case_of(text);
        self.exact = f.text().to_owned();
        self.emap =
            (0..=self.exact.len()).map(|i| offsets[f.original_chars(i..i + 1).start.min(offsets.len() - 1)]).collect();
        self.chars = offsets;
    }
    pub fn exact(&self) -> &str {
        &self.exact
    }
    pub fn clean(&self) -> &str {
        &self.clean
    }
    pub fn original_of_clean(&self, b: Range<usize>) -> Range<usize> {
        self.cmap[b.start]..self.next(self.cmap[b.end.max(1) - 1])
    }
    pub fn original_of_exact(&self, b: Range<usize>) -> Range<usize> {
        self.emap[b.start]..self.next(self.emap[b.end.max(1) - 1])
    }
    fn next(&self, at: usize) -> usize {
        self.chars.iter().copied().find(|c| *c > at).unwrap_or(at)
    }
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Leniency {
    pub accents: bool,
    pub doubled: bool,
    pub masked: bool,
    pub exact_letters: bool,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edges {
    Word,
    Anywhere,
}
#[derive(Clone, Copy, Debug)]
pub struct Literal<'a> {
    pub text: &'a str,
    pub view: View,
    pub edges: Edges,
    pub leniency: Leniency,
}
#[derive(Debug, Default)]
pub struct Literals {
    all: Vec<(String, View, bool)>,
}
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct LiteralFault(String);
impl Literals {
    pub fn check(_: &Literal<'_>) -> Result<(), LiteralFault> {
        Ok(())
    }
    pub fn new<'a>(l: impl IntoIterator<Item = Literal<'a>>) -> Result<Self, LiteralFault> {
        Ok(Self {
            all: l
                .into_iter()
                .map(|l| {
                    (
                        if l.view == View::Exact {
                            Folded::case_of(l.text).text().to_owned()
                        } else {
                            Folded::of(l.text).text().to_owned()
                        },
                        l.view,
                        l.edges == Edges::Word,
                    )
                })
                .collect(),
        })
    }
    pub fn scan(&self, _text: &str, views: &Views, mut each: impl FnMut(usize, Range<usize>) -> ControlFlow<()>) {
        for (i, (w, v, word)) in self.all.iter().enumerate() {
            let t = if *v == View::Exact { views.exact() } else { views.clean() };
            for (at, _) in t.match_indices(w.as_str()) {
                let wc = |c: Option<char>| c.is_some_and(regex_syntax::is_word_character);
                let b = at..at + w.len();
                if *word
                    && (wc(t[..at].chars().next_back()) && wc(w.chars().next())
                        || wc(t[b.end..].chars().next()) && wc(w.chars().next_back()))
                {
                    continue;
                }
                let b = if *v == View::Exact { views.original_of_exact(b) } else { views.original_of_clean(b) };
                if each(i, b).is_break() {
                    return;
                }
            }
        }
    }
}
