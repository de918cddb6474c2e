//! Integration tests with the real binary and real clients. A single test program, so that it is linked once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::let_underscore_must_use,
    reason = "tests fail by panicking, which clippy.toml allows in test functions only, and end what may have ended already"
)]

mod support;

mod acting;
mod chat;
mod check_command;
mod clock;
mod command_line;
mod contents;
mod degraded;
mod example_script;
mod filters;
mod floors;
mod harmless;
mod http;
mod identity;
mod last_messages;
mod life;
mod limits;
mod logs;
mod moderate_command;
mod moderation;
mod nginx;
mod plugin_command;
mod plugins;
mod qt_clients;
mod replay_command;
mod rules_reload;
mod settings_reload;
mod shards;
mod shutdown;
mod smoke;
mod soak;
mod summary;
mod token_command;
mod transcript;
mod try_command;
mod typed_cases;
mod wire_cases;
