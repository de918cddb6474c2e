//! What the system knows of the relay's process.

use std::time::Instant;

use super::{PATIENCE, Relay};

impl Relay {
    /// How many files and sockets it holds open.
    pub(crate) fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }

    /// How many threads it has.
    pub(crate) fn threads(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap().count()
    }

    /// Most memory that it has ever had, in bytes.
    pub(crate) fn peak_memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
    }

    /// How many connections `/status` tells of, all rooms together.
    pub(crate) async fn connected(&self) -> u64 {
        let status = self.get("/status").await.json();
        status["rooms"].as_array().unwrap().iter().map(|room| room["nb_connected_users"].as_u64().unwrap()).sum()
    }

    /// Asks, again and again, until the relay is as it should be.
    pub(crate) async fn wait_until<T: PartialEq + std::fmt::Debug>(&self, wanted: T, mut ask: impl AsyncFnMut() -> T) {
        let until = Instant::now() + PATIENCE;
        loop {
            let now = ask().await;
            if now == wanted {
                return;
            }
            assert!(Instant::now() < until, "{now:?} is not {wanted:?} even after a while");
        }
    }
}
