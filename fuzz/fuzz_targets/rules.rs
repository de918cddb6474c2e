//! Loads any text as a rules file. Loading never panics and stays within its limits, and loaded rules can examine any
//! text.
//!
//! libFuzzer limits the time: `-timeout=10`.

#![no_main]

use std::net::IpAddr;
use std::path::Path;

use gischat_relay::filter::rules::{Preset, RuleSet, RulesContext};
use gischat_relay::model::{Address, Message, MessageKind, RoomName, Sender, SenderContext};
use libfuzzer_sys::fuzz_target;

/// Texts for loaded rules: words, look-alikes, marks, a link, a name, and an emoji of several code points.
const TEXTS: [&str; 5] = [
    "best casino in Köln",
    "ＣＡＳＩＮＯ ﬁne e\u{301} c4s1n0 с а s і n о",
    "@all see https://example.org/x or t.me/y",
    "👩\u{200d}👩\u{200d}👧 a\u{0}b h\u{301}\u{302}\u{303}\u{304}",
    "",
];

fuzz_target!(|text: &str| {
    let room: RoomName = "QGIS".parse().expect("a room name");
    let context = RulesContext {
        clauses: "Be kind\nNo advertising".to_owned(),
        main_lang: "en".to_owned(),
        rooms: vec![room.clone()],
        // Fuzz the text, not the relay's own rules.
        preset: Preset::Off,
        ..RulesContext::default()
    };
    let sender = Sender {
        connection: None,
        address: Address::from(IpAddr::from([127, 0, 0, 1])),
        room,
        context: SenderContext::default(),
    };
    // Word lists are not found in a folder that does not exist.
    let missing_folder = Path::new("/nonexistent");
    match RuleSet::load(Path::new("rules.toml"), text, missing_folder, &context) {
        Ok(rules) => {
            for sample in TEXTS.into_iter().chain(text.get(..200)) {
                let kind = MessageKind::Text { avatar: None, text: sample.to_owned() };
                let finding = rules.examine(&Message::new("jane", kind), &sender);
                for matched in finding.matches.iter().filter(|matched| matched.field.is_none()) {
                    let Some(span) = matched.span else { continue };
                    assert!(span.0 <= span.1 && span.1 <= sample.chars().count(), "outside of the text: {span:?}");
                }
            }
        }
        Err(errors) => {
            assert!(!errors.is_empty(), "rejected without an error");
            for error in errors {
                let text = error.to_string();
                let has_file = text.starts_with("rules.toml") || text.starts_with("starter.toml");
                assert!(has_file, "no file: {text}");
                assert!(!text.contains('\n') && text.len() < 2_000, "not one line: {text}");
            }
        }
    }
});
