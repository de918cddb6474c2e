//! One `[[rule]]` table.

use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::digest;
use super::reader::{KeyedValue, Located, Reader, TomlKey, TomlValue};
use super::starter::Preset;
use crate::filter::rules::conditions::{CONDITIONS, HoursCondition, SenderCondition, TextCondition};
use crate::filter::rules::errors::{did_you_mean, quoted};
use crate::model::{Mode, Outcome, Penalty, SenderContext};
use crate::settings::Choice;

/// All keys of a rule except those of [`CONDITIONS`].
const KEYS: [&str; 28] = [
    "id",
    "clause",
    "field",
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

/// The form of the text that a rule's patterns match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::filter::rules) enum PatternView {
    Exact,
    Folded,
}

/// The part of a message that a rule checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::filter::rules) enum Field {
    #[default]
    Text,
    Nickname,
}

/// Senders on whom a rule does not act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::filter::rules) enum Exemption {
    Trusted,
    Registered,
}

impl Exemption {
    pub(in crate::filter::rules) fn covers(self, facts: &SenderContext) -> bool {
        match self {
            Self::Trusted => facts.trusted,
            Self::Registered => facts.registered,
        }
    }
}

/// The reason for the sender: one text, or one per language.
#[derive(Clone, Debug)]
pub(in crate::filter::rules) enum ReasonTexts {
    Single(Located<String>),
    /// By language tag, in the order of the file; not empty.
    PerLanguage(Vec<(String, Located<String>)>),
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
    pub(in crate::filter::rules) reason: Option<ReasonTexts>,
    pub(in crate::filter::rules) refuses: Vec<Located<String>>,
    pub(in crate::filter::rules) accepts: Vec<Located<String>>,
    /// The modes of a starter rule, by preset.
    pub(in crate::filter::rules) presets: Vec<(Preset, Mode)>,
}

impl Reader<'_, '_> {
    pub(super) fn read_entry(&mut self, table: &DeTable<'_>, line: usize, number: usize) -> RuleEntry {
        let id = table.get("id").and_then(|id| id.get_ref().as_str());
        let name = id.map_or_else(|| format!("rule {number}"), |id| format!("rule {}", quoted(id)));
        let mut rule = RuleEntry { line, digest: digest::of_table(table), name: name.clone(), ..RuleEntry::default() };
        for (key, value) in table {
            self.read_key(&mut rule, &name, key, value);
        }
        for required in ["id", "verdict"] {
            if !table.contains_key(required) {
                self.errors.add(line, format!("{name}: `{required}` is missing"));
            }
        }
        let condition_keys = ["any", "all", "words", "words_file", "rooms", "hours", "sender"];
        if !condition_keys.iter().chain(&CONDITIONS).any(|key| table.contains_key(*key)) {
            let text = format!(
                "{name}: has no condition: it needs at least one of `any`, `all`, `words`, `words_file`, {}, `rooms`, `hours` and `sender`",
                CONDITIONS.map(|key| format!("`{key}`")).join(", ")
            );
            self.errors.add(line, text);
        }
        rule
    }

    fn read_key(&mut self, rule: &mut RuleEntry, name: &str, key: &TomlKey<'_>, value: &TomlValue<'_>) {
        let item = &self.item(name, key, value);
        let patterns = &mut rule.patterns;
        match key.get_ref().as_ref() {
            "id" => rule.id = self.string(item),
            "clause" => rule.clause = self.string(item),
            "field" => {
                let fields = [("text", Field::Text), ("nickname", Field::Nickname)];
                rule.field = self.choice(item, &fields).unwrap_or_default();
            }
            "any" => patterns.any = self.strings(item),
            "all" => patterns.all = self.strings(item),
            "none" => patterns.none = self.strings(item),
            "words" => patterns.words = self.strings(item),
            "words_file" => patterns.words_file = self.string(item),
            "view" => {
                patterns.view = self.choice(item, &[("exact", PatternView::Exact), ("folded", PatternView::Folded)])
            }
            "accents" => patterns.accents = self.boolean(item) == Some(true),
            "doubled" => patterns.doubled = self.boolean(item) == Some(true),
            "masked" => patterns.masked = self.boolean(item) == Some(true),
            "leetspeak" => patterns.no_leetspeak = self.boolean(item) == Some(false),
            "costly" => patterns.costly = self.boolean(item) == Some(true),
            "rooms" => rule.rooms = self.strings(item),
            "hours" => rule.hours = HoursCondition::read(self, item),
            "sender" => rule.sender = SenderCondition::read(self, item),
            "exempt" => {
                let kinds = [("trusted", Exemption::Trusted), ("registered", Exemption::Registered)];
                rule.exempt = self.choices(item, &kinds);
            }
            "verdict" => rule.outcome = self.choice(item, &VERDICTS),
            "mask" => rule.mask = self.string(item),
            "labels" => rule.labels = self.strings(item),
            "sanction" => rule.sanction = self.sanction(item),
            "mode" => rule.mode = self.choice(item, &[("enforce", Mode::Enforce), ("observe", Mode::Observe)]),
            "reveal" => rule.is_hidden = self.boolean(item) == Some(false),
            "reason" => rule.reason = self.texts(item),
            "refuses" => rule.refuses = self.strings(item),
            "accepts" => rule.accepts = self.strings(item),
            "presets" => rule.presets = self.presets(item),
            condition if CONDITIONS.contains(&condition) => {
                rule.conditions.extend(TextCondition::read(self, condition, item));
            }
            _ => {
                let line = item.line();
                let hint = did_you_mean(key.get_ref(), KEYS.into_iter().chain(CONDITIONS));
                self.errors.add(line, format!("{name}: unknown key {}{hint}", quoted(key.get_ref())));
            }
        }
    }

    /// Reads one text, or a table of texts by language.
    fn texts(&mut self, item: &KeyedValue<'_, '_>) -> Option<ReasonTexts> {
        let DeValue::Table(table) = item.value() else { return self.string(item).map(ReasonTexts::Single) };
        let mut texts = Vec::with_capacity(table.len());
        self.each_field(item, table, |reader, tag, field| {
            let is_plain = tag.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
            if !is_plain || !(2..=16).contains(&tag.len()) {
                reader.error(field, "is not a language tag such as \"en\" or \"pt-BR\"");
            }
            texts.extend(reader.string(field).map(|text| (tag.to_owned(), text)));
        });
        if table.is_empty() {
            self.error(item, "is an empty table");
        }
        (!texts.is_empty()).then_some(ReasonTexts::PerLanguage(texts))
    }

    /// Reads `{ kind = "mute", duration = "10m" }`.
    fn sanction(&mut self, item: &KeyedValue<'_, '_>) -> Option<Penalty> {
        const KINDS: [(&str, &str); 5] =
            [("warn", "warn"), ("mute", "mute"), ("kick", "kick"), ("ban", "ban"), ("ladder", Penalty::LADDER)];
        let (mut kind, mut duration) = (None, None);
        self.each_known_field(item, &["kind", "duration"], |reader, name, field| match name {
            "kind" => kind = reader.choice(field, &KINDS),
            _ => duration = reader.duration(field, Duration::from_secs(1)..=Duration::from_hours(24 * 366)),
        });
        match (kind?, duration) {
            (kind @ ("mute" | "ban"), None) => {
                self.error(item, &format!("{kind} needs a `duration`, such as \"10m\""));
                None
            }
            (kind @ ("warn" | "kick"), Some(_)) => {
                self.error(item, &format!("{kind} takes no `duration`, as it is instantaneous"));
                None
            }
            (kind @ Penalty::LADDER, Some(_)) => {
                self.error(item, &format!("{kind} takes no `duration`, as each step has its own"));
                None
            }
            (kind, duration) => Penalty::from_name(kind, duration),
        }
    }

    /// Reads `{ open = "observe", strict = "enforce" }`. The rule does not run in presets that are not named.
    fn presets(&mut self, item: &KeyedValue<'_, '_>) -> Vec<(Preset, Mode)> {
        let mut modes = Vec::new();
        let names: Vec<&str> = Preset::NAMES.iter().map(|(name, _)| *name).collect();
        self.each_known_field(item, &names, |reader, name, field| {
            let preset = Preset::NAMES.iter().find(|(known, _)| *known == name);
            let mode = reader.choice(field, &[("enforce", Mode::Enforce), ("observe", Mode::Observe)]);
            modes.extend(preset.map(|(_, preset)| *preset).zip(mode));
        });
        modes
    }
}
