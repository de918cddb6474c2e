use std::fs;
use std::path::PathBuf;

use super::*;
use crate::auth::Config;
use crate::auth::Scope;
use crate::fixtures::{address, room};
use crate::settings::{SettingValue, SettingsSource};

const JANE: &str = "0123456789abcdef";
const HANS: &str = "fedcba9876543210";
const ANNA: &str = "a token of anna's";

fn hash(token: &str) -> String {
    Digest::new(token.as_bytes()).to_string()
}

fn config(named: &[&str], file: Option<PathBuf>) -> Config {
    let mut config = Config::declare(&mut SettingsSource::new().root().section("moderation", ""));
    config.moderators = named.iter().map(|text| SettingValue::from_text(text).unwrap()).collect();
    config.tokens_file = file;
    config
}

fn rooms() -> [RoomName; 2] {
    [room("QGIS"), room("QField")]
}

fn of(config: &Config) -> (Moderators, Option<Token>) {
    Moderators::new(config, &rooms()).unwrap()
}

/// Hans may act in QGIS; Anna is a trusted nickname there.
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

fn name(moderators: &Moderators, token: &str) -> Result<String, TokenError> {
    moderators.authenticate(address(1), token.as_bytes()).map(|moderator| moderator.name().to_owned())
}

#[test]
fn a_token_identifies_its_moderator() {
    let (moderators, _) = of(&config(&["jane:0123456789abcdef", "hans:fedcba9876543210"], None));
    assert_eq!(name(&moderators, HANS), Ok("hans".to_owned()));
    assert_eq!(name(&moderators, JANE), Ok("jane".to_owned()));
    for wrong in ["", "0123456789abcde", "0123456789abcdef0", "jane:0123456789abcdef"] {
        assert_eq!(name(&moderators, wrong), Err(TokenError::NotModerator), "{wrong}");
    }
}

#[test]
fn moderators_of_the_setting_have_all_scopes_and_those_of_the_file_what_it_grants() {
    let (_folder, _, moderators) = with_file();
    let jane = moderators.authenticate(address(1), JANE.as_bytes()).unwrap();
    assert!(jane.has_scope(Scope::Admin) && jane.covers_all_rooms());
    let hans = moderators.authenticate(address(1), HANS.as_bytes()).unwrap();
    assert_eq!((hans.has_scope(Scope::Act), hans.has_scope(Scope::Admin)), (true, false));
    assert_eq!(
        (hans.covers(&room("QGIS")), hans.covers(&room("QField")), hans.covers_all_rooms()),
        (true, false, false)
    );
}

#[test]
fn the_hash_is_not_the_token() {
    let (_folder, _, moderators) = with_file();
    assert_eq!(name(&moderators, &hash(HANS)), Err(TokenError::NotModerator));
}

#[test]
fn a_trusted_token_proves_a_nickname_and_does_not_authenticate_a_moderator() {
    let (_folder, _, moderators) = with_file();
    let anna = moderators.trusted_nickname(address(1), ANNA.as_bytes()).unwrap().unwrap();
    assert_eq!((anna.nickname().as_str(), anna.covers(&room("QGIS"))), ("Anna", true));
    assert!(!anna.covers(&room("QField")));
    assert_eq!(name(&moderators, ANNA), Err(TokenError::NotModerator));
    let by_moderator = moderators.trusted_nickname(address(1), HANS.as_bytes());
    assert!(matches!(by_moderator, Err(TokenError::NotTrusted)), "{by_moderator:?}");
}

#[test]
fn without_trusted_nicknames_no_token_counts_as_wrong() {
    let (moderators, _) = of(&config(&["jane:0123456789abcdef"], None));
    for _ in 0..20 {
        assert!(matches!(moderators.trusted_nickname(address(1), b"for a proxy"), Ok(None)));
    }
    assert!(name(&moderators, JANE).is_ok());
}

#[test]
fn without_moderators_each_run_has_an_operator_with_a_new_token() {
    let [(one, first), (_, second)] = [(), ()].map(|()| of(&config(&[], None)));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(name(&one, first.reveal()).as_deref(), Ok(OPERATOR));
    assert!(one.authenticate(address(1), first.reveal().as_bytes()).unwrap().has_scope(Scope::Admin));
    assert_eq!(name(&one, second.reveal()), Err(TokenError::NotModerator));
    assert_eq!(first.reveal().len(), 43);
}

#[test]
fn after_ten_wrong_tokens_of_either_kind_only_valid_ones_are_accepted_from_the_address() {
    let (_folder, _, moderators) = with_file();
    for _ in 0..5 {
        assert!(matches!(moderators.authenticate(address(1), b"wrong"), Err(TokenError::NotModerator)));
        assert!(matches!(moderators.trusted_nickname(address(1), b"wrong"), Err(TokenError::NotTrusted)));
    }
    for refused in [
        moderators.authenticate(address(1), b"wrong").map(drop),
        moderators.trusted_nickname(address(1), b"wrong").map(drop),
    ] {
        assert!(matches!(refused, Err(TokenError::TooManyAttempts { .. })), "{refused:?}");
    }
    assert!(moderators.authenticate(address(1), JANE.as_bytes()).is_ok());
    assert!(moderators.trusted_nickname(address(1), ANNA.as_bytes()).is_ok());
    assert!(matches!(moderators.authenticate(address(2), b"wrong"), Err(TokenError::NotModerator)));
}

#[test]
fn a_token_removed_from_the_file_is_invalid_after_a_reload() {
    let (_folder, path, moderators) = with_file();
    let hans = moderators.authenticate(address(1), HANS.as_bytes()).unwrap();
    fs::write(&path, format!("[[trusted]]\nnickname = 'anna'\ntoken = '{}'\n", hash(HANS))).unwrap();
    let tokens = moderators.read(&config(&["jane:0123456789abcdef"], Some(path)), &rooms()).unwrap();
    assert!(moderators.is_still_valid(&hans), "reading applies nothing");
    moderators.replace(tokens);
    assert!(!moderators.is_still_valid(&hans));
    assert_eq!(name(&moderators, HANS), Err(TokenError::NotModerator));
    assert!(matches!(moderators.trusted_nickname(address(1), ANNA.as_bytes()), Err(TokenError::NotTrusted)));
    assert_eq!(name(&moderators, JANE), Ok("jane".to_owned()));
}

#[test]
fn a_moderator_whose_grant_changes_is_no_longer_valid() {
    for (from, to) in [("'act'", "'admin'"), ("'QGIS'", "'QField'"), ("'hans'", "'hana'")] {
        let (_folder, path, moderators) = with_file();
        let [jane, hans] = [JANE, HANS].map(|token| moderators.authenticate(address(1), token.as_bytes()).unwrap());
        let changed = fs::read_to_string(&path).unwrap().replacen(from, to, 1);
        fs::write(&path, changed).unwrap();
        moderators.replace(moderators.read(&config(&["jane:0123456789abcdef"], Some(path)), &rooms()).unwrap());
        assert_eq!((moderators.is_still_valid(&jane), moderators.is_still_valid(&hans)), (true, false), "{to}");
    }
}

#[test]
fn the_token_of_a_run_stays_valid_across_reloads() {
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
fn an_unreadable_file_is_one_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = |path: PathBuf| {
        let errors = AccessTokens::read(&config(&[], Some(path)), &[]).unwrap_err();
        assert_eq!(errors.len(), 1);
        errors[0].text.clone()
    };
    let missing = error(folder.path().join("none.toml"));
    assert_eq!(missing, "does not exist, but is named by moderation.tokens_file");
    assert_eq!(error(folder.path().to_owned()), "is not a regular file");
    let large = folder.path().join("large.toml");
    fs::write(&large, "#".repeat(1024 * 1024 + 1)).unwrap();
    assert_eq!(error(large), "is too large; the limit is 1048576 bytes");
}
