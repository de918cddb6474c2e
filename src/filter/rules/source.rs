//! Where the rules are loaded from.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use super::stamps::RulesFileStamps;
use super::{RuleSet, RulesContext, document, files};
use crate::filter::Config;
use crate::settings::{ConfigError, FileErrors};

/// Most words files that are watched: the most rules of a file.
const MAX_FILES: usize = 1_000;
/// Most attempts to load files that change meanwhile.
const ATTEMPTS: usize = 3;

/// Where rules are loaded from.
#[derive(Clone, Debug)]
pub struct RulesSource {
    /// The file named in the configuration, if any. It must exist.
    pub file: Option<PathBuf>,
    /// Settings of the instance that rules refer to.
    pub context: RulesContext,
}

/// The result of loading the rules from files.
#[derive(Debug)]
pub struct LoadAttempt {
    /// The stamps of the files.
    pub stamps: RulesFileStamps,
    /// The rules, or all errors.
    pub rules: Result<RuleSet, Vec<ConfigError>>,
}

impl RulesSource {
    /// Loads the rules; only the starter rules when the default file is absent. Blocks, like [`RuleSet::load`].
    ///
    /// # Errors
    /// All errors of the file.
    pub fn load(&self) -> Result<RuleSet, Vec<ConfigError>> {
        self.load_with_extra(("", ""))
    }

    /// Like [`RulesSource::load`], with extra rules; see [`RuleSet::load_with_extra`].
    ///
    /// # Errors
    /// All errors of the extra rules and of the file.
    pub fn load_with_extra(&self, extra: (&str, &str)) -> Result<RuleSet, Vec<ConfigError>> {
        let path = self.path();
        let text = match (&self.file, path.try_exists()) {
            (None, Ok(false)) => String::new(),
            (Some(_), Ok(false)) => {
                let text = "does not exist, but RULES_FILE (filter.rules_file) names it";
                return Err(vec![ConfigError::in_file(path, text)]);
            }
            _ => files::read_text(path).map_err(|error| vec![ConfigError::in_file(path, error)])?,
        };
        RuleSet::load_with_extra(path, &text, path.parent().unwrap_or(Path::new("")), &self.context, extra)
    }

    /// Loads the rules like [`RulesSource::load`] and returns them with the stamps of their files. Retries when a file
    /// changes meanwhile, and returns an error if the files keep changing.
    #[must_use]
    pub fn load_stable(&self) -> LoadAttempt {
        self.load_stable_with(|| self.load())
    }

    fn load_stable_with(&self, mut load: impl FnMut() -> Result<RuleSet, Vec<ConfigError>>) -> LoadAttempt {
        for _ in 0..ATTEMPTS {
            let stamps = self.stamps();
            let rules = load();
            if stamps.restat() == stamps {
                let rules = rules.map(|rules| RuleSet { stamps: stamps.clone(), ..rules });
                return LoadAttempt { stamps, rules };
            }
        }
        // A stamp that no later check equals, so that the files are loaded again.
        let stamps = RulesFileStamps::unstable(self.path().to_owned());
        LoadAttempt {
            stamps,
            rules: Err(vec![self.error("keeps changing while it is read; reload once it is complete")]),
        }
    }

    /// Returns the path of the rules file, which need not exist.
    pub(super) fn path(&self) -> &Path {
        self.file.as_deref().unwrap_or(Path::new(Config::DEFAULT_RULES_FILE))
    }

    /// Returns the error for a rules file that was removed while its rules are in force.
    #[must_use]
    pub fn missing_file_error(&self) -> ConfigError {
        self.error(match self.file {
            None => "was removed; its rules stay in force; reload (SIGHUP or the API) to drop them",
            Some(_) => {
                "was removed; its rules stay in force; restore it, since RULES_FILE (filter.rules_file) names it"
            }
        })
    }

    fn error(&self, text: &str) -> ConfigError {
        ConfigError::in_file(self.path(), text)
    }

    /// Returns the current stamps of the files.
    #[must_use]
    pub fn stamps(&self) -> RulesFileStamps {
        let path = self.path();
        // Evaluated after the stamp of the rules file, so that a change while it is read is noticed.
        let named = std::iter::once_with(|| named_files(path)).flatten();
        RulesFileStamps::read(std::iter::once(path.to_owned()).chain(named))
    }
}

/// Returns the words files and areas that a rules file names, each once, as far as the file can be parsed.
fn named_files(path: &Path) -> Vec<PathBuf> {
    let Ok(text) = files::read_text(path) else { return Vec::new() };
    // Loading reports the errors.
    let entries = document::parse(&text, &mut FileErrors::new(path)).rules;
    let base = path.parent().unwrap_or(Path::new(""));
    let mut seen = HashSet::new();
    let names = entries.into_iter().flat_map(|rule| {
        let areas = rule.places.into_iter().map(|place| place.file);
        rule.patterns.words_file.into_iter().chain(areas).map(|name| name.value)
    });
    names
        .filter(|name| {
            Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
        })
        .map(|name| base.join(name))
        .filter(|path| seen.insert(path.clone()))
        .take(MAX_FILES)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const RULE: &str = "[[rule]]\nid = 'a'\nwords_file = 'words.txt'\nverdict = 'reject'\n";

    /// A temporary folder, and a source with a rules file in it.
    fn source() -> (tempfile::TempDir, RulesSource) {
        let folder = tempfile::tempdir().unwrap();
        let file = Some(folder.path().join("rules.toml"));
        (folder, RulesSource { file, context: RulesContext::default() })
    }

    fn write(folder: &tempfile::TempDir, name: &str, text: &str) {
        fs::write(folder.path().join(name), text).unwrap();
    }

    #[test]
    fn every_change_of_a_file_changes_its_stamp() {
        let (folder, source) = source();
        let at = |name: &str| folder.path().join(name);
        let changes: [(&str, &dyn Fn()); 7] = [
            ("written", &|| write(&folder, "rules.toml", RULE)),
            ("words written", &|| write(&folder, "words.txt", "casino")),
            ("words in a file of the same length put in its place", &|| {
                write(&folder, "new", "pokers");
                fs::rename(at("new"), at("words.txt")).unwrap();
            }),
            ("an old file put in its place", &|| {
                write(&folder, "old", RULE);
                let file = fs::File::options().write(true).open(at("old")).unwrap();
                file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
                fs::rename(at("old"), at("rules.toml")).unwrap();
            }),
            ("words removed", &|| fs::remove_file(at("words.txt")).unwrap()),
            ("words as a link", &|| std::os::unix::fs::symlink("rules.toml", at("words.txt")).unwrap()),
            ("removed", &|| fs::remove_file(at("rules.toml")).unwrap()),
        ];
        for (what, change) in changes {
            let before = source.stamps();
            assert_eq!(before.restat(), before, "{what}");
            change();
            assert_ne!(before.restat(), before, "{what}");
        }
    }

    #[test]
    fn words_files_are_watched_even_if_they_or_the_rules_are_invalid() {
        let (folder, source) = source();
        let rule = |n: usize, file: &str| format!("[[rule]]\nid = 'r{n}'\nwords_file = '{file}'\nverdict = 'what'\n");
        let names = ["none.txt", "./sub/none.txt", "none.txt", "../out.txt", "/etc/hostname", "here.txt"];
        let text: String = names.iter().enumerate().map(|(n, name)| rule(n, name)).collect();
        write(&folder, "here.txt", "");
        write(&folder, "rules.toml", &text);
        let stamps = source.stamps();
        let seen = stamps.iter().map(|(path, stamp)| (path.strip_prefix(folder.path()).unwrap(), stamp.is_ok()));
        let expected = [("rules.toml", true), ("none.txt", false), ("sub/none.txt", false), ("here.txt", true)];
        assert_eq!(seen.collect::<Vec<_>>(), expected.map(|(path, there)| (Path::new(path), there)));
        assert!(source.load_stable().rules.is_err());
        assert_eq!(source.load_stable().stamps, stamps);
    }

    #[test]
    fn at_most_as_many_files_are_watched_as_a_file_may_have_rules() {
        let (folder, source) = source();
        let rule = |n: usize| format!("[[rule]]\nwords_file = '{n}'\n");
        let text: String = (0..3_000).map(rule).collect();
        write(&folder, "rules.toml", &text);
        assert_eq!(source.stamps().iter().count(), 1 + MAX_FILES);
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_read_again() {
        let (folder, source) = source();
        write(&folder, "rules.toml", "");
        let mut reads = 0;
        let reading = source.load_stable_with(|| {
            reads += 1;
            let rules = source.load();
            if reads == 1 {
                write(&folder, "rules.toml", RULE);
                write(&folder, "words.txt", "casino");
            }
            rules
        });
        assert_eq!((reads, reading.rules.unwrap().own_count()), (2, 1));
        assert_eq!(reading.stamps, source.stamps());
    }

    #[test]
    fn a_file_that_keeps_changing_is_an_error() {
        let (folder, source) = source();
        let mut text = String::new();
        let reading = source.load_stable_with(|| {
            text.push('#');
            write(&folder, "rules.toml", &text);
            source.load()
        });
        let errors = reading.rules.unwrap_err();
        assert_eq!(errors.len(), 1);
        assert!(errors[0].to_string().contains("rules.toml: keeps changing while it is read"), "{errors:?}");
        assert_ne!(reading.stamps, reading.stamps.restat());
    }
}
