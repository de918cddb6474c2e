//! gischat-relay: a moderated chat relay for people who work with maps.
//!
//! GIS clients (QGIS, QField, the web) join a room over a WebSocket. Each message passes one chain of filters before
//! the room hears it; nothing is stored. `docs/ARCHITECTURE.md` tells how the parts fit together; they are listed here
//! from the bottom to the top, and each imports only what stands above it in this list (`tests/relay/floors.rs`).

pub mod file;
pub mod settings;

pub mod model;
pub mod telemetry;
pub mod wire;

pub mod matching;
pub mod sandbox;

pub mod room;

pub mod moderation;

pub mod filter;
pub mod intake;

pub mod replay;

pub mod live;
pub mod pages;

pub mod api;

pub mod config;

pub mod app;
pub mod cli;
