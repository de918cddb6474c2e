//! The room of the message being checked, as it was when the message arrived. Empty outside of a check.

/// The number of connections.
#[must_use]
pub fn members() -> u32 {
    #[cfg(target_arch = "wasm32")]
    return crate::component::bindings::gischat::filter::room::members();
    #[cfg(not(target_arch = "wasm32"))]
    crate::native::with(|world| world.members)
}

/// The registered nicknames, sorted.
#[must_use]
pub fn names() -> Vec<String> {
    #[cfg(target_arch = "wasm32")]
    return crate::component::bindings::gischat::filter::room::names();
    #[cfg(not(target_arch = "wasm32"))]
    crate::native::with(|world| world.names.clone())
}
