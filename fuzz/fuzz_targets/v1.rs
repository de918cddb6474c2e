//! Decodes any text as a frame of generation v1. Decoding never panics, and a decoded message survives encoding.

#![no_main]

use gischat_relay::model::MessageKind;
use gischat_relay::wire::v1;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(mut message) = v1::decode(text) else { return };
    let written = String::from_utf8(v1::encode_message(&message)).expect("JSON is UTF-8");
    let again = v1::decode(&written).unwrap_or_else(|notice| panic!("{written} cannot be decoded: {notice:?}"));
    // An empty avatar is null to clients.
    if let MessageKind::Text { avatar, .. } = &mut message.kind {
        *avatar = avatar.take().filter(|avatar| !avatar.is_empty());
    }
    assert_eq!((again.author, again.kind), (message.author, message.kind), "{written}");
});
