//! `gischat-relay plugin`, run as a process: from a name to a filter that passes its cases.

mod list;
mod same;
mod scratch;
mod test;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::plugins::LONG_DEADLINES;
use crate::support::program::{NO_EMBEDDED_PLUGINS, Output, output_within, relay};

const DONE: Option<i32> = Some(0);
const FAILURE: Option<i32> = Some(1);
const BAD_ARGUMENTS: Option<i32> = Some(2);
const BAD_CONFIGURATION: Option<i32> = Some(78);

/// Timeout for builds, and for loading plugins with an interpreter.
const LONG: Duration = Duration::from_mins(10);

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// `gischat-relay plugin` with these arguments and this process's environment.
fn plugin_command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gischat-relay"));
    command.arg("plugin").args(arguments).current_dir(directory).envs(LONG_DEADLINES).envs([NO_EMBEDDED_PLUGINS]);
    // Cargo sets it to its own libraries, which another compiler must not load.
    command.env_remove("LD_LIBRARY_PATH");
    command
}

fn run_long(directory: &Path, arguments: &[&str]) -> Output {
    output_within(&mut plugin_command(directory, arguments), LONG)
}

/// A working directory with plugins in it.
struct Plugins(tempfile::TempDir);

impl Plugins {
    fn none() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The scriptable test plugin, with this manifest and these cases.
    fn hostile(manifest: &str, cases: &str) -> Self {
        Self::none()
            .with("plugins/hostile/plugin.toml", manifest.as_bytes())
            .with("plugins/hostile/cases/all.toml", cases.as_bytes())
            .with("plugins/hostile/filter.wasm", &crate::plugins::guest("hostile"))
    }

    fn with(self, path: &str, bytes: &[u8]) -> Self {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    fn without(self, path: &str) -> Self {
        std::fs::remove_file(self.0.path().join(path)).unwrap();
        self
    }

    fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        relay(self.0.path(), &[&["plugin"], arguments].concat(), &[&LONG_DEADLINES, environment].concat())
    }

    fn test(&self) -> Output {
        self.run(&["test", "plugins/hostile"], &[])
    }
}
