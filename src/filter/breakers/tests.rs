use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::filter::rules::{Preset, RuleSet, RulesContext, RulesSource};
use crate::fixtures::{self, message};
use crate::model::{Reason, ReasonCode, SenderContext, TraceStep};

fn instance() -> RulesContext {
    RulesContext { preset: Preset::Off, ..RulesContext::default() }
}

fn rules(text: &str) -> RuleSet {
    RuleSet::load(Path::new("rules.toml"), text, Path::new(""), &instance()).unwrap()
}

fn rule(id: &str, word: &str) -> String {
    format!("[[rule]]\nid = '{id}'\nwords = ['{word}']\nverdict = 'reject'\n")
}

/// Rules that have just come into force.
fn current(text: &str) -> Arc<ActiveRules> {
    Arc::new(ActiveRules::new(RulesSource { file: None, context: instance() }, rules(text), Arc::default()))
}

fn breakers(rules: &Arc<ActiveRules>, config: Config) -> Breakers {
    Breakers::new(config, Some(Arc::clone(rules)), None, Arc::default())
}

fn small() -> Config {
    Config { messages: 10, share: 30, trusted_hits: 4, ..Config::default() }
}

/// A sender at another address each time.
fn sender(trusted: bool) -> Sender {
    static HOST: AtomicU32 = AtomicU32::new(0);
    let address = Address::from(IpAddr::from(HOST.fetch_add(1, Ordering::Relaxed).to_be_bytes()));
    Sender { address, context: SenderContext { trusted, ..SenderContext::default() }, ..fixtures::sender() }
}

fn hit(id: &str, requested: Outcome) -> Match {
    fixtures::matched(requested, Basis::Rule { id: id.into(), source: "rules.toml:1".into(), sanction: None })
}

/// Returns the decision of the `rules` filter on a message with these matches.
fn decision(matches: Vec<Match>) -> Decision {
    let acting = matches.iter().filter(|matched| matched.mode == Mode::Enforce && !matched.exempt);
    let outcome =
        acting.map(|matched| matched.requested).max_by_key(|requested| requested.strength()).unwrap_or(Outcome::Pass);
    let step =
        |matched: Match| TraceStep { filter: "rules", verdict: outcome, matched: Some(matched), took: Duration::ZERO };
    let refused = !matches!(outcome, Outcome::Pass | Outcome::Replace);
    Decision {
        reason: refused.then(|| Reason::new(ReasonCode::Rule, "no")),
        decided_by: (outcome != Outcome::Pass).then_some("rules"),
        trace: matches.into_iter().map(step).collect(),
        ..fixtures::decision(message("jane", "x"), outcome)
    }
}

fn refusal(id: &str) -> Decision {
    decision(vec![hit(id, Outcome::Reject)])
}

/// Records a decision several times, and returns the breakers that tripped.
fn record(breakers: &Breakers, times: usize, decision: &Decision, trusted: bool) -> Vec<String> {
    // Each message has the current time.
    let now = || Decision { message: message("jane", "x"), ..decision.clone() };
    let tripped = (0..times).flat_map(|_| breakers.record(&now(), &sender(trusted)));
    tripped.map(|breaker| format!("{}: {}", breaker.actor, breaker.reason)).collect()
}

fn mode(rules: &Arc<ActiveRules>, id: &str) -> Mode {
    rules.get().stats().find(|figures| figures.id == id).unwrap().mode
}

#[test]
fn a_new_rule_that_refuses_too_much_observes_and_moderators_are_notified_once() {
    let rules = current(&[rule("a", "x"), rule("b", "y")].concat());
    let feed = Arc::<Feed>::default();
    let breakers = Breakers::new(Config::default(), Some(Arc::clone(&rules)), None, Arc::clone(&feed));
    assert!(record(&breakers, 250, &decision(Vec::new()), false).is_empty());
    assert!(record(&breakers, 50, &refusal("a"), false).is_empty());
    assert_eq!(mode(&rules, "a"), Mode::Enforce);
    assert_eq!(
        record(&breakers, 100, &refusal("a"), false),
        ["rule `a`: it refused messages from 51 addresses among the last 301 messages"]
    );
    assert_eq!((mode(&rules, "a"), mode(&rules, "b")), (Mode::Observe, Mode::Enforce));
    let notes = feed.after(0, 10).notes;
    assert_eq!(notes.len(), 1);
    let (_, note) = &notes[0];
    assert_eq!(note.kind, NoteKind::BreakerTripped);
    assert_eq!(
        &*note.text,
        "rule `a` only observes until it is changed: it refused messages from 51 addresses among the last 301 messages, and was changed \
         less than 24 h ago; POST {\"rule\": \"a\"} to /moderation/breakers/reset puts it in force again"
    );
}

#[test]
fn refusals_of_one_address_count_once() {
    let rules = current(&rule("a", "x"));
    let breakers = breakers(&rules, small());
    let refused = |host| {
        let sender = Sender { address: fixtures::address(host), ..fixtures::sender() };
        breakers.record(&refusal("a"), &sender).len()
    };
    assert_eq!([0, 1, 2].into_iter().cycle().take(500).map(refused).sum::<usize>(), 0);
    assert_eq!(refused(3), 1, "the fourth address among the last messages");
}

#[test]
fn a_rule_without_a_breaker_refuses_whatever_it_hits() {
    let lasting = format!("{}breaker = false\n", rule("a", "x"));
    let rules = current(&lasting);
    assert!(record(&breakers(&rules, small()), 50, &refusal("a"), false).is_empty());
    rules.adopt(self::rules(&rule("a", "x")));
    rules.adopt(self::rules(&lasting));
    assert!(record(&breakers(&rules, small()), 50, &refusal("a"), false).is_empty(), "changed while the relay runs");
    assert_eq!(mode(&rules, "a"), Mode::Enforce);
}

#[test]
fn a_breaker_that_is_reset_counts_anew() {
    let rules = current(&rule("a", "x"));
    let breakers = breakers(&rules, small());
    let rule_a = fixtures::rule("a");
    assert!(!breakers.reset(&rule_a), "it has not tripped");
    assert_eq!(record(&breakers, 4, &refusal("a"), false).len(), 1);
    assert!(breakers.is_tripped(&rule_a) && breakers.reset(&rule_a) && !breakers.is_tripped(&rule_a));
    assert_eq!(mode(&rules, "a"), Mode::Enforce);
    assert!(record(&breakers, 3, &refusal("a"), false).is_empty());
    assert_eq!(record(&breakers, 1, &refusal("a"), false).len(), 1);
    assert!(!breakers.reset(&fixtures::rule("b")), "there is no such rule");
}

#[test]
fn hits_on_trusted_senders_trip_the_breaker_even_if_they_are_exempt() {
    let rules = current(&rule("a", "x"));
    let breakers = breakers(&rules, Config::default());
    let spared = decision(vec![Match { exempt: true, ..hit("a", Outcome::Reject) }]);
    assert!(record(&breakers, 19, &spared, true).is_empty());
    assert!(record(&breakers, 200, &spared, false).is_empty());
    assert_eq!(
        record(&breakers, 5, &spared, true),
        ["rule `a`: it hit 20 messages of trusted senders among the last 220"]
    );
}

#[test]
fn only_enforced_refusals_count() {
    let rules = current(&[rule("a", "x"), rule("b", "y")].concat());
    let breakers = breakers(&rules, small());
    let observed = Match { mode: Mode::Observe, ..hit("a", Outcome::Reject) };
    let exempt = Match { exempt: true, ..hit("a", Outcome::Reject) };
    for matched in [observed, exempt, hit("a", Outcome::Replace), hit("a", Outcome::Pass)] {
        assert!(record(&breakers, 50, &decision(vec![matched.clone()]), false).is_empty(), "{matched:?}");
    }
    // The strongest one decides; among equals, the first.
    let both = decision(vec![hit("a", Outcome::Hold), hit("b", Outcome::Reject), hit("a", Outcome::Reject)]);
    assert_eq!(
        record(&breakers, 50, &both, false),
        ["rule `b`: it refused messages from 4 addresses among the last 10 messages"]
    );
    // Another filter decided.
    let elsewhere = Decision { decided_by: Some("rate"), ..refusal("a") };
    assert!(record(&breakers, 50, &elsewhere, false).is_empty());
    assert_eq!(record(&breakers, 50, &refusal("a"), false).len(), 1);
}

#[test]
fn labels_on_trusted_senders_do_not_count() {
    let rules = current(&rule("a", "x"));
    let breakers = breakers(&rules, small());
    assert!(record(&breakers, 50, &decision(vec![hit("a", Outcome::Pass)]), true).is_empty());
    assert_eq!(record(&breakers, 50, &decision(vec![hit("a", Outcome::Replace)]), true).len(), 1);
}

#[test]
fn a_message_with_too_many_matches_counts_for_the_last_rule() {
    let rules = current(&[rule("a", "x"), rule("b", "y")].concat());
    let breakers = breakers(&rules, small());
    let mut suspicious = decision(vec![hit("a", Outcome::Reject), hit("b", Outcome::Shadow)]);
    suspicious.reason = Some(Reason::new(ReasonCode::Suspicious, "too many"));
    assert_eq!(
        record(&breakers, 50, &suspicious, false),
        ["rule `b`: it refused messages from 4 addresses among the last 4 messages"]
    );
}

#[test]
fn refusals_by_a_failed_plugin_do_not_count() {
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
fn messages_judged_by_an_earlier_version_of_a_rule_do_not_count() {
    let rules = current(&rule("a", "x"));
    let breakers = breakers(&rules, small());
    let before = refusal("a");
    rules.adopt(self::rules(&rule("a", "y")));
    assert!((0..50).all(|_| breakers.record(&before, &sender(false)).is_empty()));
    assert_eq!(record(&breakers, 50, &refusal("a"), false).len(), 1);
}

#[test]
fn a_breaker_stays_tripped_until_the_rule_is_changed() {
    let rules = current(&rule("a", "x"));
    let breakers = breakers(&rules, small());
    assert_eq!(record(&breakers, 5, &refusal("a"), false).len(), 1);
    // Something else has changed.
    rules.adopt(self::rules(&format!("# new\n{}{}", rule("b", "y"), rule("a", "x"))));
    assert_eq!((mode(&rules, "a"), mode(&rules, "b")), (Mode::Observe, Mode::Enforce));
    assert!(record(&breakers, 50, &refusal("a"), false).is_empty(), "it is reported once");
    rules.adopt(self::rules(&rule("a", "xx")));
    assert_eq!(mode(&rules, "a"), Mode::Enforce);
    // Earlier refusals do not count.
    assert!(record(&breakers, 3, &refusal("a"), false).is_empty());
    assert_eq!(record(&breakers, 1, &refusal("a"), false).len(), 1);
}

#[test]
fn a_rule_that_is_removed_and_added_again_is_new() {
    let rules = current(&rule("a", "x"));
    let breakers = breakers(&rules, small());
    assert_eq!(record(&breakers, 5, &refusal("a"), false).len(), 1);
    rules.adopt(self::rules(""));
    assert!(record(&breakers, 50, &refusal("a"), false).is_empty(), "it is gone");
    rules.adopt(self::rules(&rule("a", "x")));
    assert_eq!(mode(&rules, "a"), Mode::Enforce);
}

#[test]
fn rules_of_an_old_file_and_starter_rules_are_not_new() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules.toml");
    let read = |age: Duration| {
        std::fs::write(&path, rule("a", "x")).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
        let source = RulesSource { file: Some(path.clone()), context: RulesContext::default() };
        Arc::new(ActiveRules::new(source.clone(), source.load_stable().rules.unwrap(), Arc::default()))
    };
    let tripped = |age, id| record(&breakers(&read(age), small()), 50, &refusal(id), false).len();
    let day = Duration::from_hours(24);
    assert_eq!(tripped(Duration::from_mins(24 * 60 - 5), "a"), 1);
    assert_eq!(tripped(day + Duration::from_mins(5), "a"), 0);
    assert_eq!(tripped(Duration::ZERO, "flooding"), 0);
    let rules = read(2 * day);
    // The preset changes the mode of `raid`, but not of `flooding`.
    rules.set_preset(Preset::Strict).unwrap();
    assert_eq!(record(&breakers(&rules, small()), 50, &refusal("raid"), false).len(), 1);
    assert_eq!(record(&breakers(&rules, small()), 50, &refusal("flooding"), false).len(), 0);
    assert_eq!(record(&breakers(&rules, small()), 50, &refusal("a"), false).len(), 0);
}

#[test]
fn a_breaker_trips_once_across_threads() {
    let rules = current(&rule("a", "x"));
    let breakers = breakers(&rules, Config::default());
    let recorded = || (0..500).map(|_| breakers.record(&refusal("a"), &sender(false)).len()).sum::<usize>();
    let tripped: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(recorded)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(tripped, 1);
}

#[test]
fn counts_of_changed_and_removed_rules_are_pruned() {
    let rules = current(&[rule("a", "x"), rule("b", "y"), rule("c", "z")].concat());
    let breakers = breakers(&rules, small());
    for id in ["a", "b", "c"] {
        record(&breakers, 1, &refusal(id), false);
    }
    rules.adopt(self::rules(&[rule("a", "x"), rule("b", "other")].concat()));
    breakers.prune(Timestamp::now());
    assert_eq!(breakers.lock().keys().map(Actor::name).collect::<Vec<_>>(), ["a"]);
}

#[test]
fn disabled_breakers_never_trip() {
    let rules = current(&rule("a", "x"));
    let breakers = breakers(&rules, Config { enabled: false, ..small() });
    assert!(record(&breakers, 50, &refusal("a"), false).is_empty());
}

/// The matches of two rules on a message, and whether its sender is trusted.
type Event = ([Option<Match>; 2], bool);

fn event() -> impl Strategy<Value = Event> {
    let one = |id: &'static str| {
        let requested = prop::sample::select(vec![Outcome::Pass, Outcome::Replace, Outcome::Shadow, Outcome::Reject]);
        let matched =
            (requested, any::<bool>(), prop::bool::weighted(0.2)).prop_map(move |(requested, enforces, exempt)| {
                let mode = if enforces { Mode::Enforce } else { Mode::Observe };
                Match { mode, exempt, ..hit(id, requested) }
            });
        prop::option::weighted(0.5, matched)
    };
    ([one("a").boxed(), one("b").boxed()], prop::bool::weighted(0.3))
}

proptest! {
    /// Compares with a naive model that examines the whole history for each message.
    #[test]
    fn breakers_trip_when_a_naive_model_says_so(
        events in prop::collection::vec(event(), 0..120),
        messages in 1_u64..30,
        share in 1_u64..=100,
        trusted_hits in 1_usize..8,
    ) {
        let rules = current(&[rule("a", "x"), rule("b", "y")].concat());
        let breakers = breakers(&rules, Config { messages, share, trusted_hits, ..Config::default() });
        let mut tripped: HashMap<&str, usize> = HashMap::new();
        let mut expected: HashMap<&str, usize> = HashMap::new();
        let acts = |matched: &Match| matched.mode == Mode::Enforce && !matched.exempt;
        for (at, ([a, b], trusted)) in events.iter().enumerate() {
            let judged = decision([a, b].into_iter().flatten().cloned().collect());
            for TrippedBreaker { actor, .. } in breakers.record(&judged, &sender(*trusted)) {
                let id = if actor.name() == "a" { "a" } else { "b" };
                prop_assert_eq!(tripped.insert(id, at), None);
            }
            let first = (at + 1).saturating_sub(usize::try_from(messages).unwrap());
            let last = events.get(first..=at).unwrap();
            for (own, id) in ["a", "b"].into_iter().enumerate() {
                let refuses = |matched: &Match| acts(matched) && matched.requested.strength() >= Outcome::Shadow.strength();
                let refused = last.iter().filter(|(both, _)| {
                    let Some(mine) = both[own].as_ref().filter(|mine| refuses(mine)) else { return false };
                    let strength = |other: &Match| if acts(other) { other.requested.strength() } else { 0 };
                    let others = both[1 - own].as_ref().map_or(0, strength);
                    mine.requested.strength() > others || (own == 0 && mine.requested.strength() == others)
                });
                let hit_trusted = last.iter().filter(|(both, trusted)| {
                    let hits = |mine: &Match| mine.mode == Mode::Enforce && mine.requested != Outcome::Pass;
                    *trusted && both[own].as_ref().is_some_and(hits)
                });
                let refused = u64::try_from(refused.count()).unwrap();
                if refused * 100 > messages * share || hit_trusted.count() >= trusted_hits {
                    expected.entry(id).or_insert(at);
                }
            }
        }
        prop_assert_eq!(tripped, expected);
    }
}

/// Measures the cost per message. Run manually: `cargo test --release -- --ignored --nocapture breakers`.
#[test]
#[ignore = "a measurement"]
fn cost_per_message() {
    let rules = current(&rule("a", "x"));
    let breakers = breakers(&rules, Config { share: 100, messages: 100_000, ..Config::default() });
    let passed = decision(vec![Match { mode: Mode::Observe, ..hit("a", Outcome::Reject) }; 1]);
    let cases = [
        ("nothing matched", decision(Vec::new()), sender(false)),
        ("an observed match", passed.clone(), sender(false)),
        ("a trusted sender", passed, sender(true)),
        ("a refusal of a new rule", refusal("a"), sender(false)),
    ];
    for (what, decision, sender) in &cases {
        const TIMES: u32 = 90_000;
        let began = std::time::Instant::now();
        for _ in 0..TIMES {
            std::hint::black_box(breakers.record(std::hint::black_box(decision), sender));
        }
        println!("{what}: {:.1} ns", began.elapsed().as_secs_f64() * 1e9 / f64::from(TIMES));
    }
    let now = Timestamp::now();
    println!("measured at {now}");
}
