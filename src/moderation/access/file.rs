//! The file of tokens: TOML with `[[moderator]]` and `[[trusted]]`.
//!
//! No fault repeats a text of the file: whoever writes a token where something else belongs must not find it in a log.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::grant::{Moderator, Rooms, Scope, Trusted};
use super::named::{MAX_MODERATORS, check_name};
use super::token::Digest;
use super::tokens::Tokens;
use crate::model::{Nickname, RoomName, is_reserved};
use crate::settings::{Fault, Lines, Place, nearest};

/// Most nicknames that tokens prove.
const MAX_TRUSTED: usize = 1_000;
/// More faults than this are counted and not listed.
const MAX_LISTED: usize = 100;

/// One of the two kinds of entry.
struct Kind {
    /// As it begins in the file.
    header: &'static str,
    /// The key of who it is.
    who: &'static str,
    keys: &'static [&'static str],
    most: usize,
}

const MODERATOR: Kind =
    Kind { header: "[[moderator]]", who: "name", keys: &["name", "token", "scopes", "rooms"], most: MAX_MODERATORS };
const TRUSTED: Kind =
    Kind { header: "[[trusted]]", who: "nickname", keys: &["nickname", "token", "rooms"], most: MAX_TRUSTED };

/// What an entry says. What it does not say, or not well, is `None`.
#[derive(Default)]
struct Entry {
    line: usize,
    who: Option<(String, usize)>,
    digest: Option<Digest>,
    scope: Option<Scope>,
    rooms: Option<Rooms>,
}

/// Reads the text of the file. `rooms` are those of the relay; `named` are moderators from elsewhere, who come first.
///
/// # Errors
/// All faults, in order of their lines; beyond a hundred they are only counted.
pub(super) fn parse(path: &Path, text: &str, rooms: &[RoomName], named: Vec<Moderator>) -> Result<Tokens, Vec<Fault>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader::new(text, rooms, &named);
    let mut tokens = Tokens { moderators: named, trusted: Vec::new() };
    for (key, value) in root.get_ref() {
        match key.get_ref().as_ref() {
            "moderator" => {
                let entries = reader.entries(&MODERATOR, value);
                tokens.moderators.extend(entries.into_iter().filter_map(|entry| reader.moderator(entry)));
            }
            "trusted" => {
                let entries = reader.entries(&TRUSTED, value);
                tokens.trusted.extend(entries.into_iter().filter_map(|entry| reader.trusted(entry)));
            }
            other => {
                let hint = hint(other, &["moderator", "trusted"]);
                reader.fault(key.span().start, format!("a key is neither `moderator` nor `trusted`{hint}"));
            }
        }
    }
    // One slip makes a dozen errors; the first of a line is the one to read.
    let mut broken = BTreeMap::new();
    for error in errors {
        broken.entry(reader.lines.line(error.span().map_or(0, |span| span.start))).or_insert(error);
    }
    let Reader { mut faults, begins, .. } = reader;
    if let Some((&first, _)) = broken.first_key_value() {
        // What the parser makes of the entry with the error, and of those behind it, is not what was meant.
        let whole = begins.range(..=first).next_back().copied().unwrap_or(first);
        faults.retain(|(line, _)| *line < whole);
        faults.extend(broken.iter().map(|(line, error)| (*line, error.message().to_owned())));
    }
    if faults.is_empty() { Ok(tokens) } else { Err(listed(path, faults)) }
}

/// Faults with their lines as a list that somebody can read.
fn listed(path: &Path, mut faults: Vec<(usize, String)>) -> Vec<Fault> {
    faults.sort();
    let unlisted = faults.len().saturating_sub(MAX_LISTED);
    let place = |line| Place::line(path, line);
    let mut list: Vec<Fault> =
        faults.into_iter().take(MAX_LISTED).map(|(line, text)| Fault::new(place(line), text)).collect();
    if unlisted > 0 {
        list.push(Fault::new(Place::File(path.to_owned()), format!("{unlisted} more faults")));
    }
    list
}

/// `; did you mean ...?` if one of `names` is close to `written`, which is not shown itself.
fn hint(written: &str, names: &[&'static str]) -> String {
    // A long text is no slip of the pen.
    let near = nearest(written, names.iter().copied()).filter(|_| written.len() <= 16);
    near.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

/// Reads entries and collects what is wrong with them, by lines.
struct Reader<'a> {
    lines: Lines,
    rooms: &'a [RoomName],
    /// The lines where entries begin.
    begins: BTreeSet<usize>,
    /// Whose each name, token and look of a nickname is, as words.
    names: HashMap<String, String>,
    digests: HashMap<Digest, String>,
    looks: HashMap<String, String>,
    faults: Vec<(usize, String)>,
}

impl<'a> Reader<'a> {
    fn new(text: &str, rooms: &'a [RoomName], named: &[Moderator]) -> Self {
        let elsewhere = || "a moderator of MODERATORS".to_owned();
        Self {
            lines: Lines::of(text),
            rooms,
            begins: BTreeSet::new(),
            names: named.iter().map(|moderator| (moderator.name.to_string(), elsewhere())).collect(),
            digests: named.iter().map(|moderator| (moderator.digest, elsewhere())).collect(),
            looks: HashMap::new(),
            faults: Vec::new(),
        }
    }

    fn fault(&mut self, offset: usize, text: String) {
        self.faults.push((self.lines.line(offset), text));
    }

    fn entries(&mut self, kind: &Kind, value: &Spanned<DeValue<'_>>) -> Vec<Entry> {
        let header = kind.header;
        let DeValue::Array(array) = value.get_ref() else {
            self.fault(value.span().start, format!("an entry begins with {header}, in two pairs of brackets"));
            return Vec::new();
        };
        if array.len() > kind.most {
            let most = kind.most;
            self.fault(
                value.span().start,
                format!("there are {} of {header}; at most {most} are allowed", array.len()),
            );
        }
        let mut entries = Vec::new();
        for value in array.iter().take(kind.most) {
            let line = self.lines.line(value.span().start);
            self.begins.insert(line);
            match value.get_ref() {
                DeValue::Table(table) => entries.push(self.entry(kind, table, line)),
                _ => self.faults.push((line, format!("an entry begins with {header}, in two pairs of brackets"))),
            }
        }
        entries
    }

    fn entry(&mut self, kind: &Kind, table: &DeTable<'_>, line: usize) -> Entry {
        let header = kind.header;
        let mut entry = Entry { line, ..Entry::default() };
        for (key, value) in table {
            let start = key.span().start;
            let name = key.get_ref().as_ref();
            if !kind.keys.contains(&name) {
                let hint = hint(name, kind.keys);
                self.fault(start, format!("a key of {header} is none of {}{hint}", kind.keys.join(", ")));
                continue;
            }
            let read = match (name, value.get_ref()) {
                ("token", DeValue::String(text)) => {
                    Digest::parse(text).map(|digest| entry.digest = Some(digest)).ok_or(
                        "is no `sha256:` with 64 hexadecimal digits; `gischat-relay token` makes a token with its hash"
                            .to_owned(),
                    )
                }
                ("scopes", value) => scope(value).map(|scope| entry.scope = Some(scope)),
                ("rooms", value) => self.some_rooms(value).map(|rooms| entry.rooms = Some(rooms)),
                (_, DeValue::String(text)) => {
                    entry.who = Some((text.to_string(), self.lines.line(start)));
                    Ok(())
                }
                _ => Err("must be a string".to_owned()),
            };
            if let Err(why) = read {
                self.fault(start, format!("`{name}` of {header} {why}"));
            }
        }
        for key in [kind.who, "token"] {
            if !table.keys().any(|written| written.get_ref() == key) {
                self.faults.push((line, format!("{header} without `{key}`")));
            }
        }
        entry
    }

    /// The entry's place among tokens: a fault when another entry has the same one.
    fn digest(&mut self, entry: &Entry) -> Option<Digest> {
        let digest = entry.digest?;
        let own = format!("the entry in line {}", entry.line);
        match self.digests.insert(digest, own) {
            None => Some(digest),
            Some(other) => {
                self.faults.push((entry.line, format!("the token is also that of {other}; each has its own")));
                None
            }
        }
    }

    fn moderator(&mut self, entry: Entry) -> Option<Moderator> {
        let digest = self.digest(&entry);
        let Entry { line: begin, who, scope, rooms, .. } = entry;
        let (name, line) = who?;
        if let Err(allowed) = check_name(&name) {
            self.faults.push((line, format!("`name` of [[moderator]] is no good name; {allowed}")));
            return None;
        }
        if let Some(other) = self.names.insert(name.clone(), format!("the entry in line {begin}")) {
            self.faults.push((line, format!("`name` of [[moderator]] is also that of {other}")));
        }
        // Who says nothing of it may look, and no more.
        let scope = scope.unwrap_or(Scope::Read);
        Some(Moderator { name: name.into(), scope, rooms: rooms.unwrap_or(Rooms::All), digest: digest? })
    }

    fn trusted(&mut self, entry: Entry) -> Option<Trusted> {
        let digest = self.digest(&entry);
        let Entry { line: begin, who, rooms, .. } = entry;
        let (name, line) = who?;
        let nickname = match Nickname::parse(&name) {
            Ok(_) if is_reserved(&name) => Err("is kept for the relay itself".to_owned()),
            Ok(nickname) => Ok(nickname),
            Err(fault) => Err(fault.to_string()),
        };
        let nickname =
            nickname.map_err(|why| self.faults.push((line, format!("`nickname` of [[trusted]] {why}")))).ok()?;
        let own = format!("the one in line {begin}");
        let mut other = None;
        for look in nickname.looks().iter() {
            other = other.or(self.looks.insert(look.to_owned(), own.clone()).filter(|other| *other != own));
        }
        if let Some(other) = other {
            self.faults.push((line, format!("`nickname` of [[trusted]] is, or looks like, {other}")));
        }
        Some(Trusted { nickname, rooms: rooms.unwrap_or(Rooms::All), digest: digest? })
    }

    fn some_rooms(&self, value: &DeValue<'_>) -> Result<Rooms, String> {
        let names = strings(value)?;
        if names.is_empty() {
            return Err("is an empty list; without this key, it is all rooms".to_owned());
        }
        let mut rooms = Vec::new();
        for (at, name) in (1..).zip(names) {
            let room = RoomName::parse(name).ok().filter(|room| self.rooms.contains(room));
            let room = room.ok_or_else(|| format!("names a room, number {at}, that this relay does not have"))?;
            if !rooms.contains(&room) {
                rooms.push(room);
            }
        }
        Ok(Rooms::Only(rooms.into()))
    }
}

/// The widest of the scopes.
fn scope(value: &DeValue<'_>) -> Result<Scope, String> {
    let names = strings(value)?;
    let all = Scope::ALL.map(Scope::as_str);
    let mut widest = None;
    for (at, name) in (1..).zip(names) {
        let scope = Scope::of_name(name);
        let scope = scope.ok_or_else(|| {
            format!("names a scope, number {at}, that is none of {}{}", all.join(", "), hint(name, &all))
        })?;
        widest = widest.max(Some(scope));
    }
    widest.ok_or_else(|| "is an empty list; without this key, it is read".to_owned())
}

fn strings<'v>(value: &'v DeValue<'_>) -> Result<Vec<&'v str>, String> {
    let strings = value.as_array().and_then(|array| array.iter().map(|item| item.get_ref().as_str()).collect());
    strings.ok_or_else(|| "must be a list of strings".to_owned())
}

#[cfg(test)]
mod tests;
