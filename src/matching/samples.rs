//! Texts made to keep a regex busy.

use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind};

/// Length of a text. Bytes.
const LENGTH: usize = 2_000;
/// Longest sample of what a regex matches. Bytes.
const SAMPLE: usize = 400;
/// With it, boundaries of words are no longer found by the quick way.
const EMOJI: char = '🗺';

/// Texts of about two kilobytes each that come near to what the regex looks for, again and again.
pub(super) fn hostile(parsed: &Hir) -> Vec<String> {
    let mut texts = Vec::new();
    for longest in [false, true] {
        let mut sample = String::new();
        write(parsed, longest, &mut sample);
        let nearly: String = {
            let mut chars = sample.chars();
            chars.next_back();
            chars.collect()
        };
        let last: String = sample.chars().next_back().into_iter().collect();
        let first: String = sample.chars().next().into_iter().collect();
        for unit in [
            sample.clone(),
            format!("{sample} "),
            nearly.clone(),
            format!("{nearly} "),
            format!("{nearly}_"),
            first,
            last,
        ] {
            if !unit.is_empty() {
                texts.push(fill(&unit));
            }
        }
        // A beginning that holds the regex, and then nothing but what a class takes.
        for filler in ["a", "a ", "1", " ", "é", "."] {
            texts.push(fill(filler));
            texts.push(format!("{nearly}{}", fill(filler)));
        }
    }
    texts.sort_unstable();
    texts.dedup();
    texts
}

fn fill(unit: &str) -> String {
    let mut text = String::with_capacity(LENGTH + SAMPLE);
    text.push(EMOJI);
    while text.len() < LENGTH {
        text.push_str(unit);
    }
    text.push(EMOJI);
    text
}

/// Appends something that the regex matches, boundaries aside: its shortest or a long one.
fn write(hir: &Hir, longest: bool, out: &mut String) {
    if out.len() > SAMPLE {
        return;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => out.extend(representative(class, longest)),
        HirKind::Capture(group) => write(&group.sub, longest, out),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(repetition.min.saturating_add(8));
            let times = if longest { most } else { repetition.min };
            for _ in 0..times {
                if out.len() > SAMPLE {
                    return;
                }
                write(&repetition.sub, longest, out);
            }
        }
        HirKind::Concat(parts) => {
            for part in parts {
                write(part, longest, out);
            }
        }
        HirKind::Alternation(branches) => {
            let branch = if longest { branches.last() } else { branches.first() };
            if let Some(branch) = branch {
                write(branch, longest, out);
            }
        }
    }
}

/// A character of the class: a letter or blank where it has one.
fn representative(class: &Class, longest: bool) -> Option<char> {
    let has = |c: char| match class {
        Class::Unicode(class) => class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&c)),
        Class::Bytes(class) => {
            u8::try_from(c).is_ok_and(|b| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&b)))
        }
    };
    let wanted = if longest { ['é', 'z', 'a', '9', ' '] } else { ['a', 'e', '1', ' ', '.'] };
    wanted.into_iter().find(|c| has(*c)).or_else(|| match class {
        Class::Unicode(class) => class.ranges().last().map(ClassUnicodeRange::start),
        Class::Bytes(class) => class.ranges().last().map(|range| char::from(range.start())),
    })
}
