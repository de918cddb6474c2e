//! `plugin new`: a folder with a filter that works, its cases, and the kit that it is built with.

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use super::kit;
use super::language::Language;
use super::{failed, tell};

/// Longest name.
const LONGEST: usize = 64;
/// What the templates import, which no filter can be called as well.
const IMPORTED: [&str; 9] = ["Any", "Filter", "Harness", "Message", "Path", "Pattern", "Reject", "Sender", "Verdict"];
/// What else the filter's type cannot be called: the template of Rust has a type of that name.
const TAKEN: [&str; 2] = ["Settings", "Self"];

/// Reads the name of a plugin, which is that of its folder.
pub(super) fn name(text: &str) -> Result<String, String> {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if text.len() > LONGEST {
        return Err(format!("it has {} characters, of {LONGEST}", text.len()));
    }
    if text.starts_with(|first: char| first.is_ascii_lowercase()) && text.split('-').all(word) {
        Ok(text.to_owned())
    } else {
        Err("a name has small letters and digits, with dashes between them, and begins with a letter: link-guard"
            .to_owned())
    }
}

/// Makes the folder and says what to do next.
pub(super) fn run(name: &str, language: Language, into: &Path) -> ExitCode {
    let folder = into.join(name);
    if let Err(fault) = fs::create_dir_all(into).and_then(|()| fs::create_dir(&folder)) {
        return failed(match fault.kind() {
            io::ErrorKind::AlreadyExists if folder.symlink_metadata().is_ok() => {
                format!("{}: there is such a folder already", folder.display())
            }
            _ => format!("{}: {fault}", folder.display()),
        });
    }
    if let Err(fault) = fill(name, language, &folder) {
        return failed(fault);
    }
    tell(io::stdout(), &next(language, &folder));
    ExitCode::SUCCESS
}

fn fill(name: &str, language: Language, folder: &Path) -> io::Result<()> {
    let kit_of_language = format!("sdk/{}", language.as_str());
    for (path, text) in kit::template(language) {
        let text = text
            .replace("my-filter", name)
            .replace("MyFilter", &type_name(name))
            .replace("{{SDK}}", &kit_of_language)
            .replace("PATH/sdk/", "./sdk/");
        kit::put(&folder.join(path.strip_suffix(".in").unwrap_or(path)), &text)?;
    }
    kit::write(language, &folder.join("sdk"))
}

/// What the filter's type is called: `LinkGuard` for `link-guard`.
fn type_name(name: &str) -> String {
    let mut camel = String::new();
    for word in name.split('-') {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    if IMPORTED.contains(&camel.as_str()) || TAKEN.contains(&camel.as_str()) {
        camel.push_str("Plugin");
    }
    camel
}

fn next(language: Language, folder: &Path) -> String {
    let (source, native) = match language {
        Language::Rust => ("src/lib.rs", "cargo test"),
        Language::Python => ("filter.py", "PYTHONPATH=sdk/python python3 -m unittest"),
        Language::Javascript => ("filter.js", "node --import ./sdk/javascript/register.js --test"),
    };
    let folder = folder.display();
    format!(
        "{folder} is there. What to do next:\n\
         \x20 edit   {folder}/{source}, what it must answer in {folder}/cases, its settings in {folder}/plugin.toml\n\
         \x20 try    cd {folder} && {native}\n\
         \x20 build  gischat-relay plugin build {folder}\n\
         \x20 test   gischat-relay plugin test {folder}\n\
         \x20 copy   plugin.toml and filter.wasm into a folder of that name among the relay's plugins: one that runs\n\
         \x20        takes it by itself; mode = \"enforce\" in plugin.toml has the filter act\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_small_letters_digits_and_dashes_between_them() {
        for good in ["a", "link-guard", "no-2-shapefiles", &"a".repeat(LONGEST)] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
        for bad in ["", "-a", "a-", "a--b", "A", "a_b", "3d", "é", "a/b", "..", "a b", &"a".repeat(LONGEST + 1)] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_type_is_named_after_the_plugin_and_hides_nothing() {
        for (name, camel) in [("link-guard", "LinkGuard"), ("a-2b", "A2b"), ("filter", "FilterPlugin")] {
            assert_eq!(type_name(name), camel);
        }
    }
}
