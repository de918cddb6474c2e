//! What a client sends, cut anywhere: the frame decoder never panics, gives the same whatever the cuts, and keeps no
//! more than its limit allows.

#![no_main]

use gischat_relay::wire::frame::{Decoder, Incoming, Violation};
use libfuzzer_sys::fuzz_target;

/// Longest text message. Bytes. Small, so that inputs reach it.
const LIMIT: usize = 600;
/// A buffer that grows doubles, so it may have twice the room that it needs; the smallest has 8 bytes.
const MOST_BUFFERED: usize = 2 * LIMIT + 8;

/// All that comes out of `chunks`, up to the end or the first violation, and whether more is waited for.
fn decode<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Incoming>, Result<bool, Violation>) {
    let mut decoder = Decoder::new(LIMIT);
    let mut incoming = Vec::new();
    for mut chunk in chunks {
        loop {
            let before = chunk.len();
            match decoder.next(&mut chunk) {
                Ok(None) => break,
                Ok(Some(one)) => {
                    assert!(chunk.len() < before, "something came out of nothing");
                    assert!(!matches!(&one, Incoming::Text(text) if text.len() > LIMIT), "a text is over the limit");
                    incoming.push(one);
                }
                Err(violation) => return (incoming, Err(violation)),
            }
            assert!(decoder.buffered() <= MOST_BUFFERED, "{} bytes are kept", decoder.buffered());
        }
        assert!(chunk.is_empty(), "bytes are left over");
        assert!(decoder.buffered() <= MOST_BUFFERED, "{} bytes are kept", decoder.buffered());
    }
    (incoming, Ok(decoder.is_midway()))
}

/// Cuts `stream` into pieces of these sizes, over and over.
fn cut<'a>(mut stream: &'a [u8], sizes: &'a [u8]) -> Vec<&'a [u8]> {
    let mut sizes = sizes.iter().cycle();
    let mut chunks = Vec::new();
    while !stream.is_empty() {
        let size = sizes.next().map_or(1, |size| usize::from(*size)).clamp(1, stream.len());
        let (chunk, rest) = stream.split_at(size);
        chunks.push(chunk);
        stream = rest;
    }
    chunks
}

// The first byte says how many of the next ones are sizes of pieces; the rest is what the client sends.
fuzz_target!(|input: &[u8]| {
    let Some((count, input)) = input.split_first() else { return };
    let (sizes, stream) = input.split_at(usize::from(count % 8).min(input.len()));
    let whole = decode([stream]);
    assert_eq!(whole, decode(cut(stream, sizes)), "the cuts matter");
    assert_eq!(whole, decode(cut(stream, &[1])), "cuts everywhere matter");
});
