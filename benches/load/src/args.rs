//! The command line.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::frames::ChatFrame;
use crate::workload::Workload;

/// Measures a chat relay on this machine: throughput, latency, memory and processor time.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    /// The relay's program, started anew for each run
    #[arg(
        long,
        value_name = "PROGRAM",
        required_unless_present = "url",
        conflicts_with_all = ["url", "pid"]
    )]
    pub(crate) relay: Option<PathBuf>,

    /// A setting for the relay's environment; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting, requires = "relay")]
    pub(crate) env: Vec<(String, String)>,

    /// A relay that runs already, with a room `bench` and without limits
    #[arg(long, value_name = "HOST:PORT", value_parser = loopback, requires = "pid")]
    pub(crate) url: Option<SocketAddr>,

    /// Its process
    #[arg(long, requires = "url", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) pid: Option<u32>,

    /// Runs of each workload, of which medians are reported
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) runs: u32,

    /// Where to write all figures as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) sizes: Sizes,

    /// What to measure; everything if none is named
    #[arg(value_enum)]
    pub(crate) workloads: Vec<Workload>,
}

/// How much of everything.
#[derive(Debug, clap::Args)]
pub(crate) struct Sizes {
    /// A short try: 200 messages (w1), 2 seconds (paced), 500 connections (idle)
    #[arg(long)]
    pub(crate) quick: bool,

    /// Members of the room, the sender included [default: 1000 in w1, 100 in paced]
    #[arg(long, value_parser = at_least_one)]
    pub(crate) members: Option<usize>,

    /// Messages measured in w1 [default: 3000]
    #[arg(long, value_parser = at_least_one)]
    messages: Option<usize>,

    /// Messages before the measured ones
    #[arg(long, default_value_t = 100)]
    pub(crate) warmup: usize,

    /// Messages whose echo the sender awaits at a time, in w1
    #[arg(long, default_value_t = 16, value_parser = at_least_one)]
    pub(crate) window: usize,

    /// Bytes of a message, the JSON around it included
    #[arg(long, default_value_t = 120, value_parser = message_size)]
    pub(crate) size: usize,

    /// Messages a second in paced
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) rate: u32,

    /// Duration of paced [default: 10]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: Option<u32>,

    /// Connections in idle [default: 10000]
    #[arg(long, value_parser = at_least_one)]
    pub(crate) connections: Option<usize>,

    /// Handshakes at a time
    #[arg(long, default_value_t = 64, value_parser = at_least_one)]
    pub(crate) parallel: usize,

    /// Members at which latency is taken
    #[arg(long, default_value_t = 16, value_parser = at_least_one)]
    pub(crate) sample: usize,

    /// Milliseconds between two readings of a member at which no latency is taken; 0: as soon as
    /// something comes
    #[arg(long, default_value_t = 20)]
    pub(crate) turn: u64,

    /// Longest duration of connecting, of settling and of sending each, in seconds
    #[arg(long, default_value_t = 120)]
    limit: u64,
}

impl Sizes {
    /// Messages measured in w1.
    pub(crate) fn messages(&self) -> usize {
        self.messages.unwrap_or(if self.quick { 200 } else { 3_000 })
    }

    /// Duration of paced. Seconds.
    pub(crate) fn seconds(&self) -> u32 {
        self.seconds.unwrap_or(if self.quick { 2 } else { 10 })
    }

    /// How long a member without a latency waits for its turn to be read, if it has to.
    pub(crate) fn turn_period(&self) -> Option<Duration> {
        (self.turn > 0).then(|| Duration::from_millis(self.turn))
    }

    /// The longest that a phase may take, so that the tool stops by itself.
    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs(self.limit)
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "must be a number of at least 1".to_owned())
}

fn message_size(text: &str) -> Result<usize, String> {
    let range = ChatFrame::MIN_SIZE..=ChatFrame::MAX_SIZE;
    let size = text.parse().ok().filter(|size| range.contains(size));
    size.ok_or_else(|| format!("must be from {} to {} bytes", range.start(), range.end()))
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Processor time is read from this machine's `/proc`, and nobody else's server is to be put under
/// load by a slip of the hand.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let mut addresses = text.to_socket_addrs().map_err(|error| error.to_string())?;
    addresses
        .find(|address| address.is_ipv4() && address.ip().is_loopback())
        .ok_or_else(|| "must be an IPv4 loopback address".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn only_this_machine_is_put_under_load() {
        assert!(loopback("127.0.0.1:80").is_ok());
        assert!(loopback("192.0.2.1:80").is_err());
        assert!(loopback("0.0.0.0:80").is_err());
    }

    #[test]
    fn a_relay_or_a_url_with_its_process_is_needed() {
        let accepted = |line: &str| Args::try_parse_from(line.split(' ')).is_ok();
        assert!(accepted("gischat-load --relay r --quick w1 idle"));
        assert!(accepted("gischat-load --url 127.0.0.1:80 --pid 1 --size 4000"));
        assert!(!accepted("gischat-load w1"));
        assert!(!accepted("gischat-load --url 127.0.0.1:80"));
        assert!(!accepted("gischat-load --relay r --pid 1"));
        assert!(!accepted("gischat-load --relay r --size 10"));
    }
}
