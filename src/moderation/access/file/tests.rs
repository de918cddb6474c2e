use proptest::prelude::*;

use super::*;

/// What no fault may hold a piece of.
const SECRET: &str = "kohlrabi4711kohlrabi";

fn read(text: &str) -> Result<Tokens, Vec<String>> {
    let rooms = ["QGIS", "QField"].map(|name| RoomName::parse(name).unwrap());
    let named = vec![Moderator::of_all("jane".into(), Digest::of(b"jane's"))];
    let read = parse(Path::new("tokens.toml"), text, &rooms, named);
    read.map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn faults(text: &str) -> Vec<String> {
    read(text).expect_err(text)
}

fn hash(token: &str) -> String {
    Digest::of(token.as_bytes()).to_string()
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
    assert_eq!((tokens.moderators(), tokens.trusted()), (1, 0));
}

#[test]
fn who_says_nothing_of_scopes_and_rooms_may_look_at_all_of_them() {
    let tokens = read(&moderator("hans", "")).unwrap();
    let hans = &tokens.moderators[1];
    assert_eq!((hans.name(), hans.scope(), hans.rooms()), ("hans", Scope::Read, &Rooms::All));
}

#[test]
fn the_widest_scope_counts_in_whatever_order() {
    for (scopes, wanted) in
        [("['read']", Scope::Read), ("['act', 'read']", Scope::Act), ("['read', 'admin', 'act']", Scope::Admin)]
    {
        let tokens = read(&moderator("hans", &format!("scopes = {scopes}"))).unwrap();
        assert_eq!(tokens.moderators[1].scope(), wanted, "{scopes}");
    }
}

#[test]
fn rooms_are_those_that_are_named() {
    let tokens = read(&trusted("anna", "rooms = [' QGIS ', 'QGIS']")).unwrap();
    let only = [RoomName::parse("QGIS").unwrap()];
    assert_eq!(tokens.trusted[0].rooms(), &Rooms::Only(only.into()));
}

#[test]
fn every_fault_is_told_with_its_line() {
    let text = format!(
        "moderators = 1\n\
         [[moderator]]\nname = 'a b'\ntoken = 'sha256:12'\nscope = ['read']\n\
         [[moderator]]\nscopes = ['read', 'rite']\nrooms = ['QGIS', 'Nowhere']\n\
         [[trusted]]\nnickname = 'M0deration'\ntoken = 7\nscopes = ['read']\nrooms = []\n\
         [[trusted]]\nnickname = ''\ntoken = '{}'\nrooms = 'QGIS'\n",
        hash("x")
    );
    let wanted = [
        "tokens.toml:1: a key is neither `moderator` nor `trusted`; did you mean `moderator`?",
        "tokens.toml:3: `name` of [[moderator]] is no good name; 1 to 32 of A-Z a-z 0-9 _ - are allowed",
        "tokens.toml:4: `token` of [[moderator]] is no `sha256:` with 64 hexadecimal digits; `gischat-relay token` makes \
         a token with its hash",
        "tokens.toml:5: a key of [[moderator]] is none of name, token, scopes, rooms; did you mean `scopes`?",
        "tokens.toml:6: [[moderator]] without `name`",
        "tokens.toml:6: [[moderator]] without `token`",
        "tokens.toml:7: `scopes` of [[moderator]] names a scope, number 2, that is none of read, act, admin",
        "tokens.toml:8: `rooms` of [[moderator]] names a room, number 2, that this relay does not have",
        "tokens.toml:10: `nickname` of [[trusted]] is kept for the relay itself",
        "tokens.toml:11: `token` of [[trusted]] must be a string",
        "tokens.toml:12: a key of [[trusted]] is none of nickname, token, rooms",
        "tokens.toml:13: `rooms` of [[trusted]] is an empty list; without this key, it is all rooms",
        "tokens.toml:15: `nickname` of [[trusted]] is empty",
        "tokens.toml:17: `rooms` of [[trusted]] must be a list of strings",
    ];
    assert_eq!(faults(&text), wanted);
}

#[test]
fn nobody_is_named_twice() {
    let jane = faults(&moderator("jane", ""));
    assert_eq!(jane, ["tokens.toml:2: `name` of [[moderator]] is also that of a moderator of MODERATORS"]);
    let hans = format!("{}{}", moderator("hans", ""), moderator("hans", "").replace(&hash("hans"), &hash("other")));
    assert_eq!(faults(&hans), ["tokens.toml:6: `name` of [[moderator]] is also that of the entry in line 1"]);
}

#[test]
fn no_token_is_anybody_elses_whatever_it_is_for() {
    let twice = format!("{}{}", moderator("hans", ""), trusted("hans", ""));
    assert_eq!(faults(&twice), ["tokens.toml:5: the token is also that of the entry in line 1; each has its own"]);
    let of_jane = trusted("anna", "").replace(&hash("anna"), &hash("jane's"));
    let wanted = ["tokens.toml:1: the token is also that of a moderator of MODERATORS; each has its own"];
    assert_eq!(faults(&of_jane), wanted);
}

#[test]
fn trusted_nicknames_that_look_alike_are_a_fault_even_in_different_rooms() {
    for other in ["loki", "Loki", "l0ki"] {
        let (one, other) = (trusted("Ioki", "rooms = ['QGIS']"), trusted(other, "rooms = ['QField']"));
        let found = faults(&format!("{one}{other}"));
        assert_eq!(found, ["tokens.toml:6: `nickname` of [[trusted]] is, or looks like, the one in line 1"], "{other}");
    }
}

#[test]
fn an_entry_with_one_pair_of_brackets_is_a_fault() {
    let found = faults("[moderator]\nname = 'hans'\n");
    assert_eq!(found, ["tokens.toml:1: an entry begins with [[moderator]], in two pairs of brackets"]);
}

#[test]
fn a_slip_in_the_syntax_hides_no_fault_of_an_entry_before_it_and_makes_up_none() {
    let text = format!("{}{}", moderator("hans", "rooms = []"), "[[moderator]]\nname = \"anna\ntoken = ''\n");
    let found = faults(&text);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].starts_with("tokens.toml:4: `rooms` of [[moderator]] is an empty list"), "{found:#?}");
    assert!(found[1].starts_with("tokens.toml:6: "), "{found:#?}");
}

#[test]
fn entries_are_bounded_and_so_is_the_list_of_faults() {
    let many = |count: usize| (1..count).map(|n| moderator(&format!("m{n}"), "")).collect::<String>();
    assert!(read(&many(101)).is_ok());
    assert_eq!(faults(&many(102)), ["tokens.toml:1: there are 101 of [[moderator]]; at most 100 are allowed"]);
    let bad = faults(&"[[trusted]]\n".repeat(500));
    assert_eq!((bad.len(), bad[100].as_str()), (101, "tokens.toml: 900 more faults"));
}

#[test]
fn a_token_in_a_wrong_place_is_in_no_fault() {
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
        let found = faults(&text).join("\n");
        assert!(!found.contains("kohl") && !found.contains("4711"), "{text}: {found}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_or_tell_a_token(
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
