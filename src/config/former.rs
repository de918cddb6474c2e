//! Variables of the former backend, gischat, that have no effect here.
//!
//! A compose or `.env` file of the former backend starts the relay as it stands. Those of its variables that the relay
//! understands (`ROOMS`, `CHANNELS`, `RULES`, …) are settings. All others are named in one warning, without their values:
//! several of them are secrets.

use crate::settings::Section;

/// Names in the compose files, `.env` files and sources of its releases.
const NAMES: [&str; 18] = [
    "API_VERSION",
    "INSTANCE_ID",
    "MAX_GEOJSON_FEATURES",
    "MAX_IMAGE_RAW_LENGTH",
    "MAX_IMAGE_SIZE",
    "MAX_MODEL_RAW_LENGTH",
    "MAX_SCRIPT_RAW_LENGTH",
    "MAX_STORED_MESSAGES",
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

/// What the names of its Matrix bridge and of its error reports begin with.
const PREFIXES: [&str; 2] = ["MATRIX_", "SENTRY_"];

const WHY: &str = "settings of the former backend without effect in this version, which runs as a single node, passes on \
                   text messages only, and stores none";

/// Warns of those that are set.
pub(super) fn ignore(section: &mut Section<'_>) {
    section.ignore_env(is_former, WHY);
}

fn is_former(name: &str) -> bool {
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}
