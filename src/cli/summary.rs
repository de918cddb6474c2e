//! The summary at the end of a start: what an operator at a terminal wants to see before anything else.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::client::reachable;
use super::terminal::printable;
use crate::filter::rules::Rules;
use crate::model::RoomName;
use crate::sandbox::{Catalog, Entry, Unloaded};
use crate::telemetry::Degradation;

/// Width of the column of headings.
const HEADING: usize = 13;
/// Longest line of a list of names. Columns.
const WIDTH: usize = 100;

/// What a relay has come up with.
pub(super) struct Summary<'a> {
    /// Where it serves.
    pub(super) address: SocketAddr,
    /// The moderator token of this run, when no moderator is configured.
    pub(super) token: Option<&'a str>,
    pub(super) rooms: &'a [RoomName],
    pub(super) rules: &'a Rules,
    /// The plugins; `None` when no plugins are in the chain.
    pub(super) plugins: Option<&'a Catalog>,
    /// Parts that are missing.
    pub(super) degraded: &'a [Degradation],
}

impl Summary<'_> {
    /// The text, of some ten lines, fit for a terminal.
    pub(super) fn text(&self) -> String {
        let mut text = String::from("\n");
        let at = reachable(self.address);
        line(&mut text, "chat page", &format!("http://{at}/"));
        if let Some(token) = self.token {
            line(&mut text, "moderators", &format!("none configured (MODERATORS); token of this run: {token}"));
        }
        list(&mut text, "rooms", self.rooms.iter().map(|room| printable(room.as_str())));
        line(&mut text, "rules", &rules(self.rules));
        match self.plugins {
            None => line(&mut text, "plugins", "not in force: filter.order does not name `plugin`"),
            Some(catalog) => plugins(&mut text, catalog),
        }
        for Degradation { part, reason } in self.degraded {
            line(&mut text, "degraded", &format!("{}: {}", part.as_str(), printable(reason)));
        }
        text.push('\n');
        text
    }
}

fn rules(rules: &Rules) -> String {
    let starter = rules.len() - rules.own();
    format!("{} of your own, {starter} of the starter set (preset {})", rules.own(), rules.preset().as_str())
}

fn plugins(text: &mut String, catalog: &Catalog) {
    let loaded = catalog.entries.iter().filter(|entry| entry.plugin.is_ok());
    let named = loaded.map(|entry| format!("{} ({})", printable(&entry.manifest.name), entry.mode().as_str()));
    let named: Vec<String> = named.collect();
    if named.is_empty() {
        line(text, "plugins", "none loaded");
    } else {
        list(text, "plugins", named.into_iter());
    }
    for entry in &catalog.entries {
        if let Err(why) = &entry.plugin {
            line(text, "not loaded", &unloaded(entry, why));
        }
    }
}

/// Why a plugin is not loaded, and the command that helps.
fn unloaded(entry: &Entry, why: &Unloaded) -> String {
    let name = printable(&entry.manifest.name);
    match (why, why.command()) {
        (Unloaded::NotBuilt { .. }, Some(command)) => format!("{name}: not built; {}", printable(&command)),
        (Unloaded::Later(why), _) => format!("{name}: {why}"),
        (why, _) => format!("{name}: {}", printable(&why.to_string())),
    }
}

fn line(text: &mut String, heading: &str, value: &str) {
    // Writing to a string cannot fail.
    let _infallible = writeln!(text, "  {heading:HEADING$}{value}");
}

/// Names with commas between them, in as many lines as they need.
fn list(text: &mut String, heading: &str, names: impl Iterator<Item = String>) {
    let (mut heading, mut row) = (heading, String::new());
    for name in names {
        if !row.is_empty() && row.chars().count() + name.chars().count() > WIDTH {
            row.push(',');
            line(text, heading, &row);
            heading = "";
            row.clear();
        }
        if !row.is_empty() {
            row.push_str(", ");
        }
        row.push_str(&name);
    }
    line(text, heading, &row);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Part;

    fn summary(token: Option<&str>, rooms: &[&str], degraded: &[Degradation]) -> String {
        let rooms: Vec<RoomName> = rooms.iter().map(|room| RoomName::parse(room).unwrap()).collect();
        let (rules, plugins) = (Rules::default(), Catalog::default());
        let address = "0.0.0.0:8000".parse().unwrap();
        Summary { address, token, rooms: &rooms, rules: &rules, plugins: Some(&plugins), degraded }.text()
    }

    #[test]
    fn a_start_is_told_in_a_line_for_each_thing_to_know() {
        let missing = [Degradation::new(Part::Store, "data/state.redb: is a directory\u{1b}[2J")];
        assert_eq!(
            summary(Some("secret-token"), &["QGIS", "QField"], &missing),
            "\n  chat page    http://127.0.0.1:8000/\n  \
             moderators   none configured (MODERATORS); token of this run: secret-token\n  \
             rooms        QGIS, QField\n  \
             rules        0 of your own, 0 of the starter set (preset balanced)\n  \
             plugins      none loaded\n  \
             degraded     store: data/state.redb: is a directory\\u{1b}[2J\n\n"
        );
    }

    #[test]
    fn many_rooms_take_several_lines() {
        let names: Vec<String> = (0..60).map(|n| format!("Room {n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let text = summary(None, &names, &[]);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH + HEADING + 3), "{text}");
        assert_eq!(text.lines().filter(|line| line.contains("Room")).count(), 6);
        assert!(!text.contains("token"), "{text}");
    }
}
