//! A brute-force oracle: keeps all events in a list and recalculates everything from it each time.

use super::*;

/// An operation.
#[derive(Clone, Debug)]
enum Event {
    Impose(PenaltyRequest),
    Lift(u64),
    Undo(Actor, i64),
    Prune,
}

/// An offence. `lifted` holds the first number assigned after it was lifted, and when.
#[derive(Clone, Debug)]
struct Done {
    id: u64,
    second: i64,
    request: PenaltyRequest,
    keys: Vec<String>,
    lifted: Option<(u64, i64)>,
}

/// A consequence: the kind, the end in seconds, the step; `None` if absorbed.
type Follows = Option<(SanctionKind, Option<i64>, Option<usize>)>;

const HOUR: i64 = 3_600;

/// Steps with their seconds, at an hour of decay.
const STEPS: [(SanctionKind, i64); 5] = [(Warn, 0), (Mute, 600), (Mute, 5_400), (Kick, 0), (Ban, 3 * HOUR)];

fn short_ladder() -> Ladder {
    let step = |(kind, seconds): (SanctionKind, i64)| LadderStep {
        kind,
        duration: (seconds > 0).then(|| Duration::from_secs(u64::try_from(seconds).unwrap())),
    };
    Ladder { steps: STEPS.map(step).into(), decay: Duration::from_hours(1) }
}

/// Returns the keys of a target. Two targets that share one are treated as the same.
fn keys(target: &Target) -> Vec<String> {
    match target {
        Target::Nickname(nickname) => nickname.skeletons().iter().map(str::to_owned).collect(),
        Target::Address(address) | Target::Sender { address, .. } | Target::Connection { address, .. } => {
            vec![format!("from {}", address.ip())]
        }
    }
}

fn alike(one: &[String], other: &[String]) -> bool {
    one.iter().any(|look| other.contains(look))
}

/// Returns the consequence of each offence, in order.
fn follow(list: &[Done]) -> Vec<Follows> {
    let mut all: Vec<Follows> = Vec::new();
    for done in list {
        let mut level = 0_i64;
        let mut previous = done.second;
        let mut absorbed = false;
        for (earlier, follows) in list.iter().zip(&all) {
            let lifted_before = earlier.lifted.is_some_and(|(id, _)| id <= done.id);
            if !alike(&earlier.keys, &done.keys) || lifted_before {
                continue;
            }
            let Some((kind, until, step)) = follows else { continue };
            if step.is_some() && earlier.request.room == done.request.room {
                for _ in 0..(earlier.second - previous) / HOUR {
                    level = (level - 1).max(0);
                }
                level = (level + 1).min(5);
                previous = earlier.second;
            }
            let running = matches!(kind, Mute | Ban) && until.is_none_or(|until| done.second < until);
            let there = earlier.request.room.is_none() || earlier.request.room == done.request.room;
            let enough = match done.request.penalty {
                Penalty::Ladder => step.is_some(),
                Penalty::Fixed(asked, _) => {
                    *kind >= asked && (step.is_some() || earlier.request.actor == done.request.actor)
                }
            };
            absorbed |= running && there && enough && !matches!(done.request.actor, Actor::Moderator(_));
        }
        for _ in 0..(done.second - previous) / HOUR {
            level = (level - 1).max(0);
        }
        let end = |kind: SanctionKind, seconds: Option<i64>| match kind {
            Warn | Kick => Some(done.second),
            Mute | Ban => seconds.map(|seconds| done.second + seconds),
        };
        all.push(match done.request.penalty {
            _ if absorbed => None,
            Penalty::Fixed(kind, lasts) => {
                let seconds = lasts.map(|lasts| i64::try_from(lasts.as_secs()).unwrap());
                Some((kind, end(kind, seconds), None))
            }
            Penalty::Ladder => {
                let step = usize::try_from(level.min(4)).unwrap();
                Some((STEPS[step].0, end(STEPS[step].0, Some(STEPS[step].1)), Some(step)))
            }
        });
    }
    all
}

/// The sanctions in force: number, kind, end, step.
type InForce = Vec<(u64, SanctionKind, Option<i64>, Option<usize>)>;

fn in_force(list: &[Done], now: i64) -> InForce {
    holding(list, &follow(list), now)
}

fn holding(list: &[Done], follows: &[Follows], now: i64) -> InForce {
    let holds = |(done, follows): (&Done, &Follows)| {
        let (kind, until, step) = (*follows)?;
        let holds = matches!(kind, Mute | Ban) && done.lifted.is_none() && until.is_none_or(|until| now < until);
        holds.then_some((done.id, kind, until, step))
    };
    list.iter().zip(follows).filter_map(holds).collect()
}

fn short(sanctions: &[Sanction]) -> InForce {
    let short = |sanction: &Sanction| {
        let until = sanction.until.map(jiff::Timestamp::as_second);
        (sanction.id, sanction.kind, until, sanction.step)
    };
    sanctions.iter().map(short).collect()
}

const NAMES: [&str; 6] = ["Ioki", "loki", "ioki", "Map", "rnap", "jane"];

fn verdict(list: &[Done], in_force: &InForce, room: &RoomName, keys: &[String]) -> Option<u64> {
    let concerns = |(id, ..): &&(u64, SanctionKind, Option<i64>, Option<usize>)| {
        let done = list.iter().find(|done| done.id == *id).unwrap();
        done.request.room.as_ref().is_none_or(|own| own == room) && alike(&done.keys, keys)
    };
    let mut found: Vec<_> = in_force.iter().filter(concerns).collect();
    found.sort_by_key(|(id, kind, until, _)| (*kind == Mute, -until.unwrap_or(i64::MAX), *id));
    found.first().map(|(id, ..)| *id)
}

fn check(events: Vec<(i64, Event)>) -> Result<(), TestCaseError> {
    let sanctions = Sanctions::new(short_ladder());
    let rooms = ["QGIS", "QField"].map(room);
    // All senders use the address that may be sanctioned.
    let names = NAMES.map(|name| (name, [keys(&named(name)), keys(&Target::Address(address(1)))].concat()));
    let (mut list, mut now, mut next, mut pruned) = (Vec::<Done>::new(), 0, 1, false);
    for (passed, event) in events {
        now += passed;
        match event {
            Event::Impose(request) => {
                let done = sanctions.impose(request.clone(), at(now)).unwrap();
                let keys = keys(&request.target);
                list.push(Done { id: next, second: now, request, keys, lifted: None });
                if let Some((kind, until, step)) = follow(&list).pop().unwrap() {
                    prop_assert_eq!(short(&[done]), vec![(next, kind, until, step)]);
                } else {
                    prop_assert!(done.id < next && done.is_in_force(at(now)), "the sanction in force is returned");
                }
                next += 1;
            }
            Event::Lift(id) => {
                let id = id % next;
                let holds = in_force(&list, now).iter().any(|(own, ..)| *own == id);
                let follows =
                    list.iter().position(|done| done.id == id).and_then(|at| follow(&list)[at].map(|f| (at, f)));
                let step = follows.is_some_and(|(at, (_, _, step))| step.is_some() && list[at].lifted.is_none());
                let lifted = sanctions.lift(id, at(now)).is_some();
                let right = if lifted { holds || step } else { !holds && (pruned || !step) };
                prop_assert!(right, "{}: lifted {}", id, lifted);
                if lifted && let Some((at, _)) = follows {
                    list[at].lifted = Some((next, now));
                }
            }
            Event::Undo(actor, back) => {
                let before = in_force(&list, now);
                list.retain(|done| done.request.actor != actor || done.second < now - back);
                let after = in_force(&list, now);
                let undone = sanctions.undo(&actor, at(now - back), at(now));
                let lifted: InForce =
                    before.iter().filter(|(id, ..)| !after.iter().any(|(own, ..)| own == id)).copied().collect();
                let changed: InForce = after.iter().filter(|one| !before.contains(one)).copied().collect();
                prop_assert_eq!(short(&undone.lifted), lifted);
                prop_assert_eq!(short(&undone.changed), changed);
            }
            Event::Prune => {
                sanctions.prune(at(now));
                pruned = true;
            }
        }
        let follows = follow(&list);
        for later in [0, 599, 600, HOUR] {
            prop_assert_eq!(short(&sanctions.in_force(at(now + later))), holding(&list, &follows, now + later));
        }
        let in_force = holding(&list, &follows, now);
        for (name, keys) in &names {
            for room in &rooms {
                let found = sanctions.strongest(room, name, address(1), at(now)).map(|sanction| sanction.id);
                prop_assert_eq!(found, verdict(&list, &in_force, room, keys), "{} in {}", name, room);
            }
        }
    }
    Ok(())
}

fn any_request() -> impl Strategy<Value = PenaltyRequest> {
    let penalty = prop_oneof![
        6 => Just(Penalty::Ladder),
        1 => (proptest::sample::select(SanctionKind::ALL.to_vec()), proptest::option::of(1_u64..9_000)).prop_map(
            |(kind, seconds)| Penalty::Fixed(kind, seconds.map(Duration::from_secs).filter(|_| kind.has_duration()))
        ),
    ];
    let target = prop_oneof![
        6 => proptest::sample::select(NAMES.to_vec()).prop_map(named),
        1 => Just(Target::Address(address(1))),
    ];
    let room = prop_oneof![5 => Just(Some("QGIS")), 1 => Just(Some("QField")), 1 => Just(None)];
    (penalty, target, room, any_actor()).prop_map(|(penalty, target, room, actor)| PenaltyRequest {
        penalty,
        target,
        room: room.map(crate::fixtures::room),
        reason: None,
        actor,
    })
}

fn any_actor() -> impl Strategy<Value = Actor> {
    proptest::sample::select(vec![rule("a"), rule("b"), plugin("a"), jane(), Actor::Relay])
}

fn any_events() -> impl Strategy<Value = Vec<(i64, Event)>> {
    let event = prop_oneof![
        12 => any_request().prop_map(Event::Impose),
        2 => any::<u64>().prop_map(Event::Lift),
        1 => (any_actor(), 0_i64..20_000).prop_map(|(actor, back)| Event::Undo(actor, back)),
        1 => Just(Event::Prune),
    ];
    let passed = prop_oneof![2 => Just(0), 6 => 0_i64..900, 2 => 3_000_i64..4_200, 1 => 0_i64..30_000];
    proptest::collection::vec((passed, event), 1..45)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Ladder, decay, expiry, lifting, undo and pruning give the same result as recalculating from all events, and an
    /// undo the same as if the undone events had never happened.
    #[test]
    fn sanctions_match_the_oracle(events in any_events()) {
        check(events)?;
    }
}
