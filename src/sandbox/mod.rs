//! Plugins: custom filters, as WebAssembly components that run in a sandbox.
//!
//! The only module that depends on wasmtime. It reads and compiles plugins (`load`, `compiler`), implements the
//! functions that they may call (`host`), limits the resources that they may use ([`PluginLimits`]), and calls them
//! ([`Plugin`]): within a deadline, in a reusable instance, on dedicated threads. The contract is `sdk/wit`.
//!
//! A plugin has no files, no network, no environment and no clock. Every call returns an answer or a [`PluginFailure`].

mod artifact;
mod attempts;
mod budget;
mod catalog;
mod clock;
mod compiler;
mod config;
mod content_payload;
mod contract;
mod description;
mod embedded;
mod engine;
mod engine_settings;
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
mod location;
mod manifest;
mod not_loaded;
mod origin;
mod pattern;
mod plugin;
mod request;
mod shared;
mod stats;
mod store;
mod timing;

pub use artifact::CacheError;
pub use budget::BudgetExhausted;
pub use catalog::Catalog;
pub use compiler::{EXIT_INVALID_PLUGIN, PluginCompiler, compile_for_parent};
pub use config::Config;
pub use contract::{Action, PluginAnswer};
pub use engine::{Sandbox, SandboxError};
pub use entry::PluginEntry;
pub use failure::PluginFailure;
pub use folder::FolderError;
pub use health::HealthState;
pub use library::{Library, LibraryError};
pub use limits::{OperatorLimits, PluginLimits};
pub use load::LoadError;
pub use manifest::{Manifest, OnFailure};
pub use not_loaded::NotLoadedReason;
pub use origin::PluginOrigin;
pub use plugin::Plugin;
pub use request::{CallContext, CheckRequest};
pub use stats::{PluginEvent, PluginEventKind, PluginStatsSnapshot};
