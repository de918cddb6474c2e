//! Settings of the audit log.

use std::path::PathBuf;

use crate::names::named;
use crate::settings::{Section, Setting};

named! {
    /// The decisions that are recorded.
    pub enum Recording {
        /// Nothing.
        Off = "off",
        /// Messages that did not pass unchanged, and acts of moderators.
        NotPassed = "refusals",
        /// All messages, and acts of moderators.
        All = "all",
    }
}

named! {
    /// The texts that are recorded with decisions.
    pub enum Texts {
        /// None.
        Off = "off",
        /// The first 80 characters of refused, held and shadowed messages.
        Refusals = "refusals",
        /// All texts in full.
        Full = "full",
    }
}

/// Settings of the audit log.
#[derive(Clone, Debug)]
pub struct Config {
    /// The decisions that are recorded.
    pub record: Recording,
    /// The folder of the log. Required unless recording is off.
    pub dir: Option<PathBuf>,
    /// The texts that are recorded.
    pub texts: Texts,
    /// Size at which a new file is started, in MiB.
    pub max_file_mib: u32,
    /// Maximum size of all files together, in MiB. Decisions are recorded up to nine tenths of it.
    pub max_total_mib: u32,
    /// Days after which files are removed and the address-hash key is replaced.
    pub retention_days: u32,
}

/// Recording is off.
impl Default for Config {
    fn default() -> Self {
        Self {
            record: Recording::Off,
            dir: None,
            texts: Texts::Off,
            max_file_mib: 64,
            max_total_mib: 4_096,
            retention_days: 30,
        }
    }
}

impl Config {
    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        let Self { record, dir, texts, max_file_mib, max_total_mib, retention_days } = Self::default();
        let record = section.read(Setting::new("record", record).doc(
            "What to record: nothing, the messages that did not pass unchanged, or all messages. Moderator actions \
             are recorded unless it is \"off\".",
        ));
        let dir: Option<PathBuf> = section
            .read(Setting::new("dir", dir).doc("Folder of the log. The relay creates it, readable by its owner only."));
        let texts = section.read(Setting::new("texts", texts).doc(
            "Which texts to record: none, the first 80 characters of rejected, held and shadowed messages, or all. \
             Only a log with record = \"all\" and texts = \"full\" can be replayed.",
        ));
        let max_file_mib = section.read(
            Setting::new("max_file_mib", max_file_mib)
                .doc("Size at which a new file is started, in MiB.")
                .within(1..=1_024),
        );
        let max_total_mib = section.read(
            Setting::new("max_total_mib", max_total_mib)
                .doc(
                    "Maximum size of all files together, in MiB. Decisions are no longer recorded when nine tenths are \
                     taken, so that acts always have space.",
                )
                .within(10..=16_777_216),
        );
        if max_total_mib < max_file_mib {
            section.error("max_total_mib", "must be at least max_file_mib: a file would never reach its size");
        }
        let retention_days = section.read(
            Setting::new("retention_days", retention_days)
                .doc("Delete old files and rotate the address-hash key after this many days.")
                .within(1..=3_650),
        );
        if record != Recording::Off && dir.is_none() {
            section.error("dir", "is needed when something is recorded: name the folder of the audit log");
        }
        Self { record, dir, texts, max_file_mib, max_total_mib, retention_days }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SettingsSource;

    fn errors(file: &str) -> Vec<String> {
        let mut source = SettingsSource::new().file("relay.toml", file);
        Config::declare(&mut source.root().section("audit", ""));
        source.finish().errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_log_needs_a_folder_unless_it_is_off() {
        let needed = "audit.dir: is needed when something is recorded: name the folder of the audit log";
        assert_eq!(errors("[audit]\nrecord = 'all'"), [format!("default: {needed}")]);
        assert_eq!(errors("[audit]\nrecord = 'refusals'\ndir = 'a'"), [""; 0]);
        assert_eq!(errors("[audit]\ntexts = 'full'"), [""; 0]);
    }

    #[test]
    fn a_file_cannot_be_larger_than_all_files() {
        let at_least = "audit.max_total_mib: must be at least max_file_mib: a file would never reach its size";
        let found = errors("[audit]\nmax_file_mib = 100\nmax_total_mib = 50");
        assert!(found.len() == 1 && found[0].ends_with(at_least), "{found:?}");
    }
}
