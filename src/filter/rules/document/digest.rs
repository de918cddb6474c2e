//! A digest of a rule: the same for the same keys and values, regardless of their place in the file and their layout.

use toml::de::{DeTable, DeValue};

/// Returns the digest of a rule's keys and values.
pub(super) fn of_table(table: &DeTable<'_>) -> u64 {
    let mut hasher = blake3::Hasher::new();
    add_table(&mut hasher, table);
    number(&hasher)
}

/// Extends a digest by more data of the same rule.
pub(in crate::filter::rules) fn extend(digest: u64, more: &[&[u8]]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&digest.to_le_bytes());
    for part in more {
        add(&mut hasher, b'+', part);
    }
    number(&hasher)
}

fn number(hasher: &blake3::Hasher) -> u64 {
    hasher.finalize().as_bytes().first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
}

/// Hashes a piece with its kind and length, so that different sequences of pieces never hash alike.
fn add(hasher: &mut blake3::Hasher, kind: u8, piece: &[u8]) {
    hasher.update(&[kind]);
    hasher.update(&(piece.len() as u64).to_le_bytes());
    hasher.update(piece);
}

fn add_table(hasher: &mut blake3::Hasher, table: &DeTable<'_>) {
    add(hasher, b't', &(table.len() as u64).to_le_bytes());
    for (key, value) in table {
        add(hasher, b'k', key.get_ref().as_bytes());
        add_value(hasher, value.get_ref());
    }
}

fn add_value(hasher: &mut blake3::Hasher, value: &DeValue<'_>) {
    match value {
        DeValue::String(text) => add(hasher, b's', text.as_bytes()),
        DeValue::Array(list) => {
            add(hasher, b'a', &(list.len() as u64).to_le_bytes());
            list.iter().for_each(|value| add_value(hasher, value.get_ref()));
        }
        DeValue::Table(table) => add_table(hasher, table),
        // Numbers, booleans and dates.
        other => add(hasher, b'o', format!("{other:?}").as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> u64 {
        of_table(DeTable::parse(text).unwrap().get_ref())
    }

    #[test]
    fn layout_order_of_keys_and_comments_do_not_change_the_digest() {
        let one = digest("id = 'a'\nwords = ['x', 'y']\nlinks = { min = 1, allow = ['q'] }");
        let other =
            digest("\n\n# new\nwords = [\n  \"x\", # why\n  'y',\n]\nid = \"a\"\nlinks.allow = ['q']\nlinks.min = 1");
        assert_eq!(one, other);
    }

    #[test]
    fn every_key_and_value_changes_the_digest() {
        let texts = [
            "id = 'a'",
            "id = 'b'",
            "id = 'a'\nx = 1",
            "id = 'a'\nx = 2",
            "id = 'a'\nx = '1'",
            "id = 'a'\nx = true",
            "id = 'a'\nx = 1.0",
            "id = 'a'\nx = ['1', '2']",
            "id = 'a'\nx = ['12']",
            "id = 'a'\nx = ['1', ['2']]",
            "id = 'a'\nx = { y = 1 }",
        ];
        let mut digests: Vec<u64> = texts.iter().map(|text| digest(text)).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), texts.len());
        assert_ne!(extend(1, &[b"ab"]), extend(1, &[b"a", b"b"]));
    }
}
