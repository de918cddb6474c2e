//! The summary at the end of a start, which only a terminal shows.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Instant;

use crate::support::TIMEOUT;
use crate::support::program::NO_EMBEDDED_PLUGINS;

/// `script`, which runs the relay on a new terminal. Both end with the test.
struct Terminal(Child);

impl Drop for Terminal {
    fn drop(&mut self) {
        let id = self.0.id();
        let relay = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        for pid in relay.split_whitespace() {
            let _ = Command::new("kill").arg(pid).status();
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The terminal output of a relay in this directory, up to the line that begins with `last`.
fn shown_up_to(last: &str, directory: &Path, environment: &[(&str, &str)]) -> Vec<String> {
    let mut command = Command::new("script");
    command.args(["-q", "-e", "-c", concat!("exec ", env!("CARGO_BIN_EXE_gischat-relay"), " serve"), "/dev/null"]);
    command.current_dir(directory).env("LISTEN", "127.0.0.1:0").env("LC_ALL", "C.UTF-8");
    command.env_remove("LOG_FORMAT").env_remove("LOG_LEVEL").envs([NO_EMBEDDED_PLUGINS]);
    command.envs(environment.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut terminal = Terminal(command.spawn().unwrap());
    let (send, lines) = channel();
    let output = BufReader::new(terminal.0.stdout.take().unwrap());
    std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
    let until = Instant::now() + TIMEOUT;
    let mut shown = Vec::new();
    loop {
        match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => shown.push(line.trim_end().to_owned()),
            Err(error) => panic!("there is no `{last}` ({error}): {shown:#?}"),
        }
        if shown.last().is_some_and(|line| line.starts_with(last)) {
            return shown;
        }
    }
}

#[test]
fn a_start_on_a_terminal_ends_with_a_summary() {
    let directory = tempfile::tempdir().unwrap();
    let plugin = directory.path().join("plugins/no-ads");
    std::fs::create_dir_all(&plugin).unwrap();
    std::fs::create_dir(directory.path().join("state.redb")).unwrap();
    for (file, text) in [("plugin.toml", "mode = 'observe'\n"), ("filter.py", "")] {
        std::fs::write(plugin.join(file), text).unwrap();
    }
    let environment = [("RELAY__MODERATION__STORE", "state.redb"), ("ROOMS", "QGIS,Living room")];
    let shown = shown_up_to("  degraded", directory.path(), &environment);

    let first = shown.iter().position(|line| line.starts_with("  chat page")).expect("a summary");
    assert!(shown[..first].iter().any(|line| line.contains("serving")), "the log comes first: {shown:#?}");
    let summary: Vec<&str> = shown[first..].iter().map(String::as_str).collect();
    let [page, moderators, rooms, rules, plugins, not_loaded, degraded] = summary[..] else { panic!("{shown:#?}") };
    assert!(page.starts_with("  chat page    http://127.0.0.1:") && page.ends_with('/'), "{page}");
    assert!(moderators.contains("token of this run: "), "{moderators}");
    assert_eq!(rooms, "  rooms        QGIS, Living room");
    assert!(rules.contains("0 of your own, ") && rules.ends_with("(preset balanced)"), "{rules}");
    assert_eq!(plugins, "  plugins      none loaded");
    assert_eq!(not_loaded, "  not loaded   no-ads: not built; gischat-relay plugin build plugins/no-ads");
    assert!(degraded.starts_with("  degraded     store: state.redb: "), "{degraded}");
    assert!(!shown.iter().any(|line| line.starts_with("moderation: ")), "the token is told twice: {shown:#?}");
}

#[test]
fn with_a_json_log_the_token_is_printed_as_a_log_line() {
    let directory = tempfile::tempdir().unwrap();
    let token = "moderation: MODERATORS is not set; the token of this run is ";
    let shown = shown_up_to(token, directory.path(), &[("LOG_FORMAT", "json")]);
    assert!(!shown.iter().any(|line| line.contains("chat page")), "{shown:#?}");
}
