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
    assert_eq!(
        (message.author.as_str(), message.room.as_str(), message.kind, message.at),
        ("jane", "QGIS", Kind::Text, None)
    );
    assert_eq!((case.room.members, case.location.to_string().as_str()), (1, "cases/x.toml:2"));
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
