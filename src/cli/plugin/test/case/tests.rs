use super::*;

fn parse(text: &str) -> Result<Vec<PluginCase>, String> {
    let joined = |errors: Vec<ConfigError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    super::parse(Path::new("cases/x.toml"), text).map_err(joined)
}

#[test]
fn only_name_message_and_action_are_required() {
    let cases = parse("[[case]]\nname = 'a'\nmessage.text = 'hello'\nexpect.action = 'pass'").unwrap();
    let [case] = &cases[..] else { panic!("{cases:?}") };
    let CaseInput::Message(message) = &case.input else { panic!("{case:?}") };
    assert_eq!((message.author.as_str(), message.room.as_str(), message.at), ("jane", "QGIS", None));
    assert_eq!(message.kind, MessageKind::Text { avatar: None, text: "hello".to_owned() });
    assert_eq!((case.room.members, case.location.to_string().as_str()), (1, "cases/x.toml:2"));
}

#[test]
fn a_message_may_be_of_any_kind() {
    for (kind, keys) in [
        ("like", "text = 'x'"),
        ("position", "x = 4, y = 45.7, crs_authid = 'EPSG:4326'"),
        ("bbox", "xmin = 1, xmax = 2, ymin = 3, ymax = 4"),
        ("crs", "crs_authid = 'EPSG:2154'"),
        ("geojson", "geojson = '{\"features\": []}', layer_name = 'x', style = '<qgis/>'"),
        ("model", "model_name = 'x', raw_xml = '<m/>'"),
        ("script", "name = 'x', raw_pycode = 'x = 1'"),
        (
            "image",
            "image_data = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=='",
        ),
    ] {
        let text = format!("[[case]]\nname = 'a'\nmessage = {{ kind = '{kind}', {keys} }}\nexpect.action = 'pass'");
        let cases = parse(&text).unwrap();
        let CaseInput::Message(message) = &cases[0].input else { panic!("{text}") };
        assert_eq!(message.kind.as_str(), kind);
    }
}

#[test]
fn a_message_has_the_keys_of_its_kind_and_no_others() {
    for (message, error) in [
        ("kind = 'position', x = 4", ":2: `y` is missing"),
        ("kind = 'position', x = 4, y = 5, text = 'x'", ":2: a message of the kind `position` has no `text`"),
        ("text = 'x', crs_authid = 'EPSG:4326'", ":2: a message of the kind `text` has no `crs_authid`"),
        ("author = 'bob'", ":2: `text` is missing"),
        ("kind = 'geojson', geojson = '{'", ":2: `geojson` is not JSON"),
        ("kind = 'geojson', geojson = '{}'", ":2: `geojson` has no `features`"),
        ("kind = 'image', image_data = 'bm8='", ":2: `image_data`: image is not a JPEG, PNG, GIF or WebP file"),
        ("text = 'x', sender = { trusted = true }", ":2: `sender` belongs to the case, not to its `message`"),
    ] {
        let text = format!("[[case]]\nname = 'a'\nmessage = {{ {message} }}\nexpect.action = 'pass'");
        let found = parse(&text).unwrap_err();
        assert!(found.contains(error), "{error} is not in {found}");
    }
}

#[test]
fn errors_name_the_file_and_the_line() {
    let whole = "[[case]]\nname = 'a'\nmessage = { text = 'x' }\nexpect = { action = 'pass' }\n";
    assert!(parse(whole).is_ok());
    for (text, error) in [
        (whole.replace("name", "nmae"), ":2: unknown field `nmae`"),
        (whole.replace("text = 'x'", "text = 'x', txet = 'x'"), ":3: unknown field `txet`"),
        (whole.replace("text = 'x'", "text = 'x', kind = 'newcomer'"), ":3: unknown variant `newcomer`"),
        (whole.replace("text = 'x'", "text = 'x', at = 2026-11-23"), ":3: a time must have a date and an offset"),
        (whole.replace("text = 'x'", "text = 'x', room = ''"), ":3: a room name is empty"),
        (whole.replace("'pass'", "'passed'"), ":4: unknown variant `passed`"),
        (whole.replace("'pass'", "'pass', text = ''"), ":2: `text` is only allowed with the action `replace`"),
        (whole.replace("message = { text = 'x' }", ""), ":2: a case must have either `message` or `nickname`"),
        (format!("{whole}nickname = 'bob'"), ":2: a case must have either `message` or `nickname`"),
        (format!("{whole}sender = {{ trusting = true }}"), ":5: unknown field `trusting`"),
        (format!("{whole}room = {{ member = 1 }}"), ":5: unknown field `member`"),
        (format!("{whole}before = [{{ text = 'x', sender = {{ x = 1 }} }}]"), ":5: unknown field `x`"),
        (format!("\n{whole}[[cases]]"), ":6: unknown field `cases`"),
        (whole.replace("name = 'a'", ""), ":1: missing field `name`"),
    ] {
        let found = parse(&text).unwrap_err();
        assert!(found.starts_with("cases/x.toml") && found.contains(error), "{error} is not in {found}");
    }
}
