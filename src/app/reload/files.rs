//! Files that somebody is still writing: they are read once they stay as they are.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::Reloader;
use crate::app::rules_source;
use crate::config;
use crate::file::Print;

/// How long files must look the same before they are read.
const SAME_FOR: Duration = Duration::from_millis(400);
/// How long to wait for that.
const PATIENCE: Duration = Duration::from_secs(10);

/// What some files look like, or why they cannot be looked at.
pub(super) type Prints = BTreeMap<PathBuf, Result<Print, io::ErrorKind>>;

/// What the files of each part look like at some moment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Looks {
    settings: Prints,
    rules: Prints,
    plugins: Prints,
}

/// The files of each part that keep changing.
#[derive(Debug, Default)]
pub(super) struct Unsettled {
    pub(super) settings: Vec<PathBuf>,
    pub(super) rules: Vec<PathBuf>,
    pub(super) plugins: Vec<PathBuf>,
}

impl Unsettled {
    fn between(before: &Looks, now: &Looks) -> Self {
        Self {
            settings: differing(&before.settings, &now.settings),
            rules: differing(&before.rules, &now.rules),
            plugins: differing(&before.plugins, &now.plugins),
        }
    }
}

/// The files that are other than before, or are in one of both only.
pub(super) fn differing(before: &Prints, now: &Prints) -> Vec<PathBuf> {
    let all = before.keys().chain(now.keys().filter(|path| !before.contains_key(*path)));
    all.filter(|path| before.get(*path) != now.get(*path)).cloned().collect()
}

/// Says that no file of a part keeps changing.
///
/// # Errors
/// One for each file that does.
pub(super) fn keep_changing(files: &[PathBuf]) -> Result<(), Vec<String>> {
    if files.is_empty() {
        return Ok(());
    }
    let error = |file: &PathBuf| {
        format!("{}: keeps changing while it is to be read; once it stays as it is, read it again", file.display())
    };
    Err(files.iter().map(error).collect())
}

/// What these files look like now.
pub(super) fn look_at(paths: impl IntoIterator<Item = PathBuf>) -> Prints {
    paths.into_iter().map(|path| (path.clone(), Print::of(&path))).collect()
}

impl Reloader {
    /// Waits until all files look the same twice, 0.4 s apart, but for at most 10 s. Gives those that do not.
    pub(super) async fn settle(&self, in_force: &config::Config) -> Unsettled {
        let until = Instant::now() + PATIENCE;
        let mut last = self.look(in_force).await;
        loop {
            tokio::time::sleep(SAME_FOR).await;
            let now = self.look(in_force).await;
            if now == last || Instant::now() >= until {
                return Unsettled::between(&last, &now);
            }
            last = now;
        }
    }

    /// Looks at all files, on a thread that may wait for the disk.
    async fn look(&self, in_force: &config::Config) -> Looks {
        let (options, in_force, library) = (self.start.options.clone(), in_force.clone(), self.library.clone());
        let looking = tokio::task::spawn_blocking(move || {
            let loaded = config::load(&options, std::env::vars_os());
            // Settings with an error say nothing for sure about other files.
            let config = if loaded.faults.is_empty() { &loaded.config } else { &in_force };
            let rules = rules_source(config).prints();
            Looks {
                settings: look_at(loaded.files.into_iter().chain(config.moderation.tokens_file.clone())),
                rules: rules.iter().map(|(path, print)| (path.to_owned(), print)).collect(),
                plugins: library
                    .map_or_else(Vec::new, |library| library.look())
                    .into_iter()
                    .map(|(path, print)| (path, Ok(print)))
                    .collect(),
            }
        });
        // Without a look, reading tells what is wrong.
        looking.await.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changes_comes_or_goes_keeps_changing() {
        let folder = tempfile::tempdir().unwrap();
        let [same, changed, came, gone] = ["same", "changed", "came", "gone"].map(|name| folder.path().join(name));
        let all = || look_at([same.clone(), changed.clone(), came.clone(), gone.clone()]);
        for path in [&same, &changed, &gone] {
            std::fs::write(path, "x").unwrap();
        }
        let before = all();
        assert!(differing(&before, &all()).is_empty());
        std::fs::write(&changed, "longer").unwrap();
        std::fs::write(&came, "x").unwrap();
        std::fs::remove_file(&gone).unwrap();
        assert_eq!(differing(&before, &all()), [came.clone(), changed.clone(), gone.clone()]);
        assert_eq!(differing(&BTreeMap::new(), &look_at([same.clone()])), [same]);
    }
}
