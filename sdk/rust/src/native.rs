//! Emulates the relay's side of the contract on targets other than `wasm32`.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::log::Level;

/// Longest key that the relay's store accepts. A longer one ends the filter's call.
const MAX_KEY_BYTES: usize = 256;

/// The state behind a filter's imports.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) members: u32,
    pub(crate) names: Vec<String>,
    pub(crate) log: Vec<(Level, String)>,
    entries: HashMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    value: Value,
    /// In milliseconds, like `World::now`.
    expires_at: u64,
}

#[derive(Debug)]
enum Value {
    Bytes(Vec<u8>),
    Number(i64),
}

impl World {
    /// An empty world at the time `now`.
    pub(crate) fn at(now: u64) -> Self {
        Self { now, ..Self::default() }
    }

    fn entry(&mut self, key: &str) -> Option<&mut Value> {
        let now = self.now;
        self.entries.get_mut(key).filter(|entry| now < entry.expires_at).map(|entry| &mut entry.value)
    }

    fn insert(&mut self, key: &str, value: Value, seconds: u32) {
        assert!(key.len() <= MAX_KEY_BYTES, "the store's key has {} bytes; the relay takes {MAX_KEY_BYTES}", key.len());
        let expires_at = self.now.saturating_add(u64::from(seconds) * 1_000);
        self.entries.insert(key.to_owned(), Entry { value, expires_at });
    }
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

/// Runs a function on this thread's world.
pub(crate) fn with<T>(work: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with_borrow_mut(work)
}

/// Swaps this thread's world with another.
pub(crate) fn swap(world: &mut World) {
    with(|current| std::mem::swap(current, world));
}

pub(crate) mod store {
    use super::{Value, with};

    pub(crate) fn get(key: &str) -> Option<Vec<u8>> {
        with(|world| match world.entry(key) {
            Some(Value::Bytes(bytes)) => Some(bytes.clone()),
            Some(Value::Number(_)) | None => None,
        })
    }

    pub(crate) fn set(key: &str, value: &[u8], seconds: u32) {
        with(|world| world.insert(key, Value::Bytes(value.to_vec()), seconds));
    }

    pub(crate) fn add(key: &str, amount: i64, seconds: u32) -> i64 {
        with(|world| {
            if let Some(Value::Number(number)) = world.entry(key) {
                *number = number.saturating_add(amount);
                return *number;
            }
            world.insert(key, Value::Number(amount), seconds);
            amount
        })
    }
}

pub(crate) mod regex {
    /// As in the contract.
    const MAX_MATCHES: usize = 1_000;
    /// The relay's limit for a compiled expression, in bytes.
    const MAX_COMPILED_BYTES: usize = 256 * 1024;

    #[derive(Debug)]
    pub(crate) struct Pattern(::regex::Regex);

    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Span {
        pub(crate) start: u32,
        pub(crate) end: u32,
    }

    impl Pattern {
        pub(crate) fn compile(expression: &str) -> Result<Self, String> {
            let compiled = ::regex::RegexBuilder::new(expression).size_limit(MAX_COMPILED_BYTES).build();
            compiled.map(Self).map_err(|error| error.to_string())
        }

        pub(crate) fn is_match(&self, text: &str) -> bool {
            self.0.is_match(text)
        }

        pub(crate) fn find(&self, text: &str) -> Option<Span> {
            self.0.find(text).map(|found| span(text, &found))
        }

        pub(crate) fn find_all(&self, text: &str) -> Vec<Span> {
            self.0.find_iter(text).take(MAX_MATCHES).map(|found| span(text, &found)).collect()
        }

        pub(crate) fn replace_all(&self, text: &str, replacement: &str) -> String {
            self.0.replace_all(text, replacement).into_owned()
        }
    }

    fn span(text: &str, found: &::regex::Match<'_>) -> Span {
        let points = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        let start = points(text.get(..found.start()).unwrap_or_default());
        Span { start, end: start.saturating_add(points(found.as_str())) }
    }
}
