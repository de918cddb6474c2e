//! What a filter remembers from one message to the next.
//!
//! All instances of a filter share it, and no other filter sees it. It is bounded: when it is full, what is nearest to
//! its end goes. Instances run side by side, so what counts something uses [`add`]: between a [`get`] and a [`set`]
//! another instance may have written.

#[cfg(target_arch = "wasm32")]
use crate::component::bindings::gischat::filter::store as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::native::store as host;

/// The value of a key; nothing when there is none, or its time is up.
#[must_use]
pub fn get(key: &str) -> Option<Vec<u8>> {
    host::get(key)
}

/// Sets the value of a key for so many seconds.
pub fn set(key: &str, value: impl AsRef<[u8]>, seconds: u32) {
    host::set(key, value.as_ref(), seconds);
}

/// Adds to the number of a key, which is 0 when there is none, and gives the sum.
///
/// The key is kept for so many seconds from its first number on; later additions do not prolong that. A key that
/// [`set`] has written counts as none.
#[allow(clippy::must_use_candidate, reason = "who only counts may have no use for the sum")]
pub fn add(key: &str, amount: i64, seconds: u32) -> i64 {
    host::add(key, amount, seconds)
}

/// The value of a key as [`set_json`] wrote it; nothing when there is none, its time is up, or it is something else.
#[must_use]
pub fn get_json<T: serde::de::DeserializeOwned>(key: &str) -> Option<T> {
    serde_json::from_slice(&get(key)?).ok()
}

/// Sets the value of a key, as JSON, for so many seconds.
///
/// # Errors
///
/// The value cannot be said in JSON, such as a map whose keys are no text.
pub fn set_json<T: serde::Serialize>(key: &str, value: &T, seconds: u32) -> Result<(), String> {
    let value = serde_json::to_vec(value).map_err(|fault| fault.to_string())?;
    set(key, value, seconds);
    Ok(())
}
