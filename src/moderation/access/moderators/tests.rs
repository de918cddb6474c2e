use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;

use super::*;
use crate::moderation::Config;
use crate::moderation::access::Scope;
use crate::settings::{Source, Value};

const JANE: &str = "0123456789abcdef";
const HANS: &str = "fedcba9876543210";
const ANNA: &str = "a token of anna's";

fn address(host: u8) -> Address {
    Address::from(IpAddr::from([192, 0, 2, host]))
}

fn room(name: &str) -> RoomName {
    RoomName::parse(name).unwrap()
}

fn hash(token: &str) -> String {
    Digest::of(token.as_bytes()).to_string()
}

fn config(named: &[&str], file: Option<PathBuf>) -> Config {
    let mut config = Config::declare(&mut Source::new().root().section("moderation", ""));
    config.moderators = named.iter().map(|text| Value::from_text(text).unwrap()).collect();
    config.tokens_file = file;
    config
}

fn rooms() -> [RoomName; 2] {
    [room("QGIS"), room("QField")]
}

fn of(config: &Config) -> (Moderators, Option<Token>) {
    Moderators::of(config, &rooms()).unwrap()
}

/// Hans may act in QGIS; Anna's nickname is proven there.
fn with_file() -> (tempfile::TempDir, PathBuf, Moderators) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    let text = format!(
        "[[moderator]]\nname = 'hans'\ntoken = '{}'\nscopes = ['act']\nrooms = ['QGIS']\n\
         [[trusted]]\nnickname = 'Anna'\ntoken = '{}'\nrooms = ['QGIS']\n",
        hash(HANS),
        hash(ANNA)
    );
    fs::write(&path, text).unwrap();
    let (moderators, token) = of(&config(&[&format!("jane:{JANE}")], Some(path.clone())));
    assert!(token.is_none());
    (folder, path, moderators)
}

fn name(moderators: &Moderators, token: &str) -> Result<String, Refused> {
    moderators.admit(address(1), token.as_bytes()).map(|moderator| moderator.name().to_owned())
}

#[test]
fn a_token_leads_to_its_moderator() {
    let (moderators, _) = of(&config(&["jane:0123456789abcdef", "hans:fedcba9876543210"], None));
    assert_eq!(name(&moderators, HANS), Ok("hans".to_owned()));
    assert_eq!(name(&moderators, JANE), Ok("jane".to_owned()));
    for wrong in ["", "0123456789abcde", "0123456789abcdef0", "jane:0123456789abcdef"] {
        assert_eq!(name(&moderators, wrong), Err(Refused::Wrong), "{wrong}");
    }
}

#[test]
fn a_moderator_of_the_setting_may_do_everything_and_one_of_the_file_what_it_says() {
    let (_folder, _, moderators) = with_file();
    let jane = moderators.admit(address(1), JANE.as_bytes()).unwrap();
    assert!(jane.may(Scope::Admin) && jane.everywhere());
    let hans = moderators.admit(address(1), HANS.as_bytes()).unwrap();
    assert_eq!((hans.may(Scope::Act), hans.may(Scope::Admin)), (true, false));
    assert_eq!((hans.may_in(&room("QGIS")), hans.may_in(&room("QField")), hans.everywhere()), (true, false, false));
}

#[test]
fn the_hash_is_not_the_token() {
    let (_folder, _, moderators) = with_file();
    assert_eq!(name(&moderators, &hash(HANS)), Err(Refused::Wrong));
}

#[test]
fn a_trusted_token_proves_a_nickname_and_admits_nobody() {
    let (_folder, _, moderators) = with_file();
    let anna = moderators.proves(address(1), ANNA.as_bytes()).unwrap().unwrap();
    assert_eq!((anna.nickname().as_str(), anna.holds_in(&room("QGIS"))), ("Anna", true));
    assert!(!anna.holds_in(&room("QField")));
    assert_eq!(name(&moderators, ANNA), Err(Refused::Wrong));
    let by_moderator = moderators.proves(address(1), HANS.as_bytes());
    assert!(matches!(by_moderator, Err(Refused::ProvesNothing)), "{by_moderator:?}");
}

#[test]
fn where_no_nickname_is_proven_by_tokens_no_token_is_a_wrong_one() {
    let (moderators, _) = of(&config(&["jane:0123456789abcdef"], None));
    for _ in 0..20 {
        assert!(matches!(moderators.proves(address(1), b"for a proxy"), Ok(None)));
    }
    assert!(name(&moderators, JANE).is_ok());
}

#[test]
fn without_moderators_there_is_an_operator_with_another_token_each_time() {
    let [(one, first), (_, second)] = [(), ()].map(|()| of(&config(&[], None)));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(name(&one, first.reveal()).as_deref(), Ok(OPERATOR));
    assert!(one.admit(address(1), first.reveal().as_bytes()).unwrap().may(Scope::Admin));
    assert_eq!(name(&one, second.reveal()), Err(Refused::Wrong));
    assert_eq!(first.reveal().len(), 43);
}

#[test]
fn after_ten_wrong_tokens_of_either_kind_not_even_a_right_one_is_taken_from_that_address() {
    let (_folder, _, moderators) = with_file();
    for _ in 0..5 {
        assert!(matches!(moderators.admit(address(1), b"wrong"), Err(Refused::Wrong)));
        assert!(matches!(moderators.proves(address(1), b"wrong"), Err(Refused::ProvesNothing)));
    }
    for refused in [
        moderators.admit(address(1), JANE.as_bytes()).map(drop),
        moderators.proves(address(1), ANNA.as_bytes()).map(drop),
    ] {
        assert!(matches!(refused, Err(Refused::TooManyTries { .. })), "{refused:?}");
    }
    assert!(moderators.admit(address(2), JANE.as_bytes()).is_ok());
}

#[test]
fn a_token_that_is_taken_out_of_the_file_is_not_taken_after_the_next_reading() {
    let (_folder, path, moderators) = with_file();
    let hans = moderators.admit(address(1), HANS.as_bytes()).unwrap();
    fs::write(&path, format!("[[trusted]]\nnickname = 'anna'\ntoken = '{}'\n", hash(HANS))).unwrap();
    let tokens = moderators.read(&config(&["jane:0123456789abcdef"], Some(path)), &rooms()).unwrap();
    assert!(moderators.still_admits(&hans), "reading puts nothing in force");
    moderators.replace(tokens);
    assert!(!moderators.still_admits(&hans));
    assert_eq!(name(&moderators, HANS), Err(Refused::Wrong));
    assert!(matches!(moderators.proves(address(1), ANNA.as_bytes()), Err(Refused::ProvesNothing)));
    assert_eq!(name(&moderators, JANE), Ok("jane".to_owned()));
}

#[test]
fn a_moderator_whose_scope_or_rooms_change_is_not_the_same_any_more() {
    for (from, to) in [("'act'", "'admin'"), ("'QGIS'", "'QField'"), ("'hans'", "'hana'")] {
        let (_folder, path, moderators) = with_file();
        let [jane, hans] = [JANE, HANS].map(|token| moderators.admit(address(1), token.as_bytes()).unwrap());
        let changed = fs::read_to_string(&path).unwrap().replacen(from, to, 1);
        fs::write(&path, changed).unwrap();
        moderators.replace(moderators.read(&config(&["jane:0123456789abcdef"], Some(path)), &rooms()).unwrap());
        assert_eq!((moderators.still_admits(&jane), moderators.still_admits(&hans)), (true, false), "{to}");
    }
}

#[test]
fn the_token_of_a_run_stays_good_whatever_the_file_says_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    fs::write(&path, "").unwrap();
    let (moderators, token) = of(&config(&[], Some(path.clone())));
    let token = token.unwrap();
    fs::write(&path, format!("[[moderator]]\nname = 'hans'\ntoken = '{}'\n", hash(HANS))).unwrap();
    let config = config(&[], Some(path.clone()));
    moderators.replace(moderators.read(&config, &rooms()).unwrap());
    assert_eq!(name(&moderators, HANS), Ok("hans".to_owned()));
    assert_eq!(name(&moderators, token.reveal()), Ok(OPERATOR.to_owned()));
    fs::write(&path, format!("[[moderator]]\nname = 'operator'\ntoken = '{}'\n", hash(HANS))).unwrap();
    assert_eq!(moderators.read(&config, &rooms()).unwrap_err().len(), 1, "the name is taken for this run");
}

#[test]
fn a_file_that_cannot_be_had_is_one_fault() {
    let folder = tempfile::tempdir().unwrap();
    let fault = |path: PathBuf| {
        let faults = Tokens::read(&config(&[], Some(path)), &[]).unwrap_err();
        assert_eq!(faults.len(), 1);
        faults[0].text.clone()
    };
    let missing = fault(folder.path().join("none.toml"));
    assert_eq!(missing, "does not exist, though moderation.tokens_file names it");
    assert_eq!(fault(folder.path().to_owned()), "is no file");
    let large = folder.path().join("large.toml");
    fs::write(&large, "#".repeat(1024 * 1024 + 1)).unwrap();
    assert_eq!(fault(large), "is too large; the limit is 1048576 bytes");
}
