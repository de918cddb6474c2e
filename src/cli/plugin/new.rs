//! `plugin new`: creates a folder with a working filter, its cases and the kit.

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use super::kit;
use super::language::Language;
use super::{fail, print_to};

/// Longest name, in bytes.
const MAX_NAME_LEN: usize = 64;
/// Names that the templates import. A filter's type cannot have them.
const IMPORTED_NAMES: [&str; 9] =
    ["Any", "Filter", "Harness", "Message", "Path", "Pattern", "Reject", "Sender", "Verdict"];
/// Other names that a filter's type cannot have, because of the Rust template and of the language.
const RESERVED_NAMES: [&str; 2] = ["Settings", "Self"];

/// Parses the name of a plugin, which is also that of its folder.
pub(super) fn parse_name(text: &str) -> Result<String, String> {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if text.len() > MAX_NAME_LEN {
        return Err(format!("it has {} characters; the limit is {MAX_NAME_LEN}", text.len()));
    }
    if text.starts_with(|first: char| first.is_ascii_lowercase()) && text.split('-').all(word) {
        Ok(text.to_owned())
    } else {
        Err("a name has lower-case letters, digits and single dashes, and starts with a letter".to_owned())
    }
}

/// Creates the folder and prints the next steps.
pub(super) fn run(name: &str, language: Language, into: &Path) -> ExitCode {
    let folder = into.join(name);
    if let Err(error) = fs::create_dir_all(into).and_then(|()| fs::create_dir(&folder)) {
        return fail(match error.kind() {
            io::ErrorKind::AlreadyExists if folder.symlink_metadata().is_ok() => {
                format!("{}: the folder already exists", folder.display())
            }
            _ => format!("{}: {error}", folder.display()),
        });
    }
    if let Err(error) = write_files(name, language, &folder) {
        return fail(error);
    }
    print_to(io::stdout(), &next_steps(language, &folder));
    ExitCode::SUCCESS
}

fn write_files(name: &str, language: Language, folder: &Path) -> io::Result<()> {
    let kit_of_language = format!("sdk/{language}");
    for (path, text) in kit::template(language) {
        let text = text
            .replace("my-filter", name)
            .replace("MyFilter", &type_name(name))
            .replace("{{SDK}}", &kit_of_language)
            .replace("PATH/sdk/", "./sdk/");
        kit::write_file(&folder.join(path.strip_suffix(".in").unwrap_or(path)), &text)?;
    }
    kit::write_kit(language, &folder.join("sdk"))
}

/// The name of the filter's type: `LinkGuard` for `link-guard`.
fn type_name(name: &str) -> String {
    let mut camel = String::new();
    for word in name.split('-') {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    if IMPORTED_NAMES.contains(&camel.as_str()) || RESERVED_NAMES.contains(&camel.as_str()) {
        camel.push_str("Plugin");
    }
    camel
}

fn next_steps(language: Language, folder: &Path) -> String {
    let (source, native) = match language {
        Language::Rust => ("src/lib.rs", "cargo test"),
        Language::Python => ("filter.py", "PYTHONPATH=sdk/python python3 -m unittest"),
        Language::Javascript => ("filter.js", "node --import ./sdk/javascript/register.js --test"),
    };
    let folder = folder.display();
    format!(
        "created {folder}. Next steps:\n\
         \x20 edit   {folder}/{source}, expected answers in {folder}/cases, settings in {folder}/plugin.toml\n\
         \x20 try    cd {folder} && {native}\n\
         \x20 build  gischat-relay plugin build {folder}\n\
         \x20 test   gischat-relay plugin test {folder}\n\
         \x20 copy   plugin.toml and filter.wasm into a folder of that name in the relay's plugin folder; a running\n\
         \x20        relay loads it automatically. Set mode = \"enforce\" in plugin.toml to make the filter act\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_lower_case_letters_digits_and_single_dashes() {
        for good in ["a", "link-guard", "no-2-shapefiles", &"a".repeat(MAX_NAME_LEN)] {
            assert_eq!(parse_name(good).as_deref(), Ok(good));
        }
        for bad in ["", "-a", "a-", "a--b", "A", "a_b", "3d", "é", "a/b", "..", "a b", &"a".repeat(MAX_NAME_LEN + 1)] {
            assert!(parse_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_type_is_named_after_the_plugin_and_shadows_no_import() {
        for (name, camel) in [("link-guard", "LinkGuard"), ("a-2b", "A2b"), ("filter", "FilterPlugin")] {
            assert_eq!(type_name(name), camel);
        }
    }
}
