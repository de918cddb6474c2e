//! The memory budget of all plugins together, and reservations in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::telemetry::LogGate;

/// How often an exhausted budget is logged.
const LOG_INTERVAL: Duration = Duration::from_mins(1);

/// The memory budget for all instances and stores of all plugins together.
#[derive(Debug)]
pub(super) struct MemoryBudget {
    used: AtomicUsize,
    limit: usize,
    exhausted: LogGate,
}

/// There is not enough memory left in the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("all plugins together have exhausted their {mib} MiB of memory (filter.plugins.total_memory_mib)")]
pub struct BudgetExhausted {
    /// The limit, in MiB.
    pub mib: usize,
}

impl MemoryBudget {
    /// Creates a budget of this many bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { used: AtomicUsize::new(0), limit, exhausted: LogGate::new(LOG_INTERVAL) }
    }

    fn reserve(&self, bytes: usize, limit: usize) -> Result<(), BudgetExhausted> {
        let one_more = |used: usize| used.checked_add(bytes).filter(|total| *total <= limit);
        if self.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more).is_ok() {
            return Ok(());
        }
        let mib = self.limit >> 20;
        if let Some(suppressed) = self.exhausted.pass(Instant::now()) {
            tracing::warn!(mib, suppressed, "plugins have exhausted their total memory");
        }
        Err(BudgetExhausted { mib })
    }

    /// The reserved memory, in bytes.
    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::SeqCst)
    }
}

/// Memory reserved in the budget. Released on drop.
#[derive(Debug)]
pub(super) struct Reservation {
    budget: Arc<MemoryBudget>,
    bytes: usize,
    /// The most that the budget may have reserved after this reservation grows, in bytes.
    limit: usize,
}

impl Reservation {
    /// An empty reservation.
    pub(super) fn new(budget: Arc<MemoryBudget>) -> Self {
        let limit = budget.limit;
        Self { budget, bytes: 0, limit }
    }

    /// An empty reservation that cannot use the last quarter of the budget, which is for the first instance of each
    /// plugin and for calls.
    pub(super) fn new_extra(budget: Arc<MemoryBudget>) -> Self {
        let limit = budget.limit - budget.limit / 4;
        Self { budget, bytes: 0, limit }
    }

    /// The size, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Reserves more memory.
    ///
    /// # Errors
    /// [`BudgetExhausted`]. The reservation is unchanged then.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), BudgetExhausted> {
        self.budget.reserve(bytes, self.limit)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Releases memory.
    pub(super) fn shrink(&mut self, bytes: usize) {
        let released = bytes.min(self.bytes);
        self.bytes -= released;
        self.budget.used.fetch_sub(released, Ordering::SeqCst);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_quarter_of_the_budget_is_for_first_instances_and_released_memory_is_reusable() {
        let budget = Arc::new(MemoryBudget::new(100));
        let mut extra = Reservation::new_extra(Arc::clone(&budget));
        let mut first = Reservation::new(Arc::clone(&budget));
        assert!(extra.grow(75).is_ok() && extra.grow(1).is_err());
        assert!(first.grow(25).is_ok() && first.grow(1).is_err());
        extra.shrink(30);
        assert!(extra.grow(5).is_ok() && extra.grow(1).is_err());
        assert!(first.grow(usize::MAX).is_err());
        drop((extra, first));
        assert_eq!(budget.used(), 0);
    }
}
