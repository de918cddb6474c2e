//! What an instance may take of memory and tables, and how much memory it has taken.

use wasmtime::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};

use super::limits::Limits;

/// The limiter of one instance.
pub(super) struct Limiter {
    limits: StoreLimits,
    /// Linear memory that it was given, and that it may have, in bytes.
    memory: usize,
    most: usize,
}

impl Limiter {
    pub(super) fn new(limits: &Limits) -> Self {
        let most = limits.memory;
        let limits = StoreLimitsBuilder::new()
            .memory_size(limits.memory)
            .table_elements(limits.table_elements)
            .instances(usize::MAX)
            .tables(usize::MAX)
            .memories(usize::MAX)
            .build();
        Self { limits, memory: 0, most }
    }

    /// Linear memory of the instance, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.memory
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        // A component may have several memories, which share what an instance may have.
        let all = self.memory.saturating_add(desired.saturating_sub(current));
        let may_grow = all <= self.most && self.limits.memory_growing(current, desired, maximum)?;
        if may_grow {
            self.memory = all;
        }
        Ok(may_grow)
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
