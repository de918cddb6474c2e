//! Rules for the texts of contents.

use std::sync::Arc;

use super::*;
use crate::fixtures::{message, sender};
use crate::model::{Content, Crs, Layer, Match, ProcessingModel, Script, Span};

fn shared(content: Content) -> Message {
    Message::new("jane", MessageKind::Content { avatar: None, content: Arc::new(content) })
}

fn script(name: &str, code: &str) -> Message {
    shared(Content::Script(Script { name: name.to_owned(), code: code.to_owned() }))
}

fn model(name: &str, group: Option<&str>, xml: &str) -> Message {
    let (name, group, xml) = (name.to_owned(), group.map(str::to_owned), xml.to_owned());
    shared(Content::Model(ProcessingModel { name, group, xml }))
}

fn layer(name: &str, geojson: &str) -> Message {
    let (name, geojson) = (name.to_owned(), geojson.to_owned());
    shared(Content::GeoJson(Layer { name, crs: Crs::default(), geojson, features: 1, bounds: None, style: None }))
}

const STOP: &str = r#"{"features":[{"properties":{"note":"win at the c\u0061sino"},"geometry":null}],"x":"poker"}"#;

fn rule(keys: &str) -> Result<RuleSet, Vec<String>> {
    load(&format!("[[rule]]\nid = 'a'\nverdict = 'reject'\n{keys}\n"))
}

/// The parts of a message that the rule hits.
fn hit(keys: &str, message: &Message) -> Option<(Option<&'static str>, Option<Span>)> {
    let finding = rule(keys).unwrap().examine(message, &sender());
    let mut hits = finding.matches.into_iter().map(|Match { field, span, .. }| (field, span));
    let first = hits.next();
    assert!(hits.next().is_none(), "a rule hits once");
    first
}

#[test]
fn a_rule_checks_the_field_that_it_names_and_no_other() {
    let texts = [
        ("text", message("jane", "casino")),
        ("layer_name", layer("casino", "{}")),
        ("properties", layer("stops", STOP)),
        ("model", model("x", Some("casino"), "")),
        ("script", script("x", "print('casino')")),
    ];
    for (field, _) in &texts {
        for (of, sent) in &texts {
            let is_hit = hit(&format!("field = '{field}'\nwords = ['casino']"), sent).is_some();
            assert_eq!(is_hit, field == of, "{field} on {of}");
        }
    }
    for (of, sent) in &texts {
        assert!(hit("field = 'any'\nwords = ['casino']", sent).is_some(), "{of}");
    }
}

#[test]
fn a_match_names_the_part_and_its_place() {
    let words = "words = ['casino']";
    let of = |field: &str, sent: &Message| hit(&format!("field = '{field}'\n{words}"), sent).unwrap();
    assert_eq!(of("layer_name", &layer("my casino", "{}")), (Some("layer_name"), Some(Span(3, 9))));
    assert_eq!(of("properties", &layer("stops", STOP)), (Some("properties"), None));
    assert_eq!(of("script", &script("casino", "x")), (Some("script_name"), Some(Span(0, 6))));
    assert_eq!(of("script", &script("x", "é casino")), (Some("script"), Some(Span(2, 8))));
    assert_eq!(of("any", &message("jane", "a casino")), (None, Some(Span(2, 8))));
}

#[test]
fn only_any_field_reaches_strings_of_a_layer_outside_of_its_properties() {
    assert_eq!(hit("field = 'properties'\nwords = ['poker']", &layer("stops", STOP)), None);
    assert!(hit("field = 'any'\nwords = ['poker']", &layer("stops", STOP)).is_some());
}

#[test]
fn a_word_deep_in_a_long_script_is_found() {
    let code = format!("{}é casino\n{}", "x = 1\n".repeat(50_000), "y = 2\n".repeat(50_000));
    assert_eq!(
        hit("field = 'script'\nwords = ['casino']", &script("x", &code)),
        Some((Some("script"), Some(Span(300_002, 300_008))))
    );
}

#[test]
fn a_long_script_may_trigger_many_expressions() {
    let expressions: Vec<String> = (0..40).map(|number| format!("'word{number:02}x+y'")).collect();
    let code = (0..40).map(|number| format!("word{number:02}")).collect::<Vec<_>>().join(" ");
    assert_eq!(hit(&format!("field = 'script'\nany = [{}]", expressions.join(",")), &script("x", &code)), None);
}

#[test]
fn a_field_that_could_never_be_hit_is_an_error() {
    for (keys, error) in [
        (
            "field = 'script'\nkinds = ['geojson']\nwords = ['x']",
            "rules.toml:5: rule `a`: `kinds` names no kind with the field `script`, so the conditions on the text would \
             never hold",
        ),
        (
            "field = 'any'\nkinds = ['image']\nwords = ['x']",
            "rules.toml:5: rule `a`: `kinds` names no kind with the field `any`, so the conditions on the text would never \
             hold",
        ),
        (
            "field = 'layer_name'\nrooms = ['QGIS']",
            "rules.toml:1: rule `a`: `field = \"layer_name\"` has no effect without a condition on the text",
        ),
        (
            "field = 'script'\nrepetition = { by = 'sender', times = 3, within = '60s', letters = 8 }",
            "rules.toml:1: rule `a`: `repetition` applies only to texts; remove `field`",
        ),
    ] {
        let errors = rule(keys).unwrap_err();
        assert!(errors.contains(&error.to_owned()), "{keys}: {errors:?}");
    }
    let errors = load("[[rule]]\nid = 'a'\nverdict = 'replace'\nfield = 'any'\nwords = ['x']\n").unwrap_err();
    let expected = "rules.toml:1: rule `a`: contents cannot be replaced; use another verdict, or check the texts alone";
    assert_eq!(errors, [expected]);
}
