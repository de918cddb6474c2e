//! A small relay records its decisions; replays must reproduce them, or agree with a naive evaluator without filters.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

use super::past_decision::{address_from_hash, hash_from_address};
use super::*;
use crate::audit::{FileHead, FilePlace, LogTime, LoggedAct, LoggedSanction, Recording, Texts};
use crate::filter::rate::RateLimit;
use crate::filter::rules::{ActiveRules, Preset, RuleSet, RulesContext, RulesSource};
use crate::filter::{self, Chain, Filter, FilterAnswer, Finding, Judgement, Purpose};
use crate::fixtures::{self, matched};
use crate::model::{
    Act, ActKind, Actor, AddressHash, Basis, ConnectionId, JudgedMessage, Match, Message, MessageKind, ModerationLevel,
    Outcome, Penalty, Reason, ReasonCode, RoomName, Sanction, SanctionKind, Sender, SenderContext, Target, Verdict,
};
use crate::moderation::{self, PenaltyRequest, State, penalty_requests};
use crate::settings;
use crate::telemetry::Metrics;

const ROOMS: [&str; 2] = ["QGIS", "QField"];
const TEXTS: [&str; 10] = [
    "hello everybody",
    "the casino pays well",
    "where do i find the new orthophotos of brittany please",
    "where do i find the new orthophotos of brittany today",
    "darn this projection again",
    "WHY DOES NOBODY ANSWER ME HERE TODAY",
    "look at https://example.com/maps for more",
    "poker tonight",
    "ok",
    "which projection has the cadastre of corsica",
];

const RULES: &str = r#"
[[rule]]
id = "casino"
words = ["casino"]
verdict = "reject"
sanction = { kind = "ladder" }

[[rule]]
id = "darn"
words = ["darn"]
verdict = "replace"

[[rule]]
id = "again"
repetition = { by = "sender", times = 3, within = "60s" }
verdict = "hold"

[[rule]]
id = "raid"
repetition = { by = "room", times = 3, within = "60s" }
verdict = "shadow"

[[rule]]
id = "poker"
words = ["poker"]
verdict = "reject"
sender = { accepted_under = 3 }

[[rule]]
id = "watching"
words = ["projection"]
verdict = "reject"
mode = "observe"
"#;

/// One message of a test conversation.
#[derive(Clone, Debug)]
struct Utterance {
    after: Duration,
    speaker: u8,
    room: usize,
    text: usize,
    kind: u8,
    /// The delay between arrival and logging.
    late: Duration,
}

fn utterance() -> impl Strategy<Value = Utterance> {
    let after = prop_oneof![4 => 0_u64..800_000_000, 1 => 0..90_000_000_000_u64].prop_map(Duration::from_nanos);
    let late = prop_oneof![4 => Just(0_u64), 1 => 0..20_000_u64].prop_map(Duration::from_millis);
    (after, 0..6_u8, 0..ROOMS.len(), 0..TEXTS.len(), 0..12_u8, late)
        .prop_map(|(after, speaker, room, text, kind, late)| Utterance { after, speaker, room, text, kind, late })
}

fn room(at: usize) -> RoomName {
    fixtures::room(ROOMS[at])
}

/// The settings of a relay with low rate limits.
fn config() -> filter::Config {
    let mut source = settings::SettingsSource::new();
    let mut config = filter::Config::declare(&mut source.root().section("filter", ""));
    let limit = |burst| RateLimit { per_second: NonZeroU32::MIN, burst: NonZeroU32::new(burst).unwrap() };
    config.rate = filter::rate::Config {
        enabled: true,
        connection: limit(3),
        nickname: limit(4),
        address: limit(5),
        put: limit(5),
        room: limit(9),
    };
    config
}

fn instance(preset: Preset) -> RulesContext {
    let rooms = (0..ROOMS.len()).map(room).collect();
    RulesContext { clauses: String::new(), main_lang: "en".to_owned(), rooms, preset, ..RulesContext::default() }
}

fn rules(text: &str, preset: Preset) -> RuleSet {
    let rules = RuleSet::load(Path::new("rules.toml"), text, Path::new(""), &instance(preset));
    rules.unwrap_or_else(|errors| panic!("{}", errors[0]))
}

fn current(text: &str, preset: Preset) -> ActiveRules {
    ActiveRules::new(RulesSource { file: None, context: instance(preset) }, rules(text, preset), Arc::default())
}

fn begin() -> Timestamp {
    "2026-07-01T12:00:00.123456789Z".parse().unwrap()
}

fn sender(said: &Utterance, since_start: Duration, accepted: u64) -> Sender {
    Sender {
        // Some send without a connection, and some come from one address.
        connection: (said.speaker < 4).then(|| ConnectionId(u64::from(said.speaker))),
        address: address_from_hash(AddressHash(u64::from(said.speaker) / 2)),
        room: room(said.room),
        context: SenderContext {
            registered: said.speaker.is_multiple_of(2),
            connected: Duration::from_secs(30 * u64::from(said.speaker)) + since_start,
            accepted,
            trusted: said.speaker == 3,
            member_count: 6,
            since_start,
            ..SenderContext::default()
        },
    }
}

fn message(said: &Utterance, at: Timestamp) -> Message {
    let text = TEXTS[said.text].to_owned();
    let kind = match said.kind {
        0 => MessageKind::Newcomer,
        1 => MessageKind::Like { liked: "hans".to_owned(), text },
        _ => MessageKind::Text { avatar: Some("mIconInfo.svg".to_owned()), text },
    };
    // One of them has no good name.
    let author = if said.speaker == 5 { "x".to_owned() } else { format!("jane{}", said.speaker) };
    Message { id: Uuid::new_v4(), at, author, kind, in_reply_to: None }
}

/// Answers as plugins do.
#[derive(Debug)]
struct Plugin;

impl Filter for Plugin {
    fn name(&self) -> &'static str {
        "plugin"
    }

    fn examine(&self, message: &Message, _: &Sender, _: Purpose) -> FilterAnswer {
        let Some(text) = message.text() else { return FilterAnswer::Ready(Finding::PASS) };
        let (mut penalty, mut failure) = (None, None);
        let verdict = match text {
            text if text.contains("cadastre") => {
                penalty = Some(Penalty::Fixed(SanctionKind::Mute, Some(Duration::from_secs(3))));
                Verdict::Reject(Reason::new(ReasonCode::Plugin, "not here"))
            }
            text if text.contains("maps") => Verdict::Replace("look at it".into()),
            "ok" => {
                failure = Some("it was not asked in time".into());
                Verdict::Reject(Reason::new(ReasonCode::PluginFailed, "try again"))
            }
            _ => Verdict::Pass,
        };
        let basis = Basis::Plugin { name: "strict".into(), took: Duration::from_micros(7), failure, sanction: penalty };
        let matched = Match { labels: vec!["seen".into()], ..matched(verdict.outcome(), basis) };
        FilterAnswer::Ready(Finding { verdict, matches: vec![matched] })
    }
}

/// The decisions of one run of a relay, in the order of the log.
struct Log {
    run: Uuid,
    decisions: Vec<JudgedMessage>,
    /// When each of them was logged.
    written: Vec<Duration>,
    acts: Vec<LoggedAct>,
    state: Arc<State>,
}

impl Log {
    fn head(&self) -> FileHead {
        FileHead {
            n: 1,
            time: LogTime::new(begin(), Duration::ZERO),
            version: "".into(),
            run: self.run,
            place: FilePlace {
                day: begin().to_zoned(jiff::tz::TimeZone::UTC).date(),
                file: 1,
                before: [0; 32],
                day_before: None,
                cut: Vec::new(),
            },
            key_since: begin(),
            record: Recording::All,
            texts: Texts::Full,
            levels: Vec::new(),
            sanctions: Vec::new(),
            more: 0,
        }
    }
}

/// Returns a sanction as a log holds it.
fn logged(sanction: Sanction) -> LoggedSanction {
    let Sanction { id, kind, target, room, at, until, reason, actor, step } = sanction;
    let (target, reason) = (target.map_address(hash_from_address), Some(reason));
    LoggedSanction { id, kind, target, room, at, until, reason, actor, step }
}

/// Runs a relay with these messages, whose moderators act now and then.
fn live(all: &[Utterance], text: &str, preset: Preset) -> Log {
    let run = Uuid::new_v4();
    let (config, moderation) = (config(), moderation::Config::default());
    let state = Arc::new(State::open(&moderation, &crate::store::Config::default(), begin()).unwrap());
    let rules = Arc::new(current(text, preset).seeded_by(&run.to_string()));
    let plugin: Option<Box<dyn Filter>> = if text.is_empty() { None } else { Some(Box::new(Plugin)) };
    let chain = Chain::build(&config, rules, plugin, &state, &Metrics::default());
    let (mut now, mut accepted) = (Duration::ZERO, HashMap::<u8, u64>::new());
    let (mut written, mut acts) = (Vec::new(), Vec::new());
    let hans = || Actor::Moderator("hans".into());
    let mut act = |since_start: Duration, actor: Actor, room: Option<RoomName>, kind: ActKind| {
        let at = begin() + SignedDuration::try_from(since_start).unwrap();
        let act = Act { at, since_start, actor, room, kind }.map_sanction(logged);
        acts.push(LoggedAct { n: 0, at, since_start, act });
    };
    for (number, said) in all.iter().enumerate() {
        now += said.after + Duration::from_nanos(2);
        let at = begin() + SignedDuration::try_from(now).unwrap();
        let heard = accepted.entry(said.speaker).or_default();
        let sender = sender(said, now, *heard);
        let Judgement::Ready(decision) = chain.judge(message(said, at), &sender, Purpose::Judge) else {
            panic!("no filter answers later");
        };
        *heard += u64::from(matches!(decision.outcome, Outcome::Pass | Outcome::Replace));
        let recorded = JudgedMessage::new(*decision, sender);
        for order in penalty_requests(&recorded) {
            state.sanctions().impose_on_sender(order, &recorded.sender, at).unwrap();
        }
        written.push((now + said.late, recorded));
        now += Duration::from_nanos(1);
        let at = begin() + SignedDuration::try_from(now).unwrap();
        match number % 17 {
            5 => {
                let level = [
                    ModerationLevel::Normal,
                    ModerationLevel::Slow { seconds: 5 },
                    ModerationLevel::Newcomers,
                    ModerationLevel::All,
                ][number / 17 % 4];
                let until = Some(at + SignedDuration::from_secs(3));
                // Logs hold milliseconds.
                let until = until.map(|until| Timestamp::from_millisecond(until.as_millisecond()).unwrap());
                act(now, hans(), None, ActKind::Level { level, until });
                state.levels().set(None, level, until);
            }
            9 => {
                let order = PenaltyRequest {
                    penalty: Penalty::Fixed(SanctionKind::Mute, Some(Duration::from_secs(20))),
                    target: Target::Address(address_from_hash(AddressHash(1))),
                    room: Some(room(0)),
                    reason: None,
                    actor: hans(),
                };
                let sanction = state.sanctions().impose(order, at).unwrap();
                act(now, hans(), sanction.room.clone(), ActKind::Sanctioned { sanction });
            }
            13 => {
                if let Some(sanction) = state.sanctions().in_force(at).into_iter().next() {
                    // Sanctions of rules are logged before they are lifted.
                    if !matches!(sanction.actor, Actor::Moderator(_)) {
                        let sanction = sanction.clone();
                        act(now, sanction.actor.clone(), sanction.room.clone(), ActKind::Sanctioned { sanction });
                    }
                    let lifted = ActKind::Lifted { sanction: sanction.clone() };
                    act(now, hans(), sanction.room.clone(), lifted);
                    state.sanctions().lift(sanction.id, at);
                }
            }
            _ => {}
        }
    }
    written.sort_by_key(|(written, _)| *written);
    let (written, decisions) = written.into_iter().unzip();
    Log { run, decisions, written, acts, state }
}

/// Replays logs, one run after the other, with these rules. Returns the report and the state at the end.
fn replay(logs: &[Log], text: &str, preset: Preset) -> (ReplayReport, Arc<State>) {
    let mut stage = LogEnvironment::new(config(), moderation::Config::default(), current(text, preset), None);
    let mut replay = Replay::new(&mut stage, 1_000, None);
    for log in logs {
        replay.add_head(&log.head(), true).unwrap();
        let mut acts = log.acts.iter().peekable();
        for (recorded, written) in log.decisions.iter().zip(&log.written) {
            while let Some(act) = acts.next_if(|act| act.since_start < *written) {
                replay.add_act(act.clone()).unwrap();
            }
            replay.add_decision(PastDecision::from_memory(recorded).unwrap()).unwrap();
        }
        acts.for_each(|act| replay.add_act(act.clone()).unwrap());
    }
    let report = replay.finish().unwrap();
    (report, Arc::clone(stage.state().unwrap()))
}

/// Returns the sanctions in force, without ids.
fn in_force(state: &State, at: Timestamp) -> Vec<String> {
    let mut all: Vec<String> = state
        .sanctions()
        .in_force(at)
        .into_iter()
        .map(|mut sanction| {
            sanction.id = 0;
            format!("{sanction:?}")
        })
        .collect();
    all.sort();
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_same_chain_reproduces_decisions_and_traces(
        runs in vec(vec(utterance(), 1..250), 1..3),
    ) {
        let logs: Vec<Log> = runs.iter().map(|all| live(all, RULES, Preset::Strict)).collect();
        let (report, state) = replay(&logs, RULES, Preset::Strict);
        let count = logs.iter().map(|log| log.decisions.len() as u64).sum::<u64>();
        prop_assert_eq!((report.replayed, report.flipped, &report.flips), (count, 0, &Vec::new()));
        prop_assert_eq!((report.traces_differ, report.other_grounds), (0, 0));
        let last = logs.last().unwrap();
        let end = last.decisions.iter().map(|recorded| recorded.decision.message.at).max().unwrap();
        prop_assert_eq!(in_force(&state, end), in_force(&last.state, end));
    }

    #[test]
    fn flips_agree_with_a_naive_evaluator(all in vec(utterance(), 1..150)) {
        // Everything passed then; only words and rates count now.
        let rules = "[[rule]]\nid = 'no'\nwords = ['casino', 'poker']\nverdict = 'reject'\n\
                     [[rule]]\nid = 'mask'\nwords = ['darn']\nverdict = 'replace'";
        let all: Vec<Utterance> = all.into_iter().map(|said| Utterance { kind: said.kind.max(1), speaker: said.speaker % 5, ..said }).collect();
        let mut log = live(&all, "", Preset::Off);
        log.acts.clear();
        for recorded in &mut log.decisions {
            recorded.decision.outcome = Outcome::Pass;
            recorded.decision.decided_by = None;
            recorded.decision.reason = None;
            recorded.decision.trace.clear();
        }
        let (report, _) = replay(std::slice::from_ref(&log), rules, Preset::Off);
        let flips: Vec<(Uuid, Outcome)> = report.flips.iter().map(|flip| (flip.id, flip.after.outcome)).collect();
        let expected = naive(&log.decisions);
        prop_assert_eq!(flips, expected);
    }
}

/// Returns the messages that do not pass, by their words and by token buckets counted in nanoseconds.
fn naive(decisions: &[JudgedMessage]) -> Vec<(Uuid, Outcome)> {
    const SECOND: u128 = 1_000_000_000;
    let mut in_order: Vec<&JudgedMessage> = decisions.iter().collect();
    in_order.sort_by_key(|recorded| recorded.sender.context.since_start);
    // The level of a bucket and the time of that level.
    let mut buckets: HashMap<String, (u128, u128)> = HashMap::new();
    let mut take_many = |key: String, burst: u128, tokens: u128, now: u128| {
        let (level, then) = buckets.get(&key).copied().unwrap_or((burst * SECOND, now));
        let level = (level + now - then).min(burst * SECOND);
        let left = level.checked_sub(tokens * SECOND);
        buckets.insert(key, (left.unwrap_or(level), now));
        left.is_some()
    };
    let mut found = Vec::new();
    for JudgedMessage { decision, sender, .. } in in_order {
        let (message, now) = (&decision.message, sender.context.since_start.as_nanos());
        let (room, address) = (sender.room.as_str(), sender.address.ip());
        let mut take = |key: String, burst: u128| take_many(key, burst, 1, now);
        let may = sender.connection.is_none_or(|id| take(format!("connection {}", id.0), 3))
            && take(format!("name {room} {}", message.author), 4)
            && match sender.connection {
                None => take(format!("put {address}"), 5),
                Some(id) => take(format!("address {address}"), 5) || take_many(format!("share {}", id.0), 20, 10, now),
            }
            && take_many(format!("room {room}"), 9, 1, now);
        let text = message.text().unwrap_or_default().to_lowercase();
        let says = |word: &str| text.split(|c: char| !c.is_alphanumeric()).any(|said| said == word);
        if !may || says("casino") || says("poker") {
            found.push((message.id, Outcome::Reject));
        } else if says("darn") {
            found.push((message.id, Outcome::Replace));
        }
    }
    found
}

fn utterance_of(speaker: u8, text: usize) -> Utterance {
    Utterance { after: Duration::from_secs(5), speaker, room: 0, text, kind: 2, late: Duration::ZERO }
}

#[test]
fn removing_a_rule_flips_exactly_what_it_refused_and_removes_its_sanctions() {
    let all: Vec<Utterance> = [0, 1, 7, 2, 0, 1].into_iter().map(|text| utterance_of(0, text)).collect();
    let rules = "[[rule]]\nid = 'casino'\nwords = ['casino']\nverdict = 'reject'\nsanction = { kind = 'ladder' }";
    let log = live(&all, rules, Preset::Off);
    let outcomes: Vec<Outcome> = log.decisions.iter().map(|recorded| recorded.decision.outcome).collect();
    let (pass, reject) = (Outcome::Pass, Outcome::Reject);
    assert_eq!(outcomes, [pass, reject, pass, pass, pass, reject]);
    assert_eq!(log.state.sanctions().in_force(begin() + SignedDuration::from_secs(31)).len(), 1);
    let (report, state) = replay(&[log], "", Preset::Off);
    let flips: Vec<(&str, String, Outcome)> = report
        .flips
        .iter()
        .map(|flip| (flip.text.as_str(), flip.before.by.as_ref().unwrap().to_string(), flip.after.outcome))
        .collect();
    let flip = (TEXTS[1], "rule casino".to_owned(), pass);
    assert_eq!(flips, [flip.clone(), flip]);
    assert!(state.sanctions().is_empty());
    let totals = FlipTotals { name: "rule casino".to_owned(), before: 2, after: 0, lost: 2, gained: 0 };
    assert_eq!(report.rules, [totals]);
    assert_eq!(report.authors, [FlipTotals { name: "jane0".to_owned(), before: 2, after: 0, lost: 2, gained: 0 }]);
}

#[test]
fn a_note_counts_the_logged_acts_that_may_have_changed_the_configuration() {
    let note = |kinds: Vec<ActKind<LoggedSanction>>| {
        let mut log = live(&[utterance_of(0, 0)], "", Preset::Off);
        log.acts.extend(kinds.into_iter().map(|kind| {
            let (at, since_start) = (begin(), Duration::ZERO);
            let act = Act { at, since_start, actor: Actor::Moderator("hans".into()), room: None, kind };
            LoggedAct { n: 0, at, since_start, act }
        }));
        replay(&[log], "", Preset::Off).0.notes
    };
    assert_eq!(note(Vec::new()), Vec::<String>::new());
    let text = |acts: &str| {
        format!(
            "while the log was written, the rules, plugins, preset or breakers may have changed ({acts}); the replay \
             judges all messages with one configuration"
        )
    };
    assert_eq!(note(vec![ActKind::Reloaded]), [text("1 logged act")]);
    assert_eq!(note(vec![ActKind::Reloaded, ActKind::Reloaded]), [text("2 logged acts")]);
}

#[test]
fn what_if_reports_which_decisions_change_and_leaves_the_rules_in_force_alone() {
    let all: Vec<Utterance> = [0, 1, 4, 9, 5].into_iter().map(|text| utterance_of(0, text)).collect();
    let log = live(&all, RULES, Preset::Off);
    let past: Vec<Arc<JudgedMessage>> = log.decisions.into_iter().map(Arc::new).collect();
    let (config, in_force) = (config(), current(RULES, Preset::Off));
    let deadline = Instant::now() + Duration::from_mins(1);
    let at = WhatIf { config: &config, current: &in_force, deadline, max_flips: 10 };
    let tried = "[[rule]]\nid = 'no-hello'\nwords = ['hello']\nverdict = 'reject'\n";
    let report = what_if(&past, &at, rules(RULES, Preset::Off), rules(&format!("{tried}{RULES}"), Preset::Off));
    let flips: Vec<&str> = report.flips.iter().map(|flip| flip.text.as_str()).collect();
    assert_eq!((report.messages, report.uncertain, flips), (5, 0, vec![TEXTS[0]]));
    assert!(in_force.get().stats().all(|figures| figures.hits == 0));
}

#[test]
fn what_if_tries_a_text_alongside_the_rules_in_force_and_refuses_one_with_errors() {
    let log = live(&[utterance_of(0, 0)], "", Preset::Off);
    let past: Vec<Arc<JudgedMessage>> = log.decisions.into_iter().map(Arc::new).collect();
    let source = RulesSource { file: None, context: instance(Preset::Off) };
    let (config, in_force) =
        (config(), ActiveRules::new(source.clone(), source.load_stable().rules.unwrap(), Arc::default()));
    let deadline = Instant::now() + Duration::from_mins(1);
    let at = WhatIf { config: &config, current: &in_force, deadline, max_flips: 10 };
    let with = |text: &str| {
        in_force.with_extra(text).map(|tried| what_if(&past, &at, in_force.with_extra("").unwrap(), tried))
    };
    let tried = with("[[rule]]\nid = 'no-hello'\nwords = ['hello']\nverdict = 'reject'").unwrap();
    let by = tried.flips.first().and_then(|flip| flip.after.by.as_ref()).map(ToString::to_string);
    assert_eq!((tried.flipped, by.as_deref()), (1, Some("rule no-hello")));
    let errors = with("[[rule]]\nid = 'x'\nwrods = []").unwrap_err();
    assert!(errors.iter().any(|error| error.to_string().contains("wrods")));
}

#[test]
fn what_if_stops_at_its_deadline() {
    let log = live(&[utterance_of(0, 0)], "", Preset::Off);
    let past: Vec<Arc<JudgedMessage>> = log.decisions.into_iter().map(Arc::new).collect();
    let (config, in_force) = (config(), current("", Preset::Off));
    let at = WhatIf { config: &config, current: &in_force, deadline: Instant::now(), max_flips: 10 };
    let report = what_if(&past, &at, RuleSet::default(), RuleSet::default());
    assert_eq!(report.replayed, 0);
    assert_eq!(report.notes, ["the time limit was reached: the last 1 decisions were not judged"]);
}
