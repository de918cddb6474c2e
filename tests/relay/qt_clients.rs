//! Clients on real Qt, with the default settings of the relay: `QWebSocket` as in the QGIS plugins, QML as in the QField
//! plugin.
//!
//! The clients are in `tests/qt`. A frame or an answer at which a plugin would raise ends the client with an error,
//! which fails the test.

use std::io::Write;
use std::path::Path;
use std::process::{Child, ChildStdin, Command};
use std::sync::mpsc::Receiver;
use std::time::Instant;

use serde_json::{Value, json};

use crate::support::script::{PYTHON, spawn_piped};
use crate::support::{NICKNAME_TAKEN, Relay, RelayBuilder, TIMEOUT, exiter, line, nb_users, newcomer};

/// Length of the fragments of Qt's frames, in bytes.
const FRAGMENT: usize = 524_288;

/// The nickname of all users of QField who have not chosen one.
const DEFAULT_NICKNAME: &str = "jd_NaN";

/// The author of what clients say that have registered no nickname.
const INCOGNITO: &str = "incognito";

/// A PNG of 3 x 2 pixels.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAHElEQVR42mNgYLAJYLBZwGDDwFBhE1Bhs6DCBgAkpASxSRo4vQAAAABJRU5ErkJggg==";

/// A running client; killed on drop.
#[derive(Debug)]
struct QtClient {
    generation: &'static str,
    nickname: String,
    child: Child,
    stdin: ChildStdin,
    /// Lines of its output; those of the standard error are prefixed with `stderr: `.
    lines: Receiver<String>,
    /// The lines so far, without the middle of long ones.
    output: Vec<String>,
}

impl QtClient {
    /// Starts a desktop client that registers this nickname; an incognito one if it is empty.
    fn desktop(relay: &Relay, generation: &'static str, nickname: &str) -> Self {
        let nicknames: &[_] = if nickname.is_empty() { &[] } else { &[nickname] };
        Self::start(relay, "desktop.py", generation, nickname, nicknames)
    }

    /// Starts a QField client that registers its default nickname.
    fn field(relay: &Relay, generation: &'static str, options: &[&str]) -> Self {
        Self::start(relay, "field.py", generation, DEFAULT_NICKNAME, options)
    }

    fn start(relay: &Relay, program: &str, generation: &'static str, nickname: &str, options: &[&str]) -> Self {
        let mut command = Command::new(PYTHON);
        command
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/qt").join(program))
            .args([generation, &format!("http://{}", relay.address())])
            .args(options)
            .env_clear()
            .env("LC_ALL", "C.UTF-8")
            // Qt makes a folder in /tmp otherwise.
            .env("XDG_RUNTIME_DIR", relay.directory());
        let (child, stdin, lines) = spawn_piped(&mut command);
        Self { generation, nickname: nickname.to_owned(), child, stdin, lines, output: Vec::new() }
    }

    /// Waits until the room knows its nickname. A v2 client may get frames of v1 before: its first frame decides.
    fn enter(mut self) -> Self {
        let fragment = &self.wait_for("opened")["outgoing_frame_size"];
        assert!(fragment.is_null() || *fragment == FRAGMENT, "{fragment}");
        self.wait_for_newcomer();
        self
    }

    /// Waits for the frame that announces its own nickname.
    fn wait_for_newcomer(&mut self) {
        let nickname = self.nickname.clone();
        let announced = self.in_its_generation(newcomer(&nickname), json!({"type": "newcomer", "newcomer": nickname}));
        self.wait_for_frame(&announced);
    }

    fn in_its_generation(&self, v1: Value, typed: Value) -> Value {
        if self.generation == "v1" { v1 } else { typed }
    }

    /// Sends a command as a line.
    fn command(&mut self, command: &str) {
        writeln!(self.stdin, "{command}").unwrap_or_else(|error| panic!("{error}; output: {:#?}", self.output));
    }

    /// Sends a frame.
    fn send(&mut self, frame: &Value) {
        self.command(&json!({"send": frame}).to_string());
    }

    /// Says a text under its nickname.
    fn say(&mut self, text: &str) {
        let author = if self.nickname.is_empty() { INCOGNITO } else { &self.nickname };
        let frame = self.in_its_generation(line(author, text), text_frame(author, text));
        self.send(&frame);
    }

    /// Calls the relay, and returns the status and the body.
    fn get(&mut self, path: &str) -> (u64, Value) {
        self.command(&json!({"get": path}).to_string());
        let http = self.wait_for("http");
        assert_eq!(http["path"], path);
        (http["status"].as_u64().unwrap(), http["body"].clone())
    }

    /// The next line, as text.
    fn next_line(&mut self) -> String {
        let until = Instant::now() + TIMEOUT;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.output.push(shortened(&line));
                    assert!(!line.starts_with("{\"error\""), "a plugin fails; output: {:#?}", self.output);
                    if line.starts_with('{') {
                        return line;
                    }
                }
                Err(error) => panic!("no line ({error}); `make test` installs PyQt; output: {:#?}", self.output),
            }
        }
    }

    /// The next event, unless the one in question is of another kind.
    fn next(&mut self, kind: &str) -> Option<Value> {
        let line: Value = serde_json::from_str(&self.next_line()).unwrap();
        line.get(kind).cloned()
    }

    /// Reads up to an event of this kind.
    fn wait_for(&mut self, kind: &str) -> Value {
        loop {
            if let Some(event) = self.next(kind) {
                return event;
            }
        }
    }

    /// Reads up to this frame.
    fn wait_for_frame(&mut self, frame: &Value) {
        while unstamped(self.wait_for("frame")) != *frame {}
    }

    /// The next frame, other than those about users, and its line.
    fn next_frame_and_line(&mut self) -> (Value, String) {
        loop {
            let line = self.next_line();
            let mut event: Value = serde_json::from_str(&line).unwrap();
            let Some(frame) = event.get_mut("frame") else { panic!("no frame; output: {:#?}", self.output) };
            if !["nb_users", "newcomer", "exiter"].iter().any(|key| frame.get(key).is_some()) {
                return (unstamped(frame.take()), line);
            }
        }
    }

    /// The next frame, other than those about users.
    fn next_frame(&mut self) -> Value {
        self.next_frame_and_line().0
    }

    /// Asserts that the next frame is the v1 one or the typed one, depending on its generation.
    fn expect(&mut self, v1: Value, typed: Value) {
        let expected = self.in_its_generation(v1, typed);
        assert_eq!(self.next_frame(), expected, "as {}", self.generation);
    }

    /// Asserts that the next frame is this text.
    fn hears(&mut self, author: &str, text: &str) {
        self.expect(line(author, text), text_frame(author, text));
    }

    /// Reads up to this text.
    fn waits_to_hear(&mut self, author: &str, text: &str) {
        let expected = self.in_its_generation(line(author, text), text_frame(author, text));
        self.wait_for_frame(&expected);
    }

    /// Asserts that the next frame is an image of this author, that Qt can decode it, and that it has this size.
    fn sees(&mut self, author: &str, size: [u32; 2]) {
        let frame = self.next_frame();
        if self.generation == "v1" {
            return assert_eq!(frame, line(author, "shared an image"));
        }
        assert_eq!((frame["type"].as_str(), frame["author"].as_str()), (Some("image"), Some(author)));
        assert_eq!(self.next("image"), Some(json!(size)), "as {}", self.generation);
    }

    /// Leaves the room, and returns once the client has exited.
    fn quit(mut self) {
        self.command(r#"{"quit": true}"#);
        self.wait_for("closed");
        self.wait();
    }

    /// Waits for the end of its output and for its exit status, which must be 0.
    fn wait(mut self) {
        let until = Instant::now() + TIMEOUT;
        while let Ok(line) = self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            self.output.push(shortened(&line));
        }
        assert!(Instant::now() < until, "the client does not exit; output: {:#?}", self.output);
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "output: {:#?}", self.output);
    }
}

impl Drop for QtClient {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The beginning of a line.
fn shortened(line: &str) -> String {
    line.chars().take(400).collect()
}

/// A frame without the ID and the time of v3. The clients have checked both.
fn unstamped(mut frame: Value) -> Value {
    if let Some(object) = frame.as_object_mut() {
        object.remove("id");
        object.remove("timestamp");
    }
    frame
}

/// A text of v2 and v3 without an avatar.
fn text_frame(author: &str, text: &str) -> Value {
    json!({"type": "text", "author": author, "avatar": null, "text": text})
}

/// A relay with the default settings.
fn relay() -> RelayBuilder {
    Relay::builder().env("ROOM_GENERATION", "auto")
}

/// A relay, and in its room QGIS a desktop client of each generation and QField: vera, hans, mary and `jd_NaN`.
async fn room() -> (Relay, [QtClient; 4]) {
    let relay = relay().start().await;
    let clients = [
        QtClient::desktop(&relay, "v1", "vera"),
        QtClient::desktop(&relay, "v2", "hans"),
        QtClient::desktop(&relay, "v3", "mary"),
        QtClient::field(&relay, "v3", &[]),
    ];
    let clients = clients.map(QtClient::enter);
    (relay, clients)
}

/// Adds a v3 client that has sent nothing. A large message needs the whole burst of its connection, and a registration
/// would count.
fn large_sender(relay: &Relay) -> QtClient {
    let mut sender = QtClient::desktop(relay, "v3", "");
    sender.wait_for_frame(&json!({"type": "nb_users", "nb_users": 5}));
    sender
}

#[tokio::test]
async fn every_qt_client_reads_what_each_of_them_says() {
    let (_relay, mut clients) = room().await;
    let texts = ["Grüß Gott 👋", "what a \"nice\" map", "日本語", "from the field\nwith a line break"];
    for (speaker, text) in texts.into_iter().enumerate() {
        clients[speaker].say(text);
        let author = clients[speaker].nickname.clone();
        for client in &mut clients {
            client.hears(&author, text);
        }
    }
}

#[tokio::test]
async fn the_first_qfield_plugin_talks_with_todays() {
    let relay = relay().start().await;
    let mut today = QtClient::field(&relay, "v3", &[]).enter();
    let mut first = QtClient::start(&relay, "field.py", "v2", "jd_42", &["jd_42"]).enter();
    first.send(&json!({"type": "text", "author": "jd_42", "avatar": "", "text": "hello"}));
    for client in [&mut today, &mut first] {
        assert_eq!(client.next_frame(), json!({"type": "text", "author": "jd_42", "avatar": "", "text": "hello"}));
    }
    today.say("hello to you");
    for client in [&mut today, &mut first] {
        client.hears(DEFAULT_NICKNAME, "hello to you");
    }
}

#[tokio::test]
async fn a_layer_reaches_each_qt_client_in_its_generation() {
    // In the spelling of Python's json.dumps, which sends it.
    let point = r#"{"type": "Point", "coordinates": [2.35, 48.85]}"#;
    let properties = r#"{"z": 9007199254740993, "a": 1.0, "n": null}"#;
    let first = format!(r#"{{"type": "Feature", "properties": {properties}, "geometry": {point}}}"#);
    let second = r#"{"type": "Feature", "properties": {}, "geometry": null}"#;
    let geojson = &format!(r#"{{"type": "FeatureCollection", "features": [{first}, {second}]}}"#);
    let (_relay, mut clients) = room().await;
    // The desktop clients of v2 and v3; QField shares no layers.
    for speaker in [1, 2] {
        let author = clients[speaker].nickname.clone();
        let mut layer = json!({
            "type": "geojson", "author": author, "avatar": "mIcon.svg", "layer_name": "parcels",
            "crs_wkt": "PROJCRS[]", "crs_authid": "EPSG:2154", "style": null, "geojson": {},
        });
        let command = json!({"send": layer}).to_string();
        clients[speaker].command(&command.replace("\"geojson\":{}", &format!("\"geojson\":{geojson}")));
        // To clients, a style that is missing is empty.
        layer["style"] = json!("");
        layer["geojson"] = serde_json::from_str(geojson).unwrap();
        for client in &mut clients {
            let (frame, received) = client.next_frame_and_line();
            if client.generation == "v1" {
                let mut text = line(&author, "shared the layer \"parcels\" (2 features, EPSG:2154)");
                text["avatar"] = json!("mIcon.svg");
                assert_eq!(frame, text);
                continue;
            }
            // The order of keys and the form of numbers are as sent.
            assert!(received.contains(geojson), "as {}: {received}", client.generation);
            assert_eq!(frame, layer, "as {}", client.generation);
        }
    }
}

#[tokio::test]
async fn a_layer_that_qt_sends_in_fragments_reaches_each_qt_client_whole() {
    let (relay, mut clients) = room().await;
    let mut sender = large_sender(&relay);
    let ring: Vec<_> = (0..320).map(|i| json!([2.0 + f64::from(i) / 1024.0, 48.0 + f64::from(i) / 2048.0])).collect();
    let features: Vec<_> = (0..500)
        .map(|i| {
            let geometry = json!({"type": "LineString", "coordinates": ring});
            json!({"type": "Feature", "properties": {"number": i}, "geometry": geometry})
        })
        .collect();
    let layer = json!({
        "type": "geojson", "author": INCOGNITO, "avatar": null, "layer_name": "tracks", "crs_wkt": "",
        "crs_authid": "EPSG:4326", "geojson": {"type": "FeatureCollection", "features": features}, "style": "",
    });
    assert!(layer.to_string().len() > 5 * FRAGMENT);
    sender.send(&layer);
    for client in clients.iter_mut().chain([&mut sender]) {
        let frame = client.next_frame();
        if client.generation == "v1" {
            assert_eq!(frame, line(INCOGNITO, "shared the layer \"tracks\" (500 features, EPSG:4326)"));
        } else {
            assert!(frame == layer, "as {}: {}", client.generation, shortened(&frame.to_string()));
        }
    }
    clients[2].say("after the layer");
    for client in clients.iter_mut().chain([&mut sender]) {
        client.hears("mary", "after the layer");
    }
}

#[tokio::test]
async fn an_image_is_a_png_to_each_qt_client_and_a_line_to_v1() {
    let (_relay, mut clients) = room().await;
    // All but v1 share images.
    for speaker in [1, 2, 3] {
        let author = clients[speaker].nickname.clone();
        clients[speaker].send(&json!({"type": "image", "author": author, "avatar": null, "image_data": PNG}));
        for client in &mut clients {
            client.sees(&author, [3, 2]);
        }
    }
}

#[tokio::test]
async fn an_image_that_qt_sends_in_fragments_arrives_shrunk() {
    let (relay, mut clients) = room().await;
    let largest = u32::try_from(relay.get("/rules").await.json()["max_image_size"].as_u64().unwrap()).unwrap();
    assert!((100..1_000).contains(&largest), "{largest}");
    let mut sender = large_sender(&relay);
    // Noise: 1000 x 900 x 3 bytes, in base64 3.6 MB.
    sender.command(&json!({"send_image": {"author": INCOGNITO, "size": [1000, 900]}}).to_string());
    for client in clients.iter_mut().chain([&mut sender]) {
        client.sees(INCOGNITO, [largest, largest * 9 / 10]);
    }
}

#[tokio::test]
async fn a_position_reaches_each_qt_client_in_its_generation() {
    let (_relay, mut clients) = room().await;
    for speaker in [2, 3] {
        let author = clients[speaker].nickname.clone();
        let position = json!({
            "type": "position", "author": author, "avatar": null, "crs_wkt": "TODO", "crs_authid": "EPSG:4326",
            "x": 2.35, "y": 48.85,
        });
        clients[speaker].send(&position);
        for client in &mut clients {
            client.expect(line(&author, "shared a position: 2.35, 48.85 (EPSG:4326)"), position.clone());
        }
    }
}

#[tokio::test]
async fn the_default_nickname_of_qfield_is_refused_if_taken_and_the_socket_stays_open() {
    let relay = relay().start().await;
    let mut owner = QtClient::field(&relay, "v3", &[]).enter();
    // Qt answers the ping of the relay, which asks whether the owner is still there.
    let mut other = QtClient::field(&relay, "v3", &[]);
    other.wait_for("opened");
    assert_eq!(unstamped(other.wait_for("frame")), json!({"type": "nb_users", "nb_users": 2}));
    assert_eq!(other.next_frame(), json!({"type": "uncompliant", "reason": NICKNAME_TAKEN}));

    other.nickname = "jd_7".to_owned();
    other.send(&json!({"type": "newcomer", "newcomer": "jd_7"}));
    other.wait_for_newcomer();
    other.say("now I have a name");
    for client in [&mut owner, &mut other] {
        client.hears("jd_7", "now I have a name");
    }
    assert_eq!(other.get("/channel/QGIS/users"), (200, json!(["jd_7", DEFAULT_NICKNAME])));
}

#[tokio::test]
async fn an_incognito_v2_client_gets_frames_of_v2_and_the_last_messages_when_it_first_types() {
    let relay = relay().env("MAX_STORED_MESSAGES", "5").start().await;
    let mut mary = QtClient::desktop(&relay, "v3", "mary").enter();
    mary.say("first");
    mary.hears("mary", "first");
    let mut silent = QtClient::desktop(&relay, "v2", "");
    silent.wait_for("opened");
    // The plugin logs these and goes on: a v1 client would look the same.
    assert_eq!(silent.wait_for("untyped"), nb_users(2));
    mary.say("second");
    mary.hears("mary", "second");
    assert_eq!(silent.wait_for("untyped"), line("mary", "second"));

    silent.say("third");
    assert_eq!(silent.next("frame"), Some(json!({"type": "nb_users", "nb_users": 2})), "{:#?}", silent.output);
    silent.hears("mary", "first");
    silent.hears("mary", "second");
    silent.hears(INCOGNITO, "third");
    mary.hears(INCOGNITO, "third");
    mary.say("fourth");
    silent.hears("mary", "fourth");
}

#[tokio::test]
async fn a_qt_client_that_joins_later_gets_the_number_and_then_the_last_messages() {
    let relay = relay().env("MAX_STORED_MESSAGES", "5").start().await;
    let mut vera = QtClient::desktop(&relay, "v1", "vera").enter();
    vera.say("first");
    vera.hears("vera", "first");
    for mut client in [QtClient::desktop(&relay, "v3", "mary"), QtClient::desktop(&relay, "v2", "hans")] {
        client.wait_for("opened");
        assert!(client.wait_for("frame").get("nb_users").is_some(), "{:#?}", client.output);
        client.hears("vera", "first");
        client.wait_for_newcomer();
    }
}

#[tokio::test]
async fn a_v1_client_that_never_registers_reads_and_is_read() {
    let (relay, mut clients) = room().await;
    let mut oldest = QtClient::desktop(&relay, "v1", "");
    oldest.wait_for_frame(&nb_users(5));
    clients[2].send(&json!({
        "type": "bbox", "author": "mary", "avatar": null, "crs_wkt": "", "crs_authid": "EPSG:4326",
        "xmin": 1, "xmax": 2, "ymin": 4.5, "ymax": 3,
    }));
    assert_eq!(oldest.next_frame(), line("mary", "shared an extent: 1, 4.5 to 2, 3 (EPSG:4326)"));
    clients[3].say("who is there?");
    oldest.hears(DEFAULT_NICKNAME, "who is there?");
    oldest.say("nobody");
    oldest.hears(INCOGNITO, "nobody");
    for client in &mut clients {
        client.waits_to_hear(INCOGNITO, "nobody");
    }
    assert_eq!(oldest.get("/room/QGIS/users"), (200, json!(["hans", DEFAULT_NICKNAME, "mary", "vera"])));
}

/// A like as v1 clients send and get it.
fn v1_like(liker: &str, author: &str, text: &str) -> Value {
    json!({"author": "internal", "message": text, "liker_author": liker, "liked_author": author})
}

/// A like as other clients send and get it.
fn typed_like(liker: &str, author: &str, text: &str) -> Value {
    json!({"type": "like", "liker_author": liker, "liked_author": author, "message": text})
}

/// Each of these likes a message of `liked` in turn. The liked one and all v3 clients get it, and the others do not.
async fn likes_reach(likers: &[usize], liked: usize) {
    let (_relay, mut clients) = room().await;
    let liked_name = clients[liked].nickname.clone();
    for &liker in likers {
        let name = clients[liker].nickname.clone();
        let text = format!("a message that {name} likes");
        let (v1, typed) = (v1_like(&name, &liked_name, &text), typed_like(&name, &liked_name, &text));
        let like = clients[liker].in_its_generation(v1.clone(), typed.clone());
        clients[liker].send(&like);
        let sentinel = format!("{name} has liked something");
        clients[liker].say(&sentinel);
        for (index, client) in clients.iter_mut().enumerate() {
            if index == liked || client.generation == "v3" {
                client.expect(v1.clone(), typed.clone());
            }
            client.hears(&name, &sentinel);
        }
    }
}

#[tokio::test]
async fn likes_of_a_v1_message_reach_its_author_and_all_v3_clients() {
    likes_reach(&[1, 2, 3], 0).await;
}

#[tokio::test]
async fn likes_of_a_v2_message_reach_its_author_and_all_v3_clients() {
    likes_reach(&[0, 2, 3], 1).await;
}

#[tokio::test]
async fn likes_of_a_v3_message_reach_all_v3_clients_alone() {
    likes_reach(&[0, 1, 3], 2).await;
}

#[tokio::test]
async fn a_refused_text_is_explained_to_the_qt_client_that_sent_it_alone() {
    let (_relay, mut clients) = room().await;
    for client in &mut clients {
        client.say(&"é".repeat(256));
        let frame = client.next_frame();
        let (sign, reason) = match client.generation {
            "v1" => (("author", "moderation"), &frame["message"]),
            _ => (("type", "uncompliant"), &frame["reason"]),
        };
        assert_eq!(frame[sign.0], sign.1, "as {}", client.generation);
        assert!(reason.as_str().is_some_and(|reason| reason.contains("at most 255 are allowed")), "{frame}");
    }
    clients[0].say("short");
    for client in &mut clients {
        client.hears("vera", "short");
    }
}

#[tokio::test]
async fn a_qfield_client_that_says_that_it_leaves_is_announced_once() {
    let (_relay, clients) = room().await;
    let [mut vera, mut hans, mut mary, field] = clients;
    field.quit();
    for client in [&mut vera, &mut hans, &mut mary] {
        let v1 = [exiter(DEFAULT_NICKNAME), nb_users(3)];
        let typed = [json!({"type": "exiter", "exiter": DEFAULT_NICKNAME}), json!({"type": "nb_users", "nb_users": 3})];
        let [left, number] = if client.generation == "v1" { v1 } else { typed };
        client.wait_for_frame(&left);
        assert_eq!(client.next("frame").map(unstamped), Some(number), "as {}", client.generation);
    }
    vera.say("that was all");
    let last = [line("vera", "that was all"), text_frame("vera", "that was all")];
    for (client, last) in [(&mut vera, &last[0]), (&mut hans, &last[1]), (&mut mary, &last[1])] {
        assert_eq!(client.next("frame").map(unstamped).as_ref(), Some(last), "as {}", client.generation);
    }
}

#[tokio::test]
async fn a_qfield_client_reaches_a_channel_whose_name_has_blanks() {
    let relay = relay().env("ROOMS", "QGIS,Field and mobile,Café").start().await;
    for room in ["Field and mobile", "Café"] {
        let mut field = QtClient::field(&relay, "v3", &["--room", room]).enter();
        field.say("hello");
        field.hears(DEFAULT_NICKNAME, "hello");
        assert_eq!(field.get("/channels"), (200, json!(["QGIS", "Field and mobile", "Café"])));
        field.quit();
    }
}

/// The desktop clients refuse headers that are not in title case, and another type than `application/json`.
#[tokio::test]
async fn the_calls_of_the_desktop_plugins_are_answered_with_headers_in_title_case() {
    let (_relay, mut clients) = room().await;
    let users = (200, json!(["hans", DEFAULT_NICKNAME, "mary", "vera"]));
    for (client, noun) in [(0, "room"), (1, "room"), (2, "channel")] {
        let client = &mut clients[client];
        let rooms = format!("{noun}s");
        assert_eq!(client.get(&format!("/{rooms}")), (200, json!(["QGIS", "QField"])));
        assert_eq!(client.get(&format!("/{noun}/QGIS/users")), users);
        let (status, rules) = client.get("/rules");
        assert_eq!((status, &rules["min_author_length"]), (200, &json!(3)));
        assert_eq!(rules["max_geojson_features"], 500);
        let (status, figures) = client.get("/status");
        let expected = json!([{"name": "QGIS", "nb_connected_users": 4}, {"name": "QField", "nb_connected_users": 0}]);
        assert_eq!((status, &figures[rooms]), (200, &expected));
        assert_eq!(client.get("/version").0, 200);
        let detail = if noun == "room" { "Room 'x' not registered" } else { "Channel 'x' not registered" };
        assert_eq!(client.get(&format!("/{noun}/x/users")), (404, json!({"detail": detail})));
    }
}

#[tokio::test]
async fn every_qt_client_sees_the_close_when_the_relay_shuts_down() {
    let (relay, clients) = room().await;
    relay.signal("TERM");
    for mut client in clients {
        let code = client.wait_for("closed");
        // QML does not show the code.
        assert!(code == 1001 || code.is_null(), "as {}: {code}", client.generation);
        client.wait();
    }
}
