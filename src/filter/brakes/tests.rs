use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::filter::rules::{Instance, Preset, Rules, Source};
use crate::model::{Address, Facts, Kind as Said, Message, Reason, RoomName, Step};

fn instance() -> Instance {
    Instance { preset: Preset::Off, ..Instance::default() }
}

fn rules(text: &str) -> Rules {
    Rules::load(Path::new("rules.toml"), text, Path::new(""), &instance()).unwrap()
}

fn rule(id: &str, word: &str) -> String {
    format!("[[rule]]\nid = '{id}'\nwords = ['{word}']\nverdict = 'reject'\n")
}

/// Rules that have come into force just now.
fn current(text: &str) -> Arc<Current> {
    Arc::new(Current::new(Source { file: None, instance: instance() }, rules(text), Arc::default()))
}

fn brakes(rules: &Arc<Current>, config: Config) -> Brakes {
    Brakes::new(config, Some(Arc::clone(rules)), None, Arc::default())
}

fn small() -> Config {
    Config { messages: 10, share: 30, trusted_hits: 4, ..Config::default() }
}

fn sender(trusted: bool) -> Sender {
    Sender {
        connection: None,
        address: Address::from(IpAddr::from([127, 0, 0, 1])),
        room: RoomName::parse("QGIS").unwrap(),
        facts: Facts { trusted, ..Facts::default() },
    }
}

fn hit(id: &str, asked: Outcome) -> Match {
    Match {
        asked,
        mode: Mode::Enforce,
        exempt: false,
        basis: Basis::Rule { id: id.into(), source: "rules.toml:1".into(), sanction: None },
        field: None,
        span: None,
        labels: Vec::new(),
    }
}

/// What the filter of rules makes of a message with these matches.
fn decision(matches: Vec<Match>) -> Decision {
    let acting = matches.iter().filter(|matched| matched.mode == Mode::Enforce && !matched.exempt);
    let outcome = acting.map(|matched| matched.asked).max_by_key(|asked| asked.strength()).unwrap_or(Outcome::Pass);
    let step =
        |matched: Match| Step { filter: "rules", verdict: outcome, matched: Some(matched), took: Duration::ZERO };
    let refused = !matches!(outcome, Outcome::Pass | Outcome::Replace);
    Decision {
        message: Message::new("jane", Said::Text { avatar: None, text: "x".to_owned() }),
        original: None,
        outcome,
        reason: refused.then(|| Reason::new(Code::Rule, "no")),
        by: (outcome != Outcome::Pass).then_some("rules"),
        trace: matches.into_iter().map(step).collect(),
    }
}

fn refusal(id: &str) -> Decision {
    decision(vec![hit(id, Outcome::Reject)])
}

/// Notes so many of these, and tells whose brakes were pulled.
fn note(brakes: &Brakes, times: usize, decision: &Decision, trusted: bool) -> Vec<String> {
    // Each message is one of now.
    let now = || Decision {
        message: Message::new("jane", Said::Text { avatar: None, text: "x".to_owned() }),
        ..decision.clone()
    };
    let pulled = (0..times).flat_map(|_| brakes.note(&now(), &sender(trusted)));
    pulled.map(|pulled| format!("{}: {}", pulled.cause, pulled.why)).collect()
}

fn mode(rules: &Arc<Current>, id: &str) -> Mode {
    rules.get().figures().find(|figures| figures.id == id).unwrap().mode
}

#[test]
fn a_new_rule_that_refuses_too_much_observes_and_the_moderators_are_told_once() {
    let rules = current(&[rule("a", "x"), rule("b", "y")].concat());
    let feed = Arc::<Feed>::default();
    let brakes = Brakes::new(Config::default(), Some(Arc::clone(&rules)), None, Arc::clone(&feed));
    assert!(note(&brakes, 250, &decision(Vec::new()), false).is_empty());
    assert!(note(&brakes, 50, &refusal("a"), false).is_empty());
    assert_eq!(mode(&rules, "a"), Mode::Enforce);
    assert_eq!(note(&brakes, 100, &refusal("a"), false), ["rule `a`: it refused 51 of the last 301 messages"]);
    assert_eq!((mode(&rules, "a"), mode(&rules, "b")), (Mode::Observe, Mode::Enforce));
    let notes = feed.after(0, 10);
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].kind, Kind::BrakePulled);
    assert_eq!(
        &*notes[0].text,
        "rule `a` only observes from now on, until it is changed: it refused 51 of the last 301 messages, and was \
         changed less than 24 h ago"
    );
}

#[test]
fn a_new_rule_that_hits_trusted_senders_observes_also_where_it_spares_them() {
    let rules = current(&rule("a", "x"));
    let brakes = brakes(&rules, Config::default());
    let spared = decision(vec![Match { exempt: true, ..hit("a", Outcome::Reject) }]);
    assert!(note(&brakes, 19, &spared, true).is_empty());
    assert!(note(&brakes, 200, &spared, false).is_empty());
    assert_eq!(note(&brakes, 5, &spared, true), ["rule `a`: it hit 20 messages of trusted senders among the last 220"]);
}

#[test]
fn what_is_not_a_refusal_in_force_does_not_count() {
    let rules = current(&[rule("a", "x"), rule("b", "y")].concat());
    let brakes = brakes(&rules, small());
    let observed = Match { mode: Mode::Observe, ..hit("a", Outcome::Reject) };
    let exempt = Match { exempt: true, ..hit("a", Outcome::Reject) };
    for matched in [observed, exempt, hit("a", Outcome::Replace), hit("a", Outcome::Pass)] {
        assert!(note(&brakes, 50, &decision(vec![matched.clone()]), false).is_empty(), "{matched:?}");
    }
    // The stronger one decides, of equals the first.
    let both = decision(vec![hit("a", Outcome::Hold), hit("b", Outcome::Reject), hit("a", Outcome::Reject)]);
    assert_eq!(note(&brakes, 50, &both, false), ["rule `b`: it refused 4 of the last 10 messages"]);
    // Another filter decided.
    let elsewhere = Decision { by: Some("rate"), ..refusal("a") };
    assert!(note(&brakes, 50, &elsewhere, false).is_empty());
    assert_eq!(note(&brakes, 50, &refusal("a"), false).len(), 1);
}

#[test]
fn labels_on_trusted_senders_do_no_harm() {
    let rules = current(&rule("a", "x"));
    let brakes = brakes(&rules, small());
    assert!(note(&brakes, 50, &decision(vec![hit("a", Outcome::Pass)]), true).is_empty());
    assert_eq!(note(&brakes, 50, &decision(vec![hit("a", Outcome::Replace)]), true).len(), 1);
}

#[test]
fn a_message_that_sets_off_too_many_counts_for_the_rule_whose_turn_it_was() {
    let rules = current(&[rule("a", "x"), rule("b", "y")].concat());
    let brakes = brakes(&rules, small());
    let mut suspicious = decision(vec![hit("a", Outcome::Reject), hit("b", Outcome::Shadow)]);
    suspicious.reason = Some(Reason::new(Code::Suspicious, "too many"));
    assert_eq!(note(&brakes, 50, &suspicious, false), ["rule `b`: it refused 4 of the last 4 messages"]);
}

#[test]
fn what_a_plugin_refuses_because_it_failed_does_not_count() {
    let basis = |failure: Option<&str>| Basis::Plugin {
        name: "p".into(),
        took: Duration::ZERO,
        failure: failure.map(Arc::from),
        sanction: None,
    };
    let answered = decision(vec![Match { basis: basis(None), ..hit("", Outcome::Reject) }]);
    assert!(decider(&answered).is_some());
    assert!(decider(&decision(vec![Match { basis: basis(Some("it fell")), ..hit("", Outcome::Reject) }])).is_none());
}

#[test]
fn what_was_judged_by_an_earlier_rule_of_that_id_does_not_count() {
    let rules = current(&rule("a", "x"));
    let brakes = brakes(&rules, small());
    let before = refusal("a");
    rules.adopt(self::rules(&rule("a", "y")));
    assert!((0..50).all(|_| brakes.note(&before, &sender(false)).is_empty()));
    assert_eq!(note(&brakes, 50, &refusal("a"), false).len(), 1);
}

#[test]
fn a_brake_stays_pulled_until_the_rule_is_written_otherwise() {
    let rules = current(&rule("a", "x"));
    let brakes = brakes(&rules, small());
    assert_eq!(note(&brakes, 5, &refusal("a"), false).len(), 1);
    // Something else has changed.
    rules.adopt(self::rules(&format!("# new\n{}{}", rule("b", "y"), rule("a", "x"))));
    assert_eq!((mode(&rules, "a"), mode(&rules, "b")), (Mode::Observe, Mode::Enforce));
    assert!(note(&brakes, 50, &refusal("a"), false).is_empty(), "it is told once");
    rules.adopt(self::rules(&rule("a", "xx")));
    assert_eq!(mode(&rules, "a"), Mode::Enforce);
    // What it refused before is not held against it.
    assert!(note(&brakes, 3, &refusal("a"), false).is_empty());
    assert_eq!(note(&brakes, 1, &refusal("a"), false).len(), 1);
}

#[test]
fn a_rule_that_was_removed_and_comes_back_is_new() {
    let rules = current(&rule("a", "x"));
    let brakes = brakes(&rules, small());
    assert_eq!(note(&brakes, 5, &refusal("a"), false).len(), 1);
    rules.adopt(self::rules(""));
    assert!(note(&brakes, 50, &refusal("a"), false).is_empty(), "it is gone");
    rules.adopt(self::rules(&rule("a", "x")));
    assert_eq!(mode(&rules, "a"), Mode::Enforce);
}

#[test]
fn a_released_rule_is_in_force_and_counted_anew() {
    let rules = current(&rule("a", "x"));
    let brakes = brakes(&rules, small());
    let cause = Cause::Rule("a".into());
    assert!(!brakes.release(&cause));
    assert_eq!(note(&brakes, 5, &refusal("a"), false).len(), 1);
    assert!(brakes.release(&cause) && !brakes.release(&cause));
    assert_eq!(mode(&rules, "a"), Mode::Enforce);
    assert!(note(&brakes, 3, &refusal("a"), false).is_empty());
    assert_eq!(note(&brakes, 1, &refusal("a"), false).len(), 1);
    assert!(!brakes.release(&Cause::Rule("none".into())) && !brakes.release(&Cause::Relay));
}

#[test]
fn rules_of_an_old_file_and_starter_rules_are_not_new() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules.toml");
    let read = |age: Duration| {
        std::fs::write(&path, rule("a", "x")).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
        let source = Source { file: Some(path.clone()), instance: Instance::default() };
        Arc::new(Current::new(source.clone(), source.read().rules.unwrap(), Arc::default()))
    };
    let pulled = |age, id| note(&brakes(&read(age), small()), 50, &refusal(id), false).len();
    let day = Duration::from_hours(24);
    assert_eq!(pulled(Duration::from_mins(24 * 60 - 5), "a"), 1);
    assert_eq!(pulled(day + Duration::from_mins(5), "a"), 0);
    assert_eq!(pulled(Duration::ZERO, "flooding"), 0);
    let rules = read(2 * day);
    // Its mode changes with the preset, that of the other one does not.
    rules.set_preset(Preset::Strict).unwrap();
    assert_eq!(note(&brakes(&rules, small()), 50, &refusal("raid"), false).len(), 1);
    assert_eq!(note(&brakes(&rules, small()), 50, &refusal("flooding"), false).len(), 0);
    assert_eq!(note(&brakes(&rules, small()), 50, &refusal("a"), false).len(), 0);
}

#[test]
fn many_threads_pull_a_brake_once() {
    let rules = current(&rule("a", "x"));
    let brakes = brakes(&rules, Config::default());
    let noted = || (0..500).map(|_| brakes.note(&refusal("a"), &sender(false)).len()).sum::<usize>();
    let pulled: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(noted)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(pulled, 1);
}

#[test]
fn what_is_counted_is_forgotten_once_nobody_needs_it() {
    let rules = current(&[rule("a", "x"), rule("b", "y"), rule("c", "z")].concat());
    let brakes = brakes(&rules, small());
    for id in ["a", "b", "c"] {
        note(&brakes, 1, &refusal(id), false);
    }
    rules.adopt(self::rules(&[rule("a", "x"), rule("b", "other")].concat()));
    brakes.prune(Timestamp::now());
    assert_eq!(brakes.lock().keys().map(Cause::name).collect::<Vec<_>>(), ["a"]);
}

#[test]
fn brakes_that_are_turned_off_are_never_pulled() {
    let rules = current(&rule("a", "x"));
    let brakes = brakes(&rules, Config { enabled: false, ..small() });
    assert!(note(&brakes, 50, &refusal("a"), false).is_empty());
}

/// What each of two rules does to a message, and whether its sender is trusted.
type Event = ([Option<Match>; 2], bool);

fn event() -> impl Strategy<Value = Event> {
    let one = |id: &'static str| {
        let asked = prop::sample::select(vec![Outcome::Pass, Outcome::Replace, Outcome::Shadow, Outcome::Reject]);
        let matched = (asked, any::<bool>(), prop::bool::weighted(0.2)).prop_map(move |(asked, enforces, exempt)| {
            let mode = if enforces { Mode::Enforce } else { Mode::Observe };
            Match { mode, exempt, ..hit(id, asked) }
        });
        prop::option::weighted(0.5, matched)
    };
    ([one("a").boxed(), one("b").boxed()], prop::bool::weighted(0.3))
}

proptest! {
    /// All that ever happened is looked through again for each message.
    #[test]
    fn brakes_are_pulled_when_all_that_happened_says_so(
        events in prop::collection::vec(event(), 0..120),
        messages in 1_u64..30,
        share in 1_u64..=100,
        trusted_hits in 1_usize..8,
    ) {
        let rules = current(&[rule("a", "x"), rule("b", "y")].concat());
        let brakes = brakes(&rules, Config { messages, share, trusted_hits, ..Config::default() });
        let mut pulled: HashMap<&str, usize> = HashMap::new();
        let mut expected: HashMap<&str, usize> = HashMap::new();
        let acts = |matched: &Match| matched.mode == Mode::Enforce && !matched.exempt;
        for (at, ([a, b], trusted)) in events.iter().enumerate() {
            let said = decision([a, b].into_iter().flatten().cloned().collect());
            for Pulled { cause, .. } in brakes.note(&said, &sender(*trusted)) {
                let id = if cause.name() == "a" { "a" } else { "b" };
                prop_assert_eq!(pulled.insert(id, at), None);
            }
            let first = (at + 1).saturating_sub(usize::try_from(messages).unwrap());
            let last = events.get(first..=at).unwrap();
            for (own, id) in ["a", "b"].into_iter().enumerate() {
                let refuses = |matched: &Match| acts(matched) && matched.asked.strength() >= Outcome::Shadow.strength();
                let refused = last.iter().filter(|(both, _)| {
                    let Some(mine) = both[own].as_ref().filter(|mine| refuses(mine)) else { return false };
                    let strength = |other: &Match| if acts(other) { other.asked.strength() } else { 0 };
                    let others = both[1 - own].as_ref().map_or(0, strength);
                    mine.asked.strength() > others || (own == 0 && mine.asked.strength() == others)
                });
                let hit_trusted = last.iter().filter(|(both, trusted)| {
                    let hits = |mine: &Match| mine.mode == Mode::Enforce && mine.asked != Outcome::Pass;
                    *trusted && both[own].as_ref().is_some_and(hits)
                });
                let refused = u64::try_from(refused.count()).unwrap();
                if refused * 100 > messages * share || hit_trusted.count() >= trusted_hits {
                    expected.entry(id).or_insert(at);
                }
            }
        }
        prop_assert_eq!(pulled, expected);
    }
}

/// How long a message takes that nothing matched. Run by hand: `cargo test --release -- --ignored --nocapture brakes`.
#[test]
#[ignore = "measures, and claims nothing"]
fn what_a_message_costs() {
    let rules = current(&rule("a", "x"));
    let brakes = brakes(&rules, Config { share: 100, messages: 100_000, ..Config::default() });
    let passed = decision(vec![Match { mode: Mode::Observe, ..hit("a", Outcome::Reject) }; 1]);
    let said = [
        ("nothing matched", decision(Vec::new()), sender(false)),
        ("an observed match", passed.clone(), sender(false)),
        ("a trusted sender", passed, sender(true)),
        ("a refusal of a new rule", refusal("a"), sender(false)),
    ];
    for (what, decision, sender) in &said {
        const TIMES: u32 = 90_000;
        let began = std::time::Instant::now();
        for _ in 0..TIMES {
            std::hint::black_box(brakes.note(std::hint::black_box(decision), sender));
        }
        println!("{what}: {:.1} ns", began.elapsed().as_secs_f64() * 1e9 / f64::from(TIMES));
    }
    let now = Timestamp::now();
    println!("measured at {now}");
}
