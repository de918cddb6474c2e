//! Runs a filter natively, for its author's tests.
//!
//! The harness emulates the relay: a store in memory, a clock that the test advances, the crate `regex`, and a log that
//! the test can read. It differs from the relay in three ways: its store is never full, its log drops no lines, and it
//! limits neither time nor memory.
//!
//! ```
//! use gischat_filter::{Filter, Message, NoSettings, Sender, Verdict, store, testing::{Harness, json}};
//!
//! struct Once;
//!
//! impl Filter for Once {
//!     type Settings = NoSettings;
//!
//!     fn configure(_: NoSettings) -> Result<Self, String> {
//!         Ok(Self)
//!     }
//!
//!     fn check(&mut self, message: &Message, _: &Sender) -> Verdict {
//!         let times = store::add(&message.folded, 1, 60);
//!         if times > 1 { Verdict::reject("Once is enough.") } else { Verdict::pass() }
//!     }
//! }
//!
//! let mut harness = Harness::<Once>::new(json!({}));
//! assert_eq!(harness.check("Hello"), Verdict::pass());
//! assert_eq!(harness.check("hello"), Verdict::reject("Once is enough."));
//! harness.advance(60);
//! assert_eq!(harness.check("hello"), Verdict::pass());
//! ```

pub use serde_json::json;
use unicode_normalization::UnicodeNormalization;

use crate::log::Level;
use crate::native::{self, World};
use crate::{Action, Filter, Hook, Message, Sender, Verdict};

/// A filter and the emulated relay around it. The public fields describe the next message.
#[derive(Debug)]
pub struct Harness<F> {
    /// The sender. Initially connected for an hour, with 100 accepted messages and no nickname.
    pub sender: Sender,
    /// The name that messages are sent under. Initially `jane`.
    pub author: String,
    /// The name of their room. Initially `QGIS`.
    pub room: String,
    /// The number of connections in the room. Initially 1.
    pub members: u32,
    /// The nicknames registered in the room. Initially none.
    pub names: Vec<String>,
    /// The time, in milliseconds since 1970-01-01T00:00:00Z. Initially noon of 2026-01-01.
    pub now: u64,
    settings: String,
    filter: F,
    world: World,
    messages: u64,
}

impl<F: Filter> Harness<F> {
    /// Configures a filter.
    ///
    /// # Panics
    ///
    /// If the filter refuses the settings.
    #[must_use]
    pub fn new(settings: serde_json::Value) -> Self {
        match Self::try_new(settings) {
            Ok(harness) => harness,
            Err(error) => panic!("the filter refuses its settings: {error}"),
        }
    }

    /// Configures a filter that may refuse its settings.
    ///
    /// # Errors
    ///
    /// The filter's error.
    #[allow(clippy::needless_pass_by_value, reason = "tests write `json!` in the call")]
    pub fn try_new(settings: serde_json::Value) -> Result<Self, String> {
        let now = 1_767_268_800_000;
        let mut world = World::at(now);
        let settings = settings.to_string();
        let filter = within(&mut world, || crate::configure(&settings))?;
        Ok(Self {
            sender: Sender {
                connection: Some(1),
                address: "a".to_owned(),
                registered: false,
                seconds_connected: 3_600,
                accepted: 100,
                refused: 0,
                trusted: false,
            },
            author: "jane".to_owned(),
            room: "QGIS".to_owned(),
            members: 1,
            names: Vec::new(),
            now,
            settings,
            filter,
            world,
            messages: 0,
        })
    }

    /// Checks a text message.
    pub fn check(&mut self, text: &str) -> Verdict {
        let message = self.message(text);
        self.check_message(&message)
    }

    /// Returns a text message made from the fields of the harness, for tests that change it before they check it.
    pub fn message(&mut self, text: &str) -> Message {
        self.messages += 1;
        Message {
            id: format!("00000000-0000-4000-8000-{:012}", self.messages),
            room: self.room.clone(),
            author: self.author.clone(),
            kind: "text".to_owned(),
            text: text.to_owned(),
            folded: folded(text),
            avatar: None,
            payload: None,
            at: self.now,
        }
    }

    /// Checks a message.
    ///
    /// # Panics
    ///
    /// If the filter did not ask for messages of this kind, or if the relay would not accept its verdict.
    pub fn check_message(&mut self, message: &Message) -> Verdict {
        assert!(F::HOOKS.contains(&Hook::Check), "the relay never calls this filter: its HOOKS lack `Check`");
        assert!(
            F::KINDS.contains(&message.kind.as_str()),
            "the relay never calls this filter: its KINDS lack `{}`",
            message.kind
        );
        self.now = message.at;
        self.prepare();
        let Self { filter, sender, world, .. } = self;
        assert_in_bounds(within(world, || filter.check(message, sender)))
    }

    /// Checks a nickname that the sender wants to register.
    ///
    /// # Panics
    ///
    /// If the filter did not ask for nicknames, or if the relay would not accept its verdict.
    pub fn check_nickname(&mut self, nickname: &str) -> Verdict {
        let has_hook = F::HOOKS.contains(&Hook::CheckNickname);
        assert!(has_hook, "the relay never calls this filter: its HOOKS lack `CheckNickname`");
        self.prepare();
        let Self { filter, room, sender, world, .. } = self;
        let verdict = assert_in_bounds(within(world, || filter.check_nickname(nickname, room, sender)));
        assert!(!matches!(verdict.action, Action::Replace(_)), "the relay does not replace nicknames");
        verdict
    }

    /// Advances the clock.
    pub fn advance(&mut self, seconds: u64) {
        self.now += seconds * 1_000;
    }

    /// Discards the instance and creates another, as the relay may at any time. The store stays.
    ///
    /// # Panics
    ///
    /// If the filter refuses the settings that it accepted before.
    pub fn restart(&mut self) {
        self.world.members = 0;
        self.world.names.clear();
        match within(&mut self.world, || crate::configure(&self.settings)) {
            Ok(filter) => self.filter = filter,
            Err(error) => panic!("the filter refuses the settings that it accepted before: {error}"),
        }
    }

    /// The lines that the filter has logged.
    #[must_use]
    pub fn log(&self) -> &[(Level, String)] {
        &self.world.log
    }

    fn prepare(&mut self) {
        self.world.now = self.now;
        self.world.members = self.members;
        self.world.names.clone_from(&self.names);
        self.world.names.sort();
    }
}

/// Folds a text as the relay does for [`Message::folded`], except for disguises: NFKC, then case folding.
#[must_use]
pub fn folded(text: &str) -> String {
    // The standard library has no case folding, but lower case of upper case of lower case is equivalent.
    let fold = |c: char| c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    text.nfkd().flat_map(fold).nfkc().collect()
}

/// Checks that the relay would accept a verdict. One beyond its bounds counts as a failure of the filter, so a filter
/// must truncate reasons and labels that quote a message.
fn assert_in_bounds(verdict: Verdict) -> Verdict {
    let reason = verdict.reason.as_ref().map_or(0, String::len);
    assert!(reason <= 1_024, "the reason has {reason} bytes; the relay takes 1024");
    let labels = verdict.labels.len();
    assert!(labels <= 16, "there are {labels} labels; the relay takes 16");
    let label = verdict.labels.iter().find(|label| !(1..=64).contains(&label.len()));
    assert_eq!(label, None, "the relay takes labels of 1 to 64 bytes");
    let kind = verdict.sanction.as_ref().map_or("warn", |sanction| &sanction.kind);
    assert!(["warn", "mute", "kick", "ban"].contains(&kind), "the relay knows no sanction `{kind}`");
    verdict
}

/// Runs a function in a world. A panic leaves the harness without its world, but then the test has failed anyway.
fn within<T>(world: &mut World, work: impl FnOnce() -> T) -> T {
    native::swap(world);
    let result = work();
    native::swap(world);
    result
}
