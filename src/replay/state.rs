//! Sanctions and levels during a replay. Acts of moderators are repeated at their time; sanctions that rules and plugins
//! ask for follow from the replayed decisions.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::past_decision::address_from_hash;
use crate::audit::{FileHead, LoggedAct};
use crate::model::{
    Actor, JudgedMessage, ModerationLevel, Nickname, Penalty, RoomName, Sanction, SanctionKind, Target,
};
use crate::moderation::{Config, PenaltyRequest, State, elapsed, penalty_requests};

/// The sanctions and levels of a run.
#[derive(Debug)]
pub(super) struct ReplayState {
    state: Arc<State>,
    /// Ids of sanctions in this replay by their logged ids.
    ids: HashMap<u64, u64>,
    /// The last sanction of each rule or plugin by target and room.
    automatic: HashMap<(Actor, Target, Option<RoomName>), u64>,
}

impl ReplayState {
    /// Restores the state at the beginning of a run.
    ///
    /// # Errors
    /// A description of why the state cannot be created.
    pub(super) fn from_head(config: &Config, head: Option<&FileHead>) -> Result<Self, String> {
        let now = head.map_or(Timestamp::UNIX_EPOCH, |head| head.at);
        // Do not touch the relay's own store.
        let config = Config { store: None, ..config.clone() };
        let state = State::open(&config, now).map_err(|error| error.to_string())?;
        let (ids, automatic) = (HashMap::new(), HashMap::new());
        let restored = Self { state: Arc::new(state), ids, automatic };
        if let Some(head) = head {
            for sanction in head.sanctions.iter().filter_map(|json| parse_sanction(json.as_object()?)) {
                restored.state.sanctions().restore(sanction);
            }
            let levels = head.levels.get("levels").unwrap_or(&head.levels).as_array();
            for level in levels.into_iter().flatten().filter_map(Value::as_object) {
                restored.set_level(level);
            }
        }
        Ok(restored)
    }

    /// Returns the state that filters read.
    pub(super) fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// Imposes the sanctions that rules and plugins ask for in a decision.
    pub(super) fn apply_decision(&mut self, recorded: &JudgedMessage) {
        for order in penalty_requests(recorded) {
            let key = (order.actor.clone(), order.target.clone(), order.room.clone());
            // At the limit of sanctions it failed then, too.
            if let Ok(sanction) = self.state.sanctions().impose(order, recorded.decision.message.at) {
                self.automatic.insert(key, sanction.id);
            }
        }
    }

    /// Repeats a logged act.
    pub(super) fn apply_act(&mut self, LoggedAct { at, json, .. }: &LoggedAct) {
        let Some(by) = json.get("by").and_then(parse_cause) else { return };
        match text(json, "act") {
            Some("sanction") => {
                let logged = json.get("sanction").and_then(Value::as_object).and_then(parse_sanction);
                if let Some(logged) = logged {
                    self.apply_sanction(&by, logged, *at);
                }
            }
            Some("lift") => {
                let id = json.get("sanction").and_then(|sanction| sanction.get("id")).and_then(Value::as_u64);
                // A sanction that was not imposed in this replay needs no lifting.
                drop(id.map(|id| self.state.sanctions().lift(self.current_id(id), *at)));
            }
            Some("undo") => {
                let undone = json.get("undone").and_then(parse_cause).zip(time(json, "since"));
                drop(undone.map(|(cause, since)| self.state.sanctions().undo(&cause, since, *at)));
            }
            Some("level") => self.set_level(json),
            _ => {}
        }
    }

    /// Imposes a moderator's sanction again. A sanction of a rule or plugin follows from replayed decisions, if at all.
    fn apply_sanction(&mut self, by: &Actor, logged: Sanction, at: Timestamp) -> Option<()> {
        let Sanction { id, kind, target, room, at: began, until, reason, actor: cause, step } = logged;
        let current = if matches!(by, Actor::Moderator(_)) {
            let lasts = until.filter(|_| kind.has_duration()).map(|until| elapsed(began, until));
            let penalty = if step.is_some() { Penalty::Ladder } else { Penalty::Fixed(kind, lasts) };
            let order = PenaltyRequest { penalty, target, room, reason: Some(reason), actor: cause };
            self.state.sanctions().impose(order, at).ok()?.id
        } else {
            *self.automatic.get(&(cause, target, room))?
        };
        self.ids.insert(id, current);
        Some(())
    }

    fn current_id(&self, logged: u64) -> u64 {
        self.ids.get(&logged).copied().unwrap_or(logged)
    }

    fn set_level(&self, json: &Map<String, Value>) {
        let level = match text(json, "level") {
            Some("normal") => ModerationLevel::Normal,
            Some("newcomers") => ModerationLevel::Newcomers,
            Some("all") => ModerationLevel::All,
            Some("slow") => {
                let seconds = json.get("seconds").and_then(Value::as_u64);
                ModerationLevel::Slow { seconds: seconds.and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(1) }
            }
            _ => return,
        };
        let room = text(json, "room").and_then(|room| RoomName::parse(room).ok());
        match (level, time(json, "until")) {
            (ModerationLevel::Normal, None) => self.state.levels().clear(room.as_ref()),
            (level, until) => self.state.levels().set(room, level, until),
        }
    }
}

/// Parses a sanction as [`sanction_json`](crate::moderation::sanction_json) writes it, with a hashed address.
fn parse_sanction(json: &Map<String, Value>) -> Option<Sanction> {
    let target = match (text(json, "nickname"), text(json, "address")) {
        (Some(nickname), _) => Target::Nickname(Nickname::parse(nickname).ok()?),
        (None, Some(hash)) => Target::Address(address_from_hash(u64::from_str_radix(hash, 16).ok()?)),
        (None, None) => return None,
    };
    Some(Sanction {
        id: json.get("id")?.as_u64()?,
        kind: SanctionKind::from_name(text(json, "kind")?)?,
        target,
        room: text(json, "room").and_then(|room| RoomName::parse(room).ok()),
        at: time(json, "at")?,
        until: time(json, "until"),
        reason: text(json, "reason").unwrap_or_default().into(),
        actor: parse_cause(json.get("by")?)?,
        step: json.get("step").and_then(Value::as_u64).and_then(|step| usize::try_from(step).ok()),
    })
}

/// A cause as [`cause_json`](crate::moderation::cause_json) writes it.
fn parse_cause(json: &Value) -> Option<Actor> {
    let (kind, name) = json.as_object()?.iter().next()?;
    let name = || name.as_str().map(Arc::from);
    match kind.as_str() {
        "moderator" => name().map(Actor::Moderator),
        "rule" => name().map(Actor::Rule),
        "plugin" => name().map(Actor::Plugin),
        "relay" => Some(Actor::Relay),
        _ => None,
    }
}

fn text<'v>(json: &'v Map<String, Value>, key: &str) -> Option<&'v str> {
    json.get(key).and_then(Value::as_str)
}

fn time(json: &Map<String, Value>, key: &str) -> Option<Timestamp> {
    text(json, key)?.parse().ok()
}
