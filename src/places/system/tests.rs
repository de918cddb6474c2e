use proptest::prelude::*;

use super::*;

/// Coordinates in systems that QGIS users choose often, with the longitude and latitude of PROJ 9.5.1 without grids
/// (pyproj 3.7.2, `always_xy`).
const KNOWN: &str = include_str!("known.txt");
/// The same for every twentieth system of the table.
const CHECKS: &str = include_str!("checks.txt");

/// A line of [`KNOWN`] or [`CHECKS`].
#[derive(Clone, Copy, Debug)]
struct Check {
    authid: &'static str,
    x: f64,
    y: f64,
    /// The longitude and latitude of PROJ.
    expected: (f64, f64),
}

fn checks(text: &'static str) -> Vec<Check> {
    let check = |line: &'static str| {
        let (authid, numbers) = line.split_once(' ')?;
        let numbers: Vec<f64> = numbers.split(' ').map(|number| number.parse().unwrap()).collect();
        let [x, y, lon, lat] = numbers[..] else { return None };
        Some(Check { authid, x, y, expected: (lon, lat) })
    };
    text.lines().map(|line| check(line).unwrap_or_else(|| panic!("{line}"))).collect()
}

fn system(authid: &str) -> System {
    System::resolve(authid, "").unwrap_or_else(|| panic!("{authid} does not resolve"))
}

/// Metres between two positions that are near each other.
fn distance(from: (f64, f64), to: (f64, f64)) -> f64 {
    let east = wrap(from.0 - to.0) * 111_320.0 * to.1.to_radians().cos();
    east.hypot((from.1 - to.1) * 110_950.0)
}

/// The distance between the expected and the computed position. Metres.
fn deviation(check: &Check) -> f64 {
    let found = system(check.authid).to_lon_lat(check.x, check.y);
    distance(found.unwrap_or_else(|| panic!("{check:?}")), check.expected)
}

#[test]
fn common_systems_agree_with_proj_to_a_centimetre() {
    // Has a different shift in each region.
    let is_rough = |check: &Check| check.authid == "EPSG:4267";
    for check in checks(KNOWN) {
        let tolerance = if is_rough(&check) { 60.0 } else { 0.01 };
        assert!(deviation(&check) < tolerance, "{check:?}: {} m", deviation(&check));
    }
}

#[test]
fn every_twentieth_system_agrees_with_proj() {
    let mut deviations: Vec<_> = checks(CHECKS).iter().map(deviation).collect();
    deviations.sort_by(f64::total_cmp);
    let quantile = |percent: usize| deviations[deviations.len() * percent / 100];
    assert!(quantile(90) < 0.01 && quantile(95) < 1.0 && quantile(98) < 20.0 && deviations.last() < Some(&100.0));
}

#[test]
fn every_system_of_the_table_can_be_built() {
    for definition in definitions::all() {
        assert_eq!(system(definition.name).name(), definition.name);
    }
}

#[test]
fn positions_can_be_given_back_in_their_own_system() {
    for Check { authid, x, y, .. } in checks(KNOWN) {
        let system = system(authid);
        let (lon, lat) = system.to_lon_lat(x, y).unwrap();
        let (back_x, back_y) = system.from_lon_lat(lon, lat).unwrap();
        let tolerance = if system.is_geographic() { 1e-8 } else { 0.01 };
        assert!((back_x - x).abs() < tolerance && (back_y - y).abs() < tolerance, "{authid}: {back_x} {back_y}");
    }
}

#[test]
fn the_authority_id_comes_before_the_wkt() {
    let wkt = r#"PROJCS["a",AUTHORITY["EPSG","2154"]]"#;
    for (authid, name) in [
        ("EPSG:3857", "EPSG:3857"),
        ("epsg:3857", "EPSG:3857"),
        (" EPSG : 3857 ", "EPSG:3857"),
        ("", "EPSG:2154"),
        ("USER:100000", "EPSG:2154"),
        ("EPSG:999999", "EPSG:2154"),
        ("TODO", "EPSG:2154"),
        ("OGC:CRS84", "OGC:CRS84"),
        ("IGNF:LAMB93", "IGNF:LAMB93"),
    ] {
        assert_eq!(System::resolve(authid, wkt).unwrap().name(), name, "{authid}");
    }
}

#[test]
fn texts_that_name_no_known_system_do_not_resolve() {
    for (authid, wkt) in [
        ("", ""),
        ("", "TODO"),
        ("EPSG:", ""),
        (":", ""),
        ("EPSG:4326:1", ""),
        ("4326", ""),
        ("EPSG:5773", "VERT_CS[\"EGM96 height\",AUTHORITY[\"EPSG\",\"5773\"]]"),
        ("EPSG:4978", ""),
        ("USER:100000", r#"GEOGCS["own",DATUM["d",AUTHORITY["EPSG","6326"]]]"#),
    ] {
        assert!(System::resolve(authid, wkt).is_none(), "{authid} {wkt}");
    }
}

#[test]
fn coordinates_beyond_the_earth_are_not_computed() {
    let wgs84 = system("EPSG:4326");
    for (x, y) in [(0.0, 90.1), (0.0, -91.0), (541.0, 0.0), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
        assert_eq!(wgs84.to_lon_lat(x, y), None, "{x} {y}");
    }
    for (lon, lat) in [(180.1, 0.0), (0.0, 90.1), (f64::NAN, 0.0)] {
        assert_eq!(wgs84.from_lon_lat(lon, lat), None, "{lon} {lat}");
    }
    assert_eq!(system("EPSG:3035").to_lon_lat(1e8, 1e8), None);
    assert_eq!(system("EPSG:3857").from_lon_lat(0.0, 90.0), None);
}

#[test]
fn longitudes_across_the_antimeridian_are_wrapped() {
    assert_eq!(system("EPSG:4326").to_lon_lat(190.0, 5.0), Some((-170.0, 5.0)));
    let (lon, _) = system("EPSG:3857").to_lon_lat(21_000_000.0, 0.0).unwrap();
    assert!((lon + 171.3538).abs() < 0.001, "{lon}");
}

#[test]
fn any_system_survives_any_coordinates() {
    let nasty = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        1e-300,
        f64::MIN_POSITIVE,
        90.0,
        180.0,
        -180.0,
        540.0,
        1e5,
        5e5,
        6_378_137.0,
        -2e7,
        1e9,
        1e18,
        1e154,
        -1e300,
        f64::MAX,
        f64::MIN,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ];
    for definition in definitions::all() {
        let system = system(definition.name);
        for x in nasty {
            for y in nasty {
                if let Some((lon, lat)) = system.to_lon_lat(x, y) {
                    assert!(lon.abs() <= 180.0 && lat.abs() <= 90.0, "{system:?} {x} {y}: {lon} {lat}");
                }
                if let Some((x, y)) = system.from_lon_lat(x, y) {
                    assert!(x.is_finite() && y.is_finite(), "{system:?}");
                }
            }
        }
    }
}

#[test]
fn a_long_wkt_costs_no_more_than_reading_it() {
    assert!(System::resolve("", &"[".repeat(1_000_000)).is_none());
    assert!(System::resolve("", &"a[\"b\",".repeat(100_000)).is_none());
}

proptest! {
    #[test]
    fn no_names_panic(authid in any::<String>(), wkt in any::<String>()) {
        prop_assert!(System::resolve(&authid, &wkt).is_none_or(|system| system.name().contains(':')));
    }

    #[test]
    fn no_likely_names_panic(authid in r"(EPSG|OGC|ESRI|IGNF|é):?[0-9A-Zß]{0,8}", wkt in r#"[A-DIGSRJ"\[\],:0-9é]{0,60}"#) {
        prop_assert!(System::resolve(&authid, &wkt).is_none_or(|system| system.name().contains(':')));
    }

    #[test]
    fn no_coordinates_panic(at in any::<prop::sample::Index>(), x in any::<f64>(), y in any::<f64>()) {
        let names: Vec<_> = definitions::all().map(|definition| definition.name).collect();
        let system = system(at.get::<&str>(&names));
        if let Some((lon, lat)) = system.to_lon_lat(x, y) {
            prop_assert!(lon.abs() <= 180.0 && lat.abs() <= 90.0);
        }
        prop_assert!(system.from_lon_lat(x, y).is_none_or(|(x, y)| x.is_finite() && y.is_finite()));
    }

    #[test]
    fn likely_coordinates_return_to_where_they_were(at in any::<prop::sample::Index>(), east in -3e5..3e5, north in -3e5..3e5) {
        let mut known = checks(KNOWN);
        known.retain(|check| !system(check.authid).is_geographic());
        let Check { authid, x, y, .. } = *at.get(&known);
        let system = system(authid);
        let (x, y) = (x + east, y + north);
        if let Some((lon, lat)) = system.to_lon_lat(x, y) {
            let (back_x, back_y) = system.from_lon_lat(lon, lat).unwrap();
            prop_assert!((back_x - x).abs() < 0.01 && (back_y - y).abs() < 0.01, "{} {} {}: {} {}", authid, x, y, back_x, back_y);
        }
    }
}
