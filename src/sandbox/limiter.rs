//! Limits on the memory and tables of an instance, which are reserved in the budget of all plugins.

use wasmtime::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};

use super::budget::{BudgetExhausted, Reservation};
use super::limits::PluginLimits;

/// Size of an element of a table, in bytes: a pointer.
const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();

/// The limiter of one instance.
pub(super) struct Limiter {
    limits: StoreLimits,
    /// Everything that the instance keeps: linear memory, tables, and what the host keeps for it.
    reservation: Reservation,
    /// Linear memory of the instance, in bytes.
    memory: usize,
    /// Most linear memory of the instance, in bytes.
    max_memory: usize,
    /// Set if growth within the instance's own limits was refused in this call for lack of budget.
    exhausted: Option<BudgetExhausted>,
}

impl Limiter {
    pub(super) fn new(limits: &PluginLimits, reservation: Reservation) -> Self {
        let max_memory = limits.memory;
        let limits = StoreLimitsBuilder::new()
            .memory_size(limits.memory)
            .table_elements(limits.table_elements)
            .instances(usize::MAX)
            .tables(usize::MAX)
            .memories(usize::MAX)
            .build();
        Self { limits, reservation, memory: 0, max_memory, exhausted: None }
    }

    /// Starts a call.
    pub(super) fn begin_call(&mut self) {
        self.exhausted = None;
    }

    /// The error if the instance was refused memory in this call because the budget is exhausted.
    pub(super) fn exhausted(&self) -> Option<BudgetExhausted> {
        self.exhausted
    }

    /// The linear memory of the instance, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.memory
    }

    /// Reserves memory that the host keeps for the instance.
    ///
    /// # Errors
    /// [`BudgetExhausted`], which this limiter remembers until the next call.
    pub(super) fn reserve(&mut self, bytes: usize) -> Result<(), BudgetExhausted> {
        self.reservation.grow(bytes).inspect_err(|error| self.note_exhausted(*error))
    }

    /// Same as [`Limiter::reserve`] for memory that the call can do without. Returns whether it is reserved.
    pub(super) fn try_reserve(&mut self, bytes: usize) -> bool {
        self.reservation.grow(bytes).is_ok()
    }

    /// Releases memory that the host kept for the instance.
    pub(super) fn release(&mut self, bytes: usize) {
        self.reservation.shrink(bytes);
    }

    /// Remembers until the next call that the budget is exhausted.
    pub(super) fn note_exhausted(&mut self, error: BudgetExhausted) {
        self.exhausted = Some(error);
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
        if self.reserve(growth).is_err() {
            return Ok(false);
        }
        self.memory = total;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.limits.memory_grow_failed(error)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if !self.limits.table_growing(current, desired, maximum)? {
            return Ok(false);
        }
        Ok(self.reserve(desired.saturating_sub(current).saturating_mul(TABLE_ELEMENT_BYTES)).is_ok())
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
    use std::sync::Arc;

    use super::super::budget::MemoryBudget;
    use super::*;

    #[test]
    fn memory_and_tables_are_reserved_until_the_instance_is_dropped() {
        let budget = Arc::new(MemoryBudget::new(1_000_000));
        let limits = PluginLimits::for_component_size(0);
        let mut limiter = Limiter::new(&limits, Reservation::new(Arc::clone(&budget)));
        assert!(limiter.memory_growing(0, 65_536, None).unwrap());
        assert!(limiter.table_growing(0, 1_000, None).unwrap() && limiter.table_growing(1_000, 2_000, None).unwrap());
        assert_eq!((budget.used(), limiter.memory()), (65_536 + 2_000 * 8, 65_536));
        assert!(!limiter.memory_growing(65_536, 1_000_000, None).unwrap());
        assert!(limiter.exhausted().is_some());
        drop(limiter);
        assert_eq!(budget.used(), 0);
    }
}
