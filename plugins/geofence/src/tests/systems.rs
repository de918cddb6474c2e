//! Coordinate systems.

use super::*;
use crate::system::System;
use crate::unchecked::Unchecked;

#[test]
fn a_system_is_named_by_an_identifier() {
    for (authid, system) in [
        ("EPSG:4326", Some(System::Degrees)),
        ("epsg : 4326 ", Some(System::Degrees)),
        ("OGC:CRS84", Some(System::Degrees)),
        ("EPSG:3857", Some(System::WebMercator)),
        ("EPSG:900913", Some(System::WebMercator)),
        ("EPSG:2154", None),
        ("USER:100000", None),
        ("4326", None),
        ("", None),
        (" ", None),
        ("é", None),
    ] {
        assert_eq!(System::resolve(authid, "").ok(), system, "{authid}");
        assert_eq!(System::resolve(authid, "TODO").ok(), system, "{authid}");
    }
}

#[test]
fn a_system_is_named_by_the_identifier_of_its_definition() {
    let wkt1 = r#"GEOGCS["WGS ""84",DATUM["[",SPHEROID["a",1,2],AUTHORITY["EPSG","6326"]],AUTHORITY["EPSG","4326"]]"#;
    let wkt2 = r#"PROJCRS["a",BASEGEOGCRS["WGS 84",ID["EPSG",4326]], ID[ "EPSG" , 3857 , 9.8 ]]"#;
    let lambert93 = r#"PROJCRS["a",BASEGEOGCRS["b",ID["EPSG",4326]],ID["EPSG",2154]]"#;
    assert_eq!(System::resolve("", wkt1), Ok(System::Degrees));
    assert_eq!(System::resolve("EPSG:4326", wkt1), Ok(System::Degrees));
    assert_eq!(System::resolve("", wkt2), Ok(System::WebMercator));
    for (authid, wkt) in [
        ("EPSG:3857", wkt1),
        ("EPSG:4326", wkt2),
        ("EPSG:2154", wkt1),
        ("EPSG:4326", lambert93),
        ("", lambert93),
        ("", "GEOGCS[\"a\"]"),
        ("", "]ID[\"EPSG\",4326]"),
        ("", "a[ID["),
        ("", "a[ID[\"EPSG\"]]"),
        ("", "\""),
    ] {
        assert_eq!(System::resolve(authid, wkt), Err(Unchecked::System), "{authid} {wkt}");
    }
}

#[test]
fn the_identifier_of_a_definition_counts_in_a_message_too() {
    let keys = r#""x":5,"y":5,"crs_wkt":"GEOGCRS[\"a\",ID[\"EPSG\",4326]]""#;
    let payload = format!(r#"{{"crs_authid":"",{keys}}}"#);
    let mut filter = square("within");
    let message = filter.message("");
    let message = gischat_filter::Message { kind: "position".to_owned(), payload: Some(payload), ..message };
    assert_eq!(filter.check_message(&message).action, Action::Reject);
}

#[test]
fn web_mercator_is_computed() {
    let mut filter = Harness::<Geofence>::new(
        json!({ "areas": [{ "name": "San Francisco", "box": [-122.419_400_1, 37.774_899_9, -122.419_399_9, 37.774_900_1] }] }),
    );
    // From PROJ.
    assert_eq!(position(&mut filter, "EPSG:3857", -13_627_665.27, 4_547_675.35), Action::Reject);
    assert_eq!(position(&mut filter, "EPSG:3857", -13_627_665.27, 4_547_675.37), Action::Pass);
    // On another turn of the Earth.
    let turn = std::f64::consts::TAU * 6_378_137.0;
    assert_eq!(position(&mut filter, "EPSG:3857", turn - 13_627_665.27, 4_547_675.35), Action::Reject);
    assert_eq!(position(&mut filter, "EPSG:3857", 0.0, 7e7), Action::Hold);
}

#[test]
fn a_line_in_web_mercator_is_straight_there() {
    // A line from 0, 0 to 60, 60 degrees. In Web Mercator, its middle is 40.7 degrees to the north, not 30.
    let mut filter =
        Harness::<Geofence>::new(json!({ "areas": [{ "name": "a", "box": [29.99, 40.67, 30.01, 40.69] }] }));
    let line = "[[0,0],[6679169.447596414,8399737.889818357]]";
    assert_eq!(geometry(&mut filter, "EPSG:3857", "LineString", line), Action::Pass);
    let middle = f64::to_degrees(f64::atan(f64::sinh(8_399_737.889_818_357 / 2.0 / 6_378_137.0)));
    let near = [29.999, middle - 1e-3, 30.001, middle + 1e-3];
    let mut filter = Harness::<Geofence>::new(json!({ "areas": [{ "name": "a", "box": near }] }));
    assert_eq!(geometry(&mut filter, "EPSG:3857", "LineString", line), Action::Reject);
    assert_eq!(geometry(&mut filter, "EPSG:3857", "MultiPoint", line), Action::Pass);
}

#[test]
fn an_unknown_system_has_its_own_action() {
    let reason = "The coordinate system is not known here, so the place cannot be checked.";
    for (settings, verdict) in [
        (json!({}), Verdict::hold().reason(reason)),
        (json!({ "unknown_crs": "hold" }), Verdict::hold().reason(reason)),
        (json!({ "unknown_crs": "reject" }), Verdict::reject(reason)),
        (json!({ "unknown_crs": "pass" }), Verdict::pass()),
        (json!({ "action": "label" }), Verdict::pass()),
        (json!({ "action": "label", "unknown_crs": "hold" }), Verdict::hold().reason(reason)),
    ] {
        let mut all = json!({ "areas": [{ "name": "a", "box": [0, 0, 1, 1] }] });
        for (key, value) in settings.as_object().unwrap() {
            all[key] = value.clone();
        }
        let mut filter = Harness::<Geofence>::new(all);
        let actual = check(&mut filter, "position", "EPSG:2154", r#""x":1,"y":2"#);
        assert_eq!(actual, verdict.label("geofence-unchecked"), "{settings}");
    }
}
