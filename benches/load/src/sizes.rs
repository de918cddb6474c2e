//! The sizes of workloads.

use std::time::Duration;

use crate::chat::ChatFrame;

/// Sizes from the command line. Each workload has defaults of its own.
#[derive(Debug, clap::Args)]
pub(crate) struct Sizes {
    /// Run everything in miniature, to check that it works and nothing is lost
    #[arg(long)]
    pub(crate) quick: bool,

    /// Members of all rooms together, including senders, in w1 to w4 and rooms [default: the workload's]
    #[arg(long, value_parser = at_least_one)]
    pub(crate) members: Option<usize>,

    /// Connections in w5 and joins [default: the workload's]
    #[arg(long, value_parser = at_least_one)]
    pub(crate) connections: Option<usize>,

    /// Messages in flight per sender, in w1 to w3 and members; in rooms, of all senders together [default: the
    /// workload's]
    #[arg(long, value_parser = at_least_one)]
    pub(crate) window: Option<usize>,

    /// Messages a second in w4
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) rate: u32,

    /// Seconds for which messages are sent; may be a fraction [default: the workload's]
    #[arg(long, value_parser = seconds)]
    pub(crate) seconds: Option<Duration>,

    /// Seconds of warm-up before the measurement
    #[arg(long, value_parser = seconds)]
    warmup: Option<Duration>,

    /// Bytes of a v1 message, including the JSON around it; the text is the same in all generations
    #[arg(long, default_value_t = 120, value_parser = message_size)]
    pub(crate) size: usize,

    /// Handshakes at a time
    #[arg(long, default_value_t = 64, value_parser = at_least_one)]
    pub(crate) parallel: usize,

    /// Members at which latency is measured
    #[arg(long, default_value_t = 16, value_parser = at_least_one)]
    pub(crate) sample: usize,

    /// Milliseconds between two reads of a member at which latency is not measured; 0 reads as soon as data arrives
    /// [default: 1 to 20, depending on the members, and more from 2000 members on]
    #[arg(long)]
    turn: Option<u64>,

    /// Timeout in seconds for connecting, for settling and for sending
    #[arg(long, default_value_t = 120)]
    limit: u64,
}

impl Sizes {
    /// Returns `whole`, or `little` in a quick run.
    pub(crate) fn either<T>(&self, whole: T, little: T) -> T {
        if self.quick { little } else { whole }
    }

    /// The duration of the warm-up.
    pub(crate) fn warmup(&self) -> Duration {
        self.warmup.unwrap_or(self.either(Duration::from_millis(500), Duration::from_millis(50)))
    }

    /// The time between two turns of a member that is read by turns; `None` if none is.
    pub(crate) fn turn(&self, members: usize) -> Option<Duration> {
        // Fifty thousand reads a second leave the tool time for other work; twice as many are its limit. With few
        // members turns are more frequent: each receives so many messages that a socket's buffer fills within 20 ms.
        let members = members as u64;
        let millis = self.turn.unwrap_or_else(|| (members / 50).clamp(1, 20).max(members / 100));
        (millis > 0).then(|| Duration::from_millis(millis))
    }

    /// A room counts as settled when nothing has arrived for this long.
    pub(crate) fn quiet(&self) -> Duration {
        self.either(Duration::from_millis(500), Duration::from_millis(100))
    }

    /// The timeout of a phase.
    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs(self.limit)
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "must be a number of at least 1".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let duration = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.filter(|duration| duration.as_secs() < 600).ok_or_else(|| "must be a number from 0 to 600".to_owned())
}

fn message_size(text: &str) -> Result<usize, String> {
    let range = ChatFrame::MIN_SIZE..=ChatFrame::MAX_SIZE;
    let size = text.parse().ok().filter(|size| range.contains(size));
    size.ok_or_else(|| format!("must be from {} to {} bytes", range.start(), range.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_may_be_fractions_and_are_bounded() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for wrong in ["-1", "600", "NaN", "inf", "ten"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
