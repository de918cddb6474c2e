//! Reads logs from files.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::engine::{Replay, ReplayError};
use super::environment::Environment;
use super::past_decision::{DecisionOrigin, SkipReason};
use crate::audit::{Line, LineErrorKind, read_lines};

/// Size of the read buffer. Bytes.
const BUFFER: usize = 256 << 10;

/// A file or folder cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
pub struct LogReadError {
    /// The file or folder.
    pub path: PathBuf,
    /// The error of the system.
    #[source]
    pub error: io::Error,
}

/// Returns the files of a log in the order in which they were written. A folder stands for the files in it that have the
/// name of a log file.
///
/// # Errors
/// [`LogReadError`].
pub fn log_files(paths: &[PathBuf]) -> Result<Vec<Arc<Path>>, LogReadError> {
    let mut files = Vec::new();
    for path in paths {
        let unreadable = |error| LogReadError { path: path.clone(), error };
        if !fs::metadata(path).map_err(unreadable)?.is_dir() {
            files.push((first_timestamp(path)?, path.clone()));
            continue;
        }
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            let has_prefix = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"audit-"));
            if has_prefix && file.extension().is_some_and(|extension| extension == "jsonl") {
                files.push((first_timestamp(&file)?, file));
            }
        }
    }
    files.sort();
    files.dedup();
    Ok(files.into_iter().map(|(_, file)| file.into()).collect())
}

/// Returns the time of the first readable line of a file.
fn first_timestamp(path: &Path) -> Result<Timestamp, LogReadError> {
    let file = File::open(path).map_err(|error| LogReadError { path: path.to_owned(), error })?;
    let mut lines = read_lines(BufReader::new(file));
    Ok(match lines.find_map(Result::ok) {
        Some(Line::Start(head) | Line::State(head)) => head.time.at,
        Some(Line::Decision(decision)) => decision.at,
        Some(Line::Act(act)) => act.at,
        Some(Line::More { .. } | Line::Lost { .. } | Line::End { .. }) | None => Timestamp::MIN,
    })
}

/// Replays these files. Lines and files that cannot be read are counted as skipped.
///
/// # Errors
/// [`ReplayError`].
pub fn replay_logs<S: Environment>(files: &[Arc<Path>], replay: &mut Replay<'_, S>) -> Result<(), ReplayError> {
    for path in files {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) => {
                replay.add_skipped(SkipReason::BadFile, 1, &DecisionOrigin::line(path, 0));
                replay.add_note(format!("{}: {error}", path.display()));
                continue;
            }
        };
        let mut lines = read_lines(BufReader::with_capacity(BUFFER, file));
        while let Some(line) = lines.next() {
            let origin = DecisionOrigin::line(path, lines.number());
            match line {
                Ok(Line::Start(head)) => replay.add_head(&head, true)?,
                Ok(Line::State(head)) => replay.add_head(&head, false)?,
                Ok(Line::Decision(decision)) => replay.add_logged_decision(*decision, &origin)?,
                Ok(Line::Act(act)) => replay.add_act(*act)?,
                Ok(Line::Lost { count, .. }) => replay.add_skipped(SkipReason::Lost, count, &origin),
                Ok(Line::More { .. } | Line::End { .. }) => {}
                Err(bad) => {
                    let reason = match bad.kind {
                        LineErrorKind::Cut => SkipReason::CutLine,
                        LineErrorKind::TooLong | LineErrorKind::Unknown(_) => SkipReason::BadLine,
                        LineErrorKind::Unreadable(_) => SkipReason::BadFile,
                    };
                    replay.add_skipped(reason, 1, &origin);
                }
            }
        }
    }
    Ok(())
}
