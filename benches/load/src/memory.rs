//! Resident memory of the relay. It excludes the kernel's socket buffers.

use std::fs;

use anyhow::{Context, Result};

/// Resident bytes of process `pid`.
///
/// `smaps_rollup` is exact; `statm`, the fallback, may lag by some pages for each thread.
///
/// # Errors
/// If neither file can be read.
pub(crate) fn resident(pid: u32) -> Result<u64> {
    if let Ok(text) = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        && let Some(bytes) = rollup(&text)
    {
        return Ok(bytes);
    }
    let path = format!("/proc/{pid}/statm");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let pages: u64 = text
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .with_context(|| format!("{path} is not as expected"))?;
    Ok(pages * rustix::param::page_size() as u64)
}

fn rollup(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rollup_gives_bytes() {
        assert_eq!(rollup("5-7 ---p 00 [rollup]\nRss:                1234 kB\nPss: 1 kB\n"), Some(1234 * 1024));
        assert_eq!(rollup("nothing"), None);
    }

    #[test]
    fn this_process_is_resident() {
        assert!(resident(std::process::id()).expect("readable") > 0);
    }
}
