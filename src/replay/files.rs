//! Logs in files.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::engine::{Ended, Replay};
use super::past::{Origin, Unfit};
use super::stage::Stage;
use crate::moderation::audit::{BadLineWhy, Line, read};

/// Bytes that are read at once.
const BUFFER: usize = 256 << 10;

/// A file or folder that is not to be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", path.display())]
pub struct Unreadable {
    /// Which.
    pub path: PathBuf,
    /// What the system says.
    #[source]
    pub fault: io::Error,
}

/// The files of a log in the order in which they were written; of a folder, those in it that are called as the relay
/// calls them.
///
/// # Errors
/// [`Unreadable`].
pub fn log_files(paths: &[PathBuf]) -> Result<Vec<Arc<Path>>, Unreadable> {
    let mut files = Vec::new();
    for path in paths {
        let unreadable = |fault| Unreadable { path: path.clone(), fault };
        if !fs::metadata(path).map_err(unreadable)?.is_dir() {
            files.push((begins(path)?, path.clone()));
            continue;
        }
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            let begins_so = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"audit-"));
            if begins_so && file.extension().is_some_and(|extension| extension == "jsonl") {
                files.push((begins(&file)?, file));
            }
        }
    }
    files.sort();
    files.dedup();
    Ok(files.into_iter().map(|(_, file)| file.into()).collect())
}

/// When the first line of a file was written.
fn begins(path: &Path) -> Result<Timestamp, Unreadable> {
    let file = File::open(path).map_err(|fault| Unreadable { path: path.to_owned(), fault })?;
    let mut lines = read(BufReader::new(file));
    Ok(match lines.find_map(Result::ok) {
        Some(Line::Head(head)) => head.at,
        Some(Line::Decision(decision)) => decision.at,
        Some(Line::Act(act)) => act.at,
        Some(Line::Lost(_) | Line::End) | None => Timestamp::MIN,
    })
}

/// Replays these files. What cannot be read of them is counted.
///
/// # Errors
/// [`Ended`].
pub fn read_logs<S: Stage>(files: &[Arc<Path>], replay: &mut Replay<'_, S>) -> Result<(), Ended> {
    for path in files {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(fault) => {
                replay.skip(Unfit::BadFile, 1, &Origin::line(path, 0));
                replay.note(format!("{}: {fault}", path.display()));
                continue;
            }
        };
        let mut lines = read(BufReader::with_capacity(BUFFER, file));
        while let Some(line) = lines.next() {
            let origin = Origin::line(path, lines.number());
            match line {
                Ok(Line::Head(head)) => replay.head(&head)?,
                Ok(Line::Decision(decision)) => replay.logged(*decision, &origin)?,
                Ok(Line::Act(act)) => replay.act(*act)?,
                Ok(Line::Lost(count)) => replay.skip(Unfit::Lost, count, &origin),
                Ok(Line::End) => {}
                Err(bad) => {
                    let why = match bad.why {
                        BadLineWhy::Cut => Unfit::CutLine,
                        BadLineWhy::TooLong | BadLineWhy::Unknown(_) => Unfit::BadLine,
                        BadLineWhy::Unreadable(_) => Unfit::BadFile,
                    };
                    replay.skip(why, 1, &origin);
                }
            }
        }
    }
    Ok(())
}
