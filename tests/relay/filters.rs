//! The chain of filters, by WebSocket and by `PUT` alike.

mod likes;
mod notices;
mod proxies;
mod rates;
mod rules;
mod shape;
