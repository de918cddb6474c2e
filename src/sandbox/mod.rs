//! Plugins: filters that moderators write, as WebAssembly components that run in a sandbox.
//!
//! The one module that knows wasmtime. It owns how a plugin's file is read and compiled (`load`, `compiler`), what a plugin may
//! reach (`host`), how much of anything it may use ([`Limits`]), and how it is called ([`Plugin`]): within its
//! deadline, in an instance that is used again, on threads of its own. The contract itself is `sdk/wit`.
//!
//! A plugin has no files, no network, no environment and no clock. Whatever it does, a call of it comes back with an
//! answer or a [`Failure`].

mod artifact;
mod catalog;
mod clock;
mod compiler;
mod config;
mod contract;
mod embedded;
mod engine;
mod entry;
mod failure;
mod folder;
mod health;
mod host;
mod instances;
mod library;
mod limiter;
mod limits;
mod load;
mod manifest;
mod origin;
mod pattern;
mod place;
mod plugin;
mod question;
mod shared;
mod standing;
mod store;
mod unloaded;

pub use artifact::CacheError;
pub use catalog::Catalog;
pub use compiler::{Compiler, REFUSED, compile_for_parent};
pub use config::Config;
pub use contract::{Action, Answer};
pub use engine::{Sandbox, SetUpError};
pub use entry::Entry;
pub use failure::Failure;
pub use folder::FolderError;
pub use health::Condition;
pub use library::Library;
pub use limits::{Caps, Limits};
pub use load::LoadError;
pub use manifest::{Manifest, OnFailure};
pub use origin::Origin;
pub use plugin::Plugin;
pub use question::{Question, Scene};
pub use standing::{Event, Stats, What};
pub use unloaded::Unloaded;
