//! A shared value that can be replaced while the relay runs.

use std::sync::{Arc, PoisonError, RwLock};

/// A shared value that a reload replaces as a whole.
///
/// A reader keeps the value it received, even if it is replaced in the meantime.
#[derive(Debug, Default)]
pub struct Swap<T>(RwLock<Arc<T>>);

impl<T> Swap<T> {
    /// Creates a `Swap` with an initial value.
    pub fn new(value: T) -> Self {
        Self(RwLock::new(Arc::new(value)))
    }

    /// Returns the current value.
    #[must_use]
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the value.
    pub fn set(&self, value: T) {
        self.set_arc(Arc::new(value));
    }

    /// Like [`Swap::set`], with a value that is already shared.
    pub fn set_arc(&self, value: Arc<T>) {
        let old = std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), value);
        // Drop the old value after the lock is released: dropping a large value takes time.
        drop(old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_keeps_the_value_it_received() {
        let swap = Swap::new(1);
        let before = swap.get();
        swap.set(2);
        assert_eq!((*before, *swap.get()), (1, 2));
    }
}
