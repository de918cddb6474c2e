//! Counters, latencies and states of filters, plugins and rules.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::degraded::DegradedPartJson;
use super::format_time;
use crate::api::Api;
use crate::filter::rules::{RuleStats, RulesReloadError};
use crate::filter::{FilterParts, FilterStats};
use crate::sandbox::{HealthState, NotLoadedReason, Plugin, PluginEntry, PluginStatsSnapshot};

/// The filter chain.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct FiltersResponse {
    /// The filters, in the order in which they run.
    filters: Vec<FilterJson>,
    /// Unavailable parts; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    degraded: Vec<DegradedPartJson>,
}

/// Messages by verdict.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct VerdictCountsJson {
    pass: u64,
    replace: u64,
    hold: u64,
    shadow: u64,
    reject: u64,
}

impl From<[u64; 5]> for VerdictCountsJson {
    fn from([pass, replace, hold, shadow, reject]: [u64; 5]) -> Self {
        Self { pass, replace, hold, shadow, reject }
    }
}

/// One filter.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct FilterJson {
    #[schema(example = "shape")]
    filter: &'static str,
    /// Messages by its verdict.
    counts: VerdictCountsJson,
    /// Median latency in microseconds; null before the first message.
    #[schema(example = 1.2)]
    p50_micros: Option<f64>,
    /// 99th percentile of the latency in microseconds.
    #[schema(example = 4.8)]
    p99_micros: Option<f64>,
    /// For `plugin`: the plugins, in the order in which they run.
    #[serde(skip_serializing_if = "Option::is_none")]
    plugins: Option<Vec<PluginJson>>,
    /// For `rules`: the rules, in the order of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<Vec<RuleJson>>,
    /// For `rules`: why the current files are not in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_in_force: Option<RejectedRulesJson>,
}

/// One plugin.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct PluginJson {
    #[schema(example = "link-guard")]
    plugin: String,
    #[schema(example = "0.1.0")]
    version: Option<String>,
    /// Where it was loaded from: `folder`, `file`, `embedded` or `folder + embedded code`.
    #[schema(example = "embedded")]
    source: &'static str,
    #[schema(example = "observe")]
    mode: &'static str,
    /// Whether its breaker has tripped: it only observes, although its manifest says `enforce`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    tripped: bool,
    /// When the breaker tripped.
    #[schema(example = "2026-01-01T12:00:00.000Z")]
    #[serde(skip_serializing_if = "Option::is_none")]
    tripped_at: Option<String>,
    /// What happens to a message when the plugin fails.
    #[schema(example = "pass")]
    on_failure: &'static str,
    /// The rooms it runs in; all rooms if empty.
    rooms: Vec<String>,
    /// Those of `rooms` that this instance does not have; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    unknown_rooms: Vec<String>,
    /// `healthy`, `probing` (tried again after a suspension), `suspended`, `not_built` or `not_loaded`.
    #[schema(example = "healthy")]
    state: &'static str,
    /// Seconds until a suspended plugin is probed again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
    /// Its verdicts, including those it only observed.
    counts: VerdictCountsJson,
    /// Calls that failed.
    failures: u64,
    /// Messages that skipped it, because it was suspended or busy.
    skipped: u64,
    #[schema(example = 180.0)]
    p50_micros: Option<f64>,
    #[schema(example = 420.0)]
    p99_micros: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_failure: Option<LastFailureJson>,
    /// Linear memory of its largest idle instance, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bytes: Option<usize>,
    /// Why its current files are not in force: it is not loaded, or an earlier version keeps running.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// The last failure of a plugin.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct LastFailureJson {
    #[schema(example = "2026-01-01T12:00:00.000Z")]
    at: String,
    #[schema(example = "it took longer than 20 ms")]
    text: String,
}

/// One rule.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct RuleJson {
    #[schema(example = "no-casino")]
    rule: String,
    #[schema(example = "rules.toml:1")]
    source: String,
    #[schema(example = "enforce")]
    mode: &'static str,
    /// Whether its breaker has tripped: it only observes, because it was changed recently and refused too much.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    tripped: bool,
    /// When the breaker tripped.
    #[schema(example = "2026-01-01T12:00:00.000Z")]
    #[serde(skip_serializing_if = "Option::is_none")]
    tripped_at: Option<String>,
    /// Messages that matched since the rule was last changed, except those of exempt senders.
    hits: u64,
    /// Matching messages of exempt senders. A high number suggests that the rule is wrong.
    exempt_hits: u64,
    /// Matching messages of trusted senders, exempt or not. These are probably false positives.
    trusted_hits: u64,
    /// Messages that the rule, which only observed or labelled, did not check: they triggered too many regular expressions.
    skipped: u64,
    /// `trusted_hits` as a percentage of all matching messages; null before the first.
    #[schema(example = 2.5)]
    trusted_percent: Option<f64>,
    #[schema(example = "2026-01-01T12:00:00.000Z")]
    #[serde(skip_serializing_if = "Option::is_none")]
    last_hit: Option<String>,
}

/// Why the current rule files are not in force; the previous ones are.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct RejectedRulesJson {
    #[schema(example = "2026-01-01T12:00:00.000Z")]
    since: String,
    /// Each error with its place.
    #[schema(example = json!(["rules.toml:3: rule `no-casino`: unknown key `wrods`; did you mean `words`?"]))]
    errors: Vec<String>,
}

impl From<&RulesReloadError> for RejectedRulesJson {
    fn from(RulesReloadError { since, errors }: &RulesReloadError) -> Self {
        Self { since: format_time(*since), errors: errors.clone() }
    }
}

/// Show counters and latencies of each filter, plugin and rule since it was loaded, and the states of plugins.
///
/// Messages sent to `/moderation/try` are not counted.
#[utoipa::path(
    get, path = "/moderation/filters", tag = "moderation",
    responses(
        (status = 200, body = FiltersResponse),
    ),
)]
pub(in crate::api) async fn filters(State(api): State<Arc<Api>>) -> Json<FiltersResponse> {
    let mut filters: Vec<_> = api.live.intake.stats().into_iter().map(FilterJson::from).collect();
    let rooms = api.rooms.list();
    let is_room = |name: &str| rooms.iter().any(|room| room.name().as_str() == name);
    for plugin in filters.iter_mut().filter_map(|filter| filter.plugins.as_mut()).flatten() {
        plugin.unknown_rooms = plugin.rooms.iter().filter(|room| !is_room(room)).cloned().collect();
    }
    let degraded = api.degraded.list().into_iter().map(DegradedPartJson::from).collect();
    Json(FiltersResponse { filters, degraded })
}

/// Returns the rules in force, in their order.
pub(super) fn rules_in_force(api: &Api) -> Vec<RuleJson> {
    let figures = api.live.intake.stats().into_iter().find_map(|figures| match figures.parts {
        FilterParts::Rules { set, .. } => Some(set),
        FilterParts::None | FilterParts::Plugins(_) => None,
    });
    figures.map(|set| set.stats().map(RuleJson::from).collect()).unwrap_or_default()
}

impl From<FilterStats> for FilterJson {
    fn from(FilterStats { filter, verdicts, median, p99, parts }: FilterStats) -> Self {
        let (mut plugins, mut rules, mut not_in_force) = (None, None, None);
        match parts {
            FilterParts::None => {}
            FilterParts::Plugins(catalog) => {
                let state = |entry: &Arc<PluginEntry>| PluginJson::new(entry, catalog.error(&entry.manifest.name));
                plugins = Some(catalog.entries.iter().map(state).collect());
            }
            FilterParts::Rules { set, refused } => {
                rules = Some(set.stats().map(RuleJson::from).collect());
                not_in_force = refused.as_deref().map(RejectedRulesJson::from);
            }
        }
        Self {
            filter,
            counts: verdicts.into(),
            p50_micros: median.map(micros),
            p99_micros: p99.map(micros),
            plugins,
            rules,
            not_in_force,
        }
    }
}

impl PluginJson {
    fn new(entry: &PluginEntry, error: Option<String>) -> Self {
        let (manifest, plugin, tripped_at) = (&entry.manifest, entry.plugin.as_ref(), entry.breaker().tripped_at());
        let PluginStatsSnapshot { answers, failures, skipped, median, p99, last_failure } =
            plugin.map(Plugin::stats).unwrap_or_default();
        let (state, retry_after_seconds) = match plugin.map(Plugin::health) {
            Err(NotLoadedReason::NotBuilt { .. }) => ("not_built", None),
            Err(NotLoadedReason::Deferred { .. } | NotLoadedReason::Failed(_)) => ("not_loaded", None),
            Ok(HealthState::Healthy) => ("healthy", None),
            Ok(HealthState::Probing) => ("probing", None),
            // Rounded up: it is not probed earlier.
            Ok(HealthState::Suspended(rest)) => {
                ("suspended", Some(rest.as_secs() + u64::from(rest.subsec_nanos() > 0)))
            }
        };
        Self {
            plugin: manifest.name.clone(),
            version: manifest.version.clone().or_else(|| plugin.ok().map(|plugin| plugin.version().to_owned())),
            source: entry.origin.as_str(),
            mode: entry.mode().as_str(),
            tripped: tripped_at.is_some(),
            tripped_at: tripped_at.map(format_time),
            on_failure: manifest.on_failure.as_str(),
            rooms: manifest.rooms.clone(),
            unknown_rooms: Vec::new(),
            state,
            retry_after_seconds,
            counts: answers.into(),
            failures,
            skipped,
            p50_micros: median.map(micros),
            p99_micros: p99.map(micros),
            last_failure: last_failure.map(|(at, text)| LastFailureJson { at: format_time(at), text }),
            memory_bytes: plugin.ok().and_then(Plugin::memory),
            error,
        }
    }
}

impl From<RuleStats<'_>> for RuleJson {
    fn from(stats: RuleStats<'_>) -> Self {
        // Rounded to a tenth of a per cent.
        let trusted_percent = stats.trusted_percent().map(|percent| (percent * 10.0).round() / 10.0);
        let RuleStats { id, source, mode, tripped_at, hits, exempt_hits, trusted_hits, skipped, last_hit } = stats;
        Self {
            rule: id.to_owned(),
            source: source.to_owned(),
            mode: mode.as_str(),
            tripped: tripped_at.is_some(),
            tripped_at: tripped_at.map(format_time),
            hits,
            exempt_hits,
            trusted_hits,
            skipped,
            trusted_percent,
            last_hit: last_hit.map(format_time),
        }
    }
}

/// Converts to microseconds, rounded to a tenth.
fn micros(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e7).round() / 10.0
}
