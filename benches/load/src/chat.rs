//! Numbered chat messages, ready to be sent.

use crate::frames::{MASK, TEXT, masked};
use crate::generation::{DIGITS, Generation, ID, V1_HEAD};

/// The end of a v1 message, after its text. All authors have this length.
const V1_TAIL: &str = r#"","author":"sender000","avatar":null}"#;
/// Ordinary words of the same length. Each message has different words, so that no filter against shouting or
/// repetition acts on it.
const WORDS: [&[u8; WORD]; 64] = [
    b" about", b" after", b" again", b" basin", b" beach", b" below", b" block", b" bound", b" brook", b" build",
    b" check", b" class", b" clear", b" cliff", b" coast", b" count", b" cover", b" cross", b" dunes", b" earth",
    b" every", b" field", b" first", b" forms", b" found", b" front", b" globe", b" grass", b" green", b" group",
    b" hills", b" hotel", b" house", b" index", b" inner", b" label", b" layer", b" level", b" local", b" lower",
    b" manor", b" marsh", b" metre", b" north", b" ocean", b" order", b" parks", b" paths", b" place", b" plain",
    b" point", b" ready", b" ridge", b" river", b" roads", b" scale", b" shape", b" slope", b" south", b" tiles",
    b" track", b" under", b" value", b" woods",
];
/// Bytes of a word, the blank before it included.
const WORD: usize = 6;

/// A masked chat message. Only its number and words are patched before each send.
#[derive(Debug)]
pub(crate) struct ChatFrame {
    bytes: Vec<u8>,
    /// Where the payload starts in `bytes`.
    payload_at: usize,
    /// Where the text starts in the payload.
    text_at: usize,
    /// Where the number is in the ID, if the generation has one.
    id_at: Option<usize>,
    /// Bytes of its words.
    filler: usize,
}

impl ChatFrame {
    /// The shortest v1 payload with a numbered message.
    pub(crate) const MIN_SIZE: usize = V1_HEAD.len() + DIGITS + V1_TAIL.len();
    /// The longest v1 payload. The relay may have a lower limit.
    pub(crate) const MAX_SIZE: usize = 32_768;

    /// A frame of `sender` with a text as long as in a v1 payload of exactly `size` bytes, between [`Self::MIN_SIZE`]
    /// and [`Self::MAX_SIZE`].
    pub(crate) fn new(generation: Generation, size: usize, sender: usize) -> Self {
        let filler = size.clamp(Self::MIN_SIZE, Self::MAX_SIZE) - Self::MIN_SIZE;
        let (head, tail) = generation.around_text(&author(sender));
        let text = "0".repeat(DIGITS) + &" ".repeat(filler);
        let payload = format!("{head}{text}{tail}");
        let bytes = masked(TEXT, payload.as_bytes());
        Self {
            payload_at: bytes.len() - payload.len(),
            text_at: head.len(),
            id_at: head.find(ID).map(|at| at + ID.len() - DIGITS),
            bytes,
            filler,
        }
    }

    /// Bytes of the payload.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len() - self.payload_at
    }

    /// Returns the bytes of message number `sequence`. Only the last eight digits count.
    pub(crate) fn numbered(&mut self, sequence: usize) -> &[u8] {
        for at in self.id_at.into_iter().chain([self.text_at]) {
            self.write_number(at, sequence);
        }
        let start = self.text_at + DIGITS;
        let mut random = sequence as u64;
        for (at, byte) in (start..start + self.filler).zip(words(&mut random)) {
            self.bytes[self.payload_at + at] = byte ^ MASK[at % 4];
        }
        &self.bytes
    }

    fn write_number(&mut self, start: usize, number: usize) {
        let mut left = number;
        for at in (start..start + DIGITS).rev() {
            self.bytes[self.payload_at + at] = (b'0' + (left % 10) as u8) ^ MASK[at % 4];
            left /= 10;
        }
    }
}

/// Returns the author of the sender with this number. Only the last three digits count.
fn author(sender: usize) -> String {
    format!("sender{:03}", sender % 1_000)
}

/// Returns an endless sequence of words. The same seed gives the same words.
fn words(random: &mut u64) -> impl Iterator<Item = u8> {
    std::iter::repeat_with(|| {
        // SplitMix64.
        *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*random ^ (*random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        *WORDS[(mixed >> 58) as usize]
    })
    .flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;
    use crate::frames;
    use crate::frames::tests::as_server_frame;

    fn payload(chat: &mut ChatFrame, number: usize) -> Vec<u8> {
        let bytes = as_server_frame(chat.numbered(number));
        let frame = frames::next(&bytes).expect("legal").expect("complete");
        assert_eq!(frame.opcode, TEXT);
        frame.payload.to_vec()
    }

    fn json(chat: &mut ChatFrame, number: usize) -> Value {
        serde_json::from_slice(&payload(chat, number)).expect("JSON")
    }

    #[test]
    fn a_v1_message_has_the_requested_size_and_is_json() {
        for size in [ChatFrame::MIN_SIZE, 120, 125, 126, 1_000] {
            let mut chat = ChatFrame::new(Generation::V1, size, 7);
            assert_eq!((payload(&mut chat, 42).len(), chat.size()), (size, size));
            let json = json(&mut chat, 42);
            assert_eq!(json["author"], "sender007");
            assert!(json["avatar"].is_null());
            assert!(json["message"].as_str().expect("text").starts_with("00000042"), "{json}");
        }
    }

    #[test]
    fn all_generations_have_the_same_text_and_the_keys_of_their_clients() {
        let [v1, v2, v3] = Generation::ALL.map(|generation| json(&mut ChatFrame::new(generation, 120, 7), 12_345_678));
        assert_eq!((&v1["message"], &v1["message"]), (&v2["text"], &v3["text"]));
        for typed in [&v2, &v3] {
            assert_eq!((&typed["type"], &typed["author"]), (&"text".into(), &"sender007".into()));
        }
        assert_eq!(
            (v2.as_object().map(serde_json::Map::len), v3["id"].as_str()),
            (Some(4), Some(&*ID.replace("000000000000", "000012345678")))
        );
        assert!(v3["timestamp"].is_u64());
    }

    #[test]
    fn numbers_are_patched() {
        let mut chat = ChatFrame::new(Generation::V1, 120, 0);
        for number in [0, 7, 99, 12_345_678, 3] {
            assert_eq!(Generation::V1.sequence(&payload(&mut chat, number)), Some(number));
        }
    }

    #[test]
    fn each_number_has_different_words() {
        let mut chat = ChatFrame::new(Generation::V1, 120, 0);
        let mut text = |number| {
            let json = json(&mut chat, number);
            json["message"].as_str().expect("text").split_once(' ').expect("words").1.to_owned()
        };
        let texts: HashSet<String> = (0..10_000).map(&mut text).collect();
        assert_eq!(texts.len(), 10_000);
        assert_eq!(text(7), text(7));
    }
}
