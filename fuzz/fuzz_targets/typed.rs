//! Decodes any text as a frame of v2 and v3. Decoding never panics, and a decoded message survives encoding.

#![no_main]

use gischat_relay::model::{Content, MessageKind};
use gischat_relay::wire::{Generation, typed, v1};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for generation in [Generation::V2, Generation::V3, Generation::Relay] {
        let Ok(Some(message)) = typed::decode(generation, text) else { continue };
        // Every generation has a frame for every message.
        assert!(serde_json::from_slice::<serde_json::Value>(&v1::encode_message(&message)).is_ok(), "{message:?}");
        let written = String::from_utf8(typed::encode_message(generation, &message)).expect("JSON is UTF-8");
        let script = matches!(message.content(), Some(Content::Script(_)));
        let again = typed::decode(generation, &written)
            .unwrap_or_else(|notice| panic!("{written} cannot be decoded: {notice:?}"))
            .unwrap_or_else(|| panic!("{written} is ignored"));
        if script && generation == Generation::V2 {
            assert!(matches!(again.kind, MessageKind::Text { .. }), "{written}");
            continue;
        }
        // A missing style is an empty one to clients.
        let mut wanted = message.kind.clone();
        if let MessageKind::Content { content, .. } = &mut wanted
            && let Content::GeoJson(layer) = std::sync::Arc::make_mut(content)
        {
            layer.style.get_or_insert_default();
        }
        assert_eq!((again.author, again.kind), (message.author, wanted), "{written}");
    }
});
