//! The languages that have kits.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::names::named;
use crate::settings::from_toml;

named! {
    /// A language of plugins. Its name is also that of the kit's folder.
    #[derive(clap::ValueEnum)]
    pub(in crate::cli) enum Language {
        Rust = "rust",
        Python = "python",
        #[value(alias = "js")]
        #[serde(alias = "js")]
        Javascript = "javascript",
    }
}

/// The part of a manifest that describes the build.
#[derive(Debug, Default, Deserialize)]
struct BuildManifest {
    #[serde(default)]
    build: Build,
}

#[derive(Debug, Default, Deserialize)]
struct Build {
    language: Option<Language>,
}

impl Language {
    /// The file by which a plugin's language is detected.
    fn marker_file(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::Python => "filter.py",
            Self::Javascript => "filter.js",
        }
    }

    /// Detects the language of the plugin in a folder, from its manifest or else from its files.
    pub(super) fn detect(folder: &Path) -> Result<Self, String> {
        let path = folder.join("plugin.toml");
        let manifest = match fs::read_to_string(&path) {
            Ok(text) => from_toml::<BuildManifest>(&path, &text)
                .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?,
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => BuildManifest::default(),
            Err(error) => return Err(format!("{}: cannot be read: {error}", path.display())),
        };
        let from_files = || Self::ALL.into_iter().find(|language| folder.join(language.marker_file()).exists());
        manifest.build.language.or_else(from_files).ok_or_else(|| {
            let files = Self::ALL.map(Self::marker_file).join(", ");
            format!("{}: nothing to build: none of {files} exists", folder.display())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(files: &[(&str, &str)]) -> Result<Language, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Language::detect(folder.path())
    }

    #[test]
    fn the_manifest_takes_precedence_over_the_files() {
        assert_eq!(detect(&[("plugin.toml", "build.language = 'js'"), ("filter.py", "")]), Ok(Language::Javascript));
        assert_eq!(detect(&[("plugin.toml", "name = 'x'"), ("filter.py", "")]), Ok(Language::Python));
        assert_eq!(detect(&[("Cargo.toml", "")]), Ok(Language::Rust));
        assert!(detect(&[]).unwrap_err().ends_with("none of Cargo.toml, filter.py, filter.js exists"));
        let error = detect(&[("plugin.toml", "\n[build]\nlanguage = 'cobol'")]).unwrap_err();
        assert!(error.contains("plugin.toml:3: unknown variant `cobol`"), "{error}");
    }
}
