//! Sanctions of rules and plugins on senders: a nickname together with an address, or a connection.

use super::*;
use crate::model::{ConnectionId, Sender, SenderContext};

fn sender(host: u8, connection: Option<u64>) -> Sender {
    Sender {
        connection: connection.map(ConnectionId),
        address: address(host),
        room: room("QGIS"),
        context: SenderContext::default(),
    }
}

fn on(name: &str, host: u8, penalty: Penalty) -> PenaltyRequest {
    let target = Target::Sender { nickname: nickname(name), address: address(host) };
    PenaltyRequest { target, ..request(name, penalty, rule("spam")) }
}

const HOUR_OF_MUTE: Penalty = Penalty::Fixed(Mute, Some(Duration::from_hours(1)));

/// Imposes what a rule requests against a message of this sender.
fn offend(sanctions: &Sanctions, name: &str, from: &Sender, penalty: Penalty, second: i64) -> Sanction {
    let host = (1..=9).find(|host| address(*host) == from.address).unwrap();
    sanctions.impose_on_sender(on(name, host, penalty), from, at(second)).unwrap()
}

#[test]
fn a_sanction_of_a_rule_applies_to_the_nickname_at_its_address_only() {
    let sanctions = sanctions();
    offend(&sanctions, "jane", &sender(1, Some(5)), HOUR_OF_MUTE, 0);
    let is_muted = |name: &str, host| sanctions.strongest(&room("QGIS"), name, address(host), at(1)).is_some();
    assert!(is_muted("jane", 1) && is_muted("Jane", 1), "the offender and look-alikes");
    assert!(!is_muted("jane", 2), "somebody else with this nickname");
    assert!(!is_muted("hans", 1), "somebody else at this address");
}

#[test]
fn the_ladder_counts_the_offences_of_an_address_under_all_nicknames() {
    let sanctions = sanctions();
    let step = |name: &str, host| offend(&sanctions, name, &sender(host, None), Penalty::Ladder, 0).step;
    assert_eq!([step("jane", 1), step("hans", 1), step("jane", 2)], [Some(0), Some(1), Some(0)]);
}

#[test]
fn a_mute_under_one_nickname_absorbs_no_offence_under_another() {
    let sanctions = sanctions();
    let from = sender(1, Some(5));
    let ladder = |name: &str| offend(&sanctions, name, &from, Penalty::Ladder, 0);
    ladder("jane");
    let mute = ladder("jane");
    assert_eq!(ladder("jane"), mute, "a message on its way");
    assert_ne!(ladder("hans").id, mute.id);
}

#[test]
fn the_third_nickname_within_ten_minutes_leads_to_a_sanction_on_the_connection() {
    for (second, widens) in [(600, true), (601, false)] {
        let sanctions = sanctions();
        let (own, other) = (sender(1, Some(5)), sender(1, Some(6)));
        offend(&sanctions, "anna", &own, HOUR_OF_MUTE, 0);
        offend(&sanctions, "Anna", &own, HOUR_OF_MUTE, 1);
        offend(&sanctions, "bert", &own, HOUR_OF_MUTE, 2);
        let third = offend(&sanctions, "carl", &own, HOUR_OF_MUTE, second);
        let target = Target::Connection { id: own.connection, address: own.address };
        assert_eq!(third.target == target, widens, "after {second} s");
        let refused = |from: &Sender| sanctions.strongest(&room("QGIS"), "dora", from, at(second)).is_some();
        assert_eq!((refused(&own), refused(&other), refused(&sender(1, None))), (widens, false, false));
    }
}

#[test]
fn a_third_nickname_over_http_leads_to_a_sanction_on_the_requests_of_the_address() {
    let sanctions = sanctions();
    let put = sender(1, None);
    for name in ["anna", "bert", "carl"] {
        offend(&sanctions, name, &put, HOUR_OF_MUTE, 0);
    }
    let refused = |from: &Sender| sanctions.strongest(&room("QGIS"), "dora", from, at(1)).is_some();
    assert_eq!([put, sender(2, None), sender(1, Some(5))].map(|from| refused(&from)), [true, false, false]);
}

#[test]
fn the_next_offender_at_an_address_is_muted_however_many_were_before() {
    let sanctions = sanctions();
    let ban = PenaltyRequest { target: Target::Address(address(1)), room: Some(room("Maps")), ..mute("x", None) };
    let ban = sanctions.impose(ban, at(0)).unwrap();
    for n in 0..200 {
        // No third nickname within ten minutes.
        let (name, second) = (format!("name{n}"), n * 600);
        let lasting = Penalty::Fixed(Mute, None);
        let mute = offend(&sanctions, &name, &sender(1, Some(5)), lasting, second);
        let found = sanctions.strongest(&room("QGIS"), &name, &sender(1, Some(5)), at(second));
        assert_eq!(found.map(|found| found.id), Some(mute.id), "{name}");
    }
    assert!(sanctions.len() <= 64 && sanctions.get(ban.id).is_some());
}
