//! gischat-relay: a moderated chat relay for people who work with maps.
//!
//! GIS clients (QGIS, QField, browsers) join a room over a WebSocket. Every message passes a chain of filters before it
//! is sent to the room; nothing is stored unless the operator asks for it. `docs/ARCHITECTURE.md` describes how the
//! modules fit together. They are declared from the bottom to the top: each imports only modules above it in this list
//! (`tests/relay/floors` checks this).

pub mod file;
pub mod names;
pub mod settings;

pub mod model;
pub mod telemetry;
pub mod wire;

pub mod images;
pub mod matching;
pub mod places;
pub mod sandbox;

pub mod room;

pub mod audit;
pub mod auth;
pub mod store;

pub mod moderation;

#[cfg(test)]
mod fixtures;

pub mod alerts;

pub mod filter;
pub mod intake;

pub mod replay;

pub mod live;

pub mod actions;

pub mod pages;

pub mod api;

pub mod config;

pub mod app;
pub mod cli;
