//! Variables of the former backend, gischat, that have no effect here.
//!
//! A compose or `.env` file of gischat starts the relay unchanged. The variables that the relay supports (`ROOMS`,
//! `CHANNELS`, `RULES`, …) are settings. All others are named in one warning, without their values, because several of
//! them are secrets.

use crate::settings::Section;

/// Names used in the compose files, `.env` files and sources of gischat's releases.
const NAMES: [&str; 12] = [
    "API_VERSION",
    "INSTANCE_ID",
    "POSTGRES_DB",
    "POSTGRES_HOST",
    "POSTGRES_PASSWORD",
    "POSTGRES_PORT",
    "POSTGRES_USER",
    "REDIS_HOST",
    "REDIS_PORT",
    "TELEGRAM_BOT_TOKEN",
    "TELEGRAM_CHAT_ENABLED",
    "TELEGRAM_CHAT_ID",
];

/// Prefixes of the variables for its Matrix bridge and its error reports.
const PREFIXES: [&str; 2] = ["MATRIX_", "SENTRY_"];

const WHY: &str = "settings of the former backend that have no effect; this version runs as a single node and stores messages \
                   in memory only";

/// Warns about those that are set.
pub(super) fn ignore_variables(section: &mut Section<'_>) {
    section.ignore_env(is_legacy, WHY);
}

fn is_legacy(name: &str) -> bool {
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}
