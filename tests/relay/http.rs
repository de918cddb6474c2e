//! HTTP calls.

mod bodies;
mod calls;
mod description;
mod figures;
mod origins;
mod upgrade;
