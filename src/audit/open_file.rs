//! A file of the log that is being written.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::folder::LogFileName;

/// A file of the log that is being written.
#[derive(Debug)]
pub(super) struct OpenFile {
    file: File,
    pub(super) name: LogFileName,
    inode: u64,
    /// Bytes of complete lines written.
    pub(super) written: u64,
    /// Bytes of the head and its continuation lines.
    pub(super) head_bytes: u64,
    /// Lines so far, including collected ones.
    pub(super) count: u64,
    /// Whether its end line is collected.
    pub(super) is_ending: bool,
    /// Whether the bytes after `written` must be removed before the next write.
    has_unsynced: bool,
}

impl OpenFile {
    /// Takes over an empty file.
    pub(super) fn new(file: File, name: LogFileName) -> io::Result<Self> {
        let inode = file.metadata()?.ino();
        Ok(Self { file, name, inode, written: 0, head_bytes: 0, count: 0, is_ending: false, has_unsynced: false })
    }

    /// Returns whether the file is still at this path.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|metadata| metadata.ino() == self.inode)
    }

    /// Writes complete lines; with `sync`, also to disk. After an error the file ends with a complete line, and `lines`
    /// must be written again. If the file cannot be truncated, the next call continues within the line.
    pub(super) fn write(&mut self, lines: &mut Vec<u8>, sync: bool) -> io::Result<()> {
        if self.has_unsynced {
            self.file.set_len(self.written)?;
            self.has_unsynced = false;
        }
        let mut done = 0;
        while let Some(rest) = lines.get(done..).filter(|rest| !rest.is_empty()) {
            match self.file.write(rest) {
                Ok(0) => return Err(self.roll_back(lines, done, io::ErrorKind::WriteZero.into())),
                Ok(bytes) => done += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.roll_back(lines, done, error)),
            }
        }
        if sync && let Err(error) = self.file.sync_data() {
            // The system may have dropped what it could not write, and another sync may succeed without it.
            self.has_unsynced = self.file.set_len(self.written).is_err();
            return Err(error);
        }
        self.written += lines.len() as u64;
        Ok(())
    }

    /// Truncates a partly written line.
    fn roll_back(&mut self, lines: &mut Vec<u8>, done: usize, error: io::Error) -> io::Error {
        if done > 0 && self.file.set_len(self.written).is_err() {
            lines.drain(..done.min(lines.len()));
            self.written += done as u64;
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;

    #[test]
    fn lines_that_did_not_reach_the_disk_are_written_again() {
        // A pipe takes lines, but cannot be synced.
        let (_reader, pipe) = io::pipe().unwrap();
        let name = "audit-2026-11-23.jsonl".parse().unwrap();
        let mut open = OpenFile::new(File::from(OwnedFd::from(pipe)), name).unwrap();
        let mut lines = b"one\ntwo\n".to_vec();
        for _ in 0..2 {
            open.write(&mut lines, true).expect_err("not synced");
        }
        let path = tempfile::NamedTempFile::new().unwrap();
        open.file = File::options().append(true).open(&path).unwrap();
        open.write(&mut lines, true).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\n");
        assert_eq!(open.written, 8);
    }
}
