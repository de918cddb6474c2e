//! The reasons that sanctioned senders receive.

use std::time::Duration;

use jiff::Timestamp;

use super::time::elapsed;
use crate::model::{Reason, ReasonCode, Sanction, SanctionKind};

/// Returns the reason sent when a sanction is imposed.
#[must_use]
pub fn imposed_reason(sanction: &Sanction) -> Reason {
    let Sanction { kind, reason, at, .. } = sanction;
    let (code, what) = match kind {
        SanctionKind::Warn => (ReasonCode::Warned, "This is a warning".to_owned()),
        SanctionKind::Mute => (ReasonCode::Muted, format!("You are muted{}", duration_suffix(sanction, *at))),
        SanctionKind::Kick => (ReasonCode::Kicked, "You are removed from this room; you may come back".to_owned()),
        SanctionKind::Ban => (ReasonCode::Banned, format!("You are banned{}", duration_suffix(sanction, *at))),
    };
    Reason::new(code, with_reason(what, reason))
}

/// Returns the reason for rejecting a message because of a sanction in force at `now`.
#[must_use]
pub fn refusal_reason(sanction: &Sanction, now: Timestamp) -> Reason {
    let (code, what) = match sanction.kind {
        SanctionKind::Ban => (ReasonCode::Banned, format!("you are banned{}", duration_suffix(sanction, now))),
        SanctionKind::Warn | SanctionKind::Mute | SanctionKind::Kick => {
            (ReasonCode::Muted, format!("you are muted{}", duration_suffix(sanction, now)))
        }
    };
    let retry_after = sanction.until.map(|until| elapsed(now, until));
    Reason { retry_after, ..Reason::new(code, with_reason(what, &sanction.reason)) }
}

/// Returns the reason sent when a sanction is lifted early; `None` for kinds whose target is no longer connected.
#[must_use]
pub fn lifted_reason(sanction: &Sanction) -> Option<Reason> {
    match sanction.kind {
        SanctionKind::Mute => Some(Reason::new(ReasonCode::Lifted, "You may speak again")),
        SanctionKind::Warn => Some(Reason::new(ReasonCode::Lifted, "Your warning is taken back")),
        SanctionKind::Kick | SanctionKind::Ban => None,
    }
}

fn with_reason(what: String, reason: &str) -> String {
    if reason.is_empty() { what } else { format!("{what}: {reason}") }
}

/// Returns the time left, such as ` for 10 minutes`; empty for a sanction without an end.
fn duration_suffix(sanction: &Sanction, now: Timestamp) -> String {
    sanction.until.map_or_else(String::new, |until| format!(" for {}", format_duration(elapsed(now, until))))
}

/// Formats a duration in its largest whole unit, rounded up so that waiting that long is always enough.
fn format_duration(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    for (unit, name) in [(86_400, "day"), (3_600, "hour"), (60, "minute")] {
        if seconds >= unit {
            let count = seconds.div_ceil(unit);
            return format!("{count} {name}{}", if count == 1 { "" } else { "s" });
        }
    }
    format!("{seconds} second{}", if seconds == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{self, at};

    fn sanction(kind: SanctionKind, seconds: Option<i64>, reason: &str) -> Sanction {
        Sanction { until: seconds.map(at), reason: reason.into(), ..fixtures::sanction(kind) }
    }

    #[test]
    fn an_imposed_sanction_names_its_kind_duration_and_reason() {
        for (kind, seconds, reason, text) in [
            (SanctionKind::Warn, None, "be kind", "This is a warning: be kind"),
            (SanctionKind::Mute, Some(600), "", "You are muted for 10 minutes"),
            (SanctionKind::Ban, None, "spam", "You are banned: spam"),
            (SanctionKind::Ban, Some(86_400), "spam", "You are banned for 1 day: spam"),
        ] {
            assert_eq!(imposed_reason(&sanction(kind, seconds, reason)).text, text);
        }
    }

    #[test]
    fn a_refusal_names_the_time_left_rounded_up() {
        let muted = sanction(SanctionKind::Mute, Some(90), "");
        let at = |millisecond| Timestamp::from_millisecond(millisecond).unwrap();
        for (now, text, wait) in [
            (0, "you are muted for 2 minutes", 90_000),
            (30_500, "you are muted for 1 minute", 59_500),
            (89_999, "you are muted for 1 second", 1),
        ] {
            let reason = refusal_reason(&muted, at(now));
            assert_eq!((&*reason.text, reason.retry_after), (text, Some(Duration::from_millis(wait))));
        }
    }
}
