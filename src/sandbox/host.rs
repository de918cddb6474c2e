//! What a plugin may reach: a log, the message's time, its own store, expressions, and the room.
//!
//! Everything here is in memory and short. Each function counts as a call of the host and is refused, which ends the
//! plugin's call, when there were too many: what runs here is not interrupted by the plugin's clock.

use std::sync::Arc;
use std::time::Instant;

use regex::Regex;
use wasmtime::bail;
use wasmtime::component::{Resource, ResourceTable};

use super::contract::{clock, log, regexes, room, store, types};
use super::limiter::Limiter;
use super::limits::{MAX_FOUND, MAX_NAMES, MAX_PATTERNS, PATTERNS_BYTES};
use super::pattern::Pattern;
use super::question::Scene;
use super::shared::Shared;
use super::store::Store;

/// The host's side of one instance.
pub(super) struct Host {
    pub(super) limits: Limiter,
    /// When the call under way must have come back.
    pub(super) deadline: Instant,
    /// Calls of the host that are left to it.
    calls_left: u32,
    calls: u32,
    patterns: ResourceTable,
    /// What all of them may take of memory.
    pattern_bytes: usize,
    shared: Arc<Shared>,
    scene: Scene,
    /// What the plugin remembers during a trial, which is forgotten afterwards.
    scratch: Option<Store>,
}

impl Host {
    pub(super) fn new(shared: Arc<Shared>, limiter: Limiter) -> Self {
        let mut patterns = ResourceTable::new();
        patterns.set_max_capacity(MAX_PATTERNS);
        Self {
            calls: shared.limits.host_calls,
            limits: limiter,
            deadline: Instant::now(),
            calls_left: 0,
            patterns,
            pattern_bytes: 0,
            shared,
            scene: Scene::default(),
            scratch: None,
        }
    }

    /// Begins a call that must have come back by `deadline`.
    pub(super) fn begin(&mut self, scene: Scene, deadline: Instant) {
        self.scratch = scene.trial.then(|| Store::new(self.shared.limits.store));
        self.limits.begin();
        self.scene = scene;
        self.deadline = deadline;
        self.calls_left = self.calls;
    }

    /// What the plugin remembers, `key` for sure, and what time it is.
    fn store<T>(&mut self, key: String, act: impl FnOnce(&mut Store, String, u64) -> T) -> T {
        let now = self.scene.at;
        let Some(scratch) = &mut self.scratch else { return act(&mut self.shared.store(), key, now) };
        // A trial begins with what is there, and changes nothing of it.
        scratch.copy_unless_there(&key, &self.shared.store(), now);
        act(scratch, key, now)
    }

    /// Ends a call: what a trial has left is forgotten.
    pub(super) fn end(&mut self) {
        self.scratch = None;
    }

    /// Counts a call of the host.
    fn call(&mut self) -> wasmtime::Result<()> {
        match self.calls_left.checked_sub(1) {
            Some(left) => self.calls_left = left,
            None => bail!("more than {} calls of the host for one message", self.calls),
        }
        in_time(self.deadline)
    }

    /// The expression for a search in `text`, which must not be longer than a search may take.
    fn regex(&mut self, pattern: &Resource<Pattern>, text: &str) -> wasmtime::Result<&Regex> {
        self.call()?;
        self.patterns.get(pattern)?.for_text(text)
    }
}

/// Ends a plugin's call at its deadline, also where the host works for it.
fn in_time(deadline: Instant) -> wasmtime::Result<()> {
    if Instant::now() >= deadline {
        bail!("its time was up in a call of the host");
    }
    Ok(())
}

impl types::Host for Host {}

impl log::Host for Host {
    fn write(&mut self, level: log::Level, text: String) -> wasmtime::Result<()> {
        self.call()?;
        self.shared.log(level, &text);
        Ok(())
    }
}

impl clock::Host for Host {
    fn now(&mut self) -> wasmtime::Result<u64> {
        self.call()?;
        Ok(self.scene.at)
    }
}

impl store::Host for Host {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<Vec<u8>>> {
        self.call()?;
        Ok(self.store(key, |store, key, now| store.get(&key, now)))
    }

    fn set(&mut self, key: String, value: Vec<u8>, seconds: u32) -> wasmtime::Result<()> {
        self.call()?;
        Ok(self.store(key, |store, key, now| store.set(key, value, seconds, now))?)
    }

    fn add(&mut self, key: String, amount: i64, seconds: u32) -> wasmtime::Result<i64> {
        self.call()?;
        Ok(self.store(key, |store, key, now| store.add(key, amount, seconds, now))?)
    }
}

impl room::Host for Host {
    fn members(&mut self) -> wasmtime::Result<u32> {
        self.call()?;
        Ok(u32::try_from(self.scene.members).unwrap_or(u32::MAX))
    }

    fn names(&mut self) -> wasmtime::Result<Vec<String>> {
        self.call()?;
        Ok(self.scene.names.iter().take(MAX_NAMES).cloned().collect())
    }
}

impl regexes::Host for Host {}

impl regexes::HostPattern for Host {
    fn compile(&mut self, expression: String) -> wasmtime::Result<Result<Resource<Pattern>, String>> {
        self.call()?;
        let pattern = match Pattern::compile(&expression) {
            Ok(pattern) => pattern,
            Err(fault) => return Ok(Err(fault)),
        };
        self.pattern_bytes += pattern.size;
        if self.pattern_bytes > PATTERNS_BYTES {
            bail!("compiled expressions of more than {PATTERNS_BYTES} bytes");
        }
        Ok(Ok(self.patterns.push(pattern)?))
    }

    fn is_match(&mut self, pattern: Resource<Pattern>, text: String) -> wasmtime::Result<bool> {
        Ok(self.regex(&pattern, &text)?.is_match(&text))
    }

    fn find(&mut self, pattern: Resource<Pattern>, text: String) -> wasmtime::Result<Option<regexes::Span>> {
        let found = self.regex(&pattern, &text)?.find(&text);
        Ok(found.map(|found| Spans::new(&text).next(found.start(), found.end())))
    }

    fn find_all(&mut self, pattern: Resource<Pattern>, text: String) -> wasmtime::Result<Vec<regexes::Span>> {
        let deadline = self.deadline;
        let mut spans = Spans::new(&text);
        let mut all = Vec::new();
        for found in self.regex(&pattern, &text)?.find_iter(&text).take(MAX_FOUND) {
            in_time(deadline)?;
            all.push(spans.next(found.start(), found.end()));
        }
        Ok(all)
    }

    fn replace_all(
        &mut self,
        pattern: Resource<Pattern>,
        text: String,
        replacement: String,
    ) -> wasmtime::Result<String> {
        let (copied, deadline) = (self.shared.limits.copied, self.deadline);
        let regex = self.regex(&pattern, &text)?;
        // Each `$` stands for a part of what was found, at most.
        let references = replacement.matches('$').count();
        let mut replaced = String::new();
        let mut end = 0;
        for groups in regex.captures_iter(&text).take(MAX_FOUND) {
            let Some(whole) = groups.get(0) else { continue };
            let most = replaced.len() + text.len() + replacement.len() + references.saturating_mul(whole.len());
            if most > copied {
                bail!("a text with replacements may be longer than {copied} bytes");
            }
            in_time(deadline)?;
            replaced.push_str(text.get(end..whole.start()).unwrap_or_default());
            groups.expand(&replacement, &mut replaced);
            end = whole.end();
        }
        replaced.push_str(text.get(end..).unwrap_or_default());
        Ok(replaced)
    }

    fn drop(&mut self, pattern: Resource<Pattern>) -> wasmtime::Result<()> {
        self.pattern_bytes -= self.patterns.delete(pattern)?.size;
        Ok(())
    }
}

/// Places in bytes to places in code points, from front to back.
struct Spans<'a> {
    text: &'a str,
    bytes: usize,
    points: usize,
}

impl<'a> Spans<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, bytes: 0, points: 0 }
    }

    fn next(&mut self, start: usize, end: usize) -> regexes::Span {
        let start = self.advance(start);
        regexes::Span { start, end: self.advance(end) }
    }

    fn advance(&mut self, to: usize) -> u32 {
        self.points += self.text.get(self.bytes..to).map_or(0, |part| part.chars().count());
        self.bytes = to;
        u32::try_from(self.points).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::limiter::Budget;
    use super::super::limits::Limits;
    use super::regexes::HostPattern as _;
    use super::*;

    fn host() -> Host {
        let limits = Limits { host_calls: 1_000, ..Limits::of_component(0) };
        let limiter = Limiter::new(&limits, Arc::new(Budget::new(0)), false);
        let mut host = Host::new(Arc::new(Shared::new("mine", limits)), limiter);
        host.begin(Scene::default(), Instant::now() + Duration::from_mins(10));
        host
    }

    /// Takes some 100 KiB compiled, and so counts with 512.
    const LARGE: &str = "(?-u)[ab]{1000}";

    #[test]
    fn expressions_of_an_instance_have_so_much_memory_together() {
        let mut host = host();
        let most = PATTERNS_BYTES / (512 * 1024);
        let mut kept: Vec<_> = (0..most).map(|_| host.compile(LARGE.to_owned()).unwrap().unwrap()).collect();
        // What is dropped makes room.
        host.drop(kept.pop().unwrap()).unwrap();
        kept.push(host.compile(LARGE.to_owned()).unwrap().unwrap());
        let refused = host.compile(LARGE.to_owned()).unwrap_err();
        assert!(refused.to_string().contains("compiled expressions of more than 33554432 bytes"), "{refused}");
    }

    #[test]
    fn no_more_than_a_thousand_places_are_told() {
        let mut host = host();
        let pattern = host.compile("a".to_owned()).unwrap().unwrap();
        let places = host.find_all(Resource::new_borrow(pattern.rep()), "a".repeat(2_000)).unwrap();
        assert_eq!((places.len(), places.last().map(|place| place.start)), (MAX_FOUND, Some(999)));
    }

    #[test]
    fn after_the_deadline_the_host_does_nothing_more() {
        let mut host = host();
        let pattern = host.compile("a".to_owned()).unwrap().unwrap();
        host.begin(Scene::default(), Instant::now());
        let refused = host.is_match(pattern, "a".to_owned()).unwrap_err();
        assert_eq!(refused.to_string(), "its time was up in a call of the host");
    }
}
