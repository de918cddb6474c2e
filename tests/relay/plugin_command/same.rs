//! One filter in three languages: each must pass the same cases, which cover the whole interface of filters.

use std::path::Path;

use super::{DONE, LONG, Plugins, plugin_command, project};
use crate::support::program::output_within;

/// Asserts that the filter in one language passes all cases of `tests/guests/same`.
fn passes_the_same_cases(language: &str) {
    let same = project("tests/guests/same");
    let read = |path: &Path| std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let built = same.join(language).join("filter.wasm");
    assert!(built.exists(), "{} is not built: `make guests INSTALL=--install` builds it", built.display());
    let mut plugins = Plugins::none()
        .with("same/plugin.toml", &read(&same.join("plugin.toml")))
        .with("same/filter.wasm", &read(&built));
    for file in ["words", "people"] {
        let cases = format!("cases/{file}.toml");
        plugins = plugins.with(&format!("same/{cases}"), &read(&same.join(cases)));
    }
    let mut command = plugin_command(plugins.0.path(), &["test", "same"]);
    // Compile interpreters once, not in every run.
    command.env("RELAY__FILTER__PLUGINS__CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled-plugins"));
    let output = output_within(&mut command, LONG);
    assert_eq!(output.status, DONE, "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.ends_with("23 cases, all passed\n"), "{}", output.stdout);
}

#[test]
fn the_filter_in_rust_passes_the_cases() {
    passes_the_same_cases("rust");
}

#[test]
fn the_filter_in_python_passes_the_cases() {
    passes_the_same_cases("python");
}

#[test]
fn the_filter_in_javascript_passes_the_cases() {
    passes_the_same_cases("javascript");
}
