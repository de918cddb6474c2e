//! The memory of all output that waits to be written. Frames that many connections share count once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// Counts the bytes of tracked frames until the last reference to them is dropped. Clones share the count.
#[derive(Clone, Debug, Default)]
pub(super) struct OutputMemory(Arc<AtomicUsize>);

impl OutputMemory {
    /// Returns the same frames, counted until they are dropped.
    pub(super) fn track(&self, frames: Bytes) -> Bytes {
        if frames.is_empty() {
            return frames;
        }
        self.0.fetch_add(frames.len(), Ordering::Relaxed);
        Bytes::from_owner(TrackedFrames { frames, memory: self.clone() })
    }

    /// Returns the number of bytes that are counted.
    pub(super) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Frames that are counted.
struct TrackedFrames {
    frames: Bytes,
    memory: OutputMemory,
}

impl AsRef<[u8]> for TrackedFrames {
    fn as_ref(&self) -> &[u8] {
        &self.frames
    }
}

impl Drop for TrackedFrames {
    fn drop(&mut self) {
        self.memory.0.fetch_sub(self.frames.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_frames_count_once_until_the_last_reference_is_dropped() {
        let memory = OutputMemory::default();
        let frames = memory.track(Bytes::from_static(b"hello"));
        let (whole, part) = (frames.clone(), frames.slice(1..3));
        assert_eq!((&whole[..], &part[..], memory.bytes()), (&b"hello"[..], &b"el"[..], 5));
        drop((frames, whole));
        assert_eq!(memory.bytes(), 5);
        drop(part);
        assert_eq!(memory.bytes(), 0);
        assert!(memory.track(Bytes::new()).is_empty());
    }
}
