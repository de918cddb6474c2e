//! Sanctions and levels on the way: what moderators did is done again at its time, and what rules and plugins asked for
//! arises again from the decisions, or does not.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::past::address;
use crate::model::{Cause, Nickname, Penalty, Recorded, RoomName, Sanction, SanctionKind, Target};
use crate::moderation::audit::{Head, LoggedAct};
use crate::moderation::{Config, Level, Order, State, orders};

/// How things stand in a run.
#[derive(Debug)]
pub(super) struct Standing {
    state: Arc<State>,
    /// By their numbers then, the numbers that sanctions have now.
    numbers: HashMap<u64, u64>,
    /// The last sanction of each order that a rule or plugin gave.
    arisen: HashMap<(Cause, Target, Option<RoomName>), u64>,
}

impl Standing {
    /// As it was at the beginning of a run.
    ///
    /// # Errors
    /// Why there can be none, in words.
    pub(super) fn begin(config: &Config, head: Option<&Head>) -> Result<Self, String> {
        let now = head.map_or(Timestamp::UNIX_EPOCH, |head| head.at);
        // The relay's own store is not to be touched.
        let config = Config { store: None, ..config.clone() };
        let state = State::open(&config, now).map_err(|fault| fault.to_string())?;
        let (numbers, arisen) = (HashMap::new(), HashMap::new());
        let standing = Self { state: Arc::new(state), numbers, arisen };
        if let Some(head) = head {
            for sanction in head.sanctions.iter().filter_map(|json| sanction(json.as_object()?)) {
                standing.state.sanctions().restore(sanction);
            }
            let levels = head.levels.get("levels").unwrap_or(&head.levels).as_array();
            for level in levels.into_iter().flatten().filter_map(Value::as_object) {
                standing.level(level);
            }
        }
        Ok(standing)
    }

    /// For the filters.
    pub(super) fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// Lets follow from a decision what rules and plugins ask for.
    pub(super) fn judged(&mut self, recorded: &Recorded) {
        for order in orders(recorded) {
            let key = (order.cause.clone(), order.target.clone(), order.room.clone());
            // With as many as there may be, it was the same then.
            if let Ok(sanction) = self.state.sanctions().impose(order, recorded.decision.message.at) {
                self.arisen.insert(key, sanction.id);
            }
        }
    }

    /// Does again what was done.
    pub(super) fn act(&mut self, LoggedAct { at, json, .. }: &LoggedAct) {
        let Some(by) = json.get("by").and_then(cause) else { return };
        match text(json, "act") {
            Some("sanction") => {
                let told = json.get("sanction").and_then(Value::as_object).and_then(sanction);
                if let Some(told) = told {
                    self.sanctioned(&by, told, *at);
                }
            }
            Some("lift") => {
                let number = json.get("sanction").and_then(|sanction| sanction.get("id")).and_then(Value::as_u64);
                // One that has not arisen here need not be lifted.
                drop(number.map(|number| self.state.sanctions().lift(self.number(number), *at)));
            }
            Some("undo") => {
                let undone = json.get("undone").and_then(cause).zip(time(json, "since"));
                drop(undone.map(|(cause, since)| self.state.sanctions().undo(&cause, since, *at)));
            }
            Some("level") => self.level(json),
            _ => {}
        }
    }

    /// A moderator's is imposed again; one of a rule or plugin has arisen by itself, or will not.
    fn sanctioned(&mut self, by: &Cause, told: Sanction, at: Timestamp) -> Option<()> {
        let Sanction { id, kind, target, room, at: began, until, reason, cause, step } = told;
        let now = if matches!(by, Cause::Moderator(_)) {
            let lasts = until.filter(|_| kind.lasts()).map(|until| between(began, until));
            let penalty = if step.is_some() { Penalty::Ladder } else { Penalty::Fixed(kind, lasts) };
            let order = Order { penalty, target, room, reason: Some(reason), cause };
            self.state.sanctions().impose(order, at).ok()?.id
        } else {
            *self.arisen.get(&(cause, target, room))?
        };
        self.numbers.insert(id, now);
        Some(())
    }

    fn number(&self, then: u64) -> u64 {
        self.numbers.get(&then).copied().unwrap_or(then)
    }

    fn level(&self, json: &Map<String, Value>) {
        let level = match text(json, "level") {
            Some("normal") => Level::Normal,
            Some("newcomers") => Level::Newcomers,
            Some("all") => Level::All,
            Some("slow") => {
                let seconds = json.get("seconds").and_then(Value::as_u64);
                Level::Slow { seconds: seconds.and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(1) }
            }
            _ => return,
        };
        let room = text(json, "room").and_then(|room| RoomName::parse(room).ok());
        match (level, time(json, "until")) {
            (Level::Normal, None) => self.state.levels().clear(room.as_ref()),
            (level, until) => self.state.levels().set(room, level, until),
        }
    }
}

/// A sanction as [`sanction_json`](crate::moderation::sanction_json) writes it, with the hash of an address.
fn sanction(json: &Map<String, Value>) -> Option<Sanction> {
    let target = match (text(json, "nickname"), text(json, "address")) {
        (Some(nickname), _) => Target::Nickname(Nickname::parse(nickname).ok()?),
        (None, Some(hash)) => Target::Address(address(u64::from_str_radix(hash, 16).ok()?)),
        (None, None) => return None,
    };
    Some(Sanction {
        id: json.get("id")?.as_u64()?,
        kind: SanctionKind::of_name(text(json, "kind")?)?,
        target,
        room: text(json, "room").and_then(|room| RoomName::parse(room).ok()),
        at: time(json, "at")?,
        until: time(json, "until"),
        reason: text(json, "reason").unwrap_or_default().into(),
        cause: cause(json.get("by")?)?,
        step: json.get("step").and_then(Value::as_u64).and_then(|step| usize::try_from(step).ok()),
    })
}

/// A cause as [`cause_json`](crate::moderation::cause_json) writes it.
fn cause(json: &Value) -> Option<Cause> {
    let (kind, name) = json.as_object()?.iter().next()?;
    let name = || name.as_str().map(Arc::from);
    match kind.as_str() {
        "moderator" => name().map(Cause::Moderator),
        "rule" => name().map(Cause::Rule),
        "plugin" => name().map(Cause::Plugin),
        "relay" => Some(Cause::Relay),
        _ => None,
    }
}

fn text<'v>(json: &'v Map<String, Value>, key: &str) -> Option<&'v str> {
    json.get(key).and_then(Value::as_str)
}

fn time(json: &Map<String, Value>, key: &str) -> Option<Timestamp> {
    text(json, key)?.parse().ok()
}

fn between(from: Timestamp, until: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(from)).unwrap_or_default()
}
