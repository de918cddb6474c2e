//! The audit log.

mod lines;
mod parse;
mod read;

pub use read::{BadLine, BadLineWhy, Head, Line, Lines, LoggedAct, LoggedDecision, LoggedKind, LoggedSender, read};
