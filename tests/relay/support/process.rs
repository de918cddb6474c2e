//! Resource usage of the relay's process.

use std::time::Instant;

use super::{Relay, TIMEOUT};

impl Relay {
    /// Whether a signal has stopped all its threads.
    pub(crate) fn is_stopped(&self) -> bool {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap();
        // The state follows the name, which is in parentheses.
        let mut stats = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap());
        stats.all(|stat| stat.rsplit_once(") ").unwrap().1.starts_with('T'))
    }

    /// The number of open files and sockets.
    pub(crate) fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }

    /// The number of threads.
    pub(crate) fn threads(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap().count()
    }

    /// The peak memory, in bytes.
    pub(crate) fn peak_memory(&self) -> usize {
        self.memory_figure("VmHWM:")
    }

    /// The memory, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.memory_figure("VmRSS:")
    }

    fn memory_figure(&self, name: &str) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
    }

    /// The number of connections in all rooms, from `/status`.
    pub(crate) async fn connected(&self) -> u64 {
        let status = self.get("/status").await.json();
        status["rooms"].as_array().unwrap().iter().map(|room| room["nb_connected_users"].as_u64().unwrap()).sum()
    }

    /// Polls until the value is the expected one.
    pub(crate) async fn wait_until<T: PartialEq + std::fmt::Debug>(
        &self,
        expected: T,
        mut poll: impl AsyncFnMut() -> T,
    ) {
        let until = Instant::now() + TIMEOUT;
        loop {
            let now = poll().await;
            if now == expected {
                return;
            }
            assert!(Instant::now() < until, "{now:?} does not become {expected:?}");
        }
    }
}
