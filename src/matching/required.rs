//! Literals that a regex cannot match without.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use sets::{clip, cross, distinct};

mod sets;

/// Literals in a set.
const MAX_LITERALS: usize = 32;
/// Shortest literal that is of use. Code points.
const MIN_CHARS: usize = 3;
/// Longest text that is kept of a literal. Bytes; a part of what is required is required as well.
const MAX_BYTES: usize = 96;
/// Members of a class that are spelt out, before their case is folded.
const MAX_CLASS: usize = 16;
/// How deep the walk goes; the regex is limited as well.
const MAX_DEPTH: usize = 64;

/// What of the literals is wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// The longest run of letters in it.
    Letters,
}

/// The literals of which one is in every text that matches, once its case is folded: the set that is best to look for.
pub(super) fn of(parsed: &Hir, part: Part) -> Option<Vec<String>> {
    let walk = Walk { part };
    let shape = walk.shape(parsed, 0);
    walk.best_of(shape).map(|found| found.literals)
}

/// What a part of a regex matches, as far as literals tell.
enum Shape {
    /// One of these and nothing else; `""` may be one of them.
    Exact(Vec<String>),
    /// Something that begins with one of `heads`, ends with one of `tails` and has one of `inner` somewhere.
    Open { heads: Vec<String>, tails: Vec<String>, inner: Option<Found> },
}

/// A set that is required, reduced to what is wanted of it.
#[derive(Clone)]
struct Found {
    literals: Vec<String>,
    score: usize,
}

fn anything() -> Vec<String> {
    vec![String::new()]
}

struct Walk {
    part: Part,
}

impl Walk {
    fn shape(&self, hir: &Hir, depth: usize) -> Shape {
        let unknown = || Shape::Open { heads: anything(), tails: anything(), inner: None };
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
                .reduce(|left, right| self.join(left, right))
                .unwrap_or_else(unknown),
            HirKind::Alternation(branches) => branches
                .iter()
                .map(|branch| self.shape(branch, depth + 1))
                .reduce(|left, right| self.either(left, right))
                .unwrap_or_else(unknown),
        }
    }

    fn literal(&self, text: &str) -> Shape {
        let folded: String = text.chars().flat_map(fold).collect();
        self.bounded(vec![folded])
    }

    /// `Exact`, unless a literal is too long to be carried on.
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
            heads: literals.iter().map(|text| cut(text, true)).collect(),
            tails: literals.iter().map(|text| cut(text, false)).collect(),
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
            (0, _) => Shape::Open { heads: anything(), tails: anything(), inner: None },
            (_, sub) => self.repeated(&sub, min, max),
        }
    }

    /// At least once.
    fn repeated(&self, sub: &Shape, min: u32, max: Option<u32>) -> Shape {
        let once = || match sub {
            Shape::Exact(literals) => Shape::Exact(literals.clone()),
            Shape::Open { heads, tails, inner } => {
                Shape::Open { heads: heads.clone(), tails: tails.clone(), inner: inner.clone() }
            }
        };
        let mut all = once();
        let mut done = 1;
        // A few times are spelt out as long as the text stays known.
        while done < min && done < 64 && matches!(all, Shape::Exact(_)) {
            all = self.join(all, once());
            done += 1;
        }
        if done == min && max == Some(min) {
            return all;
        }
        // More follow, which are unlike what was spelt out only in the middle.
        match all {
            Shape::Exact(literals) => {
                let inner = self.candidate(&literals);
                Shape::Open { heads: literals.clone(), tails: literals, inner }
            }
            Shape::Open { heads, inner, .. } => {
                let tails = match sub {
                    Shape::Exact(literals) => literals.clone(),
                    Shape::Open { tails, .. } => tails.clone(),
                };
                Shape::Open { heads, tails, inner }
            }
        }
    }

    /// One after the other.
    fn join(&self, left: Shape, right: Shape) -> Shape {
        let (left_heads, left_tails, left_inner, left_exact) = open(left);
        let (right_heads, right_tails, right_inner, right_exact) = open(right);
        let middle = cross(&left_tails, &right_heads);
        if left_exact
            && right_exact
            && let Some(all) = middle
        {
            return self.bounded(all);
        }
        let met = match &middle {
            Some(middle) => self.candidate(middle),
            None => better(self.candidate(&left_tails), self.candidate(&right_heads)),
        };
        let heads = if left_exact { middle.clone().unwrap_or_else(|| left_heads.clone()) } else { left_heads };
        let tails = if right_exact { middle.unwrap_or_else(|| right_tails.clone()) } else { right_tails };
        Shape::Open {
            heads: clip(heads, true),
            tails: clip(tails, false),
            inner: better(better(left_inner, right_inner), met),
        }
    }

    /// One or the other.
    fn either(&self, left: Shape, right: Shape) -> Shape {
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
            Shape::Open { inner, heads, tails } => {
                better(inner.clone(), better(self.candidate(heads), self.candidate(tails)))
            }
        };
        let inner = match (inner_of(&left), inner_of(&right)) {
            (Some(left), Some(right)) => {
                self.candidate(&left.literals.into_iter().chain(right.literals).collect::<Vec<_>>())
            }
            _ => None,
        };
        let ((left_heads, left_tails, ..), (right_heads, right_tails, ..)) = (open(left), open(right));
        Shape::Open { heads: union(left_heads, right_heads), tails: union(left_tails, right_tails), inner }
    }

    fn best_of(&self, shape: Shape) -> Option<Found> {
        match shape {
            Shape::Exact(literals) => self.candidate(&literals),
            Shape::Open { heads, tails, inner } => {
                better(inner, better(self.candidate(&heads), self.candidate(&tails)))
            }
        }
    }

    /// A set as it would be looked for, if it is of use.
    fn candidate(&self, literals: &[String]) -> Option<Found> {
        let mut wanted: Vec<&str> = literals
            .iter()
            .map(|literal| match self.part {
                Part::Whole => literal.as_str(),
                Part::Letters => longest_letters(literal),
            })
            .collect();
        // What has another of the set within it need not be looked for.
        wanted.sort_unstable_by_key(|literal| (literal.len(), *literal));
        wanted.dedup();
        let mut kept: Vec<String> = Vec::with_capacity(wanted.len());
        for literal in wanted {
            if !kept.iter().any(|short| literal.contains(short.as_str())) {
                kept.push(literal.to_owned());
            }
        }
        let shortest = kept.iter().map(|literal| literal.chars().count()).min()?;
        // Long ones come up by chance less often; many of them more often.
        let score = (shortest.min(16) * 8 + MAX_LITERALS).saturating_sub(kept.len());
        (shortest >= MIN_CHARS && kept.len() <= MAX_LITERALS).then_some(Found { literals: kept, score })
    }
}

/// Heads, tails, what is within, and whether that is all.
fn open(shape: Shape) -> (Vec<String>, Vec<String>, Option<Found>, bool) {
    match shape {
        Shape::Exact(literals) => (literals.clone(), literals, None, true),
        Shape::Open { heads, tails, inner } => (heads, tails, inner, false),
    }
}

fn better(a: Option<Found>, b: Option<Found>) -> Option<Found> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.score > a.score { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// All members of a small class, folded.
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

/// As the exact view folds.
fn fold(c: char) -> impl Iterator<Item = char> {
    c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests;
