//! Reads the rules file and its words files, within limits.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use super::MAX_RULES_FILE_BYTES;

/// Reads a file of at most [`MAX_RULES_FILE_BYTES`].
pub(super) fn read_text(path: &Path) -> Result<String, String> {
    // Opening a named pipe would block.
    if !path.metadata().map_err(|e| unreadable(&e))?.is_file() {
        return Err("is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    let limit = MAX_RULES_FILE_BYTES as u64 + 1;
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(|e| unreadable(&e))?;
    if bytes.len() > MAX_RULES_FILE_BYTES {
        return Err(too_large());
    }
    String::from_utf8(bytes).map_err(|e| {
        let good = e.as_bytes().iter().take(e.utf8_error().valid_up_to());
        format!("is not UTF-8 at line {}", good.filter(|&&byte| byte == b'\n').count() + 1)
    })
}

/// Returns the error for a file beyond [`MAX_RULES_FILE_BYTES`].
pub(super) fn too_large() -> String {
    format!("is larger than {MAX_RULES_FILE_BYTES} bytes")
}

/// Resolves the words file `name`, which must lie in the folder `base` or below it, also after following symlinks.
pub(super) fn locate(base: &Path, name: &str) -> Result<PathBuf, String> {
    const OUTSIDE: &str = "is outside the folder of the rules file";
    let relative = Path::new(name);
    if !relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(OUTSIDE.to_owned());
    }
    let base = if base.as_os_str().is_empty() { Path::new(".") } else { base };
    let path = base.join(relative);
    let real = path.canonicalize().map_err(|e| unreadable(&e))?;
    if !real.starts_with(base.canonicalize().map_err(|e| unreadable(&e))?) {
        return Err(OUTSIDE.to_owned());
    }
    // Opening a named pipe would block.
    if real.is_file() { Ok(path) } else { Err("is not a file".to_owned()) }
}

/// Returns the words in a words file with their line numbers: one word per line, without blank lines and comments.
pub(super) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    (1..).zip(text.lines().map(str::trim)).filter(|(_, word)| !word.is_empty() && !word.starts_with('#'))
}

fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn blank_lines_and_comments_are_skipped() {
        let text = "\u{feff}# list\r\n\r\n  casino \r\nbuy now\n#c\n";
        assert_eq!(words(text).collect::<Vec<_>>(), [(3, "casino"), (4, "buy now")]);
    }

    #[test]
    fn a_file_outside_the_folder_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("rules");
        fs::create_dir(&base).unwrap();
        fs::write(folder.path().join("secret.txt"), "secret").unwrap();
        fs::write(base.join("inside.txt"), "word").unwrap();
        std::os::unix::fs::symlink("../secret.txt", base.join("link.txt")).unwrap();
        std::os::unix::fs::symlink("inside.txt", base.join("fine.txt")).unwrap();
        for name in ["../secret.txt", "./../secret.txt", "/etc/hostname", "link.txt"] {
            assert_eq!(locate(&base, name), Err("is outside the folder of the rules file".to_owned()), "{name}");
        }
        for name in ["inside.txt", "./inside.txt", "fine.txt"] {
            assert!(locate(&base, name).is_ok(), "{name}");
        }
        assert_eq!(locate(&base, "none.txt"), Err("does not exist".to_owned()));
        assert_eq!(locate(&base, "."), Err("is not a file".to_owned()));
    }

    #[test]
    fn a_file_larger_than_the_limit_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("words.txt");
        fs::write(&path, "a".repeat(MAX_RULES_FILE_BYTES)).unwrap();
        assert_eq!(read_text(&path).map(|text| text.len()), Ok(MAX_RULES_FILE_BYTES));
        fs::write(&path, "a".repeat(MAX_RULES_FILE_BYTES + 1)).unwrap();
        assert_eq!(read_text(&path), Err("is larger than 1048576 bytes".to_owned()));
        fs::write(&path, b"a\nb\xff").unwrap();
        assert_eq!(read_text(&path), Err("is not UTF-8 at line 2".to_owned()));
    }
}
