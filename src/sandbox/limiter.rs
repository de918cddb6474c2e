//! Limits on the memory and tables of an instance, and on the memory of all instances together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmtime::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};

use super::limits::PluginLimits;

/// The budget of linear memory for all instances of all plugins together.
#[derive(Debug)]
pub(super) struct MemoryBudget {
    used: AtomicUsize,
    limit: usize,
}

impl MemoryBudget {
    /// Creates a budget of this many bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { used: AtomicUsize::new(0), limit }
    }

    /// Reserves memory, if there is enough. The last quarter of the budget is reserved for the first instance of each
    /// plugin.
    pub(super) fn try_reserve(&self, bytes: usize, is_extra: bool) -> bool {
        let limit = if is_extra { self.limit - self.limit / 4 } else { self.limit };
        let reserved = self.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |used| {
            used.checked_add(bytes).filter(|total| *total <= limit)
        });
        reserved.is_ok()
    }

    pub(super) fn release(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::SeqCst);
    }
}

/// The limiter of one instance.
pub(super) struct Limiter {
    limits: StoreLimits,
    budget: Arc<MemoryBudget>,
    /// Whether this is not the first instance of its plugin.
    is_extra: bool,
    /// Linear memory of the instance, in bytes.
    memory: usize,
    /// Most linear memory of the instance, in bytes.
    max_memory: usize,
    /// Whether growth within the instance's own limit was refused in this call for lack of budget.
    budget_exhausted: bool,
    warned: bool,
}

impl Limiter {
    pub(super) fn new(limits: &PluginLimits, budget: Arc<MemoryBudget>, is_extra: bool) -> Self {
        let max_memory = limits.memory;
        let limits = StoreLimitsBuilder::new()
            .memory_size(limits.memory)
            .table_elements(limits.table_elements)
            .instances(usize::MAX)
            .tables(usize::MAX)
            .memories(usize::MAX)
            .build();
        Self { limits, budget, is_extra, memory: 0, max_memory, budget_exhausted: false, warned: false }
    }

    /// Starts a call.
    pub(super) fn begin_call(&mut self) {
        self.budget_exhausted = false;
    }

    /// Whether the instance was refused memory in this call because the budget is exhausted.
    pub(super) fn is_budget_exhausted(&self) -> bool {
        self.budget_exhausted
    }

    /// The linear memory of the instance, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.memory
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        self.budget.release(self.memory);
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        // The memories of a component share the limit of its instance.
        let growth = desired.saturating_sub(current);
        let total = self.memory.saturating_add(growth);
        if total > self.max_memory || !self.limits.memory_growing(current, desired, maximum)? {
            return Ok(false);
        }
        if !self.budget.try_reserve(growth, self.is_extra) {
            self.budget_exhausted = true;
            // Only once per instance: it may try as often as it likes.
            if !std::mem::replace(&mut self.warned, true) {
                tracing::warn!(mib = self.budget.limit >> 20, "plugins have exhausted their total memory");
            }
            return Ok(false);
        }
        self.memory = total;
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
    fn the_last_quarter_of_the_budget_is_for_first_instances_and_released_memory_is_reusable() {
        let budget = MemoryBudget::new(100);
        assert!(budget.try_reserve(75, true) && !budget.try_reserve(1, true));
        assert!(budget.try_reserve(25, false) && !budget.try_reserve(1, false));
        budget.release(30);
        assert!(budget.try_reserve(5, true) && !budget.try_reserve(1, true));
        assert!(!budget.try_reserve(usize::MAX, false));
    }
}
