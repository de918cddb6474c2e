//! What is kept beyond the end of the program: one file, written behind the state in memory.

mod changes;

pub(super) use self::changes::{Bell, Changes, Taken};
