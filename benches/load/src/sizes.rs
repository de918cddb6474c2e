//! How much of everything.

use std::time::Duration;

use crate::frames::ChatFrame;

/// What the command line says about sizes. Where it says nothing, each workload has its own.
#[derive(Debug, clap::Args)]
pub(crate) struct Sizes {
    /// Everything in miniature: says whether it runs and nothing is lost
    #[arg(long)]
    pub(crate) quick: bool,

    /// Members of all rooms together, the senders included, in w1 to w4 and rooms [default: the workload's]
    #[arg(long, value_parser = at_least_one)]
    pub(crate) members: Option<usize>,

    /// Connections in w5 and joins [default: the workload's]
    #[arg(long, value_parser = at_least_one)]
    pub(crate) connections: Option<usize>,

    /// Messages whose echo a sender awaits at a time, in w1 to w3 and members; in rooms, all senders together [default:
    /// the workload's]
    #[arg(long, value_parser = at_least_one)]
    pub(crate) window: Option<usize>,

    /// Messages a second in w4
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) rate: u32,

    /// Seconds for which messages are sent, of which fractions are welcome [default: the workload's]
    #[arg(long, value_parser = seconds)]
    pub(crate) seconds: Option<Duration>,

    /// Seconds for which messages are sent before
    #[arg(long, value_parser = seconds)]
    warmup: Option<Duration>,

    /// Bytes of a message, the JSON around it included
    #[arg(long, default_value_t = 120, value_parser = message_size)]
    pub(crate) size: usize,

    /// Handshakes at a time
    #[arg(long, default_value_t = 64, value_parser = at_least_one)]
    pub(crate) parallel: usize,

    /// Members at which latency is taken
    #[arg(long, default_value_t = 16, value_parser = at_least_one)]
    pub(crate) sample: usize,

    /// Milliseconds between two readings of a member at which no latency is taken; 0: as soon as something comes
    /// [default: 1 to 20, by the members, and more from 2000 on]
    #[arg(long)]
    turn: Option<u64>,

    /// Longest duration of connecting, of settling and of sending each, in seconds
    #[arg(long, default_value_t = 120)]
    limit: u64,
}

impl Sizes {
    /// `whole`, or `little` in a quick run.
    pub(crate) fn either<T>(&self, whole: T, little: T) -> T {
        if self.quick { little } else { whole }
    }

    /// For how long messages are sent before anything is measured.
    pub(crate) fn warmup(&self) -> Duration {
        self.warmup.unwrap_or(self.either(Duration::from_millis(500), Duration::from_millis(50)))
    }

    /// How long one of `members` without a latency waits for its turn to be read, if it has to.
    pub(crate) fn turn(&self, members: usize) -> Option<Duration> {
        // Fifty thousand reads a second leave a tool time for other things, twice as many are its limit. With few
        // members turns come sooner: each hears so many messages then that a socket's buffer is full within 20 ms.
        let members = members as u64;
        let millis = self.turn.unwrap_or_else(|| (members / 50).clamp(1, 20).max(members / 100));
        (millis > 0).then(|| Duration::from_millis(millis))
    }

    /// A room is taken for settled when nothing has come for this long.
    pub(crate) fn quiet(&self) -> Duration {
        self.either(Duration::from_millis(500), Duration::from_millis(100))
    }

    /// The longest that a phase may take, so that the tool stops by itself.
    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs(self.limit)
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "must be a number of at least 1".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let duration = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.filter(|duration| duration.as_secs() < 600).ok_or_else(|| "must be a number of 0 to 600".to_owned())
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
    fn seconds_may_have_a_fraction_and_an_end() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for wrong in ["-1", "600", "NaN", "inf", "ten"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
