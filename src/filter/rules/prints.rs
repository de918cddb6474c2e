//! What the files of the rules look like, so that a change is noticed and none is read half written.

use std::collections::HashSet;
use std::io;
use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;

use super::faults::Faults;
use super::{Rules, Source, files, written};
use crate::file::Print;
use crate::filter::Config;
use crate::settings::{Fault, Place};

/// Files of words that are looked at; more than that no rules file may have rules.
const MAX_FILES: usize = 1_000;
/// How often files that change while they are read are read.
const TRIES: usize = 3;

/// What the files of the rules look like: first the rules file, then each file of words that it names, also where
/// there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prints(Vec<(PathBuf, Result<Print, io::ErrorKind>)>);

impl Prints {
    /// What the same files look like now.
    #[must_use]
    pub fn again(&self) -> Self {
        Self(self.0.iter().map(|(path, _)| (path.clone(), Print::of(path))).collect())
    }

    /// Each file with what it looks like, or why it cannot be looked at.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, Result<Print, io::ErrorKind>)> {
        self.0.iter().map(|(path, print)| (path.as_path(), *print))
    }

    /// When the youngest of the files was changed; `None` where none is there.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        self.0.iter().filter_map(|(_, print)| print.as_ref().ok()?.modified()).max()
    }

    /// Whether there is no rules file.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self.0.first(), Some((_, Err(io::ErrorKind::NotFound))))
    }
}

impl Rules {
    /// What the files looked like from which they were read.
    #[must_use]
    pub fn prints(&self) -> &Prints {
        &self.prints
    }
}

/// What came of reading the rules.
#[derive(Debug)]
pub struct Reading {
    /// What the files looked like.
    pub prints: Prints,
    /// The rules, or all faults.
    pub rules: Result<Rules, Vec<Fault>>,
}

impl Source {
    /// Reads the rules as [`Source::load`] does, and tells which files it was that were read. A file that changes
    /// meanwhile is read again, and is at fault if it never stays as it is.
    #[must_use]
    pub fn read(&self) -> Reading {
        self.read_as(|| self.load())
    }

    fn read_as(&self, mut load: impl FnMut() -> Result<Rules, Vec<Fault>>) -> Reading {
        for _ in 0..TRIES {
            let prints = self.prints();
            let rules = load();
            if prints.again() == prints {
                let rules = rules.map(|rules| Rules { prints: prints.clone(), ..rules });
                return Reading { prints, rules };
            }
        }
        // It does not look like this when it is looked at again, and so is read then.
        let prints = Prints(vec![(self.path().to_owned(), Err(io::ErrorKind::Interrupted))]);
        Reading {
            prints,
            rules: Err(vec![self.fault("changes while it is read; once it stays as it is, read it again")]),
        }
    }

    /// The rules file, whether or not it is there.
    pub(super) fn path(&self) -> &Path {
        self.file.as_deref().unwrap_or(Path::new(Config::DEFAULT_RULES_FILE))
    }

    /// What is wrong when the rules file vanishes while its rules are in force.
    #[must_use]
    pub fn gone(&self) -> Fault {
        self.fault(match self.file {
            None => {
                "is gone; its rules stay in force; to take them off, have the rules read again (SIGHUP, or the call)"
            }
            Some(_) => "is gone; its rules stay in force; put it back, as RULES_FILE (filter.rules_file) names it",
        })
    }

    fn fault(&self, text: &str) -> Fault {
        Fault::new(Place::File(self.path().to_owned()), text)
    }

    /// What the files look like now.
    #[must_use]
    pub fn prints(&self) -> Prints {
        let path = self.path().to_owned();
        let first = Print::of(&path);
        let named = files_of_words(&path);
        Prints(
            std::iter::once((path, first))
                .chain(named.into_iter().map(|path| (path.clone(), Print::of(&path))))
                .collect(),
        )
    }
}

/// The files of words that a rules file names, as far as it can be read, each once.
fn files_of_words(path: &Path) -> Vec<PathBuf> {
    let Ok(text) = files::read_text(path) else { return Vec::new() };
    // What is wrong with it is said by who loads it.
    let written = written::parse(&text, &mut Faults::new(path)).rules;
    let base = path.parent().unwrap_or(Path::new(""));
    let mut seen = HashSet::new();
    let names = written.into_iter().filter_map(|rule| rule.patterns.words_file).map(|name| name.value);
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
    use crate::filter::rules::Instance;

    const RULE: &str = "[[rule]]\nid = 'a'\nwords_file = 'words.txt'\nverdict = 'reject'\n";

    /// A folder, and the rules file in it.
    fn source() -> (tempfile::TempDir, Source) {
        let folder = tempfile::tempdir().unwrap();
        let file = Some(folder.path().join("rules.toml"));
        (folder, Source { file, instance: Instance::default() })
    }

    fn write(folder: &tempfile::TempDir, name: &str, text: &str) {
        fs::write(folder.path().join(name), text).unwrap();
    }

    #[test]
    fn whatever_happens_to_a_file_it_looks_different_then() {
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
            let before = source.prints();
            assert_eq!(before.again(), before, "{what}");
            change();
            assert_ne!(before.again(), before, "{what}");
        }
    }

    #[test]
    fn files_of_words_are_looked_at_whatever_is_wrong_with_them_and_with_the_rules() {
        let (folder, source) = source();
        let rule = |n: usize, file: &str| format!("[[rule]]\nid = 'r{n}'\nwords_file = '{file}'\nverdict = 'what'\n");
        let names = ["none.txt", "./sub/none.txt", "none.txt", "../out.txt", "/etc/hostname", "here.txt"];
        let text: String = names.iter().enumerate().map(|(n, name)| rule(n, name)).collect();
        write(&folder, "here.txt", "");
        write(&folder, "rules.toml", &text);
        let prints = source.prints();
        let seen = prints.0.iter().map(|(path, print)| (path.strip_prefix(folder.path()).unwrap(), print.is_ok()));
        let wanted = [("rules.toml", true), ("none.txt", false), ("sub/none.txt", false), ("here.txt", true)];
        assert_eq!(seen.collect::<Vec<_>>(), wanted.map(|(path, there)| (Path::new(path), there)));
        assert!(source.read().rules.is_err());
        assert_eq!(source.read().prints, prints);
    }

    #[test]
    fn no_more_files_are_looked_at_than_a_file_may_have_rules() {
        let (folder, source) = source();
        let rule = |n: usize| format!("[[rule]]\nwords_file = '{n}'\n");
        let text: String = (0..3_000).map(rule).collect();
        write(&folder, "rules.toml", &text);
        assert_eq!(source.prints().0.len(), 1 + MAX_FILES);
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_read_again() {
        let (folder, source) = source();
        write(&folder, "rules.toml", "");
        let mut reads = 0;
        let reading = source.read_as(|| {
            reads += 1;
            let rules = source.load();
            if reads == 1 {
                write(&folder, "rules.toml", RULE);
                write(&folder, "words.txt", "casino");
            }
            rules
        });
        assert_eq!((reads, reading.rules.unwrap().own()), (2, 1));
        assert_eq!(reading.prints, source.prints());
    }

    #[test]
    fn a_file_that_never_stays_as_it_is_is_at_fault() {
        let (folder, source) = source();
        let mut text = String::new();
        let reading = source.read_as(|| {
            text.push('#');
            write(&folder, "rules.toml", &text);
            source.load()
        });
        let faults = reading.rules.unwrap_err();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].to_string().contains("rules.toml: changes while it is read"), "{faults:?}");
        assert_ne!(reading.prints, reading.prints.again());
    }
}
