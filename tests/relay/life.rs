//! The life of a connection: who counts as there, who is too slow, and what is left when it has ended.

mod endless;
mod flood;
mod leaks;
mod pings;
mod slow;
