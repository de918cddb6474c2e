//! The kits and build scripts of the repository, embedded in the binary.

use std::fs;
use std::io;
use std::path::Path;

use super::language::Language;

/// Embedded files: the path of each in the repository, and its text.
type EmbeddedFiles = &'static [(&'static str, &'static str)];

macro_rules! files {
    ($($path:literal,)*) => {
        &[$(($path, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path))),)*]
    };
}

/// The contract, part of every kit.
const CONTRACT: EmbeddedFiles = files!["sdk/wit/filter.wit",];

/// The kit for Rust.
const RUST: EmbeddedFiles = files![
    "sdk/rust/Cargo.toml",
    "sdk/rust/README.md",
    "sdk/rust/src/clock.rs",
    "sdk/rust/src/component.rs",
    "sdk/rust/src/lib.rs",
    "sdk/rust/src/log.rs",
    "sdk/rust/src/native.rs",
    "sdk/rust/src/regex.rs",
    "sdk/rust/src/room.rs",
    "sdk/rust/src/store.rs",
    "sdk/rust/src/testing.rs",
    "sdk/rust/src/types.rs",
];
/// Its template.
const RUST_TEMPLATE: EmbeddedFiles = files![
    "sdk/rust/template/Cargo.toml.in",
    "sdk/rust/template/cases/first.toml",
    "sdk/rust/template/plugin.toml",
    "sdk/rust/template/src/lib.rs",
];

/// The kit for Python.
const PYTHON: EmbeddedFiles = files![
    "sdk/python/README.md",
    "sdk/python/gischat_component.py",
    "sdk/python/gischat_filter/__init__.py",
    "sdk/python/gischat_filter/_component.py",
    "sdk/python/gischat_filter/_emulation.py",
    "sdk/python/gischat_filter/_filter.py",
    "sdk/python/gischat_filter/_host.py",
    "sdk/python/gischat_filter/_types.py",
    "sdk/python/gischat_filter/clock.py",
    "sdk/python/gischat_filter/log.py",
    "sdk/python/gischat_filter/py.typed",
    "sdk/python/gischat_filter/regex.py",
    "sdk/python/gischat_filter/room.py",
    "sdk/python/gischat_filter/store.py",
    "sdk/python/gischat_filter/testing.py",
    "sdk/python/pyproject.toml",
];
/// Its template.
const PYTHON_TEMPLATE: EmbeddedFiles = files![
    "sdk/python/template/cases/first.toml",
    "sdk/python/template/filter.py",
    "sdk/python/template/plugin.toml",
    "sdk/python/template/test_filter.py",
];

/// The kit for JavaScript.
const JAVASCRIPT: EmbeddedFiles = files![
    "sdk/javascript/README.md",
    "sdk/javascript/build.js",
    "sdk/javascript/gischat-filter.d.ts",
    "sdk/javascript/gischat-filter.js",
    "sdk/javascript/package.json",
    "sdk/javascript/register.js",
    "sdk/javascript/src/component.js",
    "sdk/javascript/src/emulation.js",
    "sdk/javascript/src/host.js",
    "sdk/javascript/src/resolver.js",
    "sdk/javascript/testing.d.ts",
    "sdk/javascript/testing.js",
];
/// Its template.
const JAVASCRIPT_TEMPLATE: EmbeddedFiles = files![
    "sdk/javascript/template/cases/first.toml",
    "sdk/javascript/template/filter.js",
    "sdk/javascript/template/filter.test.js",
    "sdk/javascript/template/plugin.toml",
];

/// Returns the name and text of the script that builds plugins of a language.
pub(super) fn script(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::Rust => ("build-rust.sh", include_str!("../../../plugins/build-rust.sh")),
        Language::Python => ("build-python.sh", include_str!("../../../plugins/build-python.sh")),
        Language::Javascript => ("build-javascript.sh", include_str!("../../../plugins/build-javascript.sh")),
    }
}

/// Writes the kit of a language into a folder, with the layout of `sdk`.
pub(super) fn write_kit(language: Language, into: &Path) -> io::Result<()> {
    let kit = match language {
        Language::Rust => RUST,
        Language::Python => PYTHON,
        Language::Javascript => JAVASCRIPT,
    };
    for (path, text) in CONTRACT.iter().chain(kit) {
        write_file(&into.join(path.strip_prefix("sdk/").unwrap_or(path)), text)?;
    }
    Ok(())
}

/// Returns the files of a language's template: the path of each in the plugin's folder, and its text.
pub(super) fn template(language: Language) -> impl Iterator<Item = (&'static str, &'static str)> {
    let files = match language {
        Language::Rust => RUST_TEMPLATE,
        Language::Python => PYTHON_TEMPLATE,
        Language::Javascript => JAVASCRIPT_TEMPLATE,
    };
    let within = |path: &'static str| path.split_once("/template/").map_or(path, |(_, path)| path);
    files.iter().map(move |(path, text)| (within(path), *text))
}

/// Writes a file, and creates its parent folders.
pub(super) fn write_file(path: &Path, text: &str) -> io::Result<()> {
    let with_path = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, text)).map_err(with_path)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Files in the folders of the kits that are not embedded: development files and build output.
    const NOT_EMBEDDED: [&str; 8] =
        ["Cargo.lock", "clippy.toml", "rustfmt.toml", ".gitignore", "tests", "target", "node_modules", "__pycache__"];

    fn files_of(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if NOT_EMBEDDED.contains(&name) || name.ends_with(".egg-info") {
                continue;
            }
            if path.is_dir() {
                files_of(&path, found);
            } else {
                let root = Path::new(env!("CARGO_MANIFEST_DIR"));
                found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }

    #[test]
    fn the_binary_embeds_every_file_of_the_kits() {
        let all = [CONTRACT, RUST, RUST_TEMPLATE, PYTHON, PYTHON_TEMPLATE, JAVASCRIPT, JAVASCRIPT_TEMPLATE];
        let embedded: BTreeSet<String> = all.concat().into_iter().map(|(path, _)| path.to_owned()).collect();
        let mut found = BTreeSet::new();
        files_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk"), &mut found);
        assert_eq!(embedded, found);
    }
}
