//! Processor time of the relay, of this tool and of everybody else, from `/proc`.
//!
//! Owns reading and subtracting. The files count in ticks of 10 ms, so a phase worth reporting
//! takes a good part of a second.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Reads clocks of the relay with process id `pid`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    /// The relay's process.
    pub(crate) pid: u32,
}

/// All clocks at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    at: Instant,
    relay: Duration,
    own: Duration,
    busy: Duration,
    stolen: Duration,
}

/// What passed between two readings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Time on the wall.
    pub(crate) wall: Duration,
    /// User and system time of the relay.
    pub(crate) relay: Duration,
    /// User and system time of this tool.
    pub(crate) own: Duration,
    /// Time of other processes and of the kernel on nobody's account.
    pub(crate) foreign: Duration,
    /// Time that the hypervisor gave to other machines.
    pub(crate) stolen: Duration,
}

impl Meter {
    /// Reads all clocks.
    ///
    /// # Errors
    /// If the relay's process is gone or `/proc` is not as expected.
    pub(crate) fn read(self) -> Result<Reading> {
        let (busy, stolen) = machine(&slurp("/proc/stat")?).context("/proc/stat is not as expected")?;
        Ok(Reading { at: Instant::now(), relay: self.relay()?, own: process("self")?, busy, stolen })
    }

    /// Waits until the relay does nothing: it has started, or forgotten the run before. Gives up
    /// after ten seconds.
    ///
    /// # Errors
    /// If the relay's process is gone.
    pub(crate) fn wait_for_rest(self) -> Result<()> {
        let mut before = self.relay()?;
        for _ in 0..40 {
            thread::sleep(Duration::from_millis(250));
            let now = self.relay()?;
            if now == before {
                break;
            }
            before = now;
        }
        Ok(())
    }

    fn relay(self) -> Result<Duration> {
        process(&self.pid.to_string())
    }
}

impl Reading {
    /// What passed from this reading to a `later` one.
    pub(crate) fn until(&self, later: &Self) -> Usage {
        let relay = later.relay.saturating_sub(self.relay);
        let own = later.own.saturating_sub(self.own);
        let busy = later.busy.saturating_sub(self.busy);
        Usage {
            wall: later.at - self.at,
            relay,
            own,
            foreign: busy.saturating_sub(relay + own),
            stolen: later.stolen.saturating_sub(self.stolen),
        }
    }
}

fn slurp(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {path}"))
}

fn ticks(count: u64) -> Duration {
    Duration::from_secs_f64(count as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// User and system time of the process `who`.
fn process(who: &str) -> Result<Duration> {
    let path = format!("/proc/{who}/stat");
    process_ticks(&slurp(&path)?).map(ticks).with_context(|| format!("{path} is not as expected"))
}

/// Fields 14 and 15. The second field, the program's name in brackets, may hold spaces and brackets
/// itself.
fn process_ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Busy and stolen time of all cores: the first line has user, nice, system, idle, iowait, irq,
/// softirq, steal.
fn machine(stat: &str) -> Option<(Duration, Duration)> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let fields: Vec<u64> = line.split_ascii_whitespace().map_while(|field| field.parse().ok()).collect();
    let [user, nice, system, _idle, _iowait, irq, softirq, steal, ..] = fields[..] else {
        return None;
    };
    Some((ticks(user + nice + system + irq + softirq), ticks(steal)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_shift_the_fields() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 100 0 0 0 70 5 9 9 20 0 3 0 1 1 1";
        assert_eq!(process_ticks(stat), Some(75));
        assert_eq!(process_ticks("42 (a) S 1"), None);
    }

    #[test]
    fn waiting_is_not_busy() {
        let (busy, stolen) = machine("cpu  10 20 30 1000 2000 5 6 7 0 0\ncpu0 1 1").expect("parses");
        assert_eq!((busy, stolen), (ticks(71), ticks(7)));
    }
}
