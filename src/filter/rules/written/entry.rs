//! One `[[rule]]`.

use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::content;
use super::reader::{At, Item, Key, Reader, Value};
use super::starter::Preset;
use crate::filter::rules::conditions::{CONDITIONS, Condition, Hours, SenderIs};
use crate::filter::rules::faults::{did_you_mean, quoted};
use crate::model::{Facts, Mode, Outcome, Penalty};
use crate::settings::Choice;

/// All keys of a rule that are no condition of [`CONDITIONS`].
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

/// Which text a rule's patterns see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::filter::rules) enum View {
    Exact,
    Folded,
}

/// Which part of a message a rule looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::filter::rules) enum Field {
    #[default]
    Text,
    Nickname,
}

/// Whom a rule does not act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::filter::rules) enum Exemption {
    Trusted,
    Registered,
}

impl Exemption {
    pub(in crate::filter::rules) fn covers(self, facts: &Facts) -> bool {
        match self {
            Self::Trusted => facts.trusted,
            Self::Registered => facts.registered,
        }
    }
}

/// What the sender is told: one text, or one for each language.
#[derive(Clone, Debug)]
pub(in crate::filter::rules) enum Texts {
    One(At<String>),
    /// By language tag, in the order of the file; not empty.
    Each(Vec<(String, At<String>)>),
}

/// The patterns of a rule as written.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key that is there or not")]
pub(in crate::filter::rules) struct WrittenPatterns {
    pub(in crate::filter::rules) any: Vec<At<String>>,
    pub(in crate::filter::rules) all: Vec<At<String>>,
    pub(in crate::filter::rules) none: Vec<At<String>>,
    pub(in crate::filter::rules) words: Vec<At<String>>,
    pub(in crate::filter::rules) words_file: Option<At<String>>,
    pub(in crate::filter::rules) view: Option<View>,
    pub(in crate::filter::rules) accents: bool,
    pub(in crate::filter::rules) doubled: bool,
    pub(in crate::filter::rules) masked: bool,
    /// `leetspeak = false`: digits and signs are no letters.
    pub(in crate::filter::rules) plain: bool,
    pub(in crate::filter::rules) costly: bool,
}

/// One `[[rule]]` as written. What is missing or has the wrong type is `None` or left out, and a fault.
#[derive(Debug, Default)]
pub(in crate::filter::rules) struct Written {
    /// Line of its header.
    pub(in crate::filter::rules) line: usize,
    /// A digest of its keys and values.
    pub(in crate::filter::rules) content: u64,
    /// What faults call it.
    pub(in crate::filter::rules) name: String,
    pub(in crate::filter::rules) id: Option<At<String>>,
    pub(in crate::filter::rules) clause: Option<At<String>>,
    pub(in crate::filter::rules) field: Field,
    pub(in crate::filter::rules) patterns: WrittenPatterns,
    pub(in crate::filter::rules) conditions: Vec<Condition>,
    pub(in crate::filter::rules) rooms: Vec<At<String>>,
    pub(in crate::filter::rules) hours: Option<Hours>,
    pub(in crate::filter::rules) sender: Option<SenderIs>,
    pub(in crate::filter::rules) exempt: Vec<Exemption>,
    pub(in crate::filter::rules) asked: Option<Outcome>,
    pub(in crate::filter::rules) mask: Option<At<String>>,
    pub(in crate::filter::rules) labels: Vec<At<String>>,
    pub(in crate::filter::rules) sanction: Option<Penalty>,
    pub(in crate::filter::rules) mode: Option<Mode>,
    pub(in crate::filter::rules) hidden: bool,
    pub(in crate::filter::rules) reason: Option<Texts>,
    pub(in crate::filter::rules) refuses: Vec<At<String>>,
    pub(in crate::filter::rules) accepts: Vec<At<String>>,
    /// The modes of a starter rule.
    pub(in crate::filter::rules) presets: Vec<(Preset, Mode)>,
}

impl Reader<'_, '_> {
    pub(super) fn entry(&mut self, table: &DeTable<'_>, line: usize, number: usize) -> Written {
        let id = table.get("id").and_then(|id| id.get_ref().as_str());
        let name = id.map_or_else(|| format!("rule {number}"), |id| format!("rule {}", quoted(id)));
        let mut rule = Written { line, content: content::of(table), name: name.clone(), ..Written::default() };
        for (key, value) in table {
            self.key(&mut rule, &name, key, value);
        }
        for required in ["id", "verdict"] {
            if !table.contains_key(required) {
                self.faults.add(line, format!("{name}: `{required}` is missing"));
            }
        }
        let looks = ["any", "all", "words", "words_file", "rooms", "hours", "sender"];
        if !looks.iter().chain(&CONDITIONS).any(|key| table.contains_key(*key)) {
            let text = format!(
                "{name}: has no condition: it needs at least one of `any`, `all`, `words`, `words_file`, {}, `rooms`, `hours` and `sender`",
                CONDITIONS.map(|key| format!("`{key}`")).join(", ")
            );
            self.faults.add(line, text);
        }
        rule
    }

    fn key(&mut self, rule: &mut Written, name: &str, key: &Key<'_>, value: &Value<'_>) {
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
            "view" => patterns.view = self.choice(item, &[("exact", View::Exact), ("folded", View::Folded)]),
            "accents" => patterns.accents = self.boolean(item) == Some(true),
            "doubled" => patterns.doubled = self.boolean(item) == Some(true),
            "masked" => patterns.masked = self.boolean(item) == Some(true),
            "leetspeak" => patterns.plain = self.boolean(item) == Some(false),
            "costly" => patterns.costly = self.boolean(item) == Some(true),
            "rooms" => rule.rooms = self.strings(item),
            "hours" => rule.hours = Hours::read(self, item),
            "sender" => rule.sender = SenderIs::read(self, item),
            "exempt" => {
                let kinds = [("trusted", Exemption::Trusted), ("registered", Exemption::Registered)];
                rule.exempt = self.choices(item, &kinds);
            }
            "verdict" => rule.asked = self.choice(item, &VERDICTS),
            "mask" => rule.mask = self.string(item),
            "labels" => rule.labels = self.strings(item),
            "sanction" => rule.sanction = self.sanction(item),
            "mode" => rule.mode = self.choice(item, &[("enforce", Mode::Enforce), ("observe", Mode::Observe)]),
            "reveal" => rule.hidden = self.boolean(item) == Some(false),
            "reason" => rule.reason = self.texts(item),
            "refuses" => rule.refuses = self.strings(item),
            "accepts" => rule.accepts = self.strings(item),
            "presets" => rule.presets = self.presets(item),
            condition if CONDITIONS.contains(&condition) => {
                rule.conditions.extend(Condition::read(self, condition, item));
            }
            _ => {
                let line = item.line();
                let hint = did_you_mean(key.get_ref(), KEYS.into_iter().chain(CONDITIONS));
                self.faults.add(line, format!("{name}: unknown key {}{hint}", quoted(key.get_ref())));
            }
        }
    }

    /// One text, or a table of texts by language.
    fn texts(&mut self, item: &Item<'_, '_>) -> Option<Texts> {
        let DeValue::Table(table) = item.value() else { return self.string(item).map(Texts::One) };
        let mut texts = Vec::with_capacity(table.len());
        self.every_field(item, table, |reader, tag, field| {
            let letters = tag.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
            if !letters || !(2..=16).contains(&tag.len()) {
                reader.fault(field, "is no language; it is written as \"en\" or \"pt-BR\"");
            }
            texts.extend(reader.string(field).map(|text| (tag.to_owned(), text)));
        });
        if table.is_empty() {
            self.fault(item, "is an empty table");
        }
        (!texts.is_empty()).then_some(Texts::Each(texts))
    }

    /// `{ kind = "mute", duration = "10m" }`
    fn sanction(&mut self, item: &Item<'_, '_>) -> Option<Penalty> {
        const KINDS: [(&str, &str); 5] =
            [("warn", "warn"), ("mute", "mute"), ("kick", "kick"), ("ban", "ban"), ("ladder", Penalty::LADDER)];
        let (mut kind, mut duration) = (None, None);
        self.fields(item, &["kind", "duration"], |reader, name, field| match name {
            "kind" => kind = reader.choice(field, &KINDS),
            _ => duration = reader.duration(field, Duration::from_secs(1)..=Duration::from_hours(24 * 366)),
        });
        match (kind?, duration) {
            (kind @ ("mute" | "ban"), None) => {
                self.fault(item, &format!("{kind} needs a `duration`, such as \"10m\""));
                None
            }
            (kind @ ("warn" | "kick"), Some(_)) => {
                self.fault(item, &format!("{kind} has no `duration`: it happens once"));
                None
            }
            (kind @ Penalty::LADDER, Some(_)) => {
                self.fault(item, &format!("{kind} has no `duration`: its steps have their own"));
                None
            }
            (kind, duration) => Penalty::of_name(kind, duration),
        }
    }

    /// `{ open = "observe", strict = "enforce" }`: a preset that is not named does not run the rule.
    fn presets(&mut self, item: &Item<'_, '_>) -> Vec<(Preset, Mode)> {
        let mut modes = Vec::new();
        let names: Vec<&str> = Preset::NAMES.iter().map(|(name, _)| *name).collect();
        self.fields(item, &names, |reader, name, field| {
            let preset = Preset::NAMES.iter().find(|(known, _)| *known == name);
            let mode = reader.choice(field, &[("enforce", Mode::Enforce), ("observe", Mode::Observe)]);
            modes.extend(preset.map(|(_, preset)| *preset).zip(mode));
        });
        modes
    }
}
