//! The audit log.

mod lines;
mod parse;
mod read;

pub use read::{BadLine, BadLineWhy, Head, Line, Lines, LoggedAct, LoggedDecision, LoggedKind, LoggedSender, read};

/// stub
#[derive(Debug)]
pub struct Audit;
impl Audit {
    /// stub
    pub fn record(&self, _: std::sync::Arc<crate::model::Recorded>) {}
    /// stub
    pub async fn act(&self, _: &super::Act) -> Result<(), ()> {
        Ok(())
    }
    /// stub
    pub fn act_soon(&self, _: &super::Act) {}
}
