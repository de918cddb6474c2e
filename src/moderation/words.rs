//! What those are told whom a sanction is on.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::{Code, Reason, Sanction, SanctionKind};

/// What somebody is told when a sanction begins.
#[must_use]
pub fn told(sanction: &Sanction) -> Reason {
    let Sanction { kind, reason, at, .. } = sanction;
    let (code, what) = match kind {
        SanctionKind::Warn => (Code::Warned, "This is a warning".to_owned()),
        SanctionKind::Mute => (Code::Muted, format!("You are muted{}", length(sanction, *at))),
        SanctionKind::Kick => (Code::Kicked, "You are removed from this room; you may come back".to_owned()),
        SanctionKind::Ban => (Code::Banned, format!("You are banned{}", length(sanction, *at))),
    };
    Reason::new(code, with_reason(what, reason))
}

/// What somebody is told whose message is refused for a sanction in force at `now`.
#[must_use]
pub fn refusal(sanction: &Sanction, now: Timestamp) -> Reason {
    let (code, what) = match sanction.kind {
        SanctionKind::Ban => (Code::Banned, format!("you are banned{}", length(sanction, now))),
        SanctionKind::Warn | SanctionKind::Mute | SanctionKind::Kick => {
            (Code::Muted, format!("you are muted{}", length(sanction, now)))
        }
    };
    let retry_after = sanction.until.map(|until| left(until, now));
    Reason { retry_after, ..Reason::new(code, with_reason(what, &sanction.reason)) }
}

/// What somebody is told when a sanction is lifted before its end; `None` for what nobody is there to hear of.
#[must_use]
pub fn lifted(sanction: &Sanction) -> Option<Reason> {
    match sanction.kind {
        SanctionKind::Mute => Some(Reason::new(Code::Lifted, "You may speak again")),
        SanctionKind::Warn => Some(Reason::new(Code::Lifted, "Your warning is taken back")),
        SanctionKind::Kick | SanctionKind::Ban => None,
    }
}

fn with_reason(what: String, reason: &str) -> String {
    if reason.is_empty() { what } else { format!("{what}: {reason}") }
}

/// For how long from `now` on, in words that begin with a blank; nothing where there is no end.
fn length(sanction: &Sanction, now: Timestamp) -> String {
    sanction.until.map_or_else(String::new, |until| format!(" for {}", span(left(until, now))))
}

fn left(until: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(now)).unwrap_or_default()
}

/// A time in its largest whole unit, rounded up: who waits so long has waited long enough.
fn span(time: Duration) -> String {
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
    use std::sync::Arc;

    use super::*;
    use crate::model::{Cause, Nickname, Target};

    fn sanction(kind: SanctionKind, seconds: Option<i64>, reason: &str) -> Sanction {
        let at = Timestamp::UNIX_EPOCH;
        Sanction {
            id: 1,
            kind,
            target: Target::Nickname(Nickname::parse("jane").unwrap()),
            room: None,
            at,
            until: seconds.map(|seconds| Timestamp::from_second(seconds).unwrap()),
            reason: reason.into(),
            cause: Cause::Moderator(Arc::from("hans")),
            step: None,
        }
    }

    #[test]
    fn who_is_told_learns_what_for_how_long_and_why() {
        for (kind, seconds, reason, text) in [
            (SanctionKind::Warn, None, "be kind", "This is a warning: be kind"),
            (SanctionKind::Mute, Some(600), "", "You are muted for 10 minutes"),
            (SanctionKind::Ban, None, "spam", "You are banned: spam"),
            (SanctionKind::Ban, Some(86_400), "spam", "You are banned for 1 day: spam"),
        ] {
            assert_eq!(told(&sanction(kind, seconds, reason)).text, text);
        }
    }

    #[test]
    fn a_refusal_tells_what_is_left_rounded_up() {
        let muted = sanction(SanctionKind::Mute, Some(90), "");
        let at = |millisecond| Timestamp::from_millisecond(millisecond).unwrap();
        for (now, text, wait) in [
            (0, "you are muted for 2 minutes", 90_000),
            (30_500, "you are muted for 1 minute", 59_500),
            (89_999, "you are muted for 1 second", 1),
        ] {
            let reason = refusal(&muted, at(now));
            assert_eq!((&*reason.text, reason.retry_after), (text, Some(Duration::from_millis(wait))));
        }
    }
}
