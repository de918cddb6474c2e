//! Any text as a frame of generation v1: decoding never panics, and what is read is read again from what is written.

#![no_main]

use gischat_relay::model::{Kind, Message};
use gischat_relay::wire::v1;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(message) = v1::decode(text) else { return };
    let written = String::from_utf8(v1::encode_message(&message)).expect("JSON is UTF-8");
    match (v1::decode(&written), &message) {
        (Ok(again), message) => assert_eq!(again, *message, "{written}"),
        // A chat line cannot come from `internal`, whose frames are not chat; nor is one read as such.
        (Err(notice), Message { author, kind: Kind::Text { .. }, .. }) => {
            panic!("a line of {author:?} is not read again: {notice:?}")
        }
        (Err(notice), message) => panic!("{message:?} is not read again: {notice:?}"),
    }
});
