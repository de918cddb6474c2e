//! Waits until files are no longer being written before they are read.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::Reloader;
use crate::app::rules_source;
use crate::config;
use crate::file::FileStamp;

/// How long files must stay unchanged before they are read.
const STABLE_FOR: Duration = Duration::from_millis(400);
/// Longest time to wait for files to stay unchanged.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(10);

/// The stamps of files, or the errors of reading them.
pub(super) type FileStamps = BTreeMap<PathBuf, Result<FileStamp, io::ErrorKind>>;

/// The stamps of the files of each part at one moment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct WatchedFiles {
    settings: FileStamps,
    rules: FileStamps,
    plugins: FileStamps,
}

/// The files of each part that keep changing.
#[derive(Debug, Default)]
pub(super) struct UnstableFiles {
    pub(super) settings: Vec<PathBuf>,
    pub(super) rules: Vec<PathBuf>,
    pub(super) plugins: Vec<PathBuf>,
}

impl UnstableFiles {
    fn between(before: &WatchedFiles, now: &WatchedFiles) -> Self {
        Self {
            settings: changed_files(&before.settings, &now.settings),
            rules: changed_files(&before.rules, &now.rules),
            plugins: changed_files(&before.plugins, &now.plugins),
        }
    }
}

/// Returns the files whose stamps differ, or that are in one set only.
pub(super) fn changed_files(before: &FileStamps, now: &FileStamps) -> Vec<PathBuf> {
    let all = before.keys().chain(now.keys().filter(|path| !before.contains_key(*path)));
    all.filter(|path| before.get(*path) != now.get(*path)).cloned().collect()
}

/// Checks that no file keeps changing.
///
/// # Errors
/// One error for each file that does.
pub(super) fn check_stable(files: &[PathBuf]) -> Result<(), Vec<String>> {
    if files.is_empty() {
        return Ok(());
    }
    let error =
        |file: &PathBuf| format!("{}: keeps changing while it is read; reload again once it is stable", file.display());
    Err(files.iter().map(error).collect())
}

/// Reads the stamps of files.
pub(super) fn stamp_files(paths: impl IntoIterator<Item = PathBuf>) -> FileStamps {
    paths.into_iter().map(|path| (path.clone(), FileStamp::read(&path))).collect()
}

impl Reloader {
    /// Waits until all files are unchanged for 0.4 s, for at most 10 s. Returns the files that are still changing.
    pub(super) async fn wait_until_stable(&self, active: &config::Config) -> UnstableFiles {
        let until = Instant::now() + SETTLE_TIMEOUT;
        let mut last = self.stamp_all(active).await;
        loop {
            tokio::time::sleep(STABLE_FOR).await;
            let now = self.stamp_all(active).await;
            if now == last || Instant::now() >= until {
                return UnstableFiles::between(&last, &now);
            }
            last = now;
        }
    }

    /// Reads the stamps of all files, on a thread that may block on the disk.
    async fn stamp_all(&self, active: &config::Config) -> WatchedFiles {
        let (options, active, library) = (self.start.options.clone(), active.clone(), self.library.clone());
        let stamping = tokio::task::spawn_blocking(move || {
            let loaded = config::load(&options, std::env::vars_os());
            // Invalid settings may name the wrong files.
            let config = if loaded.errors.is_empty() { &loaded.config } else { &active };
            let rules = rules_source(config).stamps();
            WatchedFiles {
                settings: stamp_files(loaded.files.into_iter().chain(config.auth.tokens_file.clone())),
                rules: rules.iter().map(|(path, stamp)| (path.to_owned(), stamp)).collect(),
                plugins: library
                    .map_or_else(Vec::new, |library| library.file_stamps())
                    .into_iter()
                    .map(|(path, stamp)| (path, Ok(stamp)))
                    .collect(),
            }
        });
        // On failure, the later reads report what is wrong.
        stamping.await.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_change_appear_or_vanish_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        let [same, changed, appeared, vanished] =
            ["same", "changed", "appeared", "vanished"].map(|name| folder.path().join(name));
        let all = || stamp_files([same.clone(), changed.clone(), appeared.clone(), vanished.clone()]);
        for path in [&same, &changed, &vanished] {
            std::fs::write(path, "x").unwrap();
        }
        let before = all();
        assert!(changed_files(&before, &all()).is_empty());
        std::fs::write(&changed, "longer").unwrap();
        std::fs::write(&appeared, "x").unwrap();
        std::fs::remove_file(&vanished).unwrap();
        assert_eq!(changed_files(&before, &all()), [appeared.clone(), changed.clone(), vanished.clone()]);
        assert_eq!(changed_files(&BTreeMap::new(), &stamp_files([same.clone()])), [same]);
    }
}
