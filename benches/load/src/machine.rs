//! Facts about the machine and the measurement.

use std::fs;
use std::process::Command;
use std::thread;

use serde_json::{Value, json};

/// Returns the command, processor, cores, memory, kernel, date and, inside a repository, the commit. Unknown facts are
/// null.
pub(crate) fn facts() -> Value {
    json!({
        "command": command(std::env::args()),
        "cpu": field("/proc/cpuinfo", "model name"),
        "cores": thread::available_parallelism().ok().map(std::num::NonZero::get),
        "memory": field("/proc/meminfo", "MemTotal").and_then(|text| gibibytes(&text)),
        "kernel": output("uname", &["-r"]),
        "date": output("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"]),
        "commit": output("git", &["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]),
    })
}

/// Returns the value after `name` and a colon.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let (_, value) = text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// Returns a command line without the folders of its paths, which are private and differ between machines.
fn command(words: impl Iterator<Item = String>) -> String {
    let words = words.map(|word| word.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default().to_owned());
    words.collect::<Vec<_>>().join(" ")
}

fn gibibytes(kibibytes: &str) -> Option<String> {
    let kibibytes: f64 = kibibytes.strip_suffix(" kB")?.parse().ok()?;
    Some(format!("{:.1} GiB", kibibytes / f64::from(1 << 20)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_no_folders() {
        let words = ["target/release/gischat-load", "--relay", "/home/jane/relay", "--docs", "docs/", "w1"];
        let command = command(words.into_iter().map(str::to_owned));
        assert_eq!(command, "gischat-load --relay relay --docs docs w1");
    }

    #[test]
    fn memory_is_given_in_gibibytes() {
        assert_eq!(gibibytes("24684092 kB").as_deref(), Some("23.5 GiB"));
        assert_eq!(gibibytes("a lot"), None);
    }
}
