//! Any text as a rules file: loading never panics and takes its time only within limits; what was loaded examines any
//! text.
//!
//! How long it may take is for libFuzzer to say: `-timeout=10`.

#![no_main]

use std::net::IpAddr;
use std::path::Path;

use gischat_relay::filter::rules::{Instance, Preset, Rules};
use gischat_relay::model::{Address, Facts, Kind, Message, RoomName, Sender};
use libfuzzer_sys::fuzz_target;

/// What good rules are tried on: words, look-alikes, marks, a link, a name, and an emoji of several code points.
const TEXTS: [&str; 5] = [
    "best casino in Köln",
    "ＣＡＳＩＮＯ ﬁne e\u{301} c4s1n0 с а s і n о",
    "@all see https://example.org/x or t.me/y",
    "👩\u{200d}👩\u{200d}👧 a\u{0}b h\u{301}\u{302}\u{303}\u{304}",
    "",
];

fuzz_target!(|text: &str| {
    let room = RoomName::parse("QGIS").expect("a room name");
    let instance = Instance {
        clauses: "Be kind\nNo advertising".to_owned(),
        main_lang: "en".to_owned(),
        rooms: vec![room.clone()],
        // What is fuzzed is the text, not what comes with the relay.
        preset: Preset::Off,
    };
    let sender = Sender {
        connection: None,
        address: Address::from(IpAddr::from([127, 0, 0, 1])),
        room,
        facts: Facts::default(),
    };
    // No file of words is found in a folder that does not exist.
    let nowhere = Path::new("/nonexistent");
    match Rules::load(Path::new("rules.toml"), text, nowhere, &instance) {
        Ok(rules) => {
            for sample in TEXTS.into_iter().chain(text.get(..200)) {
                let said = Kind::Text { avatar: None, text: sample.to_owned() };
                let finding = rules.examine(&Message::new("jane", said), &sender);
                for matched in finding.matches.iter().filter(|matched| matched.field.is_none()) {
                    let Some(span) = matched.span else { continue };
                    assert!(span.0 <= span.1 && span.1 <= sample.chars().count(), "outside of the text: {span:?}");
                }
            }
        }
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a fault");
            for fault in faults {
                let shown = fault.to_string();
                let named = shown.starts_with("rules.toml") || shown.starts_with("starter.toml");
                assert!(named, "no place: {shown}");
                assert!(!shown.contains('\n') && shown.len() < 2_000, "no sentence: {shown}");
            }
        }
    }
});
