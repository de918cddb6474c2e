//! The only clock.

/// When the relay got the message that is being checked, in milliseconds since 1970-01-01T00:00:00Z; outside of a
/// check, when the filter was loaded. It does not go on during a check, so that the same message has the same verdict
/// when it is checked again.
#[must_use]
pub fn now() -> u64 {
    #[cfg(target_arch = "wasm32")]
    return crate::component::bindings::gischat::filter::clock::now();
    #[cfg(not(target_arch = "wasm32"))]
    crate::native::with(|world| world.now)
}
