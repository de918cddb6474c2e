//! Refuses what one sender, or many, say again and again.
//!
//! Two texts are the same when their letters are: capitals, digits, punctuation, blanks and emoji make no difference. A
//! text's window begins when it is said first and ends `seconds` later. What is refused counts as well, so that a flood
//! stays refused for the rest of its window. Senders whom a moderator trusts are not counted: bridges repeat by nature.

use gischat_filter::{Filter, Message, Sender, Verdict, clock, export, store};
use serde::Deserialize;

/// The `[settings]` of plugin.toml.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How often one address may say a text in its window.
    per_sender: u32,
    /// How many different addresses may say it in its window.
    senders: u32,
    /// How long a window is.
    seconds: u32,
    /// Texts with fewer letters never count.
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
        let letters = Letters::of(&message.folded);
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

/// What has been said in a window, with the message that is being checked.
struct Counts {
    by_sender: i64,
    senders: i64,
}

/// What texts are compared by.
struct Letters {
    count: usize,
    hash: u64,
}

impl Letters {
    /// The hash is FNV-1a, of code points. Who makes another text with the same hash refuses what that text could as
    /// well have been said for.
    fn of(text: &str) -> Self {
        let mut letters = Self { count: 0, hash: 0xcbf2_9ce4_8422_2325 };
        for letter in text.chars().filter(|c| c.is_alphabetic()) {
            letters.count += 1;
            letters.hash = (letters.hash ^ u64::from(u32::from(letter))).wrapping_mul(0x100_0000_01b3);
        }
        letters
    }
}

fn count(text: u64, address: &str, seconds: u32) -> Counts {
    // When the window began. It is part of the other keys, so that they are of this window although they end later. Two
    // instances may both find it new: then their times add up, which is as good a name for the window.
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
