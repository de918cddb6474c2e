//! The log: formats, levels, and data that it must not contain.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::program::{NO_EMBEDDED_PLUGINS, output, relay};
use crate::support::{Client, Relay, RelayBuilder, TIMEOUT, line, newcomer, request};

/// Texts that occur nowhere else. The pieces must not show either.
const SECRET: &str = "kohlrabi4711";
const NICKNAME: &str = "Zwetschge77";
/// The client's own address, and the one that a proxy reports.
const PEER: Ipv4Addr = Ipv4Addr::new(127, 83, 47, 29);
const BEHIND_PROXY: [&str; 2] = ["203.0.113.77", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"];

fn with_rules(level: &str) -> RelayBuilder {
    let rules = "[[rule]]\nid = 'r'\nwords = ['rejectme']\nverdict = 'reject'\n\
                 [[rule]]\nid = 's'\nwords = ['shadowme']\nverdict = 'shadow'\n\
                 [[rule]]\nid = 'm'\nwords = ['maskme']\nverdict = 'replace'\n";
    Relay::builder()
        .file("rules.toml", rules)
        .env("LOG_LEVEL", level)
        .env("TRUSTED_PROXIES", "127.0.0.1")
        .env("RELAY__FILTER__RATE__CONNECTION__BURST", "12")
        .env("RELAY__FILTER__RATE__NICKNAME__BURST", "100")
}

/// Sends the secret in many valid and invalid ways, including some that close the connection.
async fn talk(relay: &Relay) {
    let mut client = Client::connect_from(PEER.into(), relay.address(), "/room/QGIS/ws").await.unwrap();
    client.send(newcomer(NICKNAME)).await;
    client.skip_until(newcomer(NICKNAME)).await;
    for text in [SECRET, "rejectme kohlrabi4711", "shadowme kohlrabi4711", "maskme kohlrabi4711", ""] {
        client.send(line(NICKNAME, text)).await;
    }
    client.send(line(NICKNAME, &SECRET.repeat(100))).await;
    client.send(line("Zwetschge77 ", SECRET)).await;
    client.send(json!({"message": SECRET, "author": NICKNAME, "avatar": SECRET.repeat(50)})).await;
    client.send(json!({"message": {SECRET: 1}, "author": NICKNAME})).await;
    for broken in ["{\"message\": \"kohlrabi4711", "kohlrabi4711", "[\"kohlrabi4711\"]", "{\"kohlrabi4711\": }"] {
        client.send_text(broken).await;
    }
    client
        .send(json!({"author": "internal", "message": SECRET, "liker_author": NICKNAME, "liked_author": NICKNAME}))
        .await;
    // Over the rate before the end.
    for _ in 0..12 {
        client.send(line(NICKNAME, SECRET)).await;
    }
    client.send_message(Message::binary(SECRET.as_bytes().to_vec())).await;
    assert_eq!(client.wait_for_close().await.map(|(code, _)| code), Some(1003));

    for (name, value) in BEHIND_PROXY.map(|address| ("x-forwarded-for", address)) {
        let headers = [(name, value), ("user-agent", SECRET)];
        let mut client = Client::try_connect(relay.address(), "/room/QGIS/ws", &headers).await.unwrap();
        client.send(newcomer(NICKNAME)).await;
        client.skip_until(newcomer(NICKNAME)).await;
        client.send_message(Message::binary(SECRET.as_bytes().to_vec())).await;
        assert_eq!(client.wait_for_close().await.map(|(code, _)| code), Some(1003));
        let body = line(NICKNAME, SECRET).to_string();
        for (path, body) in [
            ("/room/QGIS/message", body.as_str()),
            ("/room/QGIS/message", SECRET),
            ("/room/QGIS/message?q=kohlrabi4711", &body.replace(SECRET, "rejectme kohlrabi4711")),
        ] {
            request(relay.address(), "PUT", path, &[(name, value)], body).await;
        }
    }
}

/// The log of a relay at a level, after all the talk and its end.
async fn log_of_talk(level: &str) -> Vec<String> {
    let relay = with_rules(level).start().await;
    talk(&relay).await;
    relay.signal("TERM");
    let (status, log) = relay.wait();
    assert!(status.success(), "{log:#?}");
    log
}

fn holds(log: &[String], word: &str) -> bool {
    let word = word.to_lowercase();
    // A timestamp may contain the digits of the secret.
    let without_time = |line: &str| line.split_once("\"level\"").map_or(line, |(_, rest)| rest).to_lowercase();
    log.iter().any(|line| without_time(line).contains(&word))
}

#[tokio::test]
async fn texts_nicknames_and_full_addresses_are_not_logged_at_info() {
    let log = log_of_talk("info").await;
    for word in ["kohlrabi", "4711", "Zwetschge", &PEER.to_string(), "203.0.113.77", "cccc:dddd", "bbbb:"] {
        assert!(!holds(&log, word), "{word} is in the log: {log:#?}");
    }
    // Connections that the relay closes are logged nevertheless, with the part of the address that an operator
    // needs.
    for shown in ["127.83.47.x", "203.0.113.x", "2001:db8:aaaa:x"] {
        let closing = log.iter().find(|line| line.contains("closing connection") && line.contains(shown));
        assert!(closing.is_some_and(|line| line.contains("1003")), "{shown}: {log:#?}");
    }
}

#[tokio::test]
async fn at_debug_no_messages_are_logged_either() {
    let log = log_of_talk("debug").await;
    for word in ["kohlrabi", "4711"] {
        assert!(!holds(&log, word), "{word} is in the log: {log:#?}");
    }
    assert!(holds(&log, "message not accepted"), "{log:#?}");
}

#[tokio::test]
async fn without_a_terminal_the_log_is_json_lines() {
    // An empty variable counts as unset.
    let relay = Relay::builder().env("LOG_FORMAT", "").env("LOG_LEVEL", "").env("ENVIRONMENT", "test").start().await;
    let address = relay.address().to_string();
    relay.signal("TERM");
    let (status, log) = relay.wait();
    assert!(status.success());
    let lines: Vec<Value> = log.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        for key in ["timestamp", "level", "message", "target"] {
            assert!(line[key].is_string(), "{key} is missing: {line}");
        }
        assert_eq!(line["level"], "INFO");
    }
    let messages: Vec<&str> = lines.iter().filter_map(|line| line["message"].as_str()).collect();
    assert_eq!(messages, ["gischat-relay", "serving", "shutting down"]);
    let [start, serving, ..] = lines.as_slice() else { panic!("{lines:#?}") };
    assert_eq!(start["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(start["environment"], "test");
    assert_eq!((&start["rooms"], &start["rules"]), (&json!(2), &json!(11)));
    assert_eq!(serving["address"], address.as_str());
    assert_eq!(serving["url"], format!("http://{address}"));
}

#[tokio::test]
async fn the_text_log_has_no_colours_in_a_file() {
    let relay = Relay::builder().env("LOG_FORMAT", "text").env("LOG_LEVEL", "info").start().await;
    let url = format!("http://{}", relay.address());
    relay.signal("TERM");
    let (_, log) = relay.wait();
    assert!(log.iter().all(|line| line.contains(" INFO ") && !line.contains(['{', '\u{1b}'])), "{log:#?}");
    assert!(log.iter().any(|line| line.contains(" serving ") && line.contains(&url)), "{log:#?}");
}

#[tokio::test]
async fn a_log_that_cannot_be_written_harms_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gischat-relay"));
    command
        .current_dir(directory.path())
        .env_clear()
        .env("LISTEN", "127.0.0.1:0")
        .env("LOG_LEVEL", "debug")
        .envs([NO_EMBEDDED_PLUGINS]);
    let mut relay = Ended(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    let log = BufReader::new(relay.0.stderr.take().unwrap());
    let serving = log.lines().map(Result::unwrap).find(|line| line.contains("\"serving\"")).expect("it serves");
    // The log has no reader from here on, as when a disk is full.
    let serving: Value = serde_json::from_str(&serving).unwrap();
    let address = serving["address"].as_str().unwrap().parse().unwrap();

    let mut client = Client::connect(address, "/room/QGIS/ws").await;
    client.send(line("jane", "")).await;
    client.send(line("jane", "sentinel")).await;
    client.skip_until(line("jane", "sentinel")).await;
    client.send_message(Message::binary(vec![1])).await;
    assert_eq!(client.wait_for_close().await.map(|(code, _)| code), Some(1003));

    assert!(Command::new("kill").arg(relay.0.id().to_string()).status().unwrap().success());
    let status = tokio::task::spawn_blocking(move || relay.0.wait().unwrap());
    let status = tokio::time::timeout(TIMEOUT, status).await.expect("the relay does not end").unwrap();
    assert_eq!(status.code(), Some(0));
}

/// A process that does not outlive its test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A start that fails because its port is in use, which is logged at level error.
fn failing_start(variables: &[(&str, &str)]) -> (TcpListener, Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let directory = tempfile::tempdir().unwrap();
    let variables: Vec<_> = variables.iter().copied().chain([("LISTEN", address.as_str())]).collect();
    let output = relay(directory.path(), &["serve"], &variables);
    assert_eq!((output.status, output.stdout.as_str()), (Some(1), ""), "{output:?}");
    (listener, output.stderr.lines().map(str::to_owned).collect())
}

#[test]
fn the_level_filters_log_lines() {
    for (level, lines) in [("info", 2), ("warn", 1), ("ERROR", 1), ("off", 0), ("gischat_relay::cli=error", 1)] {
        let (_listener, log) = failing_start(&[("LOG_LEVEL", level)]);
        assert_eq!(log.len(), lines, "{level}: {log:#?}");
    }
}

#[test]
fn on_a_terminal_the_log_is_text() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let directory = tempfile::tempdir().unwrap();
    // `script` runs its command on a new terminal.
    let mut command = Command::new("script");
    command.args(["-q", "-e", "-c", concat!(env!("CARGO_BIN_EXE_gischat-relay"), " serve"), "/dev/null"]);
    command.current_dir(directory.path()).env("LISTEN", listener.local_addr().unwrap().to_string());
    command.env_remove("LOG_FORMAT").env_remove("LOG_LEVEL").env("LC_ALL", "C.UTF-8");
    command.envs([NO_EMBEDDED_PLUGINS]);
    let output = output(&mut command);
    assert_eq!(output.status, Some(1), "{output:?}");
    let shown = output.stdout;
    assert!(shown.contains("gischat-relay") && shown.contains("cannot listen on this address"), "{shown}");
    assert!(shown.contains('\u{1b}') && !shown.contains("{\""), "{shown}");
}
