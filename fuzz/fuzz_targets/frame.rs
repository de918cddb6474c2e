//! Decodes any stream from a client, in chunks of any size. The frame decoder never panics, its output does not depend
//! on the chunks, and its buffer stays within its limit.

#![no_main]

use gischat_relay::wire::frame::{Decoder, Incoming, Violation};
use libfuzzer_sys::fuzz_target;

/// Longest text message, in bytes. Small, so that inputs reach it.
const LIMIT: usize = 600;
/// Largest buffer, in bytes. A short buffer doubles its capacity as it grows, from 8 bytes on.
const MAX_BUFFERED: usize = 2 * LIMIT + 8;

/// Decodes `chunks` up to the end or the first violation. Returns the output, and whether the decoder is within a
/// frame.
fn decode<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Incoming>, Result<bool, Violation>) {
    let mut decoder = Decoder::new(LIMIT);
    let mut incoming = Vec::new();
    for mut chunk in chunks {
        loop {
            let before = chunk.len();
            match decoder.decode(&mut chunk) {
                Ok(None) => break,
                Ok(Some(one)) => {
                    assert!(chunk.len() < before, "output without input");
                    assert!(!matches!(&one, Incoming::Text(text) if text.len() > LIMIT), "a text is over the limit");
                    incoming.push(one);
                }
                Err(violation) => return (incoming, Err(violation)),
            }
            assert!(decoder.buffered_bytes() <= MAX_BUFFERED, "{} bytes are buffered", decoder.buffered_bytes());
        }
        assert!(chunk.is_empty(), "unconsumed bytes");
        assert!(decoder.buffered_bytes() <= MAX_BUFFERED, "{} bytes are buffered", decoder.buffered_bytes());
    }
    (incoming, Ok(decoder.has_partial()))
}

/// Splits `stream` into chunks of these sizes, repeated as needed.
fn split<'a>(mut stream: &'a [u8], sizes: &'a [u8]) -> Vec<&'a [u8]> {
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

// The first byte is the number of chunk sizes that follow; the rest is the stream.
fuzz_target!(|input: &[u8]| {
    let Some((count, input)) = input.split_first() else { return };
    let (sizes, stream) = input.split_at(usize::from(count % 8).min(input.len()));
    let whole = decode([stream]);
    assert_eq!(whole, decode(split(stream, sizes)), "the output depends on the chunks");
    assert_eq!(whole, decode(split(stream, &[1])), "the output depends on the chunks");
});
