//! Sanctions, with explicit times: no test sleeps.

mod oracle;
mod senders;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::fixtures::{self, address, at, jane, mute, named, nickname, plugin, request, room, rule};
use crate::model::SanctionKind;

fn ladder(name: &str) -> PenaltyRequest {
    request(name, Penalty::Ladder, rule("spam"))
}

fn sanctions() -> Sanctions {
    Sanctions::new(Ladder::default())
}

fn kinds(sanctions: &[Sanction]) -> Vec<SanctionKind> {
    sanctions.iter().map(|sanction| sanction.kind).collect()
}

use SanctionKind::{Ban, Kick, Mute, Warn};

#[test]
fn each_further_offence_takes_the_next_step_and_the_last_one_stays() {
    let sanctions = sanctions();
    let mut now = 0;
    let mut taken = Vec::new();
    for _ in 0..7 {
        let sanction = sanctions.impose(ladder("hans"), at(now)).unwrap();
        let lasts = sanction.until.map(|until| until.duration_since(sanction.at).as_secs());
        taken.push((sanction.kind, lasts.unwrap(), sanction.step.unwrap()));
        now += lasts.unwrap().max(1);
    }
    let ban = (Ban, 86_400, 4);
    // A day has passed at each end of the ban: one step is taken back, and taken again.
    assert_eq!(taken, [(Warn, 0, 0), (Mute, 60, 1), (Mute, 600, 2), (Kick, 0, 3), ban, ban, ban]);
}

#[test]
fn a_day_without_an_offence_takes_one_step_back() {
    let sanctions = sanctions();
    for second in [0, 1, 100] {
        sanctions.impose(ladder("hans"), at(second)).unwrap();
    }
    let later = |seconds: i64| sanctions.preview(&ladder("hans"), at(100 + seconds)).unwrap().step;
    assert_eq!([86_399, 86_400, 2 * 86_400, 3 * 86_400, 99 * 86_400].map(later), [3, 2, 1, 0, 0].map(Some));
}

#[test]
fn each_room_has_its_own_ladder_and_so_have_sanctions_for_all_rooms() {
    let sanctions = sanctions();
    let step = |room: Option<&str>| {
        let request = PenaltyRequest { room: room.map(fixtures::room), actor: jane(), ..ladder("hans") };
        sanctions.impose(request, at(0)).unwrap().step.unwrap()
    };
    assert_eq!([step(Some("a")), step(Some("a")), step(Some("b")), step(None)], [0, 1, 0, 0]);
}

#[test]
fn a_sanction_ends_exactly_at_its_time() {
    let sanctions = sanctions();
    let id = sanctions.impose(mute("hans", Some(60)), at(0)).unwrap().id;
    let verdict = |now| sanctions.strongest(&room("QGIS"), "hans", address(1), now).map(|sanction| sanction.id);
    let nanosecond = Duration::from_nanos(1);
    assert_eq!(verdict(at(0)), Some(id));
    assert_eq!(verdict(at(60) - nanosecond), Some(id));
    assert_eq!(verdict(at(60)), None);
}

#[test]
fn a_warning_or_kick_does_not_block_messages() {
    let sanctions = sanctions();
    for kind in [Warn, Kick] {
        let done = sanctions.impose(request("hans", Penalty::Fixed(kind, None), jane()), at(0)).unwrap();
        assert_eq!((done.kind, done.until), (kind, Some(at(0))));
    }
    assert_eq!(sanctions.strongest(&room("QGIS"), "hans", address(1), at(0)), None);
    assert!(sanctions.in_force(at(0)).is_empty());
}

#[test]
fn a_sanction_applies_to_look_alikes_in_its_room_only() {
    let sanctions = sanctions();
    sanctions.impose(mute("Loki", None), at(0)).unwrap();
    let muted = |room: &str, name: &str| sanctions.strongest(&fixtures::room(room), name, address(1), at(1)).is_some();
    for name in ["Loki", "loki", "LOKI", "l0ki", "Ioki"] {
        assert!(muted("QGIS", name) && !muted("QField", name), "{name}");
    }
    for name in ["Lokia", "oki", "", "not a nickname", &"x".repeat(1_000)] {
        assert!(!muted("QGIS", name), "{name}");
    }
    sanctions.impose(PenaltyRequest { room: None, ..mute("ann", None) }, at(0)).unwrap();
    assert!(muted("QGIS", "ANN") && muted("QField", "Ann"));
}

#[test]
fn a_sanction_on_an_address_applies_under_any_nickname() {
    let sanctions = sanctions();
    let ban = Penalty::Fixed(Ban, Some(Duration::from_mins(1)));
    let id = sanctions
        .impose(PenaltyRequest { target: Target::Address(address(1)), ..request("x", ban, jane()) }, at(0))
        .unwrap()
        .id;
    let banned =
        |host, room: &str, now| sanctions.address_ban(&fixtures::room(room), address(host), at(now)).map(|ban| ban.id);
    assert_eq!(
        [banned(1, "QGIS", 59), banned(1, "QGIS", 60), banned(2, "QGIS", 0), banned(1, "QField", 0)],
        [Some(id), None, None, None]
    );
    assert_eq!(sanctions.strongest(&room("QGIS"), "no nickname", address(1), at(0)).map(|ban| ban.id), Some(id));
}

#[test]
fn only_bans_of_addresses_refuse_a_handshake() {
    let sanctions = sanctions();
    let mute = PenaltyRequest { target: Target::Address(address(1)), ..mute("x", None) };
    sanctions.impose(mute, at(0)).unwrap();
    sanctions.impose(request("hans", Penalty::Fixed(Ban, None), jane()), at(0)).unwrap();
    assert_eq!(sanctions.address_ban(&room("QGIS"), address(1), at(0)), None);
}

#[test]
fn a_ban_is_stronger_than_a_mute_and_a_later_end_is_stronger() {
    let sanctions = sanctions();
    let verdict = || sanctions.strongest(&room("QGIS"), "hans", address(1), at(1)).map(|sanction| sanction.id);
    let ban = |seconds| request("hans", Penalty::Fixed(Ban, Some(Duration::from_secs(seconds))), jane());
    sanctions.impose(mute("hans", Some(60)), at(0)).unwrap();
    for (id, request, strongest) in [(2, mute("hans", None), 2), (3, ban(10), 3), (4, ban(20), 4), (5, ban(20), 4)] {
        assert_eq!((sanctions.impose(request, at(0)).unwrap().id, verdict()), (id, Some(strongest)));
    }
}

#[test]
fn messages_judged_before_a_mute_do_not_climb_the_ladder_during_it() {
    let sanctions = sanctions();
    sanctions.impose(ladder("hans"), at(0)).unwrap();
    let mute = sanctions.impose(ladder("hans"), at(1)).unwrap();
    for second in 2..40 {
        assert_eq!(sanctions.impose(ladder("Hans"), at(second)), Ok(mute.clone()));
        let plugin = request("HANS", Penalty::Ladder, plugin("calm"));
        assert_eq!(sanctions.impose(plugin, at(second)), Ok(mute.clone()));
    }
    assert_eq!(sanctions.impose(ladder("hans"), at(61)).unwrap().step, Some(2));
}

#[test]
fn a_request_of_a_moderator_counts_even_during_a_mute() {
    let sanctions = sanctions();
    let by_jane = || request("hans", Penalty::Ladder, jane());
    let steps = [0, 1, 2, 3].map(|second| sanctions.impose(by_jane(), at(second)).unwrap().step);
    assert_eq!(steps, [0, 1, 2, 3].map(Some));
}

#[test]
fn a_rule_imposes_the_same_mute_once_and_a_stronger_penalty_again() {
    let sanctions = sanctions();
    let asks = |kind, actor| request("hans", Penalty::Fixed(kind, Some(Duration::from_secs(100))), actor);
    let mut ids = Vec::new();
    for (second, request) in [
        asks(Mute, rule("a")),
        asks(Mute, rule("a")),
        asks(Mute, rule("b")),
        asks(Ban, rule("a")),
        asks(Mute, rule("a")),
        asks(Kick, rule("a")),
        asks(Kick, rule("c")),
        asks(Mute, jane()),
    ]
    .into_iter()
    .enumerate()
    {
        ids.push(sanctions.impose(request, at(i64::try_from(second).unwrap())).unwrap().id);
    }
    assert_eq!(ids, [1, 1, 3, 4, 1, 4, 7, 8]);
}

#[test]
fn a_lifted_sanction_has_ended_and_is_not_a_ladder_step() {
    let sanctions = sanctions();
    sanctions.impose(ladder("hans"), at(0)).unwrap();
    let mute = sanctions.impose(ladder("hans"), at(1)).unwrap();
    assert_eq!(sanctions.lift(mute.id, at(2)), Some(mute.clone()));
    assert_eq!(sanctions.lift(mute.id, at(2)), None);
    assert_eq!(sanctions.strongest(&room("QGIS"), "hans", address(1), at(2)), None);
    assert_eq!(sanctions.get(mute.id), Some(Sanction { until: Some(at(2)), ..mute }));
    let next = sanctions.impose(ladder("hans"), at(3)).unwrap();
    assert_eq!((next.kind, next.step), (Mute, Some(1)));
    assert_eq!(sanctions.lift(99, at(3)), None);
}

#[test]
fn an_ended_sanction_can_be_lifted_only_if_it_is_a_ladder_step() {
    let sanctions = sanctions();
    let warning = sanctions.impose(ladder("hans"), at(0)).unwrap();
    let mute = sanctions.impose(mute("hans", Some(5)), at(0)).unwrap();
    assert!(sanctions.lift(mute.id, at(5)).is_none());
    assert!(sanctions.lift(warning.id, at(5)).is_some());
    assert_eq!(sanctions.impose(ladder("hans"), at(6)).unwrap().step, Some(0));
}

#[test]
fn an_undo_recalculates_sanctions_of_others_as_if_the_rule_had_never_existed() {
    let sanctions = sanctions();
    let by = |actor: &Actor| request("hans", Penalty::Ladder, actor.clone());
    let (bad, good) = (rule("bad"), rule("good"));
    let mut imposed = Vec::new();
    for (second, actor) in [(0, &bad), (1, &good), (100, &bad), (800, &good), (801, &bad)] {
        imposed.push(sanctions.impose(by(actor), at(second)).unwrap());
    }
    assert_eq!(kinds(&imposed), [Warn, Mute, Mute, Kick, Ban]);
    let undone = sanctions.undo(&bad, at(0), at(802));
    assert_eq!(undone.lifted, [imposed[4].clone()]);
    assert_eq!((kinds(&undone.changed), undone.changed[0].id, undone.changed[0].until), (vec![Mute], 4, Some(at(860))));
    assert_eq!(sanctions.in_force(at(802)), undone.changed);
    assert_eq!(sanctions.len(), 2);
    assert_eq!(sanctions.undo(&bad, at(0), at(803)), UndoResult::default());
}

#[test]
fn an_undo_goes_back_to_its_time_and_no_further() {
    let sanctions = sanctions();
    for second in 0..4 {
        let request = PenaltyRequest { actor: rule("bad"), ..mute(&format!("name{second}"), None) };
        sanctions.impose(request, at(second)).unwrap();
    }
    let undone = sanctions.undo(&rule("bad"), at(2), at(5));
    assert_eq!(undone.lifted.iter().map(|sanction| sanction.id).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(sanctions.undo(&plugin("bad"), at(0), at(5)), UndoResult::default());
}

#[test]
fn many_small_offences_do_not_push_out_ladder_steps_or_sanctions_in_force() {
    let sanctions = sanctions();
    sanctions.impose(PenaltyRequest { target: named("hans"), ..ladder("hans") }, at(0)).unwrap();
    let forever = sanctions.impose(mute("hans", None), at(0)).unwrap().id;
    for second in 1..500 {
        let warn = request(if second % 2 == 0 { "Hans" } else { "hanS" }, Penalty::Fixed(Warn, None), rule("small"));
        sanctions.impose(warn, at(second)).unwrap();
    }
    assert!(sanctions.len() <= 64);
    assert_eq!(sanctions.strongest(&room("QGIS"), "hans", address(1), at(500)).map(|mute| mute.id), Some(forever));
    assert_eq!(sanctions.impose(ladder("hans"), at(500)).unwrap().step, Some(1));
}

#[test]
fn the_limit_of_a_target_reserves_room_for_moderators() {
    let sanctions = sanctions();
    let imposed = |actor: Actor| sanctions.impose(PenaltyRequest { actor, ..mute("hans", None) }, at(0)).map(drop);
    for n in 0..48 {
        assert_eq!(imposed(rule(&n.to_string())), Ok(()));
    }
    assert_eq!(imposed(rule("one more")), Err(InsertError::TargetFull { limit: 48 }));
    assert_eq!(imposed(rule("7")), Ok(()), "an absorbed request needs no room");
    for _ in 48..64 {
        assert_eq!(imposed(jane()), Ok(()));
    }
    assert_eq!(imposed(jane()), Err(InsertError::TargetFull { limit: 64 }));
    assert!(sanctions.lift(20, at(0)).is_some());
    assert_eq!(imposed(jane()), Ok(()));
}

/// Mutes an address for so many seconds.
fn mute_address(sanctions: &Sanctions, ip: IpAddr, actor: Actor, seconds: u64, now: i64) -> Result<u64, InsertError> {
    let request = PenaltyRequest { target: Target::Address(ip.into()), actor, ..mute("x", Some(seconds)) };
    sanctions.impose(request, at(now)).map(|sanction| sanction.id)
}

fn ipv4(n: u32) -> IpAddr {
    IpAddr::from(n.to_be_bytes())
}

/// An address of another /64 of the same /48.
fn ipv6(n: u32) -> IpAddr {
    IpAddr::from([0x2001, 0xdb8, 1, u16::try_from(n).unwrap(), 0, 0, 0, 1])
}

#[test]
fn a_hundred_thousand_offences_are_kept_and_ended_ones_are_dropped_first() {
    let sanctions = sanctions();
    for n in 0..90_000 {
        mute_address(&sanctions, ipv4(n), rule("many"), if n < 10 { 5 } else { 50 }, 0).unwrap();
    }
    mute_address(&sanctions, ipv4(90_000), rule("many"), 50, 5).unwrap();
    assert_eq!((sanctions.len(), sanctions.get(10), sanctions.get(11).is_some()), (89_991, None, true));
}

#[test]
fn offences_of_moderators_are_not_dropped_while_they_are_in_force() {
    let sanctions = sanctions();
    for n in 0..100_000 {
        mute_address(&sanctions, ipv4(n), jane(), 50, 0).unwrap();
    }
    let add = |actor| mute_address(&sanctions, ipv4(100_000), actor, 50, 0);
    assert_eq!(add(rule("many")), Err(InsertError::OffencesFull { limit: 90_000 }));
    assert_eq!(add(jane()), Err(InsertError::OffencesFull { limit: 100_000 }));
    assert!(mute_address(&sanctions, ipv4(100_000), jane(), 50, 50).is_ok(), "they have ended");
}

#[test]
fn in_a_full_ledger_the_oldest_offences_of_the_greediest_source_give_way() {
    let sanctions = sanctions();
    let add = |ip| mute_address(&sanctions, ip, rule("many"), 50, 0).unwrap();
    let others: Vec<u64> = (0..30_000).map(|n| add(ipv4(n))).collect();
    let of_one_network: Vec<u64> = (0..60_000).map(|n| add(ipv6(n))).collect();
    let last = add(ipv4(30_000));
    assert!(others.iter().all(|id| sanctions.get(*id).is_some()) && sanctions.get(last).is_some());
    let kept = |range: std::ops::Range<usize>| of_one_network[range].iter().filter(|id| sanctions.get(**id).is_some());
    assert_eq!((kept(0..1_000).count(), kept(1_000..60_000).count()), (0, 59_000));
}

#[test]
fn offences_that_can_no_longer_matter_are_pruned() {
    let sanctions = sanctions();
    let day = 86_400;
    sanctions.impose(mute("eve", Some(60)), at(0)).unwrap();
    sanctions.impose(mute("mallory", None), at(0)).unwrap();
    sanctions.impose(ladder("hans"), at(0)).unwrap();
    sanctions.prune(at(59));
    assert_eq!(sanctions.len(), 3);
    sanctions.prune(at(60));
    assert_eq!((sanctions.get(1), sanctions.len()), (None, 2));
    sanctions.prune(at(5 * day - 1));
    assert_eq!(sanctions.len(), 2);
    sanctions.prune(at(5 * day));
    assert_eq!((sanctions.get(3), sanctions.len()), (None, 1));
    assert_eq!(sanctions.impose(mute("x", None), at(5 * day)).unwrap().id, 4, "numbers are not reused");
}

#[test]
fn a_restored_sanction_is_unchanged() {
    let (one, other) = (sanctions(), sanctions());
    one.impose(ladder("hans"), at(0)).unwrap();
    one.impose(ladder("hans"), at(1)).unwrap();
    one.impose(mute("eve", None), at(2)).unwrap();
    one.in_force(at(2)).into_iter().for_each(|sanction| other.restore(sanction));
    assert_eq!(other.in_force(at(2)), one.in_force(at(2)));
    let next = |sanctions: &Sanctions| sanctions.impose(ladder("kim"), at(3)).unwrap().id;
    assert_eq!(next(&other), next(&one));
}

#[test]
fn a_long_reason_is_truncated_and_each_kind_has_a_default() {
    let sanctions = sanctions();
    let long = PenaltyRequest { reason: Some("é".repeat(800).into()), ..mute("hans", None) };
    assert_eq!(sanctions.impose(long, at(0)).unwrap().reason.len(), 1_000);
    let odd = PenaltyRequest { reason: Some(format!("x{}", "é".repeat(800)).into()), ..mute("hans", None) };
    assert_eq!(sanctions.impose(odd, at(0)).unwrap().reason.len(), 999);
    for kind in SanctionKind::ALL {
        assert!(
            !sanctions.impose(request("eve", Penalty::Fixed(kind, None), jane()), at(0)).unwrap().reason.is_empty()
        );
    }
}

#[test]
fn concurrent_threads_never_assign_a_number_twice() {
    let sanctions = Arc::new(sanctions());
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let sanctions = Arc::clone(&sanctions);
            std::thread::spawn(move || {
                let id = |n: u32| sanctions.impose(mute(&format!("name{thread}x{n}"), None), at(0)).unwrap().id;
                (0..500).map(id).collect::<Vec<u64>>()
            })
        })
        .collect();
    let mut ids: Vec<u64> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=2_000).collect::<Vec<_>>());
}

/// Nicknames with confusable letters.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[IilLoO0mMrnN1]{1,4}", "[A-Za-z0-9_-]{1,12}"]
}

proptest! {
    #[test]
    fn a_sanction_applies_exactly_to_nicknames_that_share_a_skeleton(one in name(), other in name()) {
        let sanctions = sanctions();
        sanctions.impose(mute(&one, None), at(0)).unwrap();
        let skeletons = |name: &str| nickname(name).skeletons();
        let alike = skeletons(&one).iter().any(|look| skeletons(&other).iter().any(|own| own == look));
        let found = sanctions.strongest(&room("QGIS"), &other, address(1), at(0)).is_some();
        prop_assert_eq!(found, alike);
        prop_assert!(sanctions.strongest(&room("QGIS"), &one, address(1), at(0)).is_some());
        let family = |name: &str| offence::family_key(&nickname(name));
        prop_assert!(!alike || family(&one) == family(&other), "look-alikes have the same family key");
    }
}
