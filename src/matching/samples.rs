//! Adversarial texts that make a regex slow.

use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind};

/// Length of a text. Bytes.
const LENGTH: usize = 2_000;
/// Longest sample of what a regex matches. Bytes.
const SAMPLE: usize = 400;
/// A non-ASCII character, which rules out the fast path for word boundaries.
const EMOJI: char = '🗺';

/// Returns texts of about two kilobytes each that repeat near-matches of the regex.
pub(super) fn adversarial_texts(parsed: &Hir) -> Vec<String> {
    let mut texts = Vec::new();
    for longest in [false, true] {
        let mut sample = String::new();
        write(parsed, longest, &mut sample);
        let incomplete: String = {
            let mut chars = sample.chars();
            chars.next_back();
            chars.collect()
        };
        let last: String = sample.chars().next_back().into_iter().collect();
        let first: String = sample.chars().next().into_iter().collect();
        for unit in [
            sample.clone(),
            format!("{sample} "),
            incomplete.clone(),
            format!("{incomplete} "),
            format!("{incomplete}_"),
            first,
            last,
        ] {
            if !unit.is_empty() {
                texts.push(fill(&unit));
            }
        }
        // A prefix of a match, followed by characters of a class only.
        for filler in ["a", "a ", "1", " ", "é", "."] {
            texts.push(fill(filler));
            texts.push(format!("{incomplete}{}", fill(filler)));
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

/// Appends a match of the regex, boundaries aside: its shortest one or a long one.
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

/// Returns a character of the class, preferably a letter or space.
fn representative(class: &Class, longest: bool) -> Option<char> {
    let has = |c: char| match class {
        Class::Unicode(class) => class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&c)),
        Class::Bytes(class) => {
            u8::try_from(c).is_ok_and(|b| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&b)))
        }
    };
    let preferred = if longest { ['é', 'z', 'a', '9', ' '] } else { ['a', 'e', '1', ' ', '.'] };
    preferred.into_iter().find(|c| has(*c)).or_else(|| match class {
        Class::Unicode(class) => class.ranges().last().map(ClassUnicodeRange::start),
        Class::Bytes(class) => class.ranges().last().map(|range| char::from(range.start())),
    })
}
