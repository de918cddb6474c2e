//! Processor time of the server, of this tool and of everybody else, from `/proc`.
//!
//! Owns reading and subtracting. The kernel counts a process in ticks of 10 ms and each of its threads in nanoseconds;
//! both are used, see [`server_time`].

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// How long to watch a server for being at rest, and how little it may do in that time.
const WATCH: Duration = Duration::from_millis(100);
const REST: Duration = Duration::from_millis(1);

/// Reads clocks of the server with process id `pid`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    /// The server's process.
    pub(crate) pid: u32,
}

/// All clocks at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    at: Instant,
    server: Duration,
    own: Duration,
    busy: Duration,
    stolen: Duration,
}

/// What passed between two readings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Time on the wall.
    pub(crate) wall: Duration,
    /// User and system time of the server.
    pub(crate) server: Duration,
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
    /// If the server's process is gone or `/proc` is not as expected.
    pub(crate) fn read(self) -> Result<Reading> {
        let (busy, stolen) = machine(&slurp("/proc/stat")?).context("/proc/stat is not as expected")?;
        Ok(Reading { at: Instant::now(), server: server_time(self.pid)?, own: process("self")?, busy, stolen })
    }

    /// Waits until the server does nothing: it has started, or forgotten what was before. Gives up after ten seconds.
    ///
    /// # Errors
    /// If the server's process is gone.
    pub(crate) fn wait_for_rest(self) -> Result<()> {
        let mut before = server_time(self.pid)?;
        for _ in 0..100 {
            thread::sleep(WATCH);
            let now = server_time(self.pid)?;
            if now.saturating_sub(before) <= REST {
                break;
            }
            before = now;
        }
        Ok(())
    }
}

impl Reading {
    /// From this reading to `later`.
    pub(crate) fn wall_until(&self, later: Instant) -> Duration {
        later.saturating_duration_since(self.at)
    }

    /// What passed from this reading to a `later` one.
    pub(crate) fn until(&self, later: &Self) -> Usage {
        let server = later.server.saturating_sub(self.server);
        let own = later.own.saturating_sub(self.own);
        let busy = later.busy.saturating_sub(self.busy);
        Usage {
            wall: later.at - self.at,
            server,
            own,
            foreign: busy.saturating_sub(server + own),
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

/// User and system time of the process `pid`.
///
/// The sum over its threads is exact, but lacks what threads did that have ended. The process's own count has that too,
/// but is cut to ticks. Neither is ever too high, so the higher one is right.
fn server_time(pid: u32) -> Result<Duration> {
    Ok(process(&pid.to_string())?.max(threads(pid).unwrap_or_default()))
}

/// Nanoseconds on a processor of all threads that `pid` has, where the kernel tells.
fn threads(pid: u32) -> Option<Duration> {
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        // A thread may end between being listed and being read.
        let path = thread.ok()?.path().join("schedstat");
        sum += fs::read_to_string(path).ok().and_then(|text| on_processor(&text)).unwrap_or_default();
    }
    Some(sum)
}

/// The first of three numbers.
fn on_processor(schedstat: &str) -> Option<Duration> {
    schedstat.split_ascii_whitespace().next()?.parse().ok().map(Duration::from_nanos)
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
    fn the_first_number_of_a_thread_is_its_time() {
        assert_eq!(on_processor("1500 61652 1\n"), Some(Duration::from_nanos(1_500)));
        assert_eq!(on_processor(""), None);
    }

    #[test]
    fn the_time_of_this_process_grows_by_what_it_does() {
        let pid = std::process::id();
        let before = server_time(pid).expect("readable");
        let until = Instant::now() + Duration::from_millis(60);
        while Instant::now() < until {}
        let used = server_time(pid).expect("readable").saturating_sub(before);
        assert!(used > Duration::ZERO, "{used:?}");
    }

    #[test]
    fn waiting_is_not_busy() {
        let (busy, stolen) = machine("cpu  10 20 30 1000 2000 5 6 7 0 0\ncpu0 1 1").expect("parses");
        assert_eq!((busy, stolen), (ticks(71), ticks(7)));
    }
}
