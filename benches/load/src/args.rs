//! The command line.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::entrants::Rival;
use crate::sizes::Sizes;
use crate::workload::Workload;

/// Measures a chat relay on this machine and compares it with other servers: throughput, latency, memory and CPU time.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    /// The relay's program, started for each run
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

    /// A running relay with a room `bench` and without limits
    #[arg(long, value_name = "HOST:PORT", value_parser = loopback, requires = "pid")]
    pub(crate) url: Option<SocketAddr>,

    /// Process id of the running relay
    #[arg(long, requires = "url", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) pid: Option<u32>,

    /// Servers to compare the relay with [default: all that are found]
    #[arg(long, value_name = "SERVERS", value_enum, value_delimiter = ',')]
    pub(crate) against: Option<Vec<Rival>>,

    /// Measure the relay alone
    #[arg(long, conflicts_with = "against")]
    pub(crate) alone: bool,

    /// The folder that holds the floors' programs [default: this program's own]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) floors: Option<PathBuf>,

    /// Bun's program, for uWebSockets [default: the `bun` on PATH]
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) bun: Option<PathBuf>,

    /// The folder with the built shipped plugins
    #[arg(long, value_name = "FOLDER", default_value = "plugins")]
    pub(crate) plugins: PathBuf,

    /// A filter that loops on the message `loop`
    #[arg(long, value_name = "FILE", default_value = "tests/guests/hostile/filter.wasm")]
    pub(crate) stuck: PathBuf,

    /// Runs of each workload and server; medians are reported [default: 3, with --quick 1]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: Option<u32>,

    /// Whether server and tool are pinned to a CPU each: in w4 only (auto), always or never
    #[arg(long, value_enum, default_value_t = Pin::Auto)]
    pub(crate) pin: Pin,

    /// Where to write all figures as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Folder in which to write `PERFORMANCE.md` and its plots; needs all workloads and servers
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["quick", "workloads", "against", "alone", "url"])]
    pub(crate) docs: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) sizes: Sizes,

    /// Workloads to run [default: all]
    #[arg(value_enum)]
    pub(crate) workloads: Vec<Workload>,
}

/// When server and tool are pinned to different CPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pin {
    Auto,
    Always,
    Never,
}

impl Args {
    /// Runs of each workload and server.
    pub(crate) fn runs(&self) -> u32 {
        self.runs.unwrap_or(if self.sizes.quick { 1 } else { 3 })
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// CPU time is read from this machine's `/proc`, and other machines must not be put under load by mistake.
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
    fn only_loopback_addresses_are_accepted() {
        assert!(loopback("127.0.0.1:80").is_ok());
        assert!(loopback("192.0.2.1:80").is_err());
        assert!(loopback("0.0.0.0:80").is_err());
    }

    #[test]
    fn a_relay_or_a_url_with_a_process_id_is_required() {
        let accepted = |line: &str| Args::try_parse_from(line.split(' ')).is_ok();
        assert!(accepted("gischat-load --relay r --quick w1 idle"));
        assert!(accepted("gischat-load --url 127.0.0.1:80 --pid 1 --size 4000"));
        assert!(!accepted("gischat-load w1"));
        assert!(!accepted("gischat-load --url 127.0.0.1:80"));
        assert!(!accepted("gischat-load --relay r --pid 1"));
        assert!(!accepted("gischat-load --relay r --size 10"));
    }

    #[test]
    fn documents_are_written_for_complete_measurements_only() {
        let accepted = |line: &str| Args::try_parse_from(line.split(' ')).is_ok();
        assert!(accepted("gischat-load --relay r --docs docs"));
        assert!(!accepted("gischat-load --relay r --docs docs w1"));
        assert!(!accepted("gischat-load --relay r --docs docs --quick"));
        assert!(!accepted("gischat-load --relay r --docs docs --against sends"));
    }
}
