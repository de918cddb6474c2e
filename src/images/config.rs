//! Settings of images.

use std::num::{NonZeroU32, NonZeroUsize};

use super::{Limits, PoolConfig};
use crate::settings::{Section, Setting};

/// Most threads that decode images.
const MAX_THREADS: NonZeroU32 = NonZeroU32::MIN.saturating_add(63);
/// Most images that wait, of all senders.
const MAX_WAITING: usize = 128;

/// Settings of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Longest side of an image that leaves the relay, in pixels.
    pub max_size: u32,
    /// Longest base64 text of an image, in characters.
    pub max_raw_length: usize,
    /// Most pixels of a received image.
    pub max_pixels: u64,
    /// Most memory for decoding one image, in bytes.
    pub max_decoder_bytes: u64,
    /// Most memory for images that wait to be decoded, in bytes.
    pub max_queue_bytes: usize,
    /// Number of threads that decode images.
    pub threads: NonZeroUsize,
}

impl Config {
    /// Declares and reads the settings of the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        Self {
            max_size: section.read(
                Setting::new("max_size", 800_u32)
                    .doc("Longest side of an image, in pixels. Larger images are shrunk.")
                    .env(&["MAX_IMAGE_SIZE"])
                    .within(1..=2_048),
            ),
            max_raw_length: section.read(
                Setting::new("max_raw_length", 5_000_000_usize)
                    .doc("Longest image as received, in characters of base64.")
                    .env(&["MAX_IMAGE_RAW_LENGTH"])
                    .within(1..=16_000_000),
            ),
            max_pixels: section.read(
                Setting::new("max_pixels", 16_000_000_u64)
                    .doc("Maximum number of pixels of an image as received.")
                    .within(1..=268_435_456),
            ),
            max_decoder_bytes: section.read(
                Setting::new("max_decoder_bytes", 64_u64 * 1024 * 1024)
                    .doc("Memory for decoding one image, in bytes. Images that need more are refused.")
                    .within(1_048_576..=1_073_741_824),
            ),
            max_queue_bytes: section.read(
                Setting::new("max_queue_bytes", 20_usize * 1024 * 1024)
                    .doc("Memory for images that wait to be decoded, in bytes. One address may use a quarter of it, or one image.")
                    .within(1_048_576..=1_073_741_824),
            ),
            threads: threads(section.read(
                Setting::new("threads", NonZeroU32::MIN)
                    .doc("Number of threads that decode images, with low priority.")
                    .within(NonZeroU32::MIN..=MAX_THREADS),
            )),
        }
    }
}

impl Config {
    /// Returns the limits of one image.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            max_side: self.max_size,
            max_raw_length: self.max_raw_length,
            max_pixels: self.max_pixels,
            max_memory: self.max_decoder_bytes,
        }
    }

    /// Returns the limits of the threads and their queue.
    #[must_use]
    pub fn pool(&self) -> PoolConfig {
        PoolConfig { threads: self.threads, max_waiting_bytes: self.max_queue_bytes, max_waiting_jobs: MAX_WAITING }
    }
}

fn threads(number: NonZeroU32) -> NonZeroUsize {
    NonZeroUsize::try_from(number).unwrap_or(NonZeroUsize::MIN)
}
