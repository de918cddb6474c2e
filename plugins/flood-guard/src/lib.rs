//! Refuses texts that one sender, or many, repeat.
//!
//! Two texts are the same if their letters are: case, digits, punctuation, whitespace and emoji are ignored. A text's
//! window starts when the text is first sent and ends `seconds` later. Refused messages count too, so that a flood
//! stays refused for the rest of its window. Trusted senders are not counted, because bridges repeat messages.

use gischat_filter::{Filter, Message, Sender, Verdict, clock, export, store};
use serde::Deserialize;

/// The `[settings]` of plugin.toml.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How often one address may send a text in its window.
    per_sender: u32,
    /// How many addresses may send the same text in its window.
    senders: u32,
    /// The length of a window.
    seconds: u32,
    /// Texts with fewer letters are not counted.
    min_letters: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { per_sender: 3, senders: 5, seconds: 60, min_letters: 12 }
    }
}

/// The filter.
#[derive(Debug)]
pub struct FloodGuard {
    settings: Settings,
}

impl Filter for FloodGuard {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, String> {
        for (name, value) in
            [("per_sender", settings.per_sender), ("senders", settings.senders), ("seconds", settings.seconds)]
        {
            if value == 0 {
                return Err(format!("`{name}` must be at least 1"));
            }
        }
        Ok(Self { settings })
    }

    fn check(&mut self, message: &Message, sender: &Sender) -> Verdict {
        let Settings { per_sender, senders, seconds, min_letters } = self.settings;
        let letters = Letters::new(&message.folded);
        if sender.trusted || letters.count < min_letters {
            return Verdict::pass();
        }
        let counts = count(letters.hash, &sender.address, seconds);
        if counts.by_sender > i64::from(per_sender) {
            return Verdict::reject("You have just said this several times: once is enough.").label("flood");
        }
        if counts.senders > i64::from(senders) {
            return Verdict::reject("Many have just said this: it need not be said again.").label("flood");
        }
        Verdict::pass()
    }
}

/// The counts of a window, including the message being checked.
struct Counts {
    by_sender: i64,
    senders: i64,
}

/// The letters of a text, by which texts are compared.
struct Letters {
    count: usize,
    hash: u64,
}

impl Letters {
    /// Counts and hashes letters. The hash is FNV-1a of code points; an attacker gains nothing from a collision that
    /// repeating the text would not.
    fn new(text: &str) -> Self {
        let mut letters = Self { count: 0, hash: 0xcbf2_9ce4_8422_2325 };
        for letter in text.chars().filter(|c| c.is_alphabetic()) {
            letters.count += 1;
            letters.hash = (letters.hash ^ u64::from(u32::from(letter))).wrapping_mul(0x100_0000_01b3);
        }
        letters
    }
}

fn count(text: u64, address: &str, seconds: u32) -> Counts {
    // The start of the window is part of the other keys, which expire later than the window. If two instances start the
    // window at the same time, the sum of their times identifies it just as well.
    let window = format!("window:{text:x}");
    let began = match store::add(&window, 0, seconds) {
        0 => store::add(&window, i64::try_from(clock::now()).unwrap_or(i64::MAX), seconds),
        began => began,
    };
    let by_sender = store::add(&format!("said:{text:x}:{began}:{address}"), 1, seconds);
    let another = i64::from(by_sender == 1);
    Counts { by_sender, senders: store::add(&format!("senders:{text:x}:{began}"), another, seconds) }
}

export!(FloodGuard);

#[cfg(test)]
mod tests;
