//! What the filters have done so far, and how they are.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::degraded::DegradedPart;
use super::written;
use crate::api::Api;
use crate::api::error::Detail;
use crate::filter::rules::{Refused, RuleFigures};
use crate::filter::{FilterFigures, Parts};
use crate::sandbox::{Condition, Entry, Plugin, Stats, Unloaded};

/// The chain.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Filters {
    /// The filters, in their order.
    filters: Vec<FilterState>,
    /// The parts that the relay runs without; absent when it has all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    degraded: Vec<DegradedPart>,
}

/// How often what was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Counts {
    pass: u64,
    replace: u64,
    hold: u64,
    shadow: u64,
    reject: u64,
}

impl From<[u64; 5]> for Counts {
    fn from([pass, replace, hold, shadow, reject]: [u64; 5]) -> Self {
        Self { pass, replace, hold, shadow, reject }
    }
}

/// One filter.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct FilterState {
    #[schema(example = "shape")]
    filter: &'static str,
    /// Messages by what it wanted done with them.
    counts: Counts,
    /// Half of all messages took it no longer; nothing before the first.
    #[schema(example = 1.2)]
    p50_micros: Option<f64>,
    /// Of a hundred messages, 99 took it no longer.
    #[schema(example = 4.8)]
    p99_micros: Option<f64>,
    /// Of `plugin`: the plugins, in the order in which they are asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    plugins: Option<Vec<PluginState>>,
    /// Of `rules`: the rules, in the order of their file.
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<Vec<RuleState>>,
    /// Of `rules`: why the newest files are not in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_in_force: Option<NotInForce>,
}

/// One plugin.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct PluginState {
    #[schema(example = "link-guard")]
    plugin: String,
    #[schema(example = "0.1.0")]
    version: Option<String>,
    /// Where it comes from: `folder`, `file`, `embedded` or `folder + embedded code`.
    #[schema(example = "embedded")]
    source: &'static str,
    #[schema(example = "observe")]
    mode: &'static str,
    /// Whether its manifest has it act, and a brake has it observe.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    braked: bool,
    /// Since when.
    #[schema(example = "2026-01-01T12:00:00.000Z")]
    #[serde(skip_serializing_if = "Option::is_none")]
    braked_at: Option<String>,
    /// What becomes of a message that it cannot answer for.
    #[schema(example = "pass")]
    on_failure: &'static str,
    /// Its rooms; all when empty.
    rooms: Vec<String>,
    /// Those of its rooms that are no room of this instance; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    unknown_rooms: Vec<String>,
    /// `well`, `on_trial` (to see whether it is well again), `set_aside`, `not_built` or `not_loaded`.
    #[schema(example = "well")]
    state: &'static str,
    /// How long it is still set aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    rests_seconds: Option<u64>,
    /// Its answers by what they asked for, whether or not it may act.
    counts: Counts,
    /// Messages that it failed over.
    failures: u64,
    /// Messages that it was not asked about: it was set aside, or busy.
    unasked: u64,
    #[schema(example = 180.0)]
    p50_micros: Option<f64>,
    #[schema(example = 420.0)]
    p99_micros: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_failure: Option<LastFailure>,
    /// Linear memory of its largest instance at rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bytes: Option<usize>,
    /// Why its files are not in force as they are: it is not loaded, or runs on as it was before.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What a plugin failed with last.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct LastFailure {
    #[schema(example = "2026-01-01T12:00:00.000Z")]
    at: String,
    #[schema(example = "it took longer than 20 ms")]
    text: String,
}

/// One rule.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct RuleState {
    #[schema(example = "no-casino")]
    rule: String,
    #[schema(example = "rules.toml:1")]
    source: String,
    #[schema(example = "enforce")]
    mode: &'static str,
    /// Whether it is written to act, and a brake has it observe: it was changed lately and refused too much.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    braked: bool,
    /// Since when.
    #[schema(example = "2026-01-01T12:00:00.000Z")]
    #[serde(skip_serializing_if = "Option::is_none")]
    braked_at: Option<String>,
    /// Messages that it hit since it was written as it is, those of exempt senders aside.
    hits: u64,
    /// Messages of senders on whom it does not act. Many of them mean that it may be wrong.
    exempt_hits: u64,
    /// Messages of trusted senders among both. They hardly ever mean harm.
    trusted_hits: u64,
    /// How many of a hundred messages that it hit that is; nothing before the first.
    #[schema(example = 2.5)]
    trusted_percent: Option<f64>,
    #[schema(example = "2026-01-01T12:00:00.000Z")]
    #[serde(skip_serializing_if = "Option::is_none")]
    last_hit: Option<String>,
}

/// Why rules that were written are not in force; those that were before them are.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct NotInForce {
    #[schema(example = "2026-01-01T12:00:00.000Z")]
    since: String,
    /// Each fault with its place.
    #[schema(example = json!(["rules.toml:3: rule `no-casino`: unknown key `wrods`; did you mean `words`?"]))]
    faults: Vec<String>,
}

impl From<&Refused> for NotInForce {
    fn from(Refused { since, faults }: &Refused) -> Self {
        Self { since: written(*since), faults: faults.clone() }
    }
}

/// What each filter, plugin and rule has done since it was loaded, and how plugins are.
///
/// Messages that were only tried do not count.
#[utoipa::path(
    get, path = "/moderation/filters", tag = "moderation", security(("moderator" = [])),
    responses(
        (status = 200, body = Filters),
        (status = 401, body = Detail, description = "No token, or none of a moderator"),
        (status = 429, body = Detail, description = "Too many wrong tokens; `Retry-After` tells how long to wait"),
    ),
)]
pub(in crate::api) async fn filters(State(api): State<Arc<Api>>) -> Json<Filters> {
    let mut filters: Vec<_> = api.live.intake.figures().into_iter().map(FilterState::from).collect();
    let rooms = api.rooms.list();
    let is_room = |name: &str| rooms.iter().any(|room| room.name().as_str() == name);
    for plugin in filters.iter_mut().filter_map(|filter| filter.plugins.as_mut()).flatten() {
        plugin.unknown_rooms = plugin.rooms.iter().filter(|room| !is_room(room)).cloned().collect();
    }
    let degraded = api.degraded.list().into_iter().map(DegradedPart::from).collect();
    Json(Filters { filters, degraded })
}

/// The rules in force, in their order.
pub(super) fn rules_in_force(api: &Api) -> Vec<RuleState> {
    let figures = api.live.intake.figures().into_iter().find_map(|figures| match figures.parts {
        Parts::Rules { set, .. } => Some(set),
        Parts::None | Parts::Plugins(_) => None,
    });
    figures.map(|set| set.figures().map(RuleState::from).collect()).unwrap_or_default()
}

impl From<FilterFigures> for FilterState {
    fn from(FilterFigures { filter, verdicts, median, p99, parts }: FilterFigures) -> Self {
        let (mut plugins, mut rules, mut not_in_force) = (None, None, None);
        match parts {
            Parts::None => {}
            Parts::Plugins(catalog) => {
                let state = |entry: &Arc<Entry>| PluginState::of(entry, catalog.fault(&entry.manifest.name));
                plugins = Some(catalog.entries.iter().map(state).collect());
            }
            Parts::Rules { set, refused } => {
                rules = Some(set.figures().map(RuleState::from).collect());
                not_in_force = refused.as_deref().map(NotInForce::from);
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

impl PluginState {
    fn of(entry: &Entry, error: Option<String>) -> Self {
        let (manifest, plugin, braked) = (&entry.manifest, entry.plugin.as_ref(), entry.brake().pulled());
        let Stats { answers, failures, unasked, median, p99, last_failure } =
            plugin.map(Plugin::stats).unwrap_or_default();
        let (state, rests_seconds) = match plugin.map(Plugin::condition) {
            Err(Unloaded::NotBuilt { .. }) => ("not_built", None),
            Err(Unloaded::Later(_) | Unloaded::Error(_)) => ("not_loaded", None),
            Ok(Condition::Well) => ("well", None),
            Ok(Condition::OnTrial) => ("on_trial", None),
            // Rounded up: it is not tried before.
            Ok(Condition::SetAside(rest)) => ("set_aside", Some(rest.as_secs() + u64::from(rest.subsec_nanos() > 0))),
        };
        Self {
            plugin: manifest.name.clone(),
            version: manifest.version.clone().or_else(|| plugin.ok().map(|plugin| plugin.version().to_owned())),
            source: entry.origin.as_str(),
            mode: entry.mode().as_str(),
            braked: braked.is_some(),
            braked_at: braked.map(written),
            on_failure: manifest.on_failure.as_str(),
            rooms: manifest.rooms.clone(),
            unknown_rooms: Vec::new(),
            state,
            rests_seconds,
            counts: answers.into(),
            failures,
            unasked,
            p50_micros: median.map(micros),
            p99_micros: p99.map(micros),
            last_failure: last_failure.map(|(at, text)| LastFailure { at: written(at), text }),
            memory_bytes: plugin.ok().and_then(Plugin::memory),
            error,
        }
    }
}

impl From<RuleFigures<'_>> for RuleState {
    fn from(figures: RuleFigures<'_>) -> Self {
        // A tenth of a per cent is as fine as it is worth.
        let trusted_percent = figures.trusted_percent().map(|percent| (percent * 10.0).round() / 10.0);
        let RuleFigures { id, source, mode, braked, hits, exempt_hits, trusted_hits, last_hit } = figures;
        Self {
            rule: id.to_owned(),
            source: source.to_owned(),
            mode: mode.as_str(),
            braked: braked.is_some(),
            braked_at: braked.map(written),
            hits,
            exempt_hits,
            trusted_hits,
            trusted_percent,
            last_hit: last_hit.map(written),
        }
    }
}

/// A tenth of a microsecond is as fine as it is worth.
fn micros(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e7).round() / 10.0
}
