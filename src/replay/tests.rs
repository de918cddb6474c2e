//! A small relay writes down what it decides; replays must come to the same, or to what an evaluator that knows nothing
//! of filters says.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

use super::past::{address, hash};
use super::*;
use crate::filter::rate::Limit;
use crate::filter::rules::{Current, Instance, Preset, Rules, Source};
use crate::filter::{self, Answer, Chain, Filter, Finding, Judgement, Purpose};
use crate::model::{
    Basis, Cause, Code, Facts, Kind, Match, Message, Mode, Outcome, Penalty, Reason, Recorded, RoomName, SanctionKind,
    Sender, SenderId, Target, Verdict,
};
use crate::moderation::audit::{Head, LoggedAct};
use crate::moderation::{self, Act, Level, Order, State, What, orders};
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

/// Somebody says something.
#[derive(Clone, Debug)]
struct Said {
    after: Duration,
    who: u8,
    room: usize,
    text: usize,
    kind: u8,
    /// How much later it is logged than it came.
    late: Duration,
}

fn said() -> impl Strategy<Value = Said> {
    let after = prop_oneof![4 => 0_u64..800_000_000, 1 => 0..90_000_000_000_u64].prop_map(Duration::from_nanos);
    let late = prop_oneof![4 => Just(0_u64), 1 => 0..20_000_u64].prop_map(Duration::from_millis);
    (after, 0..6_u8, 0..ROOMS.len(), 0..TEXTS.len(), 0..12_u8, late)
        .prop_map(|(after, who, room, text, kind, late)| Said { after, who, room, text, kind, late })
}

fn room(at: usize) -> RoomName {
    RoomName::parse(ROOMS[at]).unwrap()
}

/// The settings of a relay with little patience.
fn config() -> filter::Config {
    let mut source = settings::Source::new();
    let mut config = filter::Config::declare(&mut source.root().section("filter", ""));
    let limit = |burst| Limit { per_second: NonZeroU32::MIN, burst: NonZeroU32::new(burst).unwrap() };
    config.rate = filter::rate::Config {
        enabled: true,
        connection: limit(3),
        nickname: limit(4),
        address: limit(5),
        room: limit(9),
    };
    config
}

fn instance(preset: Preset) -> Instance {
    let rooms = (0..ROOMS.len()).map(room).collect();
    Instance { clauses: String::new(), main_lang: "en".to_owned(), rooms, preset }
}

fn rules(text: &str, preset: Preset) -> Rules {
    let rules = Rules::load(Path::new("rules.toml"), text, Path::new(""), &instance(preset));
    rules.unwrap_or_else(|faults| panic!("{}", faults[0]))
}

fn current(text: &str, preset: Preset) -> Current {
    Current::new(Source { file: None, instance: instance(preset) }, rules(text, preset), Arc::default())
}

fn begin() -> Timestamp {
    "2026-07-01T12:00:00.123456789Z".parse().unwrap()
}

fn sender(said: &Said, since_start: Duration, accepted: u64) -> Sender {
    Sender {
        // Some send without a connection, and some come from one address.
        connection: (said.who < 4).then(|| SenderId(u64::from(said.who))),
        address: address(u64::from(said.who) / 2),
        room: room(said.room),
        facts: Facts {
            registered: said.who.is_multiple_of(2),
            connected: Duration::from_secs(30 * u64::from(said.who)) + since_start,
            accepted,
            trusted: said.who == 3,
            members: 6,
            since_start,
            ..Facts::default()
        },
    }
}

fn message(said: &Said, at: Timestamp) -> Message {
    let text = TEXTS[said.text].to_owned();
    let kind = match said.kind {
        0 => Kind::Newcomer,
        1 => Kind::Like { liked: "hans".to_owned(), text },
        _ => Kind::Text { avatar: Some("mIconInfo.svg".to_owned()), text },
    };
    // One of them has no good name.
    let author = if said.who == 5 { "x".to_owned() } else { format!("jane{}", said.who) };
    Message { id: Uuid::new_v4(), at, author, kind }
}

/// Answers as plugins do.
#[derive(Debug)]
struct Plugin;

impl Filter for Plugin {
    fn name(&self) -> &'static str {
        "plugin"
    }

    fn examine(&self, message: &Message, _: &Sender, _: Purpose) -> Answer {
        let Some(text) = message.text() else { return Answer::Now(Finding::PASS) };
        let (mut penalty, mut failure) = (None, None);
        let verdict = match text {
            text if text.contains("cadastre") => {
                penalty = Some(Penalty::Fixed(SanctionKind::Mute, Some(Duration::from_secs(3))));
                Verdict::Reject(Reason::new(Code::Plugin, "not here"))
            }
            text if text.contains("maps") => Verdict::Replace("look at it".to_owned()),
            "ok" => {
                failure = Some("it was not asked in time".into());
                Verdict::Reject(Reason::new(Code::PluginFailed, "try again"))
            }
            _ => Verdict::Pass,
        };
        let matched = Match {
            asked: verdict.outcome(),
            mode: Mode::Enforce,
            exempt: false,
            basis: Basis::Plugin { name: "strict".into(), took: Duration::from_micros(7), failure, sanction: penalty },
            field: None,
            span: None,
            labels: vec!["seen".into()],
        };
        Answer::Now(Finding { verdict, matches: vec![matched] })
    }
}

/// What a relay has decided in one run, in the order in which it was written down.
struct Log {
    run: Uuid,
    decisions: Vec<Recorded>,
    /// When each of them was written down.
    written: Vec<Duration>,
    acts: Vec<LoggedAct>,
    state: Arc<State>,
}

impl Log {
    fn head(&self) -> Head {
        Head {
            first_of_run: true,
            at: begin(),
            since_start: Duration::ZERO,
            version: String::new(),
            run: self.run,
            day: begin().to_zoned(jiff::tz::TimeZone::UTC).date(),
            file: 1,
            key_since: begin(),
            record: "all".to_owned(),
            texts: "full".to_owned(),
            sanctions: Vec::new(),
            levels: serde_json::Value::Null,
        }
    }
}

/// A relay that hears all this, and whose moderators do something now and then.
fn live(all: &[Said], text: &str, preset: Preset) -> Log {
    let run = Uuid::new_v4();
    let (config, moderation) = (config(), moderation::Config::default());
    let state = Arc::new(State::open(&moderation, begin()).unwrap());
    let rules = Arc::new(current(text, preset).of_run(&run.to_string()));
    let plugin: Option<Box<dyn Filter>> = if text.is_empty() { None } else { Some(Box::new(Plugin)) };
    let chain = Chain::build(&config, rules, plugin, &state, &Metrics::default());
    let (mut now, mut accepted) = (Duration::ZERO, HashMap::<u8, u64>::new());
    let (mut written, mut acts) = (Vec::new(), Vec::new());
    let hans = || Cause::Moderator("hans".into());
    let mut act = |since_start: Duration, by: Cause, what: What| {
        let at = begin() + SignedDuration::try_from(since_start).unwrap();
        let act = Act { at, since_start, by, what };
        let json = act.json(&|address| hash(address));
        acts.push(LoggedAct { at, since_start, json });
    };
    for (number, said) in all.iter().enumerate() {
        now += said.after + Duration::from_nanos(2);
        let at = begin() + SignedDuration::try_from(now).unwrap();
        let heard = accepted.entry(said.who).or_default();
        let sender = sender(said, now, *heard);
        let Judgement::Decided(decision) = chain.judge(message(said, at), &sender, Purpose::Judge) else {
            panic!("no filter answers later");
        };
        *heard += u64::from(matches!(decision.outcome, Outcome::Pass | Outcome::Replace));
        let recorded = Recorded { decision: *decision, sender };
        for order in orders(&recorded) {
            state.sanctions().impose(order, at).unwrap();
        }
        written.push((now + said.late, recorded));
        now += Duration::from_nanos(1);
        let at = begin() + SignedDuration::try_from(now).unwrap();
        match number % 17 {
            5 => {
                let level = [Level::Normal, Level::Slow { seconds: 5 }, Level::Newcomers, Level::All][number / 17 % 4];
                let until = Some(at + SignedDuration::from_secs(3));
                // It is written with milliseconds.
                let until = until.map(|until| Timestamp::from_millisecond(until.as_millisecond()).unwrap());
                act(now, hans(), What::Level { room: None, level, until });
                state.levels().set(None, level, until);
            }
            9 => {
                let order = Order {
                    penalty: Penalty::Fixed(SanctionKind::Mute, Some(Duration::from_secs(20))),
                    target: Target::Address(address(1)),
                    room: Some(room(0)),
                    reason: None,
                    cause: hans(),
                };
                let sanction = state.sanctions().impose(order, at).unwrap();
                act(now, hans(), What::Sanctioned(sanction));
            }
            13 => {
                if let Some(sanction) = state.sanctions().in_force(at).into_iter().next() {
                    // Those of rules are written down as well, before they are lifted.
                    if !matches!(sanction.cause, Cause::Moderator(_)) {
                        act(now, sanction.cause.clone(), What::Sanctioned(sanction.clone()));
                    }
                    act(now, hans(), What::Lifted(sanction.clone()));
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

/// Replays logs, one run after the other, with these rules; what comes of it, and the state at the end.
fn replay(logs: &[Log], text: &str, preset: Preset) -> (Report, Arc<State>) {
    let mut stage = LogStage::new(config(), moderation::Config::default(), current(text, preset), None);
    let mut replay = Replay::new(&mut stage, 1_000, None);
    for log in logs {
        replay.head(&log.head()).unwrap();
        let mut acts = log.acts.iter().peekable();
        for (recorded, written) in log.decisions.iter().zip(&log.written) {
            while let Some(act) = acts.next_if(|act| act.since_start < *written) {
                replay.act(act.clone()).unwrap();
            }
            replay.past(Past::of_memory(recorded).unwrap()).unwrap();
        }
        acts.for_each(|act| replay.act(act.clone()).unwrap());
    }
    let report = replay.finish().unwrap();
    (report, Arc::clone(stage.state().unwrap()))
}

/// What is in force, without numbers.
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
    fn the_same_chain_comes_to_the_same_decisions_with_the_same_traces(
        runs in vec(vec(said(), 1..250), 1..3),
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
    fn what_flips_is_what_an_evaluator_that_knows_no_filters_says(all in vec(said(), 1..150)) {
        // All was let through then, and only words and rates count now.
        let rules = "[[rule]]\nid = 'no'\nwords = ['casino', 'poker']\nverdict = 'reject'\n\
                     [[rule]]\nid = 'mask'\nwords = ['darn']\nverdict = 'replace'";
        let all: Vec<Said> = all.into_iter().map(|said| Said { kind: said.kind.max(1), who: said.who % 5, ..said }).collect();
        let mut log = live(&all, "", Preset::Off);
        log.acts.clear();
        for recorded in &mut log.decisions {
            recorded.decision.outcome = Outcome::Pass;
            recorded.decision.by = None;
            recorded.decision.reason = None;
            recorded.decision.trace.clear();
        }
        let (report, _) = replay(std::slice::from_ref(&log), rules, Preset::Off);
        let flips: Vec<(Uuid, Outcome)> = report.flips.iter().map(|flip| (flip.id, flip.after.outcome)).collect();
        let wanted = naive(&log.decisions);
        prop_assert_eq!(flips, wanted);
    }
}

/// What becomes of messages that does not pass, by the words in them and by buckets that are counted in nanoseconds.
fn naive(decisions: &[Recorded]) -> Vec<(Uuid, Outcome)> {
    const SECOND: u128 = 1_000_000_000;
    let mut in_order: Vec<&Recorded> = decisions.iter().collect();
    in_order.sort_by_key(|recorded| recorded.sender.facts.since_start);
    // What is in a bucket, and when that was so.
    let mut buckets: HashMap<String, (u128, u128)> = HashMap::new();
    let mut take = |key: String, burst: u128, now: u128| {
        let (level, then) = buckets.get(&key).copied().unwrap_or((burst * SECOND, now));
        let level = (level + now - then).min(burst * SECOND);
        let left = level.checked_sub(SECOND);
        buckets.insert(key, (left.unwrap_or(level), now));
        left.is_some()
    };
    let mut found = Vec::new();
    for Recorded { decision, sender } in in_order {
        let (message, now) = (&decision.message, sender.facts.since_start.as_nanos());
        let (room, address) = (sender.room.as_str(), sender.address.ip());
        let may = sender.connection.is_none_or(|id| take(format!("connection {}", id.0), 3, now))
            && take(format!("name {room} {}", message.author), 4, now)
            && take(format!("address {address}"), 5, now)
            && take(format!("room {room}"), 9, now);
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

fn at_once(who: u8, text: usize) -> Said {
    Said { after: Duration::from_secs(5), who, room: 0, text, kind: 2, late: Duration::ZERO }
}

#[test]
fn without_a_rule_exactly_what_it_refused_flips_and_nothing_of_it_is_left() {
    let all: Vec<Said> = [0, 1, 7, 2, 0, 1].into_iter().map(|text| at_once(0, text)).collect();
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
    let share = Share { of: "rule casino".to_owned(), before: 2, after: 0, lost: 2, gained: 0 };
    assert_eq!(report.rules, [share]);
    assert_eq!(report.authors, [Share { of: "jane0".to_owned(), before: 2, after: 0, lost: 2, gained: 0 }]);
}

#[test]
fn what_if_tells_which_decisions_in_memory_would_be_others_and_leaves_the_rules_in_force_alone() {
    let all: Vec<Said> = [0, 1, 4, 9, 5].into_iter().map(|text| at_once(0, text)).collect();
    let log = live(&all, RULES, Preset::Off);
    let past: Vec<Arc<Recorded>> = log.decisions.into_iter().map(Arc::new).collect();
    let (config, in_force) = (config(), current(RULES, Preset::Off));
    let until = Instant::now() + Duration::from_mins(1);
    let at = WhatIf { config: &config, current: &in_force, until, most_flips: 10 };
    let tried = "[[rule]]\nid = 'no-hello'\nwords = ['hello']\nverdict = 'reject'\n";
    let report = what_if(&past, &at, rules(RULES, Preset::Off), rules(&format!("{tried}{RULES}"), Preset::Off));
    let flips: Vec<&str> = report.flips.iter().map(|flip| flip.text.as_str()).collect();
    assert_eq!((report.messages, report.uncertain, flips), (5, 0, vec![TEXTS[0]]));
    assert!(in_force.get().figures().all(|figures| figures.hits == 0));
}

#[test]
fn what_if_tries_a_text_beside_the_rules_in_force_unless_it_is_at_fault() {
    let log = live(&[at_once(0, 0)], "", Preset::Off);
    let past: Vec<Arc<Recorded>> = log.decisions.into_iter().map(Arc::new).collect();
    let source = Source { file: None, instance: instance(Preset::Off) };
    let (config, in_force) = (config(), Current::new(source.clone(), source.read().rules.unwrap(), Arc::default()));
    let until = Instant::now() + Duration::from_mins(1);
    let at = WhatIf { config: &config, current: &in_force, until, most_flips: 10 };
    let with = |text: &str| {
        in_force.with_extra(text).map(|tried| what_if(&past, &at, in_force.with_extra("").unwrap(), tried))
    };
    let tried = with("[[rule]]\nid = 'no-hello'\nwords = ['hello']\nverdict = 'reject'").unwrap();
    let by = tried.flips.first().and_then(|flip| flip.after.by.as_ref()).map(ToString::to_string);
    assert_eq!((tried.flipped, by.as_deref()), (1, Some("rule no-hello")));
    let faults = with("[[rule]]\nid = 'x'\nwrods = []").unwrap_err();
    assert!(faults.iter().any(|fault| fault.to_string().contains("wrods")));
}

#[test]
fn what_if_stops_when_its_time_is_up() {
    let log = live(&[at_once(0, 0)], "", Preset::Off);
    let past: Vec<Arc<Recorded>> = log.decisions.into_iter().map(Arc::new).collect();
    let (config, in_force) = (config(), current("", Preset::Off));
    let at = WhatIf { config: &config, current: &in_force, until: Instant::now(), most_flips: 10 };
    let report = what_if(&past, &at, Rules::default(), Rules::default());
    assert_eq!(report.replayed, 0);
    assert_eq!(report.notes, ["the time was up: the last 1 decisions were not looked at"]);
}
