//! The memory of the process, and its return to the system.
//!
//! The allocator of the C library keeps memory that was freed, for later use. After a peak, such as an attack, that may be
//! several times what the relay needs.

use std::io;
use std::time::{Duration, Instant};

/// Growth of the resident memory, in percent of what it was after the last return, after which memory is returned again.
const GROWTH_PERCENT: usize = 10;
/// The longest time between two returns: memory may become free without any growth before.
const MAX_INTERVAL: Duration = Duration::from_mins(1);

/// Returns free memory to the system from time to time.
#[derive(Debug)]
pub struct MemoryReturn {
    /// The resident memory after the last return, in bytes.
    resident: usize,
    last: Instant,
}

impl MemoryReturn {
    /// Begins with the memory that is resident now.
    ///
    /// # Errors
    /// When the system does not tell the resident memory.
    pub fn new(now: Instant) -> io::Result<Self> {
        Ok(Self { resident: resident()?, last: now })
    }

    /// Whether the process has grown since the last return, or it was a while ago.
    ///
    /// # Errors
    /// When the system does not tell the resident memory.
    pub fn is_due(&self, now: Instant) -> io::Result<bool> {
        let has_grown = resident()? > self.resident + self.resident / 100 * GROWTH_PERCENT;
        Ok(has_grown || now.duration_since(self.last) >= MAX_INTERVAL)
    }

    /// Returns free memory to the system. Takes milliseconds.
    ///
    /// # Errors
    /// When the system does not tell the resident memory.
    pub fn run(&mut self, now: Instant) -> io::Result<()> {
        let before = resident()?;
        trim();
        (self.resident, self.last) = (resident()?, now);
        tracing::debug!(before, after = self.resident, took = ?now.elapsed(), "free memory returned to the system");
        Ok(())
    }
}

/// Returns the resident memory of this process, in bytes.
fn resident() -> io::Result<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.map(|pages| pages * rustix::param::page_size()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Returns free memory to the system. Other C libraries do so by themselves.
fn trim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "the C library offers no other way")]
    // SAFETY: the function takes no pointer and may be called by any thread at any time (malloc_trim(3)).
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_memory_in_small_pieces_is_returned() {
        let mut memory = MemoryReturn::new(Instant::now()).unwrap();
        // Pieces are kept by the allocator rather than mapped each; the last one keeps the heap from shrinking by itself.
        let mut pieces: Vec<Vec<u8>> = (0..64 << 10).map(|_| vec![1; 1 << 10]).collect();
        let (last, full) = (pieces.pop(), resident().unwrap());
        drop(pieces);
        memory.run(Instant::now()).unwrap();
        let after = resident().unwrap();
        assert!(after + (48 << 20) < full, "{full} bytes, then {after}");
        drop(last);
    }
}
