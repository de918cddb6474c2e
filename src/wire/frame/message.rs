//! The bytes of a text message.

use std::string::FromUtf8Error;

/// Bytes of a part of a message.
const PART_BYTES: usize = 64 * 1024;

/// A text message that is longer than 64 KiB. Its bytes are in parts, and not known to be UTF-8.
///
/// Joining and checking megabytes takes longer than the thread that reads sockets should be occupied at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LongText(Vec<Vec<u8>>);

impl LongText {
    /// Joins and checks the text. Memory: up to twice its length meanwhile.
    ///
    /// # Errors
    /// [`FromUtf8Error`] if it is not UTF-8.
    pub fn into_text(self) -> Result<String, FromUtf8Error> {
        let mut bytes = Vec::with_capacity(self.0.iter().map(Vec::len).sum());
        for part in self.0 {
            bytes.extend_from_slice(&part);
        }
        String::from_utf8(bytes)
    }
}

/// A complete message.
#[derive(Debug)]
pub(super) enum Complete {
    /// One of up to 64 KiB, which is not known to be UTF-8 either.
    Short(Vec<u8>),
    Long(LongText),
}

/// A message as it arrives. Its bytes are not moved when it grows.
#[derive(Debug, Default)]
pub(super) struct MessageBytes {
    /// The parts before the last one, of [`PART_BYTES`] each.
    full: Vec<Vec<u8>>,
    last: Vec<u8>,
}

impl MessageBytes {
    /// Returns the number of bytes so far.
    pub(super) fn len(&self) -> usize {
        self.full.len() * PART_BYTES + self.last.len()
    }

    /// Returns the memory that it takes, in bytes.
    pub(super) fn capacity(&self) -> usize {
        self.full.iter().chain([&self.last]).map(Vec::capacity).sum()
    }

    /// Appends a part of a payload, unmasked. `mask` is that of its first byte.
    pub(super) fn append_unmasked(&mut self, mut payload: &[u8], mut mask: [u8; 4]) {
        while !payload.is_empty() {
            if self.last.len() == PART_BYTES {
                self.full.push(std::mem::replace(&mut self.last, Vec::with_capacity(PART_BYTES)));
            }
            let (part, rest) = payload.split_at(payload.len().min(PART_BYTES - self.last.len()));
            append_unmasked(&mut self.last, part, mask);
            mask.rotate_left(part.len() % 4);
            payload = rest;
        }
    }

    /// Returns the complete message.
    pub(super) fn finish(mut self) -> Complete {
        if self.full.is_empty() {
            return Complete::Short(self.last);
        }
        self.full.push(self.last);
        Complete::Long(LongText(self.full))
    }
}

/// Appends a payload, unmasked.
pub(super) fn append_unmasked(buffer: &mut Vec<u8>, payload: &[u8], mask: [u8; 4]) {
    let start = buffer.len();
    buffer.extend_from_slice(payload);
    let Some(new) = buffer.get_mut(start..) else { return };
    // Four bytes at a time, which the compiler turns into vector instructions even with little optimisation.
    let (words, rest) = new.as_chunks_mut::<4>();
    let mask_word = u32::from_ne_bytes(mask);
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ mask_word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(mask) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_long_text_are_joined_and_its_memory_is_close_to_its_length() {
        let text: String = ('a'..='z').cycle().take(3 * PART_BYTES + 5).collect();
        for step in [1_000, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, text.len()] {
            let (mut message, mask) = (MessageBytes::default(), [1, 2, 3, 4]);
            for (number, piece) in text.as_bytes().chunks(step).enumerate() {
                let mut turned = mask;
                turned.rotate_left(number * step % 4);
                let masked: Vec<u8> = piece.iter().zip(turned.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
                message.append_unmasked(&masked, turned);
            }
            assert_eq!(message.len(), text.len(), "{step}");
            assert!(message.capacity() <= text.len() + 2 * PART_BYTES, "{step}: {}", message.capacity());
            let Complete::Long(long) = message.finish() else { panic!("{step}: not long") };
            assert!(long.into_text().as_ref() == Ok(&text), "{step}");
        }
    }

    fn finish(bytes: &[u8]) -> Complete {
        let mut message = MessageBytes::default();
        message.append_unmasked(bytes, [0; 4]);
        message.finish()
    }

    #[test]
    fn a_text_of_one_part_is_short() {
        assert!(matches!(finish(&vec![b'a'; PART_BYTES]), Complete::Short(bytes) if bytes.len() == PART_BYTES));
    }

    #[test]
    fn a_long_text_that_is_not_utf8_is_an_error_and_characters_may_cross_parts() {
        let text = |bytes: &[u8]| match finish(bytes) {
            Complete::Long(long) => long.into_text().ok(),
            Complete::Short(_) => panic!("not long"),
        };
        assert_eq!(text(&vec![0xff; PART_BYTES + 1]), None);
        let crossing = format!("a{}", "é".repeat(PART_BYTES));
        assert_eq!(text(crossing.as_bytes()), Some(crossing));
    }
}
