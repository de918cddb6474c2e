//! Positions and extents.

use super::*;

const WGS84: &str = "EPSG:4326";

/// A filter that refuses what lies on this side of a box around Fiji, which extends across the antimeridian.
fn fiji(side: &str) -> Harness<Geofence> {
    Harness::new(json!({ "side": side, "areas": [{ "name": "Fiji", "box": [177, -19, -178, -16] }] }))
}

#[test]
fn a_position_within_an_area_is_refused_and_another_passes() {
    let verdict = check(&mut square("within"), "position", WGS84, r#""x":5,"y":9.5"#);
    let refusal = Verdict::reject("Places in this area are not shared here.").label("geofence").label("square");
    assert_eq!(verdict, refusal);
    assert_eq!(position(&mut square("within"), WGS84, 5.0, 10.5), Action::Pass);
}

#[test]
fn a_position_outside_is_refused_and_another_passes() {
    let verdict = check(&mut square("outside"), "position", WGS84, r#""x":5,"y":10.5"#);
    assert_eq!(verdict, Verdict::reject("Only places in the area of this room are shared here.").label("geofence"));
    assert_eq!(position(&mut square("outside"), WGS84, 5.0, 9.5), Action::Pass);
}

#[test]
fn the_border_belongs_to_the_area() {
    for (x, y) in [(0.0, 0.0), (10.0, 5.0), (5.0, 10.0), (10.0 + 1e-10, 5.0)] {
        assert_eq!(position(&mut square("within"), WGS84, x, y), Action::Reject, "{x} {y}");
        assert_eq!(position(&mut square("outside"), WGS84, x, y), Action::Pass, "{x} {y}");
    }
    assert_eq!(position(&mut square("within"), WGS84, 10.0 + 1e-8, 5.0), Action::Pass);
}

#[test]
fn a_longitude_may_be_on_another_turn_of_the_earth() {
    for lon in [-355.0, 5.0, 365.0] {
        assert_eq!(position(&mut square("within"), WGS84, lon, 5.0), Action::Reject, "{lon}");
        assert_eq!(position(&mut square("outside"), WGS84, lon, 5.0), Action::Pass, "{lon}");
    }
    for lon in [177.0, 180.0, -180.0, -178.0, 182.0, -183.0] {
        assert_eq!(position(&mut fiji("within"), WGS84, lon, -17.0), Action::Reject, "{lon}");
    }
    assert_eq!(position(&mut fiji("within"), WGS84, 176.0, -17.0), Action::Pass);
}

#[test]
fn a_position_that_is_not_on_earth_is_held() {
    for (x, y) in [(5.0, 90.1), (541.0, 5.0), (652_469.0, 6_862_035.0)] {
        let verdict = check(&mut square("within"), "position", WGS84, &format!(r#""x":{x},"y":{y}"#));
        let reason = "Some coordinates are not on Earth, so the place cannot be checked.";
        assert_eq!(verdict, Verdict::hold().reason(reason).label("geofence-unchecked"));
    }
}

#[test]
fn a_part_of_an_extent_is_enough() {
    for (bounds, within, outside) in [
        ([2.0, 2.0, 3.0, 3.0], true, false),
        ([0.0, 0.0, 10.0, 10.0], true, false),
        ([9.0, 9.0, 11.0, 11.0], true, true),
        ([-5.0, 4.0, 15.0, 5.0], true, true),
        ([-5.0, -5.0, 15.0, 15.0], true, true),
        ([11.0, 0.0, 12.0, 10.0], false, true),
        ([5.0, 5.0, 5.0, 5.0], true, false),
        ([10.0, 5.0, 11.0, 5.0], true, true),
    ] {
        for (side, refused) in [("within", within), ("outside", outside)] {
            let expected = if refused { Action::Reject } else { Action::Pass };
            assert_eq!(extent(&mut square(side), WGS84, bounds), expected, "{side} {bounds:?}");
        }
    }
}

#[test]
fn the_bounds_of_an_extent_may_be_in_any_order() {
    assert_eq!(extent(&mut square("outside"), WGS84, [2.0, 3.0, 3.0, 2.0]), Action::Pass);
    for [xmin, ymin, xmax, ymax] in [[2.0, 3.0, 3.0, 2.0], [3.0, 2.0, 2.0, 3.0], [3.0, 3.0, 2.0, 2.0]] {
        let bounds = [xmin, ymin, xmax, ymax].map(|degrees| degrees * 111_319.49);
        assert_eq!(extent(&mut square("outside"), "EPSG:3857", bounds), Action::Pass, "{bounds:?}");
    }
}

#[test]
fn an_extent_with_xmin_above_xmax_goes_across_the_antimeridian() {
    assert_eq!(extent(&mut fiji("outside"), WGS84, [178.0, -18.0, -179.0, -17.0]), Action::Pass);
    assert_eq!(extent(&mut fiji("outside"), WGS84, [178.0, -18.0, 181.0, -17.0]), Action::Pass);
    assert_eq!(extent(&mut fiji("outside"), WGS84, [178.0, -18.0, -170.0, -17.0]), Action::Reject);
    assert_eq!(extent(&mut fiji("within"), WGS84, [170.0, -18.0, -170.0, -17.0]), Action::Reject);
    assert_eq!(extent(&mut fiji("within"), WGS84, [-170.0, -18.0, 170.0, -17.0]), Action::Pass);
    assert_eq!(extent(&mut square("within"), WGS84, [170.0, 0.0, -170.0, 10.0]), Action::Pass);
    assert_eq!(extent(&mut square("within"), WGS84, [4.0, 0.0, 2.0, 10.0]), Action::Reject);
}

#[test]
fn an_extent_may_go_beyond_the_poles_and_around_the_earth() {
    assert_eq!(extent(&mut square("within"), WGS84, [-250.0, -120.0, 250.0, 120.0]), Action::Reject);
    assert_eq!(extent(&mut fiji("within"), WGS84, [-1e6, -100.0, 1e6, 0.0]), Action::Reject);
    assert_eq!(extent(&mut square("within"), WGS84, [1_081.0, 1.0, 1_082.0, 2.0]), Action::Reject);
    assert_eq!(extent(&mut square("within"), "EPSG:3857", [-5e8, -5e8, 5e8, 5e8]), Action::Reject);
    assert_eq!(extent(&mut square("within"), WGS84, [0.0, 95.0, 1.0, 120.0]), Action::Hold);
}

#[test]
fn the_whole_earth_is_an_area_without_an_edge() {
    let mut earth = Harness::<Geofence>::new(
        json!({ "side": "outside", "areas": [{ "name": "Earth", "box": [-180, -90, 180, 90] }] }),
    );
    for bounds in [[170.0, -90.0, 190.0, 90.0], [170.0, 0.0, -170.0, 1.0], [-180.0, -90.0, 180.0, 90.0]] {
        assert_eq!(extent(&mut earth, WGS84, bounds), Action::Pass, "{bounds:?}");
    }
    assert_eq!(geometry(&mut earth, WGS84, "LineString", "[[-185,0],[185,1]]"), Action::Pass);
}
