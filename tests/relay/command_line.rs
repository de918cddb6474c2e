//! The command line: exit codes, and configuration errors, which are all reported before anything is served.
//!
//! A folder in `tests/cases/config` is a working directory, with the variables of its file `environment` and what
//! `check` prints: if the configuration is valid, `stdout`, and `warnings` if there are any; otherwise `stderr`, including
//! warnings.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::program::relay;
use crate::support::{Relay, TIMEOUT};

const DONE: Option<i32> = Some(0);
const DOES_NOT_HOLD: Option<i32> = Some(1);
const BAD_ARGUMENTS: Option<i32> = Some(2);
const BAD_CONFIGURATION: Option<i32> = Some(78);

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn cases() -> Vec<PathBuf> {
    let folders = std::fs::read_dir(project("tests/cases/config")).unwrap();
    let mut folders: Vec<PathBuf> = folders.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(!folders.is_empty(), "there are no cases");
    folders
}

/// The text of a file of a case, `None` where the case has none.
fn part(case: &Path, name: &str) -> Option<String> {
    let path = case.join(name);
    path.exists().then(|| std::fs::read_to_string(path).unwrap())
}

fn environment(text: &str) -> Vec<(&str, &str)> {
    text.lines().map(|line| line.split_once('=').unwrap_or_else(|| panic!("no variable: {line}"))).collect()
}

/// A port that is taken as long as the listener lives.
fn taken() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// A report without the times that it measured: `N µs` in place of `1.5 µs`.
fn without_times(report: &str) -> String {
    let digits = |word: &str| word.chars().all(|c| c.is_ascii_digit() || c == '.');
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let next = words.iter().skip(1).chain([&""]);
        let shown =
            words.iter().zip(next).map(|(word, next)| if next.starts_with("µs") && digits(word) { "N" } else { word });
        shown.collect::<Vec<_>>().join(" ")
    };
    report.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// What every case must show with these arguments: the expectation, given the case's own.
fn run_cases(arguments: &[&str], wanted: impl Fn(&Path) -> Option<(Option<i32>, String, String)>) -> usize {
    let mut run = 0;
    let mut wrong = Vec::new();
    for case in cases() {
        let Some(wanted) = wanted(&case) else { continue };
        let variables = part(&case, "environment").unwrap_or_default();
        let output = relay(&case, arguments, &environment(&variables));
        let shown = (output.status, without_times(&output.stdout), output.stderr);
        if shown != wanted {
            let (status, stdout, stderr) = shown;
            wrong.push(format!("{}: {status:?}\n{stdout}{stderr}instead of\n{}{}", case.display(), wanted.1, wanted.2));
        }
        run += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    run
}

#[test]
fn check_reports_on_a_valid_configuration() {
    let good =
        run_cases(&["check"], |case| Some((DONE, part(case, "stdout")?, part(case, "warnings").unwrap_or_default())));
    assert!(good >= 2, "{good} good cases");
}

#[test]
fn check_names_every_error_with_its_location() {
    let bad = run_cases(&["check"], |case| Some((BAD_CONFIGURATION, String::new(), part(case, "stderr")?)));
    assert!(bad >= 10, "{bad} bad cases");
}

#[test]
fn serve_reports_the_same_errors_and_exits() {
    for arguments in [&["serve"] as &[&str], &[]] {
        run_cases(arguments, |case| Some((BAD_CONFIGURATION, String::new(), part(case, "stderr")?)));
    }
}

#[test]
fn errors_are_found_before_any_port_is_bound() {
    let (_listener, address) = taken();
    let directory = tempfile::tempdir().unwrap();
    for (name, text, error) in [
        ("relay.toml", "[filter]\nunknown = 1\n", "relay.toml:2: filter.unknown: unknown key\n"),
        ("rules.toml", "rule = 1\n", "rules.toml:1: a rule begins with `[[rule]]`, in double brackets\n"),
    ] {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        let output = relay(directory.path(), &["serve"], &[("LISTEN", &address)]);
        std::fs::remove_file(path).unwrap();
        assert_eq!(output.status, BAD_CONFIGURATION, "{output:?}");
        assert_eq!(output.stderr, format!("{error}gischat-relay: 1 error in the configuration\n"));
    }
}

#[test]
fn a_port_in_use_fails_the_start_with_an_error_that_names_it() {
    let (_listener, address) = taken();
    let directory = tempfile::tempdir().unwrap();
    for variables in
        [&[("LISTEN", address.as_str())] as &[_], &[("LISTEN", "127.0.0.1:0"), ("METRICS_LISTEN", &address)]]
    {
        let output = relay(directory.path(), &["serve"], variables);
        assert_eq!(output.status, DOES_NOT_HOLD, "{output:?}");
        let last = output.stderr.lines().last().unwrap_or_default();
        let line: serde_json::Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        assert_eq!(line["level"], "ERROR");
        let message = line["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("{address}: cannot listen on this address: ")), "{message}");
        assert!(message.contains("in use"), "{message}");
    }
}

#[test]
fn invalid_arguments_exit_with_2_and_show_the_usage() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in
        [&["--colour"] as &[&str], &["frobnicate"], &["check", "extra"], &["--config"], &["serve", "--config"]]
    {
        let output = relay(directory.path(), arguments, &[]);
        assert_eq!(output.status, BAD_ARGUMENTS, "{arguments:?}: {output:?}");
        assert!(output.stdout.is_empty() && output.stderr.starts_with("error: "), "{arguments:?}: {output:?}");
        assert!(output.stderr.contains("--help"), "{arguments:?}: {output:?}");
    }
}

#[test]
fn the_program_prints_its_version_and_commands() {
    // A bad configuration is no obstacle.
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("relay.toml"), "=").unwrap();
    for arguments in [["--version"], ["-V"]] {
        let output = relay(directory.path(), &arguments, &[]);
        assert_eq!(output.status, DONE, "{output:?}");
        assert_eq!(output.stdout, concat!("gischat-relay ", env!("CARGO_PKG_VERSION"), "\n"));
    }
    for arguments in [["--help"], ["-h"], ["help"]] {
        let output = relay(directory.path(), &arguments, &[]);
        assert_eq!(output.status, DONE, "{output:?}");
        for word in ["serve", "check", "health", "--config <FILE>", "RELAY_CONFIG", "relay.toml", "chat relay"] {
            assert!(output.stdout.contains(word), "{word} is not in the help: {}", output.stdout);
        }
    }
}

#[test]
fn the_examples_are_valid() {
    let directory = tempfile::tempdir().unwrap();
    let (settings, rules) = (project("examples/relay.toml"), project("examples/rules.toml"));
    let (settings, rules) = (settings.to_str().unwrap(), rules.to_str().unwrap());
    for (arguments, variables) in [
        (vec!["check", "--config", settings], vec![("RULES_FILE", rules)]),
        (vec!["--config", settings, "check"], vec![("RULES_FILE", rules)]),
        (vec!["check"], vec![("RELAY_CONFIG", settings), ("RULES_FILE", rules)]),
    ] {
        let output = relay(directory.path(), &arguments, &variables);
        assert_eq!((output.status, output.stderr.as_str()), (DONE, ""), "{output:?}");
        assert!(
            output.stdout.contains("\nrules: 4 of your own, 10 of the starter set (preset balanced)\n"),
            "{output:?}"
        );
    }
}

#[test]
fn a_closed_pipe_does_not_change_the_exit_code() {
    // As in `gischat-relay check | head -1`.
    let nobody = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    let directory = tempfile::tempdir().unwrap();
    for (main_lang, wanted) in [("en", DONE), ("?", BAD_CONFIGURATION)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gischat-relay"));
        command.arg("check").current_dir(directory.path()).env_clear().env("MAIN_LANG", main_lang);
        let status = command.stdout(nobody()).stderr(nobody()).status().unwrap();
        assert_eq!(status.code(), wanted, "MAIN_LANG={main_lang}");
    }
}

#[tokio::test]
async fn the_environment_overrides_dotenv_and_dotenv_overrides_the_file() {
    let relay = Relay::builder()
        .file(
            "relay.toml",
            "[instance]\nmain_lang = 'fr'\nrules = 'of the file'\n[filter.shape]\nmin_author_length = 5\n",
        )
        .file(".env", "MAIN_LANG=it\nRULES='of dotenv\\nin two lines'\n")
        .env("MAIN_LANGUAGE", "pt")
        .start()
        .await;
    let rules = relay.get("/rules").await.json();
    assert_eq!(
        rules,
        serde_json::json!({
            "main_lang": "pt",
            "rules": "of dotenv\nin two lines",
            "min_author_length": 5,
            "max_author_length": 32,
            "max_message_length": 255,
            "max_image_size": 800,
            "max_geojson_features": 500,
            "enforced": [],
        })
    );
}

#[tokio::test]
async fn serve_logs_once_each_warning_that_check_prints() {
    let case = project("tests/cases/config/former-backend-compose");
    let (variables, warnings) = (part(&case, "environment").unwrap(), part(&case, "warnings").unwrap());
    let environment = environment(&variables);
    let relay = environment.iter().fold(Relay::builder(), |relay, (name, value)| relay.env(name, value)).start().await;
    let logged: Vec<serde_json::Value> =
        relay.log().iter().map(|line| serde_json::from_str(line).unwrap_or_default()).collect();
    for warning in warnings.lines().map(|line| line.strip_prefix("warning: ").unwrap()) {
        let times = logged.iter().filter(|line| line["level"] == "WARN" && line["message"] == warning).count();
        assert_eq!(times, 1, "{warning}: {logged:#?}");
    }
}

#[tokio::test]
async fn health_checks_the_relay_with_this_configuration() {
    let running = Relay::start().await;
    let address = running.address().to_string();
    let directory = running.directory().to_owned();
    let well = relay(&directory, &["health"], &[("LISTEN", &address)]);
    assert_eq!((well.status, well.stdout, well.stderr), (DONE, format!("{address}: ok\n"), String::new()));

    let everywhere = format!("0.0.0.0:{}", running.address().port());
    assert_eq!(relay(&directory, &["health"], &[("LISTEN", &everywhere)]).status, DONE);

    assert_eq!(relay(&directory, &["health"], &[("LISTEN", "nowhere")]).status, BAD_CONFIGURATION);
}

#[test]
fn health_fails_if_another_program_answers() {
    let directory = tempfile::tempdir().unwrap();
    let (listener, address) = taken();
    let stranger = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    let output = relay(directory.path(), &["health"], &[("LISTEN", &address)]);
    stranger.join().unwrap();
    assert_eq!((output.status, output.stdout.as_str()), (DOES_NOT_HOLD, ""), "{output:?}");
    assert!(output.stderr.starts_with(&format!("{address}: ")) && output.stderr.contains("404"), "{output:?}");
}

#[test]
fn health_fails_if_nothing_answers() {
    let directory = tempfile::tempdir().unwrap();
    // Bound and not listening: nobody else can be there.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap().to_string();
    let output = relay(directory.path(), &["health"], &[("LISTEN", &address)]);
    assert_eq!((output.status, output.stdout.as_str()), (DOES_NOT_HOLD, ""), "{output:?}");
    assert!(output.stderr.starts_with(&format!("{address}: ")), "{output:?}");
}
