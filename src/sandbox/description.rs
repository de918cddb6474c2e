//! The description of a plugin: which messages it wants.

use std::time::Instant;

use super::contract::types;
use super::failure::PluginFailure;
use super::instances::{Instances, PluginInstance, failure_of, now_millis};
use super::limits::{MAX_DESCRIBED, MAX_DESCRIBED_BYTES};
use super::request::CallContext;
use super::timing::within_deadline;

/// Reads a plugin's description, with its first instance.
///
/// # Errors
/// [`PluginFailure`] if it takes too long, traps, or describes too much.
pub(super) async fn describe(
    instances: &Instances,
    first: &mut PluginInstance,
) -> Result<types::Description, PluginFailure> {
    let _clock = instances.sandbox.clock_guard();
    let limit = instances.shared.limits.configure_deadline;
    let deadline = Instant::now() + limit;
    let PluginInstance { store, filter, .. } = first;
    store.data_mut().begin(CallContext { at: now_millis(), ..CallContext::default() }, deadline);
    store.set_epoch_deadline(1);
    let described = async {
        let described = filter.gischat_filter_guest().call_describe(&mut *store).await;
        described.map_err(|error| failure_of(&error, store))
    };
    let described = within_deadline(tokio::time::timeout_at(deadline.into(), described).await, limit, deadline)?;
    // Every message is compared with these names, so their number and length are limited.
    for names in [&described.kinds, &described.hooks] {
        if names.len() > MAX_DESCRIBED || names.iter().any(|name| name.len() > MAX_DESCRIBED_BYTES) {
            return Err(PluginFailure::Failed(format!(
                "it describes too many kinds or hooks; the limit is {MAX_DESCRIBED} of {MAX_DESCRIBED_BYTES} bytes each"
            )));
        }
    }
    Ok(described)
}
