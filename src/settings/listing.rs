//! The listing of all settings: a settings file with every setting at its default, documented.

use super::SettingsSource;
use super::declared::DeclaredSetting;
use super::setting::grouped;

/// Longest line of a comment, in columns.
const WIDTH: usize = 120;

impl DeclaredSetting {
    fn write(&self, listing: &mut String) {
        comment(listing, self.doc);
        let limits = self.allowed.as_ref().map(|limits| format!("Allowed: {limits}. ")).unwrap_or_default();
        let absent = if self.absent { "Not set by default. " } else { "" };
        let restart = if self.reloads { "" } else { ". Needs a restart." };
        comment(listing, &format!("{limits}{absent}Env: {}{restart}", self.names.join(", or ")));
        let start = if self.absent { "# " } else { "" };
        for line in format!("{} = {}", self.key, grouped(&self.default)).lines() {
            listing.push_str(start);
            listing.push_str(line);
            listing.push('\n');
        }
    }
}

impl SettingsSource {
    /// Returns a settings file with every declared setting at its default, documented.
    #[must_use]
    pub fn listing(&self) -> String {
        let mut listing = String::new();
        for section in &self.declared {
            if !section.path.is_empty() {
                blank_line(&mut listing);
                comment(&mut listing, section.doc);
                listing.extend(["[", &section.path, "]\n"]);
            }
            for setting in &section.settings {
                blank_line(&mut listing);
                setting.write(&mut listing);
            }
        }
        listing
    }
}

fn blank_line(listing: &mut String) {
    if !listing.is_empty() {
        listing.push('\n');
    }
}

/// Writes a text as a comment, wrapped at [`WIDTH`].
fn comment(listing: &mut String, text: &str) {
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.len() > 1 && line.chars().count() + 1 + word.chars().count() > WIDTH {
            listing.push_str(&line);
            listing.push('\n');
            line.truncate(1);
        }
        line.push(' ');
        line.push_str(word);
    }
    if line.len() > 1 {
        listing.push_str(&line);
        listing.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Diagnostics, Section, Setting};

    fn declare(root: &mut Section<'_>) -> (u32, Option<u32>, String, Vec<String>) {
        let mut shape = root.section("shape", "What a message may look like.");
        let length = Setting::new("max_length", 70_000_u32).doc("Longest text. Code points.");
        let length = shape.read(length.env(&["MAX_LENGTH", "LENGTH"]).within(1..=100_000).reloads());
        let mut rate = shape.section("rate", "How fast messages may come.");
        let burst = rate.read(Setting::new("burst", None).doc("How many at once."));
        let rules = shape.read(Setting::new("rules", "one\ntwo".to_owned()).doc("House rules."));
        (length, burst, rules, shape.read(Setting::new("names", Vec::new()).doc("Names.")))
    }

    fn listing() -> String {
        let mut source = SettingsSource::new();
        declare(&mut source.root());
        source.listing()
    }

    #[test]
    fn a_listing_documents_each_setting_and_its_default() {
        let expected = r#"# What a message may look like.
[shape]

# Longest text. Code points.
# Allowed: from 1 to 100_000. Env: MAX_LENGTH, or LENGTH
max_length = 70_000

# House rules.
# Env: RELAY__SHAPE__RULES. Needs a restart.
rules = """
one
two"""

# Names.
# Env: RELAY__SHAPE__NAMES. Needs a restart.
names = []

# How fast messages may come.
[shape.rate]

# How many at once.
# Not set by default. Env: RELAY__SHAPE__RATE__BURST. Needs a restart.
# burst = 1
"#;
        assert_eq!(listing(), expected);
    }

    #[test]
    fn a_listing_parses_to_the_defaults() {
        let (mut listed, mut empty) = (SettingsSource::new().file("relay.toml", &listing()), SettingsSource::new());
        assert_eq!(declare(&mut listed.root()), declare(&mut empty.root()));
        assert_eq!(listed.finish(), Diagnostics::default());
    }

    #[test]
    fn long_documentation_is_wrapped() {
        let mut written = String::new();
        comment(&mut written, &"word ".repeat(60));
        assert_eq!(written.lines().count(), 3);
        assert!(written.lines().all(|line| line.len() <= WIDTH && line.starts_with("# word")), "{written}");
    }
}
