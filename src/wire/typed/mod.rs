//! Generations v2 and v3, whose frames have a `type`. They differ little: frames of v3 also have an `id` and a
//! `timestamp`, and know scripts.

mod decode;
mod encode;
mod layer;
mod object;

pub use self::decode::{decode, decode_text};
pub use self::encode::{encode, encode_message, encode_notice};

#[cfg(test)]
mod tests;
