//! What an instance may take of memory and tables, and how much memory it and all others have taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmtime::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};

use super::limits::Limits;

/// Linear memory of all instances of all plugins together.
#[derive(Debug)]
pub(super) struct Budget {
    used: AtomicUsize,
    most: usize,
}

impl Budget {
    /// Of so many bytes, of which nothing is used.
    pub(super) fn new(most: usize) -> Self {
        Self { used: AtomicUsize::new(0), most }
    }

    /// Takes so many bytes, if they are there. The last quarter is for the first instances of plugins.
    fn take(&self, bytes: usize, is_further: bool) -> bool {
        let most = if is_further { self.most - self.most / 4 } else { self.most };
        let taken = self.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |used| {
            used.checked_add(bytes).filter(|all| *all <= most)
        });
        taken.is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::SeqCst);
    }
}

/// The limiter of one instance.
pub(super) struct Limiter {
    limits: StoreLimits,
    budget: Arc<Budget>,
    /// Whether it is one beyond the first of its plugin.
    is_further: bool,
    /// Linear memory that it was given, and that it may have, in bytes.
    memory: usize,
    most: usize,
    /// Whether it has not got what its own bounds would let it have, for want of a budget.
    starved: bool,
    told: bool,
}

impl Limiter {
    pub(super) fn new(limits: &Limits, budget: Arc<Budget>, is_further: bool) -> Self {
        let most = limits.memory;
        let limits = StoreLimitsBuilder::new()
            .memory_size(limits.memory)
            .table_elements(limits.table_elements)
            .instances(usize::MAX)
            .tables(usize::MAX)
            .memories(usize::MAX)
            .build();
        Self { limits, budget, is_further, memory: 0, most, starved: false, told: false }
    }

    /// Begins a call.
    pub(super) fn begin(&mut self) {
        self.starved = false;
    }

    /// Whether, in this call, the instance has not got memory because all plugins together have too much.
    pub(super) fn is_starved(&self) -> bool {
        self.starved
    }

    /// Linear memory of the instance, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.memory
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        self.budget.give_back(self.memory);
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        // A component may have several memories, which share what an instance may have.
        let more = desired.saturating_sub(current);
        let all = self.memory.saturating_add(more);
        if all > self.most || !self.limits.memory_growing(current, desired, maximum)? {
            return Ok(false);
        }
        if !self.budget.take(more, self.is_further) {
            self.starved = true;
            // Once: it may ask as often as it likes.
            if !std::mem::replace(&mut self.told, true) {
                tracing::warn!(
                    mib = self.budget.most >> 20,
                    "all plugins together want more memory than they may have"
                );
            }
            return Ok(false);
        }
        self.memory = all;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.limits.memory_grow_failed(error)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.limits.table_growing(current, desired, maximum)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.limits.table_grow_failed(error)
    }

    fn instances(&self) -> usize {
        self.limits.instances()
    }

    fn tables(&self) -> usize {
        self.limits.tables()
    }

    fn memories(&self) -> usize {
        self.limits.memories()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_quarter_of_the_memory_is_for_first_instances_and_what_is_given_back_is_there_again() {
        let budget = Budget::new(100);
        assert!(budget.take(75, true) && !budget.take(1, true));
        assert!(budget.take(25, false) && !budget.take(1, false));
        budget.give_back(30);
        assert!(budget.take(5, true) && !budget.take(1, true));
        assert!(!budget.take(usize::MAX, false));
    }
}
