//! Links and their domains.

use super::HitSpan;
use crate::filter::rules::text_features::{FoundLink, TextFeatures};
use crate::matching::is_within;
use crate::settings::{KeyedValue, Located, TomlReader, backticked};

/// The text has at least `min` links that count.
#[derive(Debug)]
pub(in crate::filter::rules) struct LinksCondition {
    min: u32,
    /// Links to these domains and their subdomains do not count.
    allow: Vec<String>,
    /// Only links to these domains and their subdomains count; all links when empty.
    deny: Vec<String>,
}

impl LinksCondition {
    /// Reads a number or a table.
    pub(super) fn read(reader: &mut TomlReader<'_, '_>, item: &KeyedValue<'_, '_>) -> Option<Self> {
        let mut links = Self { min: 1, allow: Vec::new(), deny: Vec::new() };
        if item.value().is_integer() {
            links.min = reader.number(item, 1..=64)?;
            return Some(links);
        }
        let mut is_valid = true;
        reader.each_known_key(item, &["min", "allow", "deny"], |reader, name, field| match name {
            "min" => match reader.number(field, 1..=64) {
                Some(min) => links.min = min,
                None => is_valid = false,
            },
            "allow" => links.allow = domains(reader, field),
            _ => links.deny = domains(reader, field),
        });
        is_valid.then_some(links)
    }

    fn counts(&self, link: &FoundLink) -> bool {
        let is_in = |list: &[String]| list.iter().any(|domain| is_within(&link.host, domain));
        (self.deny.is_empty() || is_in(&self.deny)) && !is_in(&self.allow)
    }

    pub(super) fn holds(&self, features: &TextFeatures<'_>) -> Option<HitSpan> {
        let mut counted = features.links().iter().filter(|link| self.counts(link));
        let first = counted.next()?;
        let others = usize::try_from(self.min).ok()?.checked_sub(1)?;
        let enough = others == 0 || counted.nth(others - 1).is_some();
        enough.then(|| Some(first.bytes.clone()))
    }
}

/// Reads a list of domains, in lower case.
fn domains(reader: &mut TomlReader<'_, '_>, item: &KeyedValue<'_, '_>) -> Vec<String> {
    let mut domains = Vec::new();
    for Located { value, .. } in reader.strings(item) {
        let domain = value.trim().trim_end_matches('.').to_lowercase();
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.');
        let labels = || domain.split('.');
        if domain.len() > 253 || !domain.chars().all(plain) || labels().count() < 2 || labels().any(str::is_empty) {
            reader.error_at_key(
                item,
                &format!("contains {}, which is not a domain such as \"example.org\"", backticked(&value)),
            );
        } else {
            domains.push(domain);
        }
    }
    domains
}
