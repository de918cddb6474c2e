//! A key-value store that outlives instances.
//!
//! All instances of a filter share one store; filters do not see each other's. The store is bounded: when it is full,
//! the entries that expire first are removed. Instances run concurrently, so use [`add`] to count: another instance may
//! write between a [`get`] and a [`set`].

#[cfg(target_arch = "wasm32")]
use crate::component::bindings::gischat::filter::store as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::native::store as host;

/// The value of a key; `None` if the key is missing or has expired.
#[must_use]
pub fn get(key: &str) -> Option<Vec<u8>> {
    host::get(key)
}

/// Sets a key to a value that expires after `seconds`.
pub fn set(key: &str, value: impl AsRef<[u8]>, seconds: u32) {
    host::set(key, value.as_ref(), seconds);
}

/// Adds `amount` to the counter at a key and returns the sum. A missing key counts as 0.
///
/// The key expires `seconds` after its first addition; later additions do not extend that. A key written by [`set`]
/// counts as missing.
#[allow(clippy::must_use_candidate, reason = "callers that only count may ignore the sum")]
pub fn add(key: &str, amount: i64, seconds: u32) -> i64 {
    host::add(key, amount, seconds)
}

/// The value of a key as written by [`set_json`]; `None` if the key is missing, has expired, or holds something else.
#[must_use]
pub fn get_json<T: serde::de::DeserializeOwned>(key: &str) -> Option<T> {
    serde_json::from_slice(&get(key)?).ok()
}

/// Sets a key to a value, as JSON, that expires after `seconds`.
///
/// # Errors
///
/// If the value has no JSON form, such as a map whose keys are not strings.
pub fn set_json<T: serde::Serialize>(key: &str, value: &T, seconds: u32) -> Result<(), String> {
    let value = serde_json::to_vec(value).map_err(|error| error.to_string())?;
    set(key, value, seconds);
    Ok(())
}
