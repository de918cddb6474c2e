//! Pins server and tool to a CPU each.
//!
//! Threads and processes inherit the CPU set of the thread that starts them, so the server is pinned by pinning this
//! thread while it starts.

use anyhow::{Context, Result, ensure};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The CPUs of the tool and the server. Dropping it restores the original CPU set of this thread.
#[derive(Debug)]
pub(crate) struct Pins {
    all: CpuSet,
    tool: usize,
    server: usize,
}

impl Pins {
    /// Chooses the first CPU for the tool and the last one for the server.
    ///
    /// # Errors
    /// If this process may use fewer than two CPUs.
    pub(crate) fn choose() -> Result<Self> {
        let all = sched_getaffinity(None).context("allowed CPUs")?;
        let mut allowed = (0..CpuSet::MAX_CPU).filter(|cpu| all.is_set(*cpu));
        let (tool, server) = (allowed.next(), allowed.next_back());
        ensure!(server.is_some(), "pinning needs two CPUs; use --pin never");
        Ok(Self { all, tool: tool.unwrap_or_default(), server: server.unwrap_or_default() })
    }

    /// Pins this thread to the server's CPU, for the server that it starts.
    ///
    /// # Errors
    /// If the system does not allow it.
    pub(crate) fn for_server(&self) -> Result<()> {
        only(self.server)
    }

    /// Pins this thread to the tool's CPU.
    ///
    /// # Errors
    /// If the system does not allow it.
    pub(crate) fn for_tool(&self) -> Result<()> {
        only(self.tool)
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        // The set was allowed before.
        sched_setaffinity(None, &self.all).ok();
    }
}

fn only(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set).with_context(|| format!("pinning to CPU {cpu}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tool_and_server_have_different_cpus_and_the_set_is_restored() {
        let before = sched_getaffinity(None).expect("readable");
        let Ok(pins) = Pins::choose() else { return };
        assert_ne!(pins.tool, pins.server);
        pins.for_server().expect("allowed");
        assert_eq!(sched_getaffinity(None).expect("readable").count(), 1);
        drop(pins);
        assert_eq!(sched_getaffinity(None).expect("readable"), before);
    }
}
