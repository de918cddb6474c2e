//! The ladder: sanctions that escalate with each repeated offence.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::SanctionKind;
use crate::moderation::time;
use crate::settings::{Section, Setting, SettingValue, format_duration, parse_duration};

/// Most steps.
const MAX_STEPS: usize = 16;
/// Longest time of a step, in days.
const MAX_DAYS: u64 = 365;

/// Settings of the ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// The steps, mildest first; never empty. The last step repeats.
    pub steps: Vec<LadderStep>,
    /// One step is taken back for each period of this length without an offence. More than zero.
    pub decay: Duration,
}

/// A step of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LadderStep {
    /// The kind of sanction.
    pub kind: SanctionKind,
    /// The duration of a mute or ban; `None` if it lasts until it is lifted.
    pub duration: Option<Duration>,
}

impl LadderStep {
    const fn new(kind: SanctionKind, seconds: u64) -> Self {
        Self { kind, duration: if seconds == 0 { None } else { Some(Duration::from_secs(seconds)) } }
    }

    /// Whether `self` may follow `other` on a ladder: it is at least as severe.
    fn is_no_milder_than(self, other: Self) -> bool {
        let lasts = |step: Self| step.duration.unwrap_or(Duration::MAX);
        self.kind > other.kind
            || (self.kind == other.kind && (!self.kind.has_duration() || lasts(self) >= lasts(other)))
    }
}

impl Default for Ladder {
    fn default() -> Self {
        let steps = [
            LadderStep::new(SanctionKind::Warn, 0),
            LadderStep::new(SanctionKind::Mute, 60),
            LadderStep::new(SanctionKind::Mute, 600),
            LadderStep::new(SanctionKind::Kick, 0),
            LadderStep::new(SanctionKind::Ban, 86_400),
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
                    "Sanctions for successive offences, mildest first: warn, mute, kick or ban; a mute or ban has a \
                     duration (s, m, h, d). The last step repeats.",
                )
                .check(|steps| check(steps)),
        );
        let hours = section.read(
            Setting::new("decay_hours", 24_u32)
                .doc("Hours without a new offence after which one step is taken back.")
                .within(1..=8_760),
        );
        Self { steps, decay: Duration::from_hours(hours.into()) }
    }

    /// Returns the number of steps in effect at `now`, given the times of offences in order.
    ///
    /// A clock that was set back neither adds nor removes steps.
    pub(super) fn steps_taken(&self, offences: impl Iterator<Item = Timestamp>, now: Timestamp) -> usize {
        let (mut taken, mut last) = (0, None);
        for at in offences {
            taken = (self.after_decay(taken, last, at) + 1).min(self.steps.len());
            last = Some(at);
        }
        self.after_decay(taken, last, now)
    }

    /// Returns what remains at `now` of `taken` steps, with the last offence at `last`.
    fn after_decay(&self, taken: usize, last: Option<Timestamp>, now: Timestamp) -> usize {
        let passed = last.map_or(Duration::ZERO, |last| time::elapsed(last, now));
        let back = passed.as_nanos().checked_div(self.decay.as_nanos()).unwrap_or(0);
        taken.saturating_sub(usize::try_from(back).unwrap_or(usize::MAX))
    }

    /// Returns the step that follows `taken` steps, with its number.
    pub(super) fn step_after(&self, taken: usize) -> (usize, LadderStep) {
        let at = taken.min(self.steps.len().saturating_sub(1));
        (at, self.steps.get(at).copied().unwrap_or(LadderStep::new(SanctionKind::Warn, 0)))
    }

    /// Returns the time without an offence after which no steps remain.
    pub(super) fn full_decay(&self) -> Duration {
        self.decay.saturating_mul(u32::try_from(self.steps.len()).unwrap_or(u32::MAX))
    }

    /// Returns the longest duration of a step that has an end.
    pub(super) fn longest_step(&self) -> Duration {
        self.steps.iter().filter_map(|step| step.duration).max().unwrap_or_default()
    }
}

fn check(steps: &[LadderStep]) -> Result<(), String> {
    if steps.is_empty() || steps.len() > MAX_STEPS {
        return Err(format!("has {} steps; 1 to {MAX_STEPS} are allowed", steps.len()));
    }
    let milder = steps.iter().zip(steps.iter().skip(1)).position(|(one, next)| !next.is_no_milder_than(*one));
    match milder {
        Some(at) => Err(format!("must escalate: step number {} is milder than the one before it", at + 2)),
        None => Ok(()),
    }
}

impl SettingValue for LadderStep {
    const EXPECTED: &'static str = "a step, such as warn, mute 10m, kick or ban 1d";
    const EXAMPLE: &'static str = "\"mute 10m\"";

    fn from_text(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let (kind, lasts, rest) = (words.next(), words.next(), words.next());
        let Some(kind) = kind.and_then(|kind| kind.parse::<SanctionKind>().ok()).filter(|_| rest.is_none()) else {
            return Err(format!("is not {}", Self::EXPECTED));
        };
        match lasts {
            Some(_) if !kind.has_duration() => Err(format!("has a duration, but a {kind} takes none")),
            lasts => Ok(Self { kind, duration: lasts.map(step_duration).transpose()? }),
        }
    }

    fn to_toml(&self) -> String {
        let Some(lasts) = self.duration else { return self.kind.to_string().to_toml() };
        format!("{} {}", self.kind, format_duration(lasts)).to_toml()
    }
}

/// Parses the duration of a step, such as `10m`.
fn step_duration(text: &str) -> Result<Duration, String> {
    let allowed = Duration::from_secs(1)..=Duration::from_secs(MAX_DAYS * 86_400);
    parse_duration(text).filter(|duration| allowed.contains(duration)).ok_or_else(|| {
        format!("has an invalid duration; expected a whole number with s, m, h or d, from 1s to {MAX_DAYS}d")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SettingsSource;

    fn read(file: &str) -> Result<Ladder, String> {
        let mut source = SettingsSource::new().file("relay.toml", file);
        let ladder = Ladder::declare(&mut source.root().section("ladder", ""));
        let errors: Vec<String> = source.finish().errors.iter().map(ToString::to_string).collect();
        if errors.is_empty() { Ok(ladder) } else { Err(errors.join("\n")) }
    }

    #[test]
    fn the_default_ladder_is_warn_two_mutes_kick_and_ban() {
        assert_eq!(read(""), Ok(Ladder::default()));
        let set = read("ladder.steps = ['mute 90s', 'mute 2h', 'ban']\nladder.decay_hours = 2").unwrap();
        let steps = [
            LadderStep::new(SanctionKind::Mute, 90),
            LadderStep::new(SanctionKind::Mute, 7_200),
            LadderStep::new(SanctionKind::Ban, 0),
        ];
        assert_eq!(set, Ladder { steps: steps.into(), decay: Duration::from_hours(2) });
    }

    #[test]
    fn a_step_is_written_as_it_is_read() {
        for text in ["warn", "mute 61s", "mute 10m", "mute 36h", "ban 1d", "ban 365d", "mute", "ban", "kick"] {
            assert_eq!(LadderStep::from_text(text).unwrap().to_toml(), format!("\"{text}\""));
        }
    }

    #[test]
    fn an_invalid_ladder_is_an_error_that_names_the_problem() {
        for (steps, error) in [
            ("[]", "has 0 steps; 1 to 16 are allowed"),
            ("['shout']", "number 1, that is not a step, such as warn, mute 10m, kick or ban 1d"),
            ("['mute 1 m']", "is not a step"),
            ("['warn', 'warn 1m']", "number 2, that has a duration, but a warn takes none"),
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
            assert!(found.starts_with("relay.toml:1: ladder.steps: ") && found.contains(error), "{steps}: {found}");
        }
        assert!(read("ladder.decay_hours = 0").is_err());
    }

    #[test]
    fn each_decay_period_takes_a_step_back_and_the_last_step_repeats() {
        let ladder = Ladder::default();
        let at = |hours: i64| Timestamp::from_second(hours * 3_600).unwrap();
        let taken = |offences: &[i64], now| ladder.steps_taken(offences.iter().map(|hours| at(*hours)), at(now));
        assert_eq!(taken(&[], 0), 0);
        assert_eq!(taken(&[0, 0, 0], 0), 3);
        assert_eq!([23, 24, 47, 48, 72, 1_000].map(|now| taken(&[0, 0, 0], now)), [3, 2, 2, 1, 0, 0]);
        assert_eq!(taken(&[0; 9], 0), 5, "no more than there are");
        assert_eq!(taken(&[0, 23, 46], 69), 3, "each offence restarts the decay period");
        assert_eq!(taken(&[50, 0], 0), 2, "a clock that was set back takes nothing back");
    }
}
