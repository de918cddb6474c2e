//! Rules for places.

use std::sync::Arc;

use super::*;
use crate::fixtures::{message, sender};
use crate::model::{Content, Crs, Position, Replacement};

const LYON: &str = r#"{"type":"Polygon","coordinates":[[[4.7,45.6],[5.0,45.6],[5.0,45.9],[4.7,45.9],[4.7,45.6]]]}"#;

fn rule(keys: &str) -> Result<RuleSet, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lyon.geojson"), LYON).unwrap();
    fs::write(folder.path().join("bad.geojson"), "{\"type\":\"Point\",\n\"coordinates\":[1,2]}").unwrap();
    let text = format!("[[rule]]\nid = 'a'\n{keys}\n");
    let loaded = RuleSet::load(Path::new("rules.toml"), &text, folder.path(), &instance(Preset::Off));
    let shown = |error: &crate::settings::ConfigError| {
        error.to_string().replace(&folder.path().display().to_string(), "FOLDER")
    };
    loaded.map_err(|errors| errors.iter().map(shown).collect())
}

fn position(authid: &str, x: f64, y: f64) -> Message {
    let crs = Crs { wkt: String::new(), authid: authid.to_owned() };
    let content = Arc::new(Content::Position(Position { crs, x, y }));
    Message::new("jane", MessageKind::Content { avatar: None, content })
}

fn verdict(rules: &RuleSet, message: &Message) -> Verdict {
    rules.examine(message, &sender()).verdict
}

#[test]
fn a_position_within_the_area_is_hit_and_a_text_is_not() {
    let rules = rule("within = 'lyon.geojson'\nverdict = 'reject'\nreason = 'Not here.'").unwrap();
    let here = rules.examine(&position("EPSG:4326", 4.83, 45.76), &sender());
    assert!(matches!(&here.verdict, Verdict::Reject(reason) if reason.text == "Not here."));
    assert_eq!(here.matches[0].field, Some("place"));
    assert_eq!(verdict(&rules, &position("EPSG:4326", 2.35, 48.85)), Verdict::Pass);
    assert_eq!(verdict(&rules, &message("jane", "hello")), Verdict::Pass);
}

#[test]
fn by_default_a_place_that_cannot_be_computed_is_held() {
    let unknown = position("USER:1", 4.83, 45.76);
    let outcome = |keys: &str| {
        let rules = rule(&format!("within = 'lyon.geojson'\n{keys}")).unwrap();
        verdict(&rules, &unknown).outcome()
    };
    assert_eq!(outcome("verdict = 'reject'"), Outcome::Hold);
    assert_eq!(outcome("verdict = 'shadow'\nunknown_crs = 'reject'"), Outcome::Reject);
    assert_eq!(outcome("verdict = 'reject'\nunknown_crs = 'pass'"), Outcome::Pass);
    assert_eq!(outcome("verdict = 'label'"), Outcome::Pass);
}

#[test]
fn a_place_that_cannot_be_computed_has_a_reason_of_its_own() {
    let rules = rule("outside = 'lyon.geojson'\nverdict = 'reject'\nreason = 'Lyon only.'").unwrap();
    let Verdict::Hold(reason) = verdict(&rules, &position("", 4.83, 45.76)) else { panic!("not held") };
    assert_eq!(reason.text, "The coordinate system is not known here, so the place cannot be checked.");
}

#[test]
fn a_condition_on_places_that_could_never_hold_is_an_error() {
    for (keys, error) in [
        ("within = 'none.geojson'\nverdict = 'hold'", "rules.toml:3: rule `a`: `within` `none.geojson` does not exist"),
        (
            "within = 'lyon.geojson'\noutside = 'lyon.geojson'\nverdict = 'hold'",
            "rules.toml:4: rule `a`: a rule has either `within` or `outside`",
        ),
        (
            "words = ['x']\nwithin = 'lyon.geojson'\nverdict = 'hold'",
            "rules.toml:4: rule `a`: `within` never holds for a text; put the conditions on the text into another rule",
        ),
        (
            "within = 'lyon.geojson'\nkinds = ['position', 'image']\nverdict = 'hold'",
            "rules.toml:4: rule `a`: `within` never holds for the kind `image`, which is at no place",
        ),
        (
            "rooms = ['QGIS']\nunknown_crs = 'hold'\nverdict = 'hold'",
            "rules.toml:4: rule `a`: `unknown_crs` has no effect without `within`, `outside` or `round_to`",
        ),
        (
            "within = 'lyon.geojson'\nverdict = 'replace'",
            "rules.toml:3: rule `a`: a place can only be replaced with `round_to`; add it",
        ),
    ] {
        let errors = rule(keys).unwrap_err();
        assert!(errors.contains(&error.to_owned()), "{keys}: {errors:?}");
    }
    let errors = rule("within = 'bad.geojson'\nverdict = 'hold'").unwrap_err();
    assert!(errors[0].starts_with("rules.toml:3: rule `a`: `within` `FOLDER/bad.geojson`: "), "{errors:?}");
}

fn rounded(keys: &str, position_sent: &Message) -> Option<(f64, f64)> {
    let rules = rule(&format!("verdict = 'replace'\n{keys}")).unwrap();
    let Verdict::Replace(Replacement::Content(content)) = verdict(&rules, position_sent) else { return None };
    let Content::Position(Position { x, y, .. }) = *content else { panic!("no position") };
    Some((x, y))
}

#[test]
fn a_position_is_replaced_by_a_rounded_one() {
    let sent = position("EPSG:4326", 4.831_234, 45.761_234);
    let (x, y) = rounded("round_to = '1km'", &sent).unwrap();
    assert!((x - 4.831_234).abs() < 0.01 && (y - 45.761_234).abs() < 0.01 && (x, y) != (4.831_234, 45.761_234));
    assert_eq!(rounded("round_to = '1km'\nwithin = 'lyon.geojson'", &sent), Some((x, y)));
    assert_eq!(rounded("round_to = '1km'\noutside = 'lyon.geojson'", &sent), None);
}

#[test]
fn the_coarsest_of_several_roundings_applies() {
    let text = "[[rule]]\nid = 'a'\nround_to = '1km'\nverdict = 'replace'\n\n\
                [[rule]]\nid = 'b'\nround_to = '50km'\nverdict = 'replace'\n\n\
                [[rule]]\nid = 'c'\nround_to = '100km'\nverdict = 'replace'\nmode = 'observe'\n";
    let rules = load(text).unwrap();
    let sent = position("EPSG:4326", 4.831_234, 45.761_234);
    let Verdict::Replace(Replacement::Content(content)) = verdict(&rules, &sent) else { panic!("not replaced") };
    let Content::Position(Position { x, y, .. }) = &*content else { panic!("no position") };
    assert_eq!(Some((*x, *y)), rounded("round_to = '50km'", &sent));
}

#[test]
fn a_position_that_cannot_be_rounded_is_held() {
    let rules = rule("round_to = '1km'\nverdict = 'replace'").unwrap();
    assert_eq!(verdict(&rules, &position("USER:1", 4.83, 45.76)).outcome(), Outcome::Hold);
    let rules = rule("round_to = '1km'\nverdict = 'replace'\nunknown_crs = 'pass'").unwrap();
    assert_eq!(verdict(&rules, &position("USER:1", 4.83, 45.76)), Verdict::Pass);
}

#[test]
fn rounding_that_could_never_have_an_effect_is_an_error() {
    for (keys, error) in [
        (
            "round_to = '1km'\nverdict = 'hold'",
            "rules.toml:3: rule `a`: `round_to` applies only to the verdict `replace`",
        ),
        (
            "round_to = '1 mile'\nverdict = 'replace'",
            "rules.toml:3: rule `a`: `round_to` `1 mile`: a length is a number and a unit, `m` or `km`, such as \"500m\" \
             or \"0.5 km\"",
        ),
        (
            "round_to = '1km'\nkinds = ['geojson']\nverdict = 'replace'",
            "rules.toml:4: rule `a`: layers cannot be rounded; `round_to` applies to positions and extents",
        ),
        (
            "round_to = '1km'\nkinds = ['text']\nverdict = 'replace'",
            "rules.toml:4: rule `a`: `round_to` never holds for the kind `text`, which is at no place",
        ),
        (
            "round_to = '1km'\nwords = ['x']\nverdict = 'replace'",
            "rules.toml:3: rule `a`: `round_to` never holds for a text; put the conditions on the text into another rule",
        ),
    ] {
        let errors = rule(keys).unwrap_err();
        assert!(errors.contains(&error.to_owned()), "{keys}: {errors:?}");
    }
}
