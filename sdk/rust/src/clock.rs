//! The only clock that a filter has.

/// The time at which the relay received the message being checked, in milliseconds since 1970-01-01T00:00:00Z.
///
/// Outside of a check, the time at which the filter was loaded. The clock does not advance during a check, so that a
/// message gets the same verdict when it is checked again.
#[must_use]
pub fn now() -> u64 {
    #[cfg(target_arch = "wasm32")]
    return crate::component::bindings::gischat::filter::clock::now();
    #[cfg(not(target_arch = "wasm32"))]
    crate::native::with(|world| world.now)
}
