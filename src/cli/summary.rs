//! The startup summary for an operator at a terminal.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::client::local_address;
use super::terminal::printable;
use crate::filter::rules::RuleSet;
use crate::model::RoomName;
use crate::sandbox::{Catalog, NotLoadedReason, PluginEntry};
use crate::telemetry::Degradation;

/// Width of the heading column.
const HEADING: usize = 13;
/// Longest line of a list of names, in columns.
const WIDTH: usize = 100;

/// The contents of the startup summary.
pub(super) struct Summary<'a> {
    /// The address that the relay listens on.
    pub(super) address: SocketAddr,
    /// The moderator token of this run, if no moderators are configured.
    pub(super) token: Option<&'a str>,
    pub(super) rooms: &'a [RoomName],
    pub(super) rules: &'a RuleSet,
    /// The plugins; `None` if plugins are not in the chain.
    pub(super) plugins: Option<&'a Catalog>,
    /// Subsystems that the relay runs without.
    pub(super) degraded: &'a [Degradation],
}

impl Summary<'_> {
    /// Formats the summary for a terminal, in about ten lines.
    pub(super) fn text(&self) -> String {
        let mut text = String::from("\n");
        let at = local_address(self.address);
        line(&mut text, "chat page", &format!("http://{at}/"));
        if let Some(token) = self.token {
            line(&mut text, "moderators", &format!("none configured (MODERATORS); token of this run: {token}"));
        }
        list(&mut text, "rooms", self.rooms.iter().map(|room| printable(room.as_str())));
        line(&mut text, "rules", &rules(self.rules));
        match self.plugins {
            None => line(&mut text, "plugins", "disabled: filter.order does not include `plugin`"),
            Some(catalog) => plugins(&mut text, catalog),
        }
        for Degradation { subsystem, reason } in self.degraded {
            line(&mut text, "degraded", &format!("{subsystem}: {}", printable(reason)));
        }
        text.push('\n');
        text
    }
}

fn rules(rules: &RuleSet) -> String {
    let starter = rules.len() - rules.own_count();
    format!("{} of your own, {starter} of the starter set (preset {})", rules.own_count(), rules.preset())
}

fn plugins(text: &mut String, catalog: &Catalog) {
    let loaded = catalog.entries.iter().filter(|entry| entry.plugin.is_ok());
    let named = loaded.map(|entry| format!("{} ({})", printable(&entry.manifest.name), entry.mode()));
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

/// Returns why a plugin is not loaded, with the command that fixes it.
fn unloaded(entry: &PluginEntry, why: &NotLoadedReason) -> String {
    let name = printable(&entry.manifest.name);
    match (why, why.build_command()) {
        (NotLoadedReason::NotBuilt { .. }, Some(command)) => format!("{name}: not built; {}", printable(&command)),
        (NotLoadedReason::Deferred { why, .. }, _) => format!("{name}: {why}"),
        (why, _) => format!("{name}: {}", printable(&why.to_string())),
    }
}

fn line(text: &mut String, heading: &str, value: &str) {
    // Writing to a string cannot fail.
    let _infallible = writeln!(text, "  {heading:HEADING$}{value}");
}

/// Writes names separated by commas, wrapped at [`WIDTH`].
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
    use crate::fixtures;
    use crate::telemetry::Subsystem;

    fn summary(token: Option<&str>, rooms: &[&str], degraded: &[Degradation]) -> String {
        let rooms: Vec<RoomName> = rooms.iter().map(|name| fixtures::room(name)).collect();
        let (rules, plugins) = (RuleSet::default(), Catalog::default());
        let address = "0.0.0.0:8000".parse().unwrap();
        Summary { address, token, rooms: &rooms, rules: &rules, plugins: Some(&plugins), degraded }.text()
    }

    #[test]
    fn the_summary_has_a_line_for_each_item() {
        let missing = [Degradation::new(Subsystem::Store, "data/state.redb: is a directory\u{1b}[2J")];
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
    fn a_long_list_of_rooms_is_wrapped() {
        let names: Vec<String> = (0..60).map(|n| format!("Room {n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let text = summary(None, &names, &[]);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH + HEADING + 3), "{text}");
        assert_eq!(text.lines().filter(|line| line.contains("Room")).count(), 6);
        assert!(!text.contains("token"), "{text}");
    }
}
