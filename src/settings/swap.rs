//! A value that another one takes the place of while the relay runs.

use std::sync::{Arc, PoisonError, RwLock};

/// A shared value that a reload replaces as a whole.
///
/// A reader keeps the value that it was given, whatever is put in its place meanwhile.
#[derive(Debug, Default)]
pub struct Swap<T>(RwLock<Arc<T>>);

impl<T> Swap<T> {
    /// Starts with this value.
    pub fn new(value: T) -> Self {
        Self(RwLock::new(Arc::new(value)))
    }

    /// The value as it is now.
    #[must_use]
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another value in its place.
    pub fn set(&self, value: T) {
        self.share(Arc::new(value));
    }

    /// As [`Swap::set`], with a value that others hold as well.
    pub fn share(&self, value: Arc<T>) {
        let old = std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), value);
        // Dropping a large value takes a while, in which no reader should wait for the lock.
        drop(old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_keeps_the_value_that_it_was_given() {
        let swap = Swap::new(1);
        let before = swap.get();
        swap.set(2);
        assert_eq!((*before, *swap.get()), (1, 2));
    }
}
