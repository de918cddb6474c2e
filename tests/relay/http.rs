//! The HTTP side: what programs, pages and operators ask of the relay.

mod bodies;
mod calls;
mod description;
mod figures;
mod origins;
mod upgrade;
