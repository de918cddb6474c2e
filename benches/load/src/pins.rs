//! Server and tool on processors of their own.
//!
//! Threads and processes inherit the processors of the thread that starts them, so the server is pinned by pinning this
//! thread while it starts.

use anyhow::{Context, Result, ensure};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The processors that this thread may use when nothing is pinned. They are given back when the value is dropped.
#[derive(Debug)]
pub(crate) struct Pins {
    all: CpuSet,
    tool: usize,
    server: usize,
}

impl Pins {
    /// The first processor for the tool and the last one for the server.
    ///
    /// # Errors
    /// If this process may use fewer than two.
    pub(crate) fn choose() -> Result<Self> {
        let all = sched_getaffinity(None).context("allowed processors")?;
        let mut allowed = (0..CpuSet::MAX_CPU).filter(|cpu| all.is_set(*cpu));
        let (tool, server) = (allowed.next(), allowed.next_back());
        ensure!(server.is_some(), "nothing can be pinned on a single processor; use --pin never");
        Ok(Self { all, tool: tool.unwrap_or_default(), server: server.unwrap_or_default() })
    }

    /// What this thread starts from now on, it starts on the server's processor.
    ///
    /// # Errors
    /// If the system does not allow it.
    pub(crate) fn for_server(&self) -> Result<()> {
        only(self.server)
    }

    /// This thread runs on the tool's processor from now on.
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
    sched_setaffinity(None, &set).with_context(|| format!("pinning to processor {cpu}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tool_and_server_are_apart_and_all_processors_come_back() {
        let before = sched_getaffinity(None).expect("readable");
        let Ok(pins) = Pins::choose() else { return };
        assert_ne!(pins.tool, pins.server);
        pins.for_server().expect("allowed");
        assert_eq!(sched_getaffinity(None).expect("readable").count(), 1);
        drop(pins);
        assert_eq!(sched_getaffinity(None).expect("readable"), before);
    }
}
