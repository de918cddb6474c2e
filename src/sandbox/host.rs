//! The host functions that a plugin may call: log, clock, store, regular expressions and room.
//!
//! All of them are short and work in memory, since the epoch clock does not interrupt host code. Their number per call
//! is limited; exceeding the limit ends the plugin's call.

use std::sync::Arc;
use std::time::Instant;

use wasmtime::bail;
use wasmtime::component::{Resource, ResourceTable};

use super::contract::{clock, log, regexes, room, store, types};
use super::limiter::Limiter;
use super::limits::{MAX_MATCHES, MAX_NAMES, MAX_PATTERNS, PATTERNS_BYTES};
use super::pattern::Pattern;
use super::request::CallContext;
use super::shared::PluginShared;
use super::store::{PluginStore, PluginStoreError};

/// The host state of one instance.
pub(super) struct Host {
    pub(super) limiter: Limiter,
    /// The deadline of the current call.
    pub(super) deadline: Instant,
    /// Host calls left in the current call.
    calls_left: u32,
    /// Host calls allowed per call.
    call_limit: u32,
    patterns: ResourceTable,
    /// Memory of all patterns, in bytes.
    pattern_bytes: usize,
    shared: Arc<PluginShared>,
    context: CallContext,
    /// The store during a trial, dropped afterwards.
    trial_store: Option<PluginStore>,
}

impl Host {
    pub(super) fn new(shared: Arc<PluginShared>, limiter: Limiter) -> Self {
        let mut patterns = ResourceTable::new();
        patterns.set_max_capacity(MAX_PATTERNS);
        Self {
            call_limit: shared.limits.host_calls,
            limiter,
            deadline: Instant::now(),
            calls_left: 0,
            patterns,
            pattern_bytes: 0,
            shared,
            context: CallContext::default(),
            trial_store: None,
        }
    }

    /// Starts a call with this deadline.
    pub(super) fn begin(&mut self, context: CallContext, deadline: Instant) {
        self.trial_store = context.is_trial.then(|| self.shared.new_trial_store());
        self.limiter.begin_call();
        self.context = context;
        self.deadline = deadline;
        self.calls_left = self.call_limit;
    }

    /// Runs `act` on the plugin's store, with the key and the time of the message. During a trial, the store is a
    /// temporary one, into which `key` is copied first.
    fn with_store<T>(
        &mut self,
        key: String,
        act: impl FnOnce(&mut PluginStore, String, u64) -> Result<T, PluginStoreError>,
    ) -> wasmtime::Result<T> {
        self.count_call()?;
        let now = self.context.at;
        let result = match &mut self.trial_store {
            None => act(&mut self.shared.store(), key, now),
            // A trial sees the plugin's store, but does not change it.
            Some(trial_store) => {
                trial_store.copy_if_absent(&key, &self.shared.store(), now).and_then(|()| act(trial_store, key, now))
            }
        };
        if let Err(PluginStoreError::Budget(error)) = result {
            self.limiter.note_exhausted(error);
        }
        Ok(result?)
    }

    /// Ends a call and drops the store of a trial.
    pub(super) fn end(&mut self) {
        self.trial_store = None;
    }

    /// Counts a host call.
    fn count_call(&mut self) -> wasmtime::Result<()> {
        match self.calls_left.checked_sub(1) {
            Some(left) => self.calls_left = left,
            None => bail!("more than {} host calls for one message", self.call_limit),
        }
        check_deadline(self.deadline)
    }

    /// Counts a host call and searches `text` with an expression, if the text is short enough for it.
    fn search<T>(
        &mut self,
        pattern: &Resource<Pattern>,
        text: &str,
        search: impl FnOnce(&mut Pattern) -> wasmtime::Result<T>,
    ) -> wasmtime::Result<T> {
        self.count_call()?;
        let pattern = self.patterns.get_mut(pattern)?;
        pattern.check_length(text)?;
        let result = search(pattern);
        // A search fills the cache. Keep it if there is memory for it.
        let growth = pattern.size().saturating_sub(pattern.reserved);
        if self.pattern_bytes.saturating_add(growth) <= PATTERNS_BYTES && self.limiter.try_reserve(growth) {
            self.pattern_bytes += growth;
            pattern.reserved += growth;
        } else {
            pattern.clear_cache();
        }
        result
    }
}

/// Ends a plugin's call at its deadline, in host code too.
fn check_deadline(deadline: Instant) -> wasmtime::Result<()> {
    if Instant::now() >= deadline {
        bail!("deadline exceeded in a host call");
    }
    Ok(())
}

impl types::Host for Host {}

impl log::Host for Host {
    fn write(&mut self, level: log::Level, text: String) -> wasmtime::Result<()> {
        self.count_call()?;
        self.shared.log(level, &text);
        Ok(())
    }
}

impl clock::Host for Host {
    fn now(&mut self) -> wasmtime::Result<u64> {
        self.count_call()?;
        Ok(self.context.at)
    }
}

impl store::Host for Host {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<Vec<u8>>> {
        self.with_store(key, |store, key, now| Ok(store.get(&key, now)))
    }

    fn set(&mut self, key: String, value: Vec<u8>, seconds: u32) -> wasmtime::Result<()> {
        self.with_store(key, |store, key, now| store.set(key, value, seconds, now))
    }

    fn add(&mut self, key: String, amount: i64, seconds: u32) -> wasmtime::Result<i64> {
        self.with_store(key, |store, key, now| store.add(key, amount, seconds, now))
    }
}

impl room::Host for Host {
    fn members(&mut self) -> wasmtime::Result<u32> {
        self.count_call()?;
        Ok(u32::try_from(self.context.members).unwrap_or(u32::MAX))
    }

    fn names(&mut self) -> wasmtime::Result<Vec<String>> {
        self.count_call()?;
        Ok(self.context.names.iter().take(MAX_NAMES).cloned().collect())
    }
}

impl regexes::Host for Host {}

impl regexes::HostPattern for Host {
    fn compile(&mut self, expression: String) -> wasmtime::Result<Result<Resource<Pattern>, String>> {
        self.count_call()?;
        let mut pattern = match Pattern::compile(&expression) {
            Ok(pattern) => pattern,
            Err(error) => return Ok(Err(error)),
        };
        let size = pattern.size();
        if self.pattern_bytes.saturating_add(size) > PATTERNS_BYTES {
            bail!("compiled expressions exceed {PATTERNS_BYTES} bytes in total");
        }
        self.limiter.reserve(size)?;
        self.pattern_bytes += size;
        pattern.reserved = size;
        Ok(Ok(self.patterns.push(pattern)?))
    }

    fn is_match(&mut self, pattern: Resource<Pattern>, text: String) -> wasmtime::Result<bool> {
        self.search(&pattern, &text, |pattern| Ok(pattern.is_match(&text)))
    }

    fn find(&mut self, pattern: Resource<Pattern>, text: String) -> wasmtime::Result<Option<regexes::Span>> {
        let found = self.search(&pattern, &text, |pattern| Ok(pattern.find(&text)))?;
        Ok(found.map(|found| CodePointSpans::new(&text).span(found.start, found.end)))
    }

    fn find_all(&mut self, pattern: Resource<Pattern>, text: String) -> wasmtime::Result<Vec<regexes::Span>> {
        let deadline = self.deadline;
        let mut spans = CodePointSpans::new(&text);
        self.search(&pattern, &text, |pattern| {
            let mut all = Vec::new();
            for found in pattern.find_iter(&text).take(MAX_MATCHES) {
                check_deadline(deadline)?;
                all.push(spans.span(found.start, found.end));
            }
            Ok(all)
        })
    }

    fn replace_all(
        &mut self,
        pattern: Resource<Pattern>,
        text: String,
        replacement: String,
    ) -> wasmtime::Result<String> {
        let (transfer_bytes, deadline) = (self.shared.limits.transfer_bytes, self.deadline);
        // Each `$` expands to at most the whole match.
        let references = replacement.matches('$').count();
        self.search(&pattern, &text, |pattern| {
            let mut replaced = String::new();
            let mut end = 0;
            for groups in pattern.captures_iter(&text).take(MAX_MATCHES) {
                let whole = groups.whole;
                let bound = replaced.len() + text.len() + replacement.len() + references.saturating_mul(whole.len());
                if bound > transfer_bytes {
                    bail!("a text with replacements could exceed {transfer_bytes} bytes");
                }
                check_deadline(deadline)?;
                replaced.push_str(text.get(end..whole.start).unwrap_or_default());
                groups.expand(&text, &replacement, &mut replaced);
                end = whole.end;
            }
            replaced.push_str(text.get(end..).unwrap_or_default());
            Ok(replaced)
        })
    }

    fn drop(&mut self, pattern: Resource<Pattern>) -> wasmtime::Result<()> {
        let reserved = self.patterns.delete(pattern)?.reserved;
        self.pattern_bytes -= reserved;
        self.limiter.release(reserved);
        Ok(())
    }
}

/// Converts byte offsets to code point offsets, in ascending order.
struct CodePointSpans<'a> {
    text: &'a str,
    bytes: usize,
    code_points: usize,
}

impl<'a> CodePointSpans<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, bytes: 0, code_points: 0 }
    }

    fn span(&mut self, start: usize, end: usize) -> regexes::Span {
        let start = self.advance(start);
        regexes::Span { start, end: self.advance(end) }
    }

    fn advance(&mut self, to: usize) -> u32 {
        self.code_points += self.text.get(self.bytes..to).map_or(0, |part| part.chars().count());
        self.bytes = to;
        u32::try_from(self.code_points).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests;
