//! Links, and where they lead.

use super::Where;
use crate::filter::rules::faults::quoted;
use crate::filter::rules::look::{FoundLink, Look};
use crate::filter::rules::written::{At, Item, Reader};
use crate::matching::is_within;

/// So many links, of those that count.
#[derive(Debug)]
pub(in crate::filter::rules) struct Links {
    min: u32,
    /// Links to these domains, and below them, do not count.
    allow: Vec<String>,
    /// Only links to these domains, and below them, count. Empty: all do.
    deny: Vec<String>,
}

impl Links {
    /// A number, or a table.
    pub(super) fn read(reader: &mut Reader<'_, '_>, item: &Item<'_, '_>) -> Option<Self> {
        let mut links = Self { min: 1, allow: Vec::new(), deny: Vec::new() };
        if item.value().is_integer() {
            links.min = reader.number(item, 1..=64)?;
            return Some(links);
        }
        let mut complete = true;
        reader.fields(item, &["min", "allow", "deny"], |reader, name, field| match name {
            "min" => match reader.number(field, 1..=64) {
                Some(min) => links.min = min,
                None => complete = false,
            },
            "allow" => links.allow = domains(reader, field),
            _ => links.deny = domains(reader, field),
        });
        complete.then_some(links)
    }

    fn counts(&self, link: &FoundLink) -> bool {
        let is_in = |list: &[String]| list.iter().any(|domain| is_within(&link.host, domain));
        (self.deny.is_empty() || is_in(&self.deny)) && !is_in(&self.allow)
    }

    pub(super) fn holds(&self, look: &Look<'_>) -> Option<Where> {
        let mut counted = look.links().iter().filter(|link| self.counts(link));
        let first = counted.next()?;
        let others = usize::try_from(self.min).ok()?.checked_sub(1)?;
        let enough = others == 0 || counted.nth(others - 1).is_some();
        enough.then(|| Some(first.bytes.clone()))
    }
}

/// Domains as they are compared: in lower case.
fn domains(reader: &mut Reader<'_, '_>, item: &Item<'_, '_>) -> Vec<String> {
    let mut domains = Vec::new();
    for At { value, .. } in reader.strings(item) {
        let domain = value.trim().trim_end_matches('.').to_lowercase();
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.');
        let labels = || domain.split('.');
        if domain.len() > 253 || !domain.chars().all(plain) || labels().count() < 2 || labels().any(str::is_empty) {
            reader.fault(
                item,
                &format!("holds {}, which is no domain; one is written as \"example.org\"", quoted(&value)),
            );
        } else {
            domains.push(domain);
        }
    }
    domains
}
