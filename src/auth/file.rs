//! The tokens file: TOML with `[[moderator]]` and `[[trusted]]`.
//!
//! Errors never repeat a text of the file, so that a misplaced token does not end up in a log.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::configured::{MAX_MODERATORS, check_name};
use super::grant::{AccessTokens, Moderator, Scope, TrustedNickname};
use super::token::{Digest, InvalidDigest};
use crate::model::{Nickname, ReservedNames, RoomName, RoomScope};
use crate::settings::{ConfigError, FileErrors, LineIndex, TomlFile, did_you_mean};

/// Most trusted nicknames.
const MAX_TRUSTED: usize = 1_000;

/// A kind of entry.
struct EntryKind {
    /// The table header in the file.
    header: &'static str,
    /// The key with the name or nickname.
    identity_key: &'static str,
    keys: &'static [&'static str],
    max_entries: usize,
}

const MODERATOR: EntryKind = EntryKind {
    header: "[[moderator]]",
    identity_key: "name",
    keys: &["name", "token", "scopes", "rooms"],
    max_entries: MAX_MODERATORS,
};
const TRUSTED: EntryKind = EntryKind {
    header: "[[trusted]]",
    identity_key: "nickname",
    keys: &["nickname", "token", "rooms"],
    max_entries: MAX_TRUSTED,
};

/// The values of an entry. A missing or invalid value is `None`.
#[derive(Default)]
struct RawEntry {
    line: usize,
    identity: Option<(String, usize)>,
    digest: Option<Digest>,
    scope: Option<Scope>,
    rooms: Option<RoomScope>,
}

/// Parses the text of the file. `rooms` are the rooms of the relay; `named` are moderators from elsewhere, listed
/// first; `reserved` names are no nicknames.
///
/// # Errors
/// All errors, ordered by line; beyond a hundred they are only counted.
pub(super) fn parse(
    path: &Path,
    text: &str,
    rooms: &[RoomName],
    named: Vec<Moderator>,
    reserved: ReservedNames,
) -> Result<AccessTokens, Vec<ConfigError>> {
    let TomlFile { root, lines, syntax_errors } = TomlFile::parse(text);
    let mut reader = Parser::new(&lines, rooms, &named, &reserved);
    let (mut moderators, mut trusted) = (named, Vec::new());
    for (key, value) in root.get_ref() {
        match key.get_ref().as_ref() {
            "moderator" => {
                let entries = reader.entries(&MODERATOR, value);
                moderators.extend(entries.into_iter().filter_map(|entry| reader.moderator(entry)));
            }
            "trusted" => {
                let entries = reader.entries(&TRUSTED, value);
                trusted.extend(entries.into_iter().filter_map(|entry| reader.trusted(entry)));
            }
            other => {
                let hint = did_you_mean(other, ["moderator", "trusted"]);
                reader.error(key.span().start, format!("unknown key; expected `moderator` or `trusted`{hint}"));
            }
        }
    }
    let Parser { mut errors, entry_lines, .. } = reader;
    if let Some((&first, _)) = syntax_errors.first_key_value() {
        // The entry with the syntax error and those after it are misparsed; drop errors about them.
        let whole = entry_lines.range(..=first).next_back().copied().unwrap_or(first);
        errors.retain(|(line, _)| *line < whole);
        errors.extend(syntax_errors);
    }
    errors.sort();
    let mut all = FileErrors::new(path);
    for (line, text) in errors {
        all.add(line, text);
    }
    all.into_result().map(|()| AccessTokens { moderators, trusted, reserved })
}

/// Parses entries and collects errors with their lines.
struct Parser<'a> {
    lines: &'a LineIndex,
    rooms: &'a [RoomName],
    reserved: &'a ReservedNames,
    /// The lines on which entries begin.
    entry_lines: BTreeSet<usize>,
    /// The owner of each name, token and skeleton of a nickname, as a text for errors.
    names: HashMap<String, String>,
    digests: HashMap<Digest, String>,
    skeletons: HashMap<String, String>,
    errors: Vec<(usize, String)>,
}

impl<'a> Parser<'a> {
    fn new(lines: &'a LineIndex, rooms: &'a [RoomName], named: &[Moderator], reserved: &'a ReservedNames) -> Self {
        let elsewhere = || "a moderator of MODERATORS".to_owned();
        Self {
            lines,
            rooms,
            reserved,
            entry_lines: BTreeSet::new(),
            names: named.iter().map(|moderator| (moderator.name.to_string(), elsewhere())).collect(),
            digests: named.iter().map(|moderator| (moderator.digest, elsewhere())).collect(),
            skeletons: HashMap::new(),
            errors: Vec::new(),
        }
    }

    fn error(&mut self, offset: usize, text: String) {
        self.errors.push((self.lines.line(offset), text));
    }

    fn entries(&mut self, kind: &EntryKind, value: &Spanned<DeValue<'_>>) -> Vec<RawEntry> {
        let header = kind.header;
        let DeValue::Array(array) = value.get_ref() else {
            self.error(value.span().start, format!("expected {header} entries, with double brackets"));
            return Vec::new();
        };
        if array.len() > kind.max_entries {
            let most = kind.max_entries;
            self.error(value.span().start, format!("{} {header} entries; the limit is {most}", array.len()));
        }
        let mut entries = Vec::new();
        for value in array.iter().take(kind.max_entries) {
            let line = self.lines.line(value.span().start);
            self.entry_lines.insert(line);
            match value.get_ref() {
                DeValue::Table(table) => entries.push(self.entry(kind, table, line)),
                _ => self.errors.push((line, format!("expected {header} entries, with double brackets"))),
            }
        }
        entries
    }

    fn entry(&mut self, kind: &EntryKind, table: &DeTable<'_>, line: usize) -> RawEntry {
        let header = kind.header;
        let mut entry = RawEntry { line, ..RawEntry::default() };
        for (key, value) in table {
            let start = key.span().start;
            let name = key.get_ref().as_ref();
            if !kind.keys.contains(&name) {
                let hint = did_you_mean(name, kind.keys.iter().copied());
                self.error(start, format!("unknown key in {header}; expected one of {}{hint}", kind.keys.join(", ")));
                continue;
            }
            let read = match (name, value.get_ref()) {
                ("token", DeValue::String(text)) => text
                    .parse()
                    .map(|digest| entry.digest = Some(digest))
                    .map_err(|error: InvalidDigest| error.to_string()),
                ("scopes", value) => parse_scope(value).map(|scope| entry.scope = Some(scope)),
                ("rooms", value) => self.parse_rooms(value).map(|rooms| entry.rooms = Some(rooms)),
                (_, DeValue::String(text)) => {
                    entry.identity = Some((text.to_string(), self.lines.line(start)));
                    Ok(())
                }
                _ => Err("must be a string".to_owned()),
            };
            if let Err(why) = read {
                self.error(start, format!("`{name}` of {header} {why}"));
            }
        }
        for key in [kind.identity_key, "token"] {
            if !table.keys().any(|written| written.get_ref() == key) {
                self.errors.push((line, format!("{header} without the key `{key}`")));
            }
        }
        entry
    }

    /// Returns the digest of an entry. Reports an error if another entry has the same.
    fn unique_digest(&mut self, entry: &RawEntry) -> Option<Digest> {
        let digest = entry.digest?;
        let own = format!("the entry in line {}", entry.line);
        match self.digests.insert(digest, own) {
            None => Some(digest),
            Some(other) => {
                self.errors.push((entry.line, format!("the token is already used by {other}")));
                None
            }
        }
    }

    fn moderator(&mut self, entry: RawEntry) -> Option<Moderator> {
        let digest = self.unique_digest(&entry);
        let RawEntry { line: begin, identity: who, scope, rooms, .. } = entry;
        let (name, line) = who?;
        if let Err(allowed) = check_name(&name) {
            self.errors.push((line, format!("`name` of [[moderator]] is invalid; {allowed}")));
            return None;
        }
        if let Some(other) = self.names.insert(name.clone(), format!("the entry in line {begin}")) {
            self.errors.push((line, format!("`name` of [[moderator]] is already used by {other}")));
        }
        // The default scope is read-only.
        let scope = scope.unwrap_or(Scope::Read);
        Some(Moderator { name: name.into(), scope, rooms: rooms.unwrap_or(RoomScope::All), digest: digest? })
    }

    fn trusted(&mut self, entry: RawEntry) -> Option<TrustedNickname> {
        let digest = self.unique_digest(&entry);
        let RawEntry { line: begin, identity: who, rooms, .. } = entry;
        let (name, line) = who?;
        let nickname = match name.parse::<Nickname>() {
            Ok(_) if self.reserved.contains(&name) => Err("is reserved for the relay".to_owned()),
            Ok(nickname) => Ok(nickname),
            Err(error) => Err(error.to_string()),
        };
        let nickname = nickname
            .map_err(|problem| self.errors.push((line, format!("`nickname` of [[trusted]] {problem}"))))
            .ok()?;
        let own = format!("the one in line {begin}");
        let mut other = None;
        for look in nickname.skeletons().iter() {
            other = other.or(self.skeletons.insert(look.to_owned(), own.clone()).filter(|other| *other != own));
        }
        if let Some(other) = other {
            self.errors.push((line, format!("`nickname` of [[trusted]] is the same as, or looks like, {other}")));
        }
        Some(TrustedNickname { nickname, rooms: rooms.unwrap_or(RoomScope::All), digest: digest? })
    }

    fn parse_rooms(&self, value: &DeValue<'_>) -> Result<RoomScope, String> {
        let names = parse_strings(value)?;
        if names.is_empty() {
            return Err("is empty; omit it to grant all rooms".to_owned());
        }
        let mut rooms = Vec::new();
        for (at, name) in (1..).zip(names) {
            let room = name.parse().ok().filter(|room| self.rooms.contains(room));
            let room = room.ok_or_else(|| format!("has an unknown room in item number {at}"))?;
            if !rooms.contains(&room) {
                rooms.push(room);
            }
        }
        Ok(RoomScope::Only(rooms.into()))
    }
}

/// Returns the widest of the scopes.
fn parse_scope(value: &DeValue<'_>) -> Result<Scope, String> {
    let names = parse_strings(value)?;
    let all = Scope::ALL.map(Scope::as_str);
    let mut widest = None;
    for (at, name) in (1..).zip(names) {
        let scope: Scope = name.parse().map_err(|_| {
            format!(
                "has an unknown scope in item number {at}; expected one of {}{}",
                all.join(", "),
                did_you_mean(name, all)
            )
        })?;
        widest = widest.max(Some(scope));
    }
    widest.ok_or_else(|| "is empty; omit it to grant `read`".to_owned())
}

fn parse_strings<'v>(value: &'v DeValue<'_>) -> Result<Vec<&'v str>, String> {
    let strings = value.as_array().and_then(|array| array.iter().map(|item| item.get_ref().as_str()).collect());
    strings.ok_or_else(|| "must be a list of strings".to_owned())
}

#[cfg(test)]
mod tests;
