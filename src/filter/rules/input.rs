//! A message on its way through the rules.

use super::memory::Memory;
use crate::filter::Purpose;
use crate::model::{Message, Sender};

/// A message, and how to run the rules on it.
pub(super) struct RuleInput<'a> {
    pub(super) message: &'a Message,
    pub(super) sender: &'a Sender,
    pub(super) memory: Option<&'a Memory>,
    pub(super) purpose: Purpose,
    /// Whether rules apply whatever their rooms and hours.
    pub(super) ignore_rooms_and_hours: bool,
}
