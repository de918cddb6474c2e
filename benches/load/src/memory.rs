//! Resident memory of the relay, and its peak. It excludes the kernel's socket buffers.

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
        && let Some(bytes) = kibibytes(&text, "Rss:")
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

/// Lets the peak of process `pid` begin with what is resident now. Where the system does not allow that, the peak
/// includes earlier times.
pub(crate) fn reset_peak(pid: u32) {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").ok();
}

/// The most resident bytes of process `pid` since the last [`reset_peak`].
///
/// # Errors
/// If the peak cannot be read.
pub(crate) fn peak(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    kibibytes(&text, "VmHWM:").with_context(|| format!("{path} is not as expected"))
}

/// Returns the bytes in the line that starts with `name`.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_line_gives_bytes() {
        let text = "5-7 ---p 00 [rollup]\nRss:                1234 kB\nPss: 1 kB\n";
        assert_eq!(kibibytes(text, "Rss:"), Some(1234 * 1024));
        assert_eq!(kibibytes("nothing", "Rss:"), None);
    }

    #[test]
    fn the_peak_of_this_process_begins_anew() {
        let pid = std::process::id();
        let memory = vec![1_u8; 64 << 20];
        let with_memory = peak(pid).expect("readable");
        drop(memory);
        if fs::write("/proc/self/clear_refs", "5").is_err() {
            return;
        }
        let without = peak(pid).expect("readable");
        assert!(without + (32 << 20) < with_memory, "{without}, {with_memory}");
    }

    #[test]
    fn this_process_is_resident() {
        assert!(resident(std::process::id()).expect("readable") > 0);
    }
}
