//! Rules for places.

use std::sync::Arc;

use super::*;
use crate::fixtures::{message, sender};
use crate::model::{Content, Crs, Position};

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
            "rules.toml:4: rule `a`: `unknown_crs` has no effect without `within` or `outside`",
        ),
        (
            "within = 'lyon.geojson'\nverdict = 'replace'",
            "rules.toml:3: rule `a`: a place cannot be replaced; use another verdict",
        ),
    ] {
        let errors = rule(keys).unwrap_err();
        assert!(errors.contains(&error.to_owned()), "{keys}: {errors:?}");
    }
    let errors = rule("within = 'bad.geojson'\nverdict = 'hold'").unwrap_err();
    assert!(errors[0].starts_with("rules.toml:3: rule `a`: `within` `FOLDER/bad.geojson`: "), "{errors:?}");
}
