//! No two modules export a type of the same name.

use std::collections::BTreeMap;

use super::files;

/// Names that say what a type is only together with its module.
const COMMON: [&str; 3] = ["Config", "Error", "Kind"];

/// The name of the type that a line exports, if it does.
fn exported(line: &str) -> Option<&str> {
    let rest =
        ["pub struct ", "pub enum ", "pub trait ", "pub type "].iter().find_map(|start| line.strip_prefix(start))?;
    rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next()
}

#[test]
fn no_two_modules_export_a_type_of_the_same_name() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, text) in files() {
        for name in text.lines().filter_map(exported).filter(|name| !COMMON.contains(name)) {
            places.entry(name.to_owned()).or_default().push(file.display().to_string());
        }
    }
    assert!(places.len() > 100, "only {} types found", places.len());
    places.retain(|_, files| files.len() > 1);
    assert!(places.is_empty(), "{places:#?}");
}
