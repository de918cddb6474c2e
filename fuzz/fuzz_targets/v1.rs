//! Any text as a frame of generation v1: decoding never panics, and what was read is read again from what is written.

#![no_main]

use gischat_relay::wire::v1;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(message) = v1::decode(text) else { return };
    let written = String::from_utf8(v1::encode_message(&message)).expect("JSON is UTF-8");
    let again = v1::decode(&written).unwrap_or_else(|notice| panic!("{written} is not read again: {notice:?}"));
    assert_eq!((again.author, again.kind), (message.author, message.kind), "{written}");
});
