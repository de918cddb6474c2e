//! What host functions cost the plugin that calls them.

use std::time::Duration;

use super::super::budget::{MemoryBudget, Reservation};
use super::super::limits::PluginLimits;
use super::regexes::HostPattern as _;
use super::store::Host as _;
use super::*;

fn host() -> Host {
    host_with(&Arc::new(MemoryBudget::new(usize::MAX)))
}

/// A host of a plugin with this memory for all plugins.
fn host_with(budget: &Arc<MemoryBudget>) -> Host {
    let limits = PluginLimits { host_calls: 1_000, ..PluginLimits::for_component_size(0) };
    let limiter = Limiter::new(&limits, Reservation::new(Arc::clone(budget)));
    let mut host = Host::new(Arc::new(PluginShared::new("mine", limits, Arc::clone(budget))), limiter);
    host.begin(CallContext::default(), Instant::now() + Duration::from_mins(10));
    host
}

/// Takes about 100 KiB compiled, and as much again for a search.
const LARGE: &str = "(?-u)[ab]{1000}";
/// Takes more than a hundredth of what all expressions of an instance may take.
const LARGEST: &str = "(?-u)(?:[abx][cdz]){1500}";

#[test]
fn the_expressions_of_an_instance_share_a_memory_limit() {
    let mut host = host();
    let mut kept = Vec::new();
    let refused = loop {
        match host.compile(LARGEST.to_owned()) {
            Ok(pattern) => kept.push(pattern.unwrap()),
            Err(refused) => break refused,
        }
    };
    assert!(refused.to_string().contains("compiled expressions exceed 33554432 bytes"), "{refused}");
    assert!(host.pattern_bytes <= PATTERNS_BYTES);
    // Dropping a pattern makes room for another.
    host.drop(kept.pop().unwrap()).unwrap();
    host.compile(LARGEST.to_owned()).unwrap().unwrap();
}

#[test]
fn expressions_and_their_caches_are_reserved_until_they_are_dropped() {
    let budget = Arc::new(MemoryBudget::new(10 << 20));
    let mut host = host_with(&budget);
    let first = host.compile(LARGE.to_owned()).unwrap().unwrap();
    let second = host.compile("casino".to_owned()).unwrap().unwrap();
    let compiled = budget.used();
    assert_eq!(compiled, host.pattern_bytes);
    assert!((50_000..500_000).contains(&compiled), "{compiled}");
    host.is_match(Resource::new_borrow(first.rep()), "ab".repeat(500)).unwrap();
    assert!(budget.used() > compiled);
    assert_eq!(budget.used(), host.pattern_bytes);
    host.drop(first).unwrap();
    assert!((1..10_000).contains(&budget.used()), "{}", budget.used());
    host.drop(second).unwrap();
    assert_eq!(budget.used(), 0);
    host.compile(LARGE.to_owned()).unwrap().unwrap();
    drop(host);
    assert_eq!(budget.used(), 0, "an instance is dropped with its expressions");
}

#[test]
fn an_expression_that_does_not_fit_into_the_memory_of_all_plugins_ends_the_call() {
    let budget = Arc::new(MemoryBudget::new(150_000));
    let mut host = host_with(&budget);
    host.compile(LARGE.to_owned()).unwrap().unwrap();
    let refused = host.compile(LARGE.to_owned()).unwrap_err();
    assert!(refused.to_string().contains("(filter.plugins.total_memory_mib)"), "{refused}");
    assert!(host.limiter.exhausted().is_some());
}

#[test]
fn a_search_for_whose_cache_there_is_no_memory_succeeds() {
    let budget = Arc::new(MemoryBudget::new(150_000));
    let mut host = host_with(&budget);
    let pattern = host.compile(LARGE.to_owned()).unwrap().unwrap();
    let mut other = Reservation::new(Arc::clone(&budget));
    other.grow(150_000 - budget.used()).unwrap();
    assert!(host.is_match(pattern, "ab".repeat(500)).unwrap());
    assert!(host.limiter.exhausted().is_none());
}

#[test]
fn the_store_of_a_trial_is_reserved_until_the_trial_ends() {
    let budget = Arc::new(MemoryBudget::new(1 << 20));
    let mut host = host_with(&budget);
    let trial = CallContext { is_trial: true, ..CallContext::default() };
    host.begin(trial, Instant::now() + Duration::from_mins(10));
    host.set("key".to_owned(), vec![0; 10_000], 60).unwrap();
    assert!(budget.used() > 10_000);
    host.end();
    assert_eq!(budget.used(), 0);
}

#[test]
fn at_most_a_thousand_matches_are_returned() {
    let mut host = host();
    let pattern = host.compile("a".to_owned()).unwrap().unwrap();
    let matches = host.find_all(Resource::new_borrow(pattern.rep()), "a".repeat(2_000)).unwrap();
    assert_eq!((matches.len(), matches.last().map(|last| last.start)), (MAX_MATCHES, Some(999)));
}

#[test]
fn host_calls_fail_after_the_deadline() {
    let mut host = host();
    let pattern = host.compile("a".to_owned()).unwrap().unwrap();
    host.begin(CallContext::default(), Instant::now());
    let refused = host.is_match(pattern, "a".to_owned()).unwrap_err();
    assert_eq!(refused.to_string(), "deadline exceeded in a host call");
}
