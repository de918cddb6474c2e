//! The life of a connection: activity, slow clients, and cleanup.

mod budgets;
mod endless;
mod flood;
mod leaks;
mod pings;
mod slow;
mod turns;
mod unread;
