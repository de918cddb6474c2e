//! Tells v1 and v2 apart, whose clients connect to the same path with the same handshake.

use serde::Deserialize;

use super::field::{Field, from_object};

/// Whether a frame has a `type`, as those of v2 have and those of v1 do not.
#[must_use]
pub fn is_typed(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Typed<'a> {
        #[serde(borrow, default, rename = "type")]
        type_: Field<'a>,
    }
    from_object::<Typed<'_>>(text).is_ok_and(|object| object.type_.is_present())
}
