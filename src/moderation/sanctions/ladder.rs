//! The ladder: what becomes of those who offend again and again, one step after the other.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::SanctionKind;
use crate::moderation::time;
use crate::settings::{Section, Setting, Value};

/// Most steps.
const MAX_STEPS: usize = 16;
/// Longest time of a step, in days.
const MAX_DAYS: u64 = 365;
/// Units of time, with their seconds.
const UNITS: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];

/// Settings of the ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// The steps, the mildest first; never empty. Who is at the last one stays there.
    pub steps: Vec<Step>,
    /// Each time that this long passes without a new offence, one step is taken back. More than zero.
    pub decay: Duration,
}

/// A step of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is done.
    pub kind: SanctionKind,
    /// For how long, for kinds that go on for a while; until it is lifted when `None`.
    pub lasts: Option<Duration>,
}

impl Step {
    const fn new(kind: SanctionKind, seconds: u64) -> Self {
        Self { kind, lasts: if seconds == 0 { None } else { Some(Duration::from_secs(seconds)) } }
    }

    /// Whether `self` may stand after `other`: it does at least as much.
    fn is_no_milder_than(self, other: Self) -> bool {
        let lasts = |step: Self| step.lasts.unwrap_or(Duration::MAX);
        self.kind > other.kind || (self.kind == other.kind && (!self.kind.lasts() || lasts(self) >= lasts(other)))
    }
}

impl Default for Ladder {
    fn default() -> Self {
        let steps = [
            Step::new(SanctionKind::Warn, 0),
            Step::new(SanctionKind::Mute, 60),
            Step::new(SanctionKind::Mute, 600),
            Step::new(SanctionKind::Kick, 0),
            Step::new(SanctionKind::Ban, 86_400),
        ];
        Self { steps: steps.into(), decay: Duration::from_hours(24) }
    }
}

impl Ladder {
    /// Reads the section.
    pub fn declare(section: &mut Section<'_>) -> Self {
        let default = Self::default();
        let steps = section.read(
            Setting::new("steps", default.steps)
                .doc(
                    "What each further offence leads to, the mildest first: warn, mute, kick or ban, a mute or ban with \
                     how long it lasts (s, m, h, d). Who is at the last step stays there.",
                )
                .check(|steps| check(steps)),
        );
        let hours = section.read(
            Setting::new("decay_hours", 24_u32)
                .doc("Each time that so many hours pass without a new offence, one step is taken back.")
                .within(1..=8_760),
        );
        Self { steps, decay: Duration::from_hours(hours.into()) }
    }

    /// How many steps have been taken, and not taken back, at `now`, given when offences were, in their order.
    ///
    /// A clock that was set back takes no step back and gives none.
    pub(super) fn taken(&self, offences: impl Iterator<Item = Timestamp>, now: Timestamp) -> usize {
        let (mut taken, mut last) = (0, None);
        for at in offences {
            taken = (self.left(taken, last, at) + 1).min(self.steps.len());
            last = Some(at);
        }
        self.left(taken, last, now)
    }

    /// What is left of `taken` steps when the last offence was at `last`.
    fn left(&self, taken: usize, last: Option<Timestamp>, now: Timestamp) -> usize {
        let passed = last.map_or(Duration::ZERO, |last| time::between(last, now));
        let back = passed.as_nanos().checked_div(self.decay.as_nanos()).unwrap_or(0);
        taken.saturating_sub(usize::try_from(back).unwrap_or(usize::MAX))
    }

    /// The step that comes after so many, with its number.
    pub(super) fn next(&self, taken: usize) -> (usize, Step) {
        let at = taken.min(self.steps.len().saturating_sub(1));
        (at, self.steps.get(at).copied().unwrap_or(Step::new(SanctionKind::Warn, 0)))
    }

    /// After this time without an offence nothing is left of any number of steps.
    pub(super) fn forgets_after(&self) -> Duration {
        self.decay.saturating_mul(u32::try_from(self.steps.len()).unwrap_or(u32::MAX))
    }

    /// The longest time that a step with an end lasts.
    pub(super) fn longest(&self) -> Duration {
        self.steps.iter().filter_map(|step| step.lasts).max().unwrap_or_default()
    }
}

fn check(steps: &[Step]) -> Result<(), String> {
    if steps.is_empty() || steps.len() > MAX_STEPS {
        return Err(format!("has {} steps; 1 to {MAX_STEPS} are allowed", steps.len()));
    }
    let milder = steps.iter().zip(steps.iter().skip(1)).position(|(one, next)| !next.is_no_milder_than(*one));
    match milder {
        Some(at) => Err(format!("goes down: step number {} is milder than the one before it", at + 2)),
        None => Ok(()),
    }
}

impl Value for Step {
    const EXPECTED: &'static str = "a step, such as warn, mute 10m, kick or ban 1d";
    const EXAMPLE: &'static str = "\"mute 10m\"";

    fn from_text(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let (kind, lasts, rest) = (words.next(), words.next(), words.next());
        let Some(kind) = kind.and_then(SanctionKind::of_name).filter(|_| rest.is_none()) else {
            return Err(format!("is not {}", Self::EXPECTED));
        };
        match lasts {
            Some(_) if !kind.lasts() => Err(format!("has a time, and a {} has none", kind.as_str())),
            lasts => Ok(Self { kind, lasts: lasts.map(duration).transpose()? }),
        }
    }

    fn to_toml(&self) -> String {
        let Some(lasts) = self.lasts else { return self.kind.as_str().to_owned().to_toml() };
        let seconds = lasts.as_secs();
        let (unit, of) = UNITS.into_iter().rev().find(|(_, of)| seconds.is_multiple_of(*of)).unwrap_or(("s", 1));
        format!("{} {}{unit}", self.kind.as_str(), seconds / of).to_toml()
    }
}

/// A time such as `10m`.
fn duration(text: &str) -> Result<Duration, String> {
    let fault = || format!("has no good time; it must be a whole number with s, m, h or d, from 1s to {MAX_DAYS}d");
    let (unit, of) = UNITS.into_iter().find(|(unit, _)| text.ends_with(unit)).ok_or_else(fault)?;
    let digits = text.strip_suffix(unit).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let seconds = digits.and_then(|digits| digits.parse::<u64>().ok()).and_then(|number| number.checked_mul(of));
    match seconds {
        Some(seconds) if (1..=MAX_DAYS * 86_400).contains(&seconds) => Ok(Duration::from_secs(seconds)),
        _ => Err(fault()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Source;

    fn read(file: &str) -> Result<Ladder, String> {
        let mut source = Source::new().file("relay.toml", file);
        let ladder = Ladder::declare(&mut source.root().section("ladder", ""));
        let faults: Vec<String> = source.finish().faults.iter().map(ToString::to_string).collect();
        if faults.is_empty() { Ok(ladder) } else { Err(faults.join("\n")) }
    }

    #[test]
    fn the_ladder_is_warn_two_mutes_kick_and_ban_unless_it_is_set() {
        assert_eq!(read(""), Ok(Ladder::default()));
        let set = read("ladder.steps = ['mute 90s', 'mute 2h', 'ban']\nladder.decay_hours = 2").unwrap();
        let steps =
            [Step::new(SanctionKind::Mute, 90), Step::new(SanctionKind::Mute, 7_200), Step::new(SanctionKind::Ban, 0)];
        assert_eq!(set, Ladder { steps: steps.into(), decay: Duration::from_hours(2) });
    }

    #[test]
    fn a_step_is_written_as_it_is_read() {
        for text in ["warn", "mute 61s", "mute 10m", "mute 36h", "ban 1d", "ban 365d", "mute", "ban", "kick"] {
            assert_eq!(Step::from_text(text).unwrap().to_toml(), format!("\"{text}\""));
        }
    }

    #[test]
    fn a_ladder_at_fault_is_told_with_what_is_wrong() {
        for (steps, fault) in [
            ("[]", "has 0 steps; 1 to 16 are allowed"),
            ("['shout']", "number 1, that is not a step, such as warn, mute 10m, kick or ban 1d"),
            ("['mute 1 m']", "is not a step"),
            ("['warn', 'warn 1m']", "number 2, that has a time, and a warn has none"),
            ("['mute 10']", "a whole number with s, m, h or d, from 1s to 365d"),
            ("['mute 0s']", "from 1s to 365d"),
            ("['mute -1m']", "from 1s to 365d"),
            ("['ban 366d']", "from 1s to 365d"),
            ("['ban 99999999999999999999d']", "from 1s to 365d"),
            ("['mute é']", "from 1s to 365d"),
            ("['mute 10m', 'mute 1m']", "step number 2 is milder than the one before it"),
            ("['warn', 'ban', 'ban 1d']", "step number 3 is milder"),
            ("['kick', 'mute 1m']", "step number 2 is milder"),
        ] {
            let found = read(&format!("ladder.steps = {steps}")).expect_err(steps);
            assert!(found.starts_with("relay.toml:1: ladder.steps: ") && found.contains(fault), "{steps}: {found}");
        }
        assert!(read("ladder.decay_hours = 0").is_err());
    }

    #[test]
    fn each_time_that_passes_takes_a_step_back_and_the_last_step_is_not_passed() {
        let ladder = Ladder::default();
        let at = |hours: i64| Timestamp::from_second(hours * 3_600).unwrap();
        let taken = |offences: &[i64], now| ladder.taken(offences.iter().map(|hours| at(*hours)), at(now));
        assert_eq!(taken(&[], 0), 0);
        assert_eq!(taken(&[0, 0, 0], 0), 3);
        assert_eq!([23, 24, 47, 48, 72, 1_000].map(|now| taken(&[0, 0, 0], now)), [3, 2, 2, 1, 0, 0]);
        assert_eq!(taken(&[0; 9], 0), 5, "no more than there are");
        assert_eq!(taken(&[0, 23, 46], 69), 3, "each new offence begins the time anew");
        assert_eq!(taken(&[50, 0], 0), 2, "a clock that was set back takes nothing back");
    }
}
