//! The languages that there are kits for.

use std::fs;
use std::path::Path;

use serde::Deserialize;

/// A language that plugins are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::cli) enum Language {
    Rust,
    Python,
    #[value(alias = "js")]
    #[serde(alias = "js")]
    Javascript,
}

/// What of a manifest says how a plugin is built.
#[derive(Debug, Default, Deserialize)]
struct Manifest {
    #[serde(default)]
    build: Build,
}

#[derive(Debug, Default, Deserialize)]
struct Build {
    language: Option<Language>,
}

impl Language {
    const ALL: [Self; 3] = [Self::Rust, Self::Python, Self::Javascript];

    /// The stable name, which is that of its kit's folder too.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::Javascript => "javascript",
        }
    }

    /// The file that tells a plugin's language where the manifest does not.
    fn file(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::Python => "filter.py",
            Self::Javascript => "filter.js",
        }
    }

    /// The language of the plugin in a folder: what its manifest says, else what its files look like.
    pub(super) fn of(folder: &Path) -> Result<Self, String> {
        let path = folder.join("plugin.toml");
        let manifest = match fs::read_to_string(&path) {
            Ok(text) => toml::from_str::<Manifest>(&text).map_err(|fault| {
                let line = line_of(&text, fault.span().map_or(0, |span| span.start));
                format!("{}:{line}: {}", path.display(), fault.message())
            })?,
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => Manifest::default(),
            Err(fault) => return Err(format!("{}: cannot be read: {fault}", path.display())),
        };
        let of_files = || Self::ALL.into_iter().find(|language| folder.join(language.file()).exists());
        manifest.build.language.or_else(of_files).ok_or_else(|| {
            let files = Self::ALL.map(Self::file).join(", ");
            format!("{}: there is nothing to build: none of {files} is there", folder.display())
        })
    }
}

/// The line, from 1, of a place in a text.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    1 + text.get(..at).unwrap_or_default().matches('\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> Result<Language, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Language::of(folder.path())
    }

    #[test]
    fn the_manifest_says_the_language_and_else_the_files() {
        assert_eq!(of(&[("plugin.toml", "build.language = 'js'"), ("filter.py", "")]), Ok(Language::Javascript));
        assert_eq!(of(&[("plugin.toml", "name = 'x'"), ("filter.py", "")]), Ok(Language::Python));
        assert_eq!(of(&[("Cargo.toml", "")]), Ok(Language::Rust));
        assert!(of(&[]).unwrap_err().ends_with("none of Cargo.toml, filter.py, filter.js is there"));
        let fault = of(&[("plugin.toml", "\n[build]\nlanguage = 'cobol'")]).unwrap_err();
        assert!(fault.contains("plugin.toml:3: unknown variant `cobol`"), "{fault}");
    }
}
