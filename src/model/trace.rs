//! The trace of a decision: what each filter answered, and why.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use super::static_name::{self, StaticName};
use super::{Actor, Outcome, Penalty, ReasonCode};
use crate::names::named;

named! {
    /// Whether a rule or plugin takes effect.
    pub enum Mode {
        /// It takes effect.
        Enforce = "enforce",
        /// It runs and appears in traces, but has no effect.
        Observe = "observe",
    }
}

/// A range of code points of the original text, end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span(pub usize, pub usize);

/// One match of a filter. It is written as a part of its [`TraceStep`], and read as format 1 of the store has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Match {
    /// The outcome that this match requested.
    #[serde(rename = "asked")]
    pub requested: Outcome,
    /// Whether the match could take effect.
    pub mode: Mode,
    /// Whether the sender is exempt from the rule or plugin.
    pub exempt: bool,
    /// The source of the match.
    pub basis: Basis,
    /// The field that matched; `None` for the text.
    #[serde(default, deserialize_with = "static_name::optional")]
    pub field: Option<StaticName>,
    /// The range within the field; `None` if the match has no single place.
    pub span: Option<Span>,
    /// Labels added to the message.
    pub labels: Vec<Arc<str>>,
}

impl Match {
    /// Whether the match takes effect.
    #[must_use]
    pub fn is_enforced(&self) -> bool {
        self.mode == Mode::Enforce && !self.exempt
    }
}

/// The source of a match.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// A rule of the rules file.
    Rule {
        /// Its id.
        id: Arc<str>,
        /// File and line.
        source: Arc<str>,
        /// The penalty requested for the sender.
        sanction: Option<Penalty>,
    },
    /// A sanction in force on the sender.
    Sanction {
        /// Its ID.
        id: u64,
    },
    /// The answer of a plugin, including a pass.
    Plugin {
        /// Its name.
        name: Arc<str>,
        /// Duration of the call.
        took: Duration,
        /// Why the plugin failed to answer.
        failure: Option<Arc<str>>,
        /// The penalty requested for the sender.
        sanction: Option<Penalty>,
    },
}

impl Basis {
    /// The penalty requested for the sender.
    #[must_use]
    pub fn penalty(&self) -> Option<Penalty> {
        match self {
            Self::Rule { sanction, .. } | Self::Plugin { sanction, .. } => *sanction,
            Self::Sanction { .. } => None,
        }
    }

    /// The rule or plugin responsible, if any.
    #[must_use]
    pub fn actor(&self) -> Option<Actor> {
        match self {
            Self::Rule { id, .. } => Some(Actor::Rule(Arc::clone(id))),
            Self::Plugin { name, .. } => Some(Actor::Plugin(Arc::clone(name))),
            Self::Sanction { .. } => None,
        }
    }
}

/// One step of a trace: one match of a filter, or its answer if it has none. Its serialised form is flat, and exact to a tenth of a microsecond.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "StepForm")]
pub struct TraceStep {
    /// The filter's name.
    pub filter: StaticName,
    /// The outcome that the match requested, or the answer of the filter.
    pub verdict: Outcome,
    /// The match, if any.
    pub matched: Option<Match>,
    /// Duration of the whole filter.
    pub took: Duration,
}

/// Returns the match that decided: the first of the strongest matches that take effect, of the filter that decided. If the
/// reason is that too many rules with regexes matched, it is the last one, which exceeded the limit.
#[must_use]
pub fn deciding_match<'t>(trace: &'t [TraceStep], filter: &str, code: Option<ReasonCode>) -> Option<&'t Match> {
    let own = trace.iter().filter(|step| step.filter == filter).filter_map(|step| step.matched.as_ref());
    let mut enforced = own.filter(|matched| matched.is_enforced());
    if code == Some(ReasonCode::Suspicious) {
        return enforced.next_back();
    }
    let stronger = |one: &'t Match, other: &'t Match| {
        if other.requested.strength() > one.requested.strength() { other } else { one }
    };
    enforced.reduce(stronger)
}

/// The serialised form of a step.
#[derive(Serialize, Deserialize)]
struct StepForm {
    #[serde(deserialize_with = "static_name::required")]
    filter: StaticName,
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<Arc<str>>,
    verdict: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<Mode>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    exempt: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    sanction_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sanction: Option<Penalty>,
    #[serde(default, deserialize_with = "static_name::optional", skip_serializing_if = "Option::is_none")]
    field: Option<StaticName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<Span>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    labels: Vec<Arc<str>>,
    #[serde(default)]
    micros: f64,
    /// Duration and match in format 1 of the store.
    #[serde(default, skip_serializing)]
    took: Duration,
    #[serde(default, skip_serializing)]
    matched: Option<Match>,
}

impl Serialize for TraceStep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        StepForm::from(self).serialize(serializer)
    }
}

impl From<&TraceStep> for StepForm {
    fn from(TraceStep { filter, verdict, matched, took }: &TraceStep) -> Self {
        let mut form = Self {
            filter,
            plugin: None,
            verdict: *verdict,
            mode: None,
            exempt: false,
            sanction_id: None,
            rule: None,
            source: None,
            failure: None,
            sanction: None,
            field: None,
            span: None,
            labels: Vec::new(),
            micros: 0.0,
            took: *took,
            matched: None,
        };
        if let Some(Match { requested: _, mode, exempt, basis, field, span, labels }) = matched {
            (form.exempt, form.field, form.span) = (*exempt, *field, *span);
            form.labels.clone_from(labels);
            match basis {
                Basis::Sanction { id } => form.sanction_id = Some(*id),
                Basis::Rule { id, source, sanction } => {
                    (form.rule, form.source) = (Some(Arc::clone(id)), Some(Arc::clone(source)));
                    (form.mode, form.sanction) = (Some(*mode), *sanction);
                }
                Basis::Plugin { name, took, failure, sanction } => {
                    (form.plugin, form.failure) = (Some(Arc::clone(name)), failure.clone());
                    (form.mode, form.sanction, form.took) = (Some(*mode), *sanction, *took);
                }
            }
        }
        // The clock is no finer than a tenth of a microsecond.
        form.micros = (form.took.as_secs_f64() * 1e7).round() / 10.0;
        form
    }
}

impl From<StepForm> for TraceStep {
    fn from(form: StepForm) -> Self {
        let StepForm { filter, plugin, verdict, mode, exempt, sanction_id, rule, source, failure, .. } = form;
        let StepForm { sanction, field, span, labels, micros, took, matched, .. } = form;
        let took = if took.is_zero() { Duration::try_from_secs_f64(micros / 1e6).unwrap_or_default() } else { took };
        let basis = match (plugin, rule, sanction_id) {
            (Some(name), _, _) => Some(Basis::Plugin { name, took, failure, sanction }),
            (None, Some(id), _) => Some(Basis::Rule { id, source: source.unwrap_or_default(), sanction }),
            (None, None, Some(id)) => Some(Basis::Sanction { id }),
            (None, None, None) => None,
        };
        let mode = mode.unwrap_or(Mode::Enforce);
        let new = basis.map(|basis| Match { requested: verdict, mode, exempt, basis, field, span, labels });
        Self { filter, verdict, matched: matched.or(new), took }
    }
}
