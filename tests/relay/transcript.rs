//! Scripted chats: the frames that each client receives at each step are compared with a golden file.
//!
//! The scripts are in `tests/cases/transcripts`, and the first of them explains how they are written.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::{Client, Relay, RelayBuilder, TIMEOUT, line, newcomer};

/// One line of a script.
enum Line<'s> {
    With(&'s str, &'s str),
    Rules(&'s str),
    Room(&'s str),
    Step(&'s str, Step<'s>),
}

/// An action of a client.
enum Step<'s> {
    Joins,
    /// Joins as a client of this generation, and registers its name at once.
    Enters(&'s str),
    Leaves,
    /// Sends a frame.
    Sends(String),
    /// Sends a `PUT`.
    Puts(&'s str),
}

/// Parses a line; `None` for blank lines and comments.
fn parse(text: &str) -> Option<Line<'_>> {
    if text.is_empty() || text.starts_with('#') {
        return None;
    }
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let (second, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let step = match (first, second) {
        ("with", name) => return Some(Line::With(name, rest)),
        ("rules", file) => return Some(Line::Rules(file)),
        ("room", name) => return Some(Line::Room(name)),
        (_, "joins") => Step::Joins,
        (_, "enters") => Step::Enters(rest),
        (_, "leaves") => Step::Leaves,
        (_, "puts") => Step::Puts(rest),
        (_, "sends") => Step::Sends(rest.to_owned()),
        (_, "registers") => Step::Sends(newcomer(rest).to_string()),
        (who, "says") => Step::Sends(line(who, rest).to_string()),
        (_, "as") => {
            let (name, said) =
                rest.split_once(": ").unwrap_or_else(|| panic!("{text:?}: expected a colon after the name"));
            Step::Sends(line(name, said).to_string())
        }
        _ => panic!("invalid script line {text:?}"),
    };
    Some(Line::Step(first, step))
}

/// The connected clients, and the transcript so far.
struct Session {
    relay: Relay,
    room: String,
    joined: u8,
    clients: BTreeMap<String, Client>,
    transcript: String,
    script: String,
}

impl Session {
    /// Runs a step, and records the frames that each client receives.
    async fn play(&mut self, text: &str, who: &str, step: Step<'_>) {
        writeln!(self.transcript, "\n{text}").unwrap();
        let changed = matches!(step, Step::Joins | Step::Enters(_) | Step::Leaves);
        match step {
            Step::Joins => {
                let path = format!("/room/{}/ws", self.room);
                self.join(who, &path, &[], None).await;
            }
            Step::Enters(generation) => {
                let (room, channel) = (format!("/room/{}/ws", self.room), format!("/channel/{}/ws", self.room));
                let registration = json!({"type": "newcomer", "newcomer": who});
                match generation {
                    "v1" => self.join(who, &room, &[], Some(newcomer(who))).await,
                    "v2" => self.join(who, &room, &[], Some(registration)).await,
                    "v3" => self.join(who, &channel, &[], Some(registration)).await,
                    "relay" => {
                        let subprotocol = [("sec-websocket-protocol", "gischat.relay.v1")];
                        self.join(who, &channel, &subprotocol, Some(registration)).await;
                    }
                    _ => panic!("{text:?}: {generation} is not a generation"),
                }
            }
            Step::Leaves => match self.clients.remove(who) {
                Some(client) => client.leave().await,
                None => panic!("{text:?}: {who} is not here"),
            },
            Step::Sends(frame) => self.client(who).send_text(&frame).await,
            Step::Puts(body) => {
                let answer = self.relay.put(&format!("/room/{}/message", self.room), body).await;
                self.note(who, &format!("{} {}", answer.status, answer.body));
            }
        }
        // Once the acting client has its pong, all effects of the step are on their way to the others, ahead of their
        // pongs.
        let mut heard = BTreeMap::new();
        let number = changed.then_some(self.clients.len());
        if let Some(client) = self.clients.get_mut(who) {
            heard.insert(who.to_owned(), settled(client, number).await);
        }
        for (name, client) in self.clients.iter_mut().filter(|(name, _)| *name != who) {
            heard.insert(name.clone(), settled(client, number).await);
        }
        for (name, texts) in heard {
            for text in texts {
                self.note(&name, &text);
            }
        }
    }

    /// Connects a client, which sends its first frame at once. Each client has its own address, so that none reclaims the
    /// nickname of another.
    async fn join(&mut self, who: &str, path: &str, headers: &[(&'static str, &str)], first: Option<Value>) {
        self.joined += 1;
        let from = IpAddr::V4(Ipv4Addr::new(127, 0, 1, self.joined));
        let client = Client::connect_and_send(from, self.relay.address(), path, headers, first).await;
        let before = self.clients.insert(who.to_owned(), client);
        assert!(before.is_none(), "{who} is here already");
    }

    fn client(&mut self, who: &str) -> &mut Client {
        self.clients.get_mut(who).unwrap_or_else(|| panic!("{who} is not here"))
    }

    fn note(&mut self, who: &str, heard: &str) {
        writeln!(self.transcript, "    {who} < {}", self.stable(heard)).unwrap();
    }
}

impl Session {
    /// Replaces what differs from run to run: times, and IDs that are not in the script.
    fn stable(&self, heard: &str) -> String {
        let without_times = TIMESTAMP.replace_all(heard, r#""timestamp":0"#);
        let stable = ID.replace_all(&without_times, |id: &Captures<'_>| {
            if self.script.contains(&id[0]) { id[0].to_owned() } else { "\u{2026}".to_owned() }
        });
        stable.into_owned()
    }
}

static TIMESTAMP: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#""timestamp":[0-9]+"#).unwrap());
static ID: LazyLock<Regex> = LazyLock::new(|| Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").unwrap());

/// The texts that a client receives before its next pong. If the count `number` is expected, which may take a moment,
/// before the first pong after it.
async fn settled(client: &mut Client, number: Option<usize>) -> Vec<String> {
    let mut heard = client.drain_texts().await;
    // The key is the same in all generations.
    let told = |heard: &[String], number: usize| {
        let count = format!("\"nb_users\":{number}");
        heard.iter().any(|text| text.split(['{', ',', '}']).any(|member| member == count))
    };
    let more = async {
        while number.is_some_and(|number| !told(&heard, number)) {
            heard.extend(client.drain_texts().await);
        }
    };
    timeout(TIMEOUT, more).await.expect("a number is never told");
    heard
}

/// Runs a script and returns its transcript.
async fn play(path: &Path) -> String {
    let script = std::fs::read_to_string(path).unwrap();
    let lines: Vec<_> = script.lines().map(str::trim_end).filter_map(|text| Some((text, parse(text)?))).collect();
    let folder = path.parent().unwrap();
    let mut room = "QGIS".to_owned();
    // Clients ping until a number is told, far more often than people type.
    let mut relay: RelayBuilder = Relay::builder().env("RELAY__LIVE__INPUT__FRAMES_BURST", "1000000");
    for (_, line) in &lines {
        match line {
            Line::With(name, value) => relay = relay.env(name, value),
            Line::Rules(file) => {
                relay = relay.file("rules.toml", &std::fs::read_to_string(folder.join(file)).unwrap());
            }
            Line::Room(name) => room = (*name).to_owned(),
            Line::Step(..) => {}
        }
    }
    let name = path.file_name().unwrap().to_str().unwrap();
    let transcript = format!("Frames that each client receives in {name}, by step.\n");
    let relay = relay.start().await;
    let mut stage = Session { relay, room, joined: 0, clients: BTreeMap::new(), transcript, script: script.clone() };
    for (text, line) in lines {
        if let Line::Step(who, step) = line {
            stage.play(text, who, step).await;
        }
    }
    stage.transcript
}

/// All scripts.
fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/transcripts");
    let mut scripts: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    scripts.retain(|path| path.extension().is_some_and(|extension| extension == "script"));
    scripts.sort();
    assert!(!scripts.is_empty());
    scripts
}

#[tokio::test]
async fn every_client_receives_the_golden_transcripts() {
    for script in scripts() {
        let transcript = play(&script).await;
        let golden = script.with_extension("golden");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &transcript).unwrap();
            continue;
        }
        let wanted = std::fs::read_to_string(&golden).unwrap_or_default();
        assert!(transcript == wanted, "{}", first_difference(&golden, &wanted, &transcript));
    }
}

/// The part of the documentation that shows a transcript.
const PROTOCOL: &str = "docs/PROTOCOL.md";

#[test]
fn the_documentation_shows_the_transcript_of_three_generations() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let golden = std::fs::read_to_string(root.join("tests/cases/transcripts/share.golden")).unwrap();
    let steps = golden.split_once("\n\n").unwrap().1.trim_end();
    let page = std::fs::read_to_string(root.join(PROTOCOL)).unwrap();
    let (begin, end) = ("<!-- transcript -->\n```text\n", "\n```\n<!-- /transcript -->");
    let (before, rest) = page.split_once(begin).expect("the page has no transcript");
    let (shown, after) = rest.split_once(end).expect("the transcript has no end");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(root.join(PROTOCOL), format!("{before}{begin}{steps}{end}{after}")).unwrap();
        return;
    }
    assert!(shown == steps, "{PROTOCOL} shows another transcript; UPDATE_GOLDEN=1 writes it anew");
}

fn first_difference(golden: &Path, wanted: &str, heard: &str) -> String {
    let end = std::iter::repeat("the end of the file");
    let (wanted, heard) = (wanted.lines().chain(end.clone()), heard.lines().chain(end));
    let (at, (wanted, heard)) = wanted.zip(heard).enumerate().find(|(_, (wanted, heard))| wanted != heard).unwrap();
    let place = format!("{}:{}", golden.display(), at + 1);
    format!("{place}: the file says\n{wanted}\nbut what is heard is\n{heard}\nUPDATE_GOLDEN=1 writes the file anew")
}
