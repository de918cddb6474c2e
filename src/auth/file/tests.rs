use proptest::prelude::*;

use super::*;
use crate::fixtures::room;

/// A token of which no error may contain a part.
const SECRET: &str = "kohlrabi4711kohlrabi";

fn read(text: &str) -> Result<AccessTokens, Vec<String>> {
    let rooms = ["QGIS", "QField"].map(room);
    let named = vec![Moderator::admin("jane".into(), Digest::new(b"jane's"))];
    let read = parse(Path::new("tokens.toml"), text, &rooms, named, ReservedNames::default());
    read.map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

fn errors(text: &str) -> Vec<String> {
    read(text).expect_err(text)
}

fn hash(token: &str) -> String {
    Digest::new(token.as_bytes()).to_string()
}

/// An entry of a moderator with further lines.
fn moderator(name: &str, more: &str) -> String {
    format!("[[moderator]]\nname = '{name}'\ntoken = '{}'\n{more}\n", hash(name))
}

fn trusted(nickname: &str, more: &str) -> String {
    format!("[[trusted]]\nnickname = '{nickname}'\ntoken = '{}'\n{more}\n", hash(nickname))
}

#[test]
fn an_empty_file_adds_nobody() {
    let tokens = read("# nobody yet\n").unwrap();
    assert_eq!((tokens.moderator_count(), tokens.trusted_count()), (1, 0));
}

#[test]
fn without_scopes_and_rooms_a_moderator_may_read_all_rooms() {
    let tokens = read(&moderator("hans", "")).unwrap();
    let hans = &tokens.moderators[1];
    assert_eq!((hans.name(), hans.scope(), hans.rooms()), ("hans", Scope::Read, &RoomScope::All));
}

#[test]
fn the_widest_scope_counts_in_any_order() {
    for (scopes, wanted) in
        [("['read']", Scope::Read), ("['act', 'read']", Scope::Act), ("['read', 'admin', 'act']", Scope::Admin)]
    {
        let tokens = read(&moderator("hans", &format!("scopes = {scopes}"))).unwrap();
        assert_eq!(tokens.moderators[1].scope(), wanted, "{scopes}");
    }
}

#[test]
fn a_grant_covers_only_the_named_rooms() {
    let tokens = read(&trusted("anna", "rooms = [' QGIS ', 'QGIS']")).unwrap();
    let only = [room("QGIS")];
    assert_eq!(tokens.trusted[0].rooms(), &RoomScope::Only(only.into()));
}

#[test]
fn every_error_has_its_line() {
    let text = format!(
        "moderators = 1\n\
         [[moderator]]\nname = 'a b'\ntoken = 'sha256:12'\nscope = ['read']\n\
         [[moderator]]\nscopes = ['read', 'rite']\nrooms = ['QGIS', 'Nowhere']\n\
         [[trusted]]\nnickname = 'M0deration'\ntoken = 7\nscopes = ['read']\nrooms = []\n\
         [[trusted]]\nnickname = ''\ntoken = '{}'\nrooms = 'QGIS'\n",
        hash("x")
    );
    let wanted = [
        "tokens.toml:1: unknown key; expected `moderator` or `trusted`; did you mean `moderator`?",
        "tokens.toml:3: `name` of [[moderator]] is invalid; 1 to 32 of A-Z a-z 0-9 _ - are allowed",
        "tokens.toml:4: `token` of [[moderator]] is not `sha256:` and 64 hexadecimal digits; `gischat-relay token` \
         generates a token and its hash",
        "tokens.toml:5: unknown key in [[moderator]]; expected one of name, token, scopes, rooms; did you mean `scopes`?",
        "tokens.toml:6: [[moderator]] without the key `name`",
        "tokens.toml:6: [[moderator]] without the key `token`",
        "tokens.toml:7: `scopes` of [[moderator]] has an unknown scope in item number 2; expected one of read, act, admin",
        "tokens.toml:8: `rooms` of [[moderator]] has an unknown room in item number 2",
        "tokens.toml:10: `nickname` of [[trusted]] is reserved for the relay",
        "tokens.toml:11: `token` of [[trusted]] must be a string",
        "tokens.toml:12: unknown key in [[trusted]]; expected one of nickname, token, rooms",
        "tokens.toml:13: `rooms` of [[trusted]] is empty; omit it to grant all rooms",
        "tokens.toml:15: `nickname` of [[trusted]] is empty",
        "tokens.toml:17: `rooms` of [[trusted]] must be a list of strings",
    ];
    assert_eq!(errors(&text), wanted);
}

#[test]
fn a_duplicate_name_is_an_error() {
    let jane = errors(&moderator("jane", ""));
    assert_eq!(jane, ["tokens.toml:2: `name` of [[moderator]] is already used by a moderator of MODERATORS"]);
    let hans = format!("{}{}", moderator("hans", ""), moderator("hans", "").replace(&hash("hans"), &hash("other")));
    assert_eq!(errors(&hans), ["tokens.toml:6: `name` of [[moderator]] is already used by the entry in line 1"]);
}

#[test]
fn a_duplicate_token_is_an_error_across_kinds_of_entries() {
    let twice = format!("{}{}", moderator("hans", ""), trusted("hans", ""));
    assert_eq!(errors(&twice), ["tokens.toml:5: the token is already used by the entry in line 1"]);
    let of_jane = trusted("anna", "").replace(&hash("anna"), &hash("jane's"));
    let wanted = ["tokens.toml:1: the token is already used by a moderator of MODERATORS"];
    assert_eq!(errors(&of_jane), wanted);
}

#[test]
fn trusted_nicknames_that_look_alike_are_an_error_even_in_different_rooms() {
    for other in ["loki", "Loki", "l0ki"] {
        let (one, other) = (trusted("Ioki", "rooms = ['QGIS']"), trusted(other, "rooms = ['QField']"));
        let found = errors(&format!("{one}{other}"));
        assert_eq!(
            found,
            ["tokens.toml:6: `nickname` of [[trusted]] is the same as, or looks like, the one in line 1"],
            "{other}"
        );
    }
}

#[test]
fn an_entry_with_single_brackets_is_an_error() {
    let found = errors("[moderator]\nname = 'hans'\n");
    assert_eq!(found, ["tokens.toml:1: expected [[moderator]] entries, with double brackets"]);
}

#[test]
fn a_syntax_error_neither_hides_errors_before_it_nor_causes_others() {
    let text = format!("{}{}", moderator("hans", "rooms = []"), "[[moderator]]\nname = \"anna\ntoken = ''\n");
    let found = errors(&text);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].starts_with("tokens.toml:4: `rooms` of [[moderator]] is empty"), "{found:#?}");
    assert!(found[1].starts_with("tokens.toml:6: "), "{found:#?}");
}

#[test]
fn entries_and_errors_are_bounded() {
    let many = |count: usize| (1..count).map(|n| moderator(&format!("m{n}"), "")).collect::<String>();
    assert!(read(&many(101)).is_ok());
    assert_eq!(errors(&many(102)), ["tokens.toml:1: 101 [[moderator]] entries; the limit is 100"]);
    let bad = errors(&"[[trusted]]\n".repeat(500));
    assert_eq!((bad.len(), bad[100].as_str()), (101, "tokens.toml: 900 more errors"));
}

#[test]
fn a_misplaced_token_is_in_no_error() {
    for text in [
        format!("{SECRET} = 'jane'"),
        format!("'{SECRET}' = 1"),
        format!("[[{SECRET}]]\n"),
        format!("[[moderator]]\n{SECRET} = 'jane'\n"),
        format!("[[moderator]]\nname = '{SECRET}!'\ntoken = 'jane'\n"),
        format!("[[moderator]]\nname = 'jane'\ntoken = '{SECRET}'\n"),
        format!("[[moderator]]\nname = 'hans'\ntoken = 'sha256:{SECRET}'\nscopes = ['{SECRET}']\nrooms = ['{SECRET}']"),
        format!("[[trusted]]\nnickname = '{SECRET} '\ntoken = {SECRET}\n"),
        format!("[[trusted]]\nnickname = '{SECRET}\n"),
    ] {
        let found = errors(&text).join("\n");
        assert!(!found.contains("kohl") && !found.contains("4711"), "{text}: {found}");
    }
}

proptest! {
    #[test]
    fn no_text_causes_a_panic_or_reveals_a_token(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just(SECRET.to_owned()), Just("[[moderator]]\n".to_owned()), Just("[[trusted]]\n".to_owned()),
                Just("name = ".to_owned()), Just("token = ".to_owned()), Just("rooms = ['".to_owned()),
                Just("'".to_owned()), Just("\"".to_owned()), Just("\n".to_owned()), Just(".".to_owned()),
                Just("]".to_owned()), Just("=".to_owned()), Just("sha256:".to_owned()), "\\PC{0,4}",
            ],
            0..24,
        )
    ) {
        let text = pieces.concat();
        if let Err(found) = read(&text) {
            let found = found.join("\n");
            prop_assert!(!found.contains("kohl") && !found.contains("4711"), "{text}: {found}");
        }
    }
}
