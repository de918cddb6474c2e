//! What can be wrong with the file.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why the state of moderation cannot be read, or was not written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened, made or read.
    #[error("{}: the file of moderation cannot be opened (moderation.store): {fault}", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        fault: io::Error,
    },
    /// There is something else of this name.
    #[error("{}: is no file, and moderation.store must be one", path.display())]
    NotAFile {
        /// What.
        path: PathBuf,
    },
    /// Others may read it, and that cannot be changed.
    #[error(
        "{}: others may read or write this file (mode {mode:o}), and it is not the relay's to change that ({fault}); \
         make it the relay's own: chown it, and chmod 600",
        path.display()
    )]
    NotPrivate {
        /// Which.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// Why.
        fault: io::Error,
    },
    /// Another relay has it open.
    #[error("{}: another relay is running with this file of moderation; each needs its own", path.display())]
    Busy {
        /// Which.
        path: PathBuf,
    },
    /// It is something else's.
    #[error("{}: is no file of gischat-relay; it is left as it is. Name another one as moderation.store", path.display())]
    Foreign {
        /// Which.
        path: PathBuf,
    },
    /// It was written by another version.
    #[error("{}: has format {found}, and this version of the relay knows format {own}; it is left as it is", path.display())]
    Format {
        /// Which.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The one of this version.
        own: u64,
    },
    /// It is damaged.
    #[error(
        "{}: is damaged, and left as it is: {why}. Put a copy of it back, or move it away to begin without sanctions",
        path.display()
    )]
    Damaged {
        /// Which.
        path: PathBuf,
        /// In what way.
        why: String,
    },
    /// The thread that writes cannot be started.
    #[error("the thread that writes the file of moderation cannot be started: {0}")]
    Thread(io::Error),
    /// The disk did not take it. It is tried again.
    #[error("it holds, but could not be written to the file of moderation yet; the log says why")]
    NotWritten,
    /// The disk takes its time.
    #[error("it holds, but was not written to the file of moderation within {} s", waited.as_secs())]
    Late {
        /// For how long somebody has waited.
        waited: Duration,
    },
    /// The file is closed.
    #[error("the relay is shutting down")]
    Closed,
}
