//! Settings of the audit log.

use std::path::PathBuf;

use crate::settings::{Choice, Section, Setting};

/// What is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recording {
    /// Nothing.
    Off,
    /// Messages that did not pass as they came, and what moderators do.
    Refusals,
    /// All messages, and what moderators do.
    All,
}

impl Choice for Recording {
    const NAMES: &'static [(&'static str, Self)] =
        &[("off", Self::Off), ("refusals", Self::Refusals), ("all", Self::All)];
}

/// Which texts are recorded with their decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texts {
    /// None.
    Off,
    /// The first 80 characters of those that were refused, held or shadowed.
    Refusals,
    /// All, whole.
    Full,
}

impl Choice for Texts {
    const NAMES: &'static [(&'static str, Self)] =
        &[("off", Self::Off), ("refusals", Self::Refusals), ("full", Self::Full)];
}

/// The name that a setting has for a choice.
pub(super) fn name_of<T: Choice>(choice: T) -> &'static str {
    T::NAMES.iter().find(|(_, other)| *other == choice).map_or("", |(name, _)| name)
}

/// Settings of the audit log.
#[derive(Clone, Debug)]
pub struct Config {
    /// What is recorded.
    pub record: Recording,
    /// The folder of the log. There is one, unless nothing is recorded.
    pub dir: Option<PathBuf>,
    /// Which texts are recorded.
    pub texts: Texts,
    /// A file as large as this is followed by another one. MiB.
    pub max_file_mib: u32,
    /// Files of days longer ago than this are removed, and the key of the hashes of addresses is replaced as often.
    pub retention_days: u32,
}

/// Nothing is recorded.
impl Default for Config {
    fn default() -> Self {
        Self { record: Recording::Off, dir: None, texts: Texts::Off, max_file_mib: 64, retention_days: 30 }
    }
}

impl Config {
    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        let Self { record, dir, texts, max_file_mib, retention_days } = Self::default();
        let record = section.read(Setting::new("record", record).doc(
            "What is recorded: nothing, the messages that did not pass as they came, or all; from refusals on also \
             what moderators do.",
        ));
        let dir: Option<PathBuf> = section
            .read(Setting::new("dir", dir).doc("The folder of the log. It is made, readable for its owner alone."));
        let texts = section.read(Setting::new("texts", texts).doc(
            "Which texts are recorded: none, the first 80 characters of those that were refused, held or shadowed, or \
             all. Only a log with record = \"all\" and texts = \"full\" can be replayed.",
        ));
        let max_file_mib = section.read(
            Setting::new("max_file_mib", max_file_mib)
                .doc("A file as large as this is followed by another one. MiB.")
                .within(1..=1_024),
        );
        let retention_days = section.read(
            Setting::new("retention_days", retention_days)
                .doc(
                    "Days after which a day's files are removed, and a new key takes the place of that with which \
                     addresses are hashed.",
                )
                .within(1..=3_650),
        );
        if record != Recording::Off && dir.is_none() {
            section.fault("dir", "is needed when something is recorded: name the folder of the audit log");
        }
        Self { record, dir, texts, max_file_mib, retention_days }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Source;

    fn faults(file: &str) -> Vec<String> {
        let mut source = Source::new().file("relay.toml", file);
        Config::declare(&mut source.root().section("audit", ""));
        source.finish().faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_log_needs_a_folder_unless_it_is_off() {
        let needed = "audit.dir: is needed when something is recorded: name the folder of the audit log";
        assert_eq!(faults("[audit]\nrecord = 'all'"), [format!("default: {needed}")]);
        assert_eq!(faults("[audit]\nrecord = 'refusals'\ndir = 'a'"), [""; 0]);
        assert_eq!(faults("[audit]\ntexts = 'full'"), [""; 0]);
    }
}
