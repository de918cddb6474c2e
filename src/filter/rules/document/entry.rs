//! One `[[rule]]` table.

use toml::de::DeTable;

use super::digest;
use super::field::Field;
use super::kind::RuleKind;
use super::starter::Preset;
use super::values::{ReasonTexts, read_presets, read_reason, read_sanction};
use crate::filter::rules::conditions::{
    CONDITIONS, HoursCondition, PlaceEntry, PlaceSide, SenderCondition, TextCondition,
};
use crate::model::{Mode, Outcome, Penalty, SenderContext};
use crate::names::Named as _;
use crate::settings::{Located, TomlKey, TomlReader, TomlValue, backticked, did_you_mean};

/// All keys of a rule except those of [`CONDITIONS`].
const KEYS: [&str; 34] = [
    "id",
    "clause",
    "field",
    "kinds",
    "within",
    "outside",
    "unknown_crs",
    "round_to",
    "any",
    "all",
    "none",
    "words",
    "words_file",
    "view",
    "accents",
    "doubled",
    "masked",
    "leetspeak",
    "costly",
    "rooms",
    "hours",
    "sender",
    "verdict",
    "mask",
    "labels",
    "sanction",
    "mode",
    "breaker",
    "reveal",
    "reason",
    "exempt",
    "refuses",
    "accepts",
    "presets",
];

const VERDICTS: [(&str, Outcome); 5] = [
    ("reject", Outcome::Reject),
    ("replace", Outcome::Replace),
    ("hold", Outcome::Hold),
    ("shadow", Outcome::Shadow),
    ("label", Outcome::Pass),
];

/// The view of the text that a rule's patterns match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::filter::rules) enum PatternView {
    /// The text itself, ignoring letter case; `exact` in a rules file.
    Original,
    /// The text without disguises; `folded` in a rules file.
    Clean,
}

/// Senders on whom a rule does not act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::filter::rules) enum Exemption {
    Trusted,
    Registered,
}

impl Exemption {
    pub(in crate::filter::rules) fn covers(self, context: &SenderContext) -> bool {
        match self {
            Self::Trusted => context.trusted,
            Self::Registered => context.registered,
        }
    }
}

/// The patterns of a rule, as in the file.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the file")]
pub(in crate::filter::rules) struct EntryPatterns {
    pub(in crate::filter::rules) any: Vec<Located<String>>,
    pub(in crate::filter::rules) all: Vec<Located<String>>,
    pub(in crate::filter::rules) none: Vec<Located<String>>,
    pub(in crate::filter::rules) words: Vec<Located<String>>,
    pub(in crate::filter::rules) words_file: Option<Located<String>>,
    pub(in crate::filter::rules) view: Option<PatternView>,
    pub(in crate::filter::rules) accents: bool,
    pub(in crate::filter::rules) doubled: bool,
    pub(in crate::filter::rules) masked: bool,
    /// `leetspeak = false`: digits and signs do not stand for letters.
    pub(in crate::filter::rules) no_leetspeak: bool,
    pub(in crate::filter::rules) costly: bool,
}

/// One `[[rule]]`, as in the file. Values that are missing or have the wrong type are left out and reported as errors.
#[derive(Debug, Default)]
pub(in crate::filter::rules) struct RuleEntry {
    /// The line of its header.
    pub(in crate::filter::rules) line: usize,
    /// A digest of its keys and values.
    pub(in crate::filter::rules) digest: u64,
    /// Its name in errors.
    pub(in crate::filter::rules) name: String,
    pub(in crate::filter::rules) id: Option<Located<String>>,
    pub(in crate::filter::rules) clause: Option<Located<String>>,
    pub(in crate::filter::rules) field: Field,
    /// The kinds of message that it checks; those with a text when empty.
    pub(in crate::filter::rules) kinds: Vec<RuleKind>,
    /// The line of `kinds`.
    pub(in crate::filter::rules) kinds_line: usize,
    /// Conditions on the place; at most one is valid.
    pub(in crate::filter::rules) places: Vec<PlaceEntry>,
    /// The distance to which places are rounded.
    pub(in crate::filter::rules) round_to: Option<Located<String>>,
    /// The outcome for a place that cannot be computed, with its line; [`Outcome::Pass`] if the rule does not hit it.
    pub(in crate::filter::rules) unknown_crs: Option<(Outcome, usize)>,
    pub(in crate::filter::rules) patterns: EntryPatterns,
    pub(in crate::filter::rules) conditions: Vec<TextCondition>,
    pub(in crate::filter::rules) rooms: Vec<Located<String>>,
    pub(in crate::filter::rules) hours: Option<HoursCondition>,
    pub(in crate::filter::rules) sender: Option<SenderCondition>,
    pub(in crate::filter::rules) exempt: Vec<Exemption>,
    pub(in crate::filter::rules) outcome: Option<Outcome>,
    pub(in crate::filter::rules) mask: Option<Located<String>>,
    pub(in crate::filter::rules) labels: Vec<Located<String>>,
    pub(in crate::filter::rules) sanction: Option<Penalty>,
    pub(in crate::filter::rules) mode: Option<Mode>,
    pub(in crate::filter::rules) is_hidden: bool,
    /// `breaker = false`: it stays in force however much it refuses.
    pub(in crate::filter::rules) has_no_breaker: bool,
    pub(in crate::filter::rules) reason: Option<ReasonTexts>,
    pub(in crate::filter::rules) refuses: Vec<Located<String>>,
    pub(in crate::filter::rules) accepts: Vec<Located<String>>,
    /// The modes of a starter rule, by preset.
    pub(in crate::filter::rules) presets: Vec<(Preset, Mode)>,
}

impl RuleEntry {
    /// Reads a `[[rule]]` table, which is the `number`th of the file.
    pub(super) fn read(reader: &mut TomlReader<'_, '_>, table: &DeTable<'_>, line: usize, number: usize) -> Self {
        let id = table.get("id").and_then(|id| id.get_ref().as_str());
        let name = id.map_or_else(|| format!("rule {number}"), |id| format!("rule {}", backticked(id)));
        let mut rule = Self { line, digest: digest::of_table(table), name: name.clone(), ..Self::default() };
        for (key, value) in table {
            rule.read_key(reader, &name, key, value);
        }
        for required in ["id", "verdict"] {
            if !table.contains_key(required) {
                reader.error_at_line(line, format!("{name}: `{required}` is missing"));
            }
        }
        let condition_keys =
            ["any", "all", "words", "words_file", "kinds", "within", "outside", "round_to", "rooms", "hours", "sender"];
        if !condition_keys.iter().chain(&CONDITIONS).any(|key| table.contains_key(*key)) {
            let text = format!(
                "{name}: has no condition: it needs at least one of `any`, `all`, `words`, `words_file`, {}, `kinds`, `within`, `outside`, `round_to`, `rooms`, `hours` and `sender`",
                CONDITIONS.map(|key| format!("`{key}`")).join(", ")
            );
            reader.error_at_line(line, text);
        }
        rule
    }

    /// Whether any condition is on the text.
    pub(in crate::filter::rules) fn has_text_conditions(&self) -> bool {
        let EntryPatterns { any, all, none, words, words_file, .. } = &self.patterns;
        [any, all, none, words].into_iter().any(|patterns| !patterns.is_empty())
            || words_file.is_some()
            || !self.conditions.is_empty()
    }

    fn read_key(&mut self, reader: &mut TomlReader<'_, '_>, name: &str, key: &TomlKey<'_>, value: &TomlValue<'_>) {
        let item = &reader.keyed(name, key, value);
        let patterns = &mut self.patterns;
        match key.get_ref().as_ref() {
            "id" => self.id = reader.string(item),
            "clause" => self.clause = reader.string(item),
            "field" => self.field = reader.choice(item, Field::NAMES).unwrap_or_default(),
            "kinds" => {
                self.kinds_line = item.line();
                self.kinds = reader.choices(item, RuleKind::NAMES);
            }
            "within" | "outside" => {
                let side = if key.get_ref() == "within" { PlaceSide::Within } else { PlaceSide::Outside };
                self.places.extend(reader.string(item).map(|file| PlaceEntry { side, file }));
            }
            "unknown_crs" => {
                let outcomes = [("hold", Outcome::Hold), ("reject", Outcome::Reject), ("pass", Outcome::Pass)];
                self.unknown_crs = reader.choice(item, &outcomes).map(|outcome| (outcome, item.line()));
            }
            "round_to" => self.round_to = reader.string(item),
            "any" => patterns.any = reader.strings(item),
            "all" => patterns.all = reader.strings(item),
            "none" => patterns.none = reader.strings(item),
            "words" => patterns.words = reader.strings(item),
            "words_file" => patterns.words_file = reader.string(item),
            "view" => {
                patterns.view =
                    reader.choice(item, &[("exact", PatternView::Original), ("folded", PatternView::Clean)]);
            }
            "accents" => patterns.accents = reader.boolean(item) == Some(true),
            "doubled" => patterns.doubled = reader.boolean(item) == Some(true),
            "masked" => patterns.masked = reader.boolean(item) == Some(true),
            "leetspeak" => patterns.no_leetspeak = reader.boolean(item) == Some(false),
            "costly" => patterns.costly = reader.boolean(item) == Some(true),
            "rooms" => self.rooms = reader.strings(item),
            "hours" => self.hours = HoursCondition::read(reader, item),
            "sender" => self.sender = SenderCondition::read(reader, item),
            "exempt" => {
                let kinds = [("trusted", Exemption::Trusted), ("registered", Exemption::Registered)];
                self.exempt = reader.choices(item, &kinds);
            }
            "verdict" => self.outcome = reader.choice(item, &VERDICTS),
            "mask" => self.mask = reader.string(item),
            "labels" => self.labels = reader.strings(item),
            "sanction" => self.sanction = read_sanction(reader, item),
            "mode" => self.mode = reader.choice(item, Mode::NAMES),
            "breaker" => self.has_no_breaker = reader.boolean(item) == Some(false),
            "reveal" => self.is_hidden = reader.boolean(item) == Some(false),
            "reason" => self.reason = read_reason(reader, item),
            "refuses" => self.refuses = reader.strings(item),
            "accepts" => self.accepts = reader.strings(item),
            "presets" => self.presets = read_presets(reader, item),
            condition if CONDITIONS.contains(&condition) => {
                self.conditions.extend(TextCondition::read(reader, condition, item));
            }
            _ => {
                let line = item.line();
                let hint = did_you_mean(key.get_ref(), KEYS.into_iter().chain(CONDITIONS));
                reader.error_at_line(line, format!("{name}: unknown key {}{hint}", backticked(key.get_ref())));
            }
        }
    }
}
