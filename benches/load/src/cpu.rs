//! CPU time of the server, of this tool and of all other processes, from `/proc`.
//!
//! The kernel counts the time of a process in ticks of 10 ms and that of a thread in nanoseconds; both are used, see
//! [`server_time`].

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// A server is idle if it uses at most this much CPU time in this interval.
const IDLE_INTERVAL: Duration = Duration::from_millis(100);
const IDLE_TIME: Duration = Duration::from_millis(1);

/// Reads the CPU clocks, with those of the server with process id `pid`.
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

/// The difference of two readings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Wall-clock time.
    pub(crate) wall: Duration,
    /// User and system time of the server.
    pub(crate) server: Duration,
    /// User and system time of this tool.
    pub(crate) own: Duration,
    /// Time of other processes and of the kernel.
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
        let (busy, stolen) = machine(&read_file("/proc/stat")?).context("/proc/stat is not as expected")?;
        Ok(Reading { at: Instant::now(), server: server_time(self.pid)?, own: process("self")?, busy, stolen })
    }

    /// Waits until the server is idle, after its start or after earlier work. Gives up after ten seconds.
    ///
    /// # Errors
    /// If the server's process is gone.
    pub(crate) fn wait_until_idle(self) -> Result<()> {
        let mut before = server_time(self.pid)?;
        for _ in 0..100 {
            thread::sleep(IDLE_INTERVAL);
            let now = server_time(self.pid)?;
            if now.saturating_sub(before) <= IDLE_TIME {
                break;
            }
            before = now;
        }
        Ok(())
    }
}

impl Reading {
    /// Returns the wall-clock time from this reading to `later`.
    pub(crate) fn wall_until(&self, later: Instant) -> Duration {
        later.saturating_duration_since(self.at)
    }

    /// Returns the difference between this reading and a `later` one.
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

fn read_file(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {path}"))
}

fn ticks(count: u64) -> Duration {
    Duration::from_secs_f64(count as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Returns the user and system time of the process `pid`.
///
/// The sum over its threads is exact, but excludes ended threads. The count of the process includes these, but is rounded
/// down to ticks. Neither is too high, so the higher one is more accurate.
fn server_time(pid: u32) -> Result<Duration> {
    Ok(process(&pid.to_string())?.max(threads(pid).unwrap_or_default()))
}

/// Returns the CPU time of all threads of `pid`, if the kernel provides it.
fn threads(pid: u32) -> Option<Duration> {
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        // A thread may end after it was listed.
        let path = thread.ok()?.path().join("schedstat");
        sum += fs::read_to_string(path).ok().and_then(|text| thread_time(&text)).unwrap_or_default();
    }
    Some(sum)
}

/// Returns the first of three numbers.
fn thread_time(schedstat: &str) -> Option<Duration> {
    schedstat.split_ascii_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// Returns the user and system time of a process; `self` stands for this one.
fn process(pid: &str) -> Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    process_ticks(&read_file(&path)?).map(ticks).with_context(|| format!("{path} is not as expected"))
}

/// Returns the sum of fields 14 and 15. The second field, the program's name in brackets, may contain spaces and brackets.
fn process_ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Returns the busy and stolen time of all cores. The first line has user, nice, system, idle, iowait, irq, softirq, steal.
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
    fn the_first_number_of_schedstat_is_the_time() {
        assert_eq!(thread_time("1500 61652 1\n"), Some(Duration::from_nanos(1_500)));
        assert_eq!(thread_time(""), None);
    }

    #[test]
    fn the_time_of_this_process_grows_with_work() {
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
