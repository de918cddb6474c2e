//! Extracts literals that every match of a regex contains.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use sets::{clip, cross, distinct};

mod sets;

/// Maximum number of literals in a set.
const MAX_LITERALS: usize = 32;
/// Shortest useful literal. Code points.
const MIN_CHARS: usize = 3;
/// Longest literal that is kept. Bytes. Truncation is sound: a part of a required literal is required as well.
const MAX_BYTES: usize = 96;
/// Maximum number of class members that are enumerated, before case folding.
const MAX_CLASS: usize = 16;
/// Maximum recursion depth.
const MAX_DEPTH: usize = 64;

/// The part of each literal to extract.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LiteralPart {
    /// The whole literal.
    Whole,
    /// The longest run of letters in it.
    Letters,
}

/// Returns the best set of literals of which every match contains at least one, once its case is folded.
pub(super) fn required_literals(parsed: &Hir, part: LiteralPart) -> Option<Vec<String>> {
    let extractor = Extractor { part };
    let shape = extractor.shape(parsed, 0);
    extractor.best_of(shape).map(|found| found.literals)
}

/// Properties that all matches of a part of a regex share.
enum Shape {
    /// Exactly one of these; may include `""`.
    Exact(Vec<String>),
    /// Begins with one of `prefixes`, ends with one of `suffixes` and contains one of `inner`.
    Open { prefixes: Vec<String>, suffixes: Vec<String>, inner: Option<RequiredSet> },
}

/// A set of required literals with its score.
#[derive(Clone)]
struct RequiredSet {
    literals: Vec<String>,
    score: usize,
}

fn anything() -> Vec<String> {
    vec![String::new()]
}

struct Extractor {
    part: LiteralPart,
}

impl Extractor {
    fn shape(&self, hir: &Hir, depth: usize) -> Shape {
        let unknown = || Shape::Open { prefixes: anything(), suffixes: anything(), inner: None };
        if depth > MAX_DEPTH {
            return unknown();
        }
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Shape::Exact(anything()),
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => self.literal(text),
                Err(_) => unknown(),
            },
            HirKind::Class(class) => class_members(class).map_or_else(unknown, Shape::Exact),
            HirKind::Capture(group) => self.shape(&group.sub, depth + 1),
            HirKind::Repetition(repetition) => self.repetition(repetition, depth + 1),
            HirKind::Concat(parts) => parts
                .iter()
                .map(|part| self.shape(part, depth + 1))
                .reduce(|left, right| self.concat(left, right))
                .unwrap_or_else(unknown),
            HirKind::Alternation(branches) => branches
                .iter()
                .map(|branch| self.shape(branch, depth + 1))
                .reduce(|left, right| self.alternation(left, right))
                .unwrap_or_else(unknown),
        }
    }

    fn literal(&self, text: &str) -> Shape {
        let folded: String = text.chars().flat_map(fold).collect();
        self.bounded(vec![folded])
    }

    /// Returns `Exact`, unless a literal exceeds the length limit.
    fn bounded(&self, literals: Vec<String>) -> Shape {
        if literals.iter().all(|literal| literal.len() <= MAX_BYTES) {
            return Shape::Exact(literals);
        }
        let inner = self.candidate(&literals);
        let cut = |text: &String, head: bool| {
            let (head_end, tail_start) = (
                text.floor_char_boundary(MAX_BYTES / 2),
                text.ceil_char_boundary(text.len().saturating_sub(MAX_BYTES / 2)),
            );
            let range = if head { 0..head_end } else { tail_start..text.len() };
            text.get(range).unwrap_or_default().to_owned()
        };
        Shape::Open {
            prefixes: literals.iter().map(|text| cut(text, true)).collect(),
            suffixes: literals.iter().map(|text| cut(text, false)).collect(),
            inner,
        }
    }

    fn repetition(&self, repetition: &Repetition, depth: usize) -> Shape {
        let sub = self.shape(&repetition.sub, depth);
        let (min, max) = (repetition.min, repetition.max);
        match (min, sub) {
            (_, _) if max == Some(0) => Shape::Exact(anything()),
            (0, Shape::Exact(mut literals)) if max == Some(1) && literals.len() < MAX_LITERALS => {
                literals.push(String::new());
                Shape::Exact(distinct(literals))
            }
            (0, _) => Shape::Open { prefixes: anything(), suffixes: anything(), inner: None },
            (_, sub) => self.repeated(&sub, min, max),
        }
    }

    /// A part that is repeated at least once.
    fn repeated(&self, sub: &Shape, min: u32, max: Option<u32>) -> Shape {
        let once = || match sub {
            Shape::Exact(literals) => Shape::Exact(literals.clone()),
            Shape::Open { prefixes, suffixes, inner } => {
                Shape::Open { prefixes: prefixes.clone(), suffixes: suffixes.clone(), inner: inner.clone() }
            }
        };
        let mut all = once();
        let mut done = 1;
        // Unroll a few repetitions while the text is known exactly.
        while done < min && done < 64 && matches!(all, Shape::Exact(_)) {
            all = self.concat(all, once());
            done += 1;
        }
        if done == min && max == Some(min) {
            return all;
        }
        // Further repetitions leave prefixes and suffixes unchanged.
        match all {
            Shape::Exact(literals) => {
                let inner = self.candidate(&literals);
                Shape::Open { prefixes: literals.clone(), suffixes: literals, inner }
            }
            Shape::Open { prefixes, inner, .. } => {
                let suffixes = match sub {
                    Shape::Exact(literals) => literals.clone(),
                    Shape::Open { suffixes, .. } => suffixes.clone(),
                };
                Shape::Open { prefixes, suffixes, inner }
            }
        }
    }

    /// One part after another.
    fn concat(&self, left: Shape, right: Shape) -> Shape {
        let (left_prefixes, left_suffixes, left_inner, left_exact) = into_parts(left);
        let (right_prefixes, right_suffixes, right_inner, right_exact) = into_parts(right);
        let middle = cross(&left_suffixes, &right_prefixes);
        if left_exact
            && right_exact
            && let Some(all) = middle
        {
            return self.bounded(all);
        }
        let joint = match &middle {
            Some(middle) => self.candidate(middle),
            None => better(self.candidate(&left_suffixes), self.candidate(&right_prefixes)),
        };
        let prefixes = if left_exact { middle.clone().unwrap_or_else(|| left_prefixes.clone()) } else { left_prefixes };
        let suffixes = if right_exact { middle.unwrap_or_else(|| right_suffixes.clone()) } else { right_suffixes };
        Shape::Open {
            prefixes: clip(prefixes, true),
            suffixes: clip(suffixes, false),
            inner: better(better(left_inner, right_inner), joint),
        }
    }

    /// One part or another.
    fn alternation(&self, left: Shape, right: Shape) -> Shape {
        if let (Shape::Exact(left), Shape::Exact(right)) = (&left, &right) {
            let all = distinct(left.iter().chain(right).cloned().collect());
            if all.len() <= MAX_LITERALS {
                return Shape::Exact(all);
            }
        }
        let union = |a: Vec<String>, b: Vec<String>| {
            let all = distinct(a.into_iter().chain(b).collect());
            if all.len() <= MAX_LITERALS { all } else { anything() }
        };
        let inner_of = |shape: &Shape| match shape {
            Shape::Exact(literals) => self.candidate(literals),
            Shape::Open { inner, prefixes, suffixes } => {
                better(inner.clone(), better(self.candidate(prefixes), self.candidate(suffixes)))
            }
        };
        let inner = match (inner_of(&left), inner_of(&right)) {
            (Some(left), Some(right)) => {
                self.candidate(&left.literals.into_iter().chain(right.literals).collect::<Vec<_>>())
            }
            _ => None,
        };
        let ((left_prefixes, left_suffixes, ..), (right_prefixes, right_suffixes, ..)) =
            (into_parts(left), into_parts(right));
        Shape::Open {
            prefixes: union(left_prefixes, right_prefixes),
            suffixes: union(left_suffixes, right_suffixes),
            inner,
        }
    }

    fn best_of(&self, shape: Shape) -> Option<RequiredSet> {
        match shape {
            Shape::Exact(literals) => self.candidate(&literals),
            Shape::Open { prefixes, suffixes, inner } => {
                better(inner, better(self.candidate(&prefixes), self.candidate(&suffixes)))
            }
        }
    }

    /// Reduces a set of literals for searching; returns `None` if it is not useful.
    fn candidate(&self, literals: &[String]) -> Option<RequiredSet> {
        let mut candidates: Vec<&str> = literals
            .iter()
            .map(|literal| match self.part {
                LiteralPart::Whole => literal.as_str(),
                LiteralPart::Letters => longest_letters(literal),
            })
            .collect();
        // A literal that contains another one of the set is redundant.
        candidates.sort_unstable_by_key(|literal| (literal.len(), *literal));
        candidates.dedup();
        let mut kept: Vec<String> = Vec::with_capacity(candidates.len());
        for literal in candidates {
            if !kept.iter().any(|short| literal.contains(short.as_str())) {
                kept.push(literal.to_owned());
            }
        }
        let shortest = kept.iter().map(|literal| literal.chars().count()).min()?;
        // Long literals match by chance less often, and many literals more often.
        let score = (shortest.min(16) * 8 + MAX_LITERALS).saturating_sub(kept.len());
        (shortest >= MIN_CHARS && kept.len() <= MAX_LITERALS).then_some(RequiredSet { literals: kept, score })
    }
}

/// Returns prefixes, suffixes, inner literals, and whether the shape is exact.
fn into_parts(shape: Shape) -> (Vec<String>, Vec<String>, Option<RequiredSet>, bool) {
    match shape {
        Shape::Exact(literals) => (literals.clone(), literals, None, true),
        Shape::Open { prefixes, suffixes, inner } => (prefixes, suffixes, inner, false),
    }
}

fn better(a: Option<RequiredSet>, b: Option<RequiredSet>) -> Option<RequiredSet> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.score > a.score { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// Returns the case-folded members of a small class.
fn class_members(class: &Class) -> Option<Vec<String>> {
    let mut members = Vec::new();
    let mut add = |c: char| {
        members.push(fold(c).collect::<String>());
        members.len() <= MAX_CLASS
    };
    let few = match class {
        Class::Unicode(class) => class.ranges().iter().all(|range| (range.start()..=range.end()).all(&mut add)),
        Class::Bytes(class) => {
            class.is_ascii()
                && class.ranges().iter().all(|range| (range.start()..=range.end()).all(|b| add(char::from(b))))
        }
    };
    few.then(|| distinct(members))
}

fn longest_letters(text: &str) -> &str {
    text.split(|c: char| !c.is_alphabetic()).max_by_key(|part| part.chars().count()).unwrap_or_default()
}

/// Folds the case like the exact view.
fn fold(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests;
