use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

use serde_json::{Value, json};

use super::signature::SigningKey;
use super::*;
use crate::settings::SettingsSource;

const SECRET: &str = "kohlrabi4711kohlrabi";
/// How long a test waits for an expected event.
const TIMEOUT: Duration = Duration::from_secs(20);
/// A short timeout.
const SOON: Duration = Duration::from_millis(300);

/// A reply of the test server.
#[derive(Clone, Copy)]
enum Reply {
    Status(u16),
    /// A redirect with this status.
    Elsewhere(u16),
    /// A success whose body never ends.
    Endless,
    Silence,
    /// 204, once the test allows it.
    WhenAllowed,
}

/// A request as it arrived.
#[derive(Debug)]
struct Posted {
    head: Vec<String>,
    body: String,
}

impl Posted {
    fn header(&self, name: &str) -> &str {
        let found =
            self.head.iter().filter_map(|line| line.split_once(": ")).find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.unwrap_or_else(|| panic!("{name} is not in {:?}", self.head)).1
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Answers the first requests with these, and all others with 204.
fn server(replies: &[Reply]) -> (String, mpsc::Receiver<Posted>) {
    let (url, arrived, _) = controlled_server(replies);
    (url, arrived)
}

/// Like [`server`], with a sender that allows the reply.
fn controlled_server(replies: &[Reply]) -> (String, mpsc::Receiver<Posted>, mpsc::Sender<()>) {
    let (tell, told) = mpsc::channel();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook/{SECRET}", listener.local_addr().unwrap());
    let (posted, arrived) = mpsc::channel();
    let replies = replies.to_vec();
    std::thread::spawn(move || {
        let mut replies = replies.into_iter();
        // Kept open, for the client to wait.
        let mut silent = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some(request) = read(&stream) else { continue };
            if posted.send(request).is_err() {
                return;
            }
            match replies.next().unwrap_or(Reply::Status(204)) {
                Reply::Status(status) => answer(&mut stream, status, "Content-Length: 0\r\n"),
                Reply::Elsewhere(status) => answer(&mut stream, status, "Location: /other\r\nContent-Length: 0\r\n"),
                Reply::Endless => {
                    answer(&mut stream, 200, "Transfer-Encoding: chunked\r\n");
                    silent.push(stream);
                }
                Reply::Silence => silent.push(stream),
                Reply::WhenAllowed => {
                    told.recv().unwrap();
                    answer(&mut stream, 204, "Content-Length: 0\r\n");
                }
            }
        }
    });
    (url, arrived, tell)
}

fn answer(stream: &mut TcpStream, status: u16, headers: &str) {
    // The client may have gone.
    let _gone = write!(stream, "HTTP/1.1 {status} Whatever\r\n{headers}\r\n");
}

fn read(stream: &TcpStream) -> Option<Posted> {
    let mut stream = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if line.trim_end().is_empty() {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    let mut posted = Posted { head, body: String::new() };
    let length: u64 = posted.header("Content-Length").parse().unwrap();
    stream.take(length).read_to_string(&mut posted.body).ok()?;
    Some(posted)
}

/// The relay side of a test.
struct Relay {
    feed: Arc<Feed>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
}

impl Relay {
    fn start(url: &str, more: &str) -> Self {
        Self::start_with(SOON, url, more)
    }

    fn start_with(timeout: Duration, url: &str, more: &str) -> Self {
        let file = format!("[alerts]\nurl = '{url}'\nsecret = '{SECRET}'\n{more}\n");
        let mut source = SettingsSource::new().file("relay.toml", &file);
        let config = Config::declare(&mut source.root().section("alerts", ""));
        assert_eq!(source.finish().errors, []);
        let (feed, metrics) = (Arc::new(Feed::default()), Arc::new(Metrics::default()));
        let alerts =
            Alerts::with(&config, Arc::clone(&feed), Arc::clone(&metrics), timeout, [Duration::ZERO; 2]).unwrap();
        let shown = format!("{alerts:?}");
        assert!(!shown.contains("kohl"), "{shown}");
        let stop = CancellationToken::new();
        drop(tokio::spawn(alerts.run(stop.clone())));
        Self { feed, metrics, stop }
    }

    /// Waits until so many alerts have had this outcome.
    async fn counted(&self, outcome: &str, count: usize) {
        let line = format!("gischat_alerts_total{{outcome=\"{outcome}\"}} {count}");
        let counted = async {
            while !self.metrics.encode().unwrap().lines().any(|l| l == line) {
                tokio::task::yield_now().await;
            }
        };
        let in_time = tokio::time::timeout(TIMEOUT, counted).await;
        assert!(in_time.is_ok(), "{line} is not in\n{}", self.metrics.encode().unwrap());
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn next(arrived: mpsc::Receiver<Posted>) -> (Posted, mpsc::Receiver<Posted>) {
    let next = tokio::task::spawn_blocking(move || (arrived.recv_timeout(TIMEOUT).unwrap(), arrived));
    next.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_json_under_a_signature_that_verifies() {
    let (url, arrived) = server(&[]);
    let relay = Relay::start(&url, "instance = 'maps'");
    relay.feed.note(NoteKind::PluginSuspended, "it failed too often", Some("mine".into()));
    let (posted, _) = next(arrived).await;
    assert_eq!(posted.head[0], format!("POST /hook/{SECRET} HTTP/1.1"));
    assert_eq!(posted.header("Content-Type"), "application/json");
    let timestamp = posted.header("X-Gischat-Timestamp");
    assert!(timestamp.parse::<i64>().is_ok_and(|seconds| seconds > 1_700_000_000), "{timestamp}");
    let signature = SigningKey::new(SECRET.as_bytes()).unwrap().sign(timestamp, posted.body.as_bytes());
    assert_eq!(posted.header("X-Gischat-Signature"), signature);
    let at = format!("{:.3}", relay.feed.after(0, 1).notes[0].1.at);
    let wanted = json!({
        "kind": "plugin_suspended", "at": at, "text": "it failed too often", "plugin": "mine", "instance": "maps",
        "suppressed": 0,
    });
    assert_eq!(posted.json(), wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_urgent_notes_are_posted() {
    let (url, arrived) = server(&[]);
    let relay = Relay::start(&url, "");
    for kind in [
        NoteKind::Reloaded,
        NoteKind::PluginLoaded,
        NoteKind::MessageHeld,
        NoteKind::PluginHealthy,
        NoteKind::BreakerTripped,
    ] {
        relay.feed.note(kind, "x", None);
    }
    let (one, arrived) = next(arrived).await;
    let (two, _) = next(arrived).await;
    assert_eq!(
        [one.json()["kind"].as_str(), two.json()["kind"].as_str()],
        [Some("message_held"), Some("breaker_tripped")]
    );
    relay.counted("delivered", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limited_alerts_are_counted_in_the_next_one() {
    // The first alert waits for its answer while nine more come; two of them may go.
    let (url, arrived, tell) = controlled_server(&[Reply::WhenAllowed]);
    let relay = Relay::start_with(TIMEOUT, &url, "per_minute = 3");
    relay.feed.note(NoteKind::Raid, "x", None);
    let (first, arrived) = next(arrived).await;
    for _ in 0..9 {
        relay.feed.note(NoteKind::Raid, "x", None);
    }
    relay.counted("suppressed", 7).await;
    tell.send(()).unwrap();
    let (second, arrived) = next(arrived).await;
    let (third, _) = next(arrived).await;
    assert_eq!([first, second, third].map(|posted| posted.json()["suppressed"].clone()), [0, 7, 0]);
    relay.counted("delivered", 3).await;
}

/// Overfills the queue while the server lets the first alert wait, and returns once all alerts in it are delivered.
async fn overfill_queue(per_minute: usize) -> (Relay, mpsc::Receiver<Posted>) {
    let (url, arrived, tell) = controlled_server(&[Reply::WhenAllowed]);
    let relay = Relay::start_with(TIMEOUT, &url, &format!("per_minute = {per_minute}"));
    relay.feed.note(NoteKind::Raid, "x", None);
    let (_, arrived) = next(arrived).await;
    for _ in 0..MAX_QUEUED + 5 {
        relay.feed.note(NoteKind::Raid, "x", None);
    }
    relay.counted("suppressed", 5).await;
    tell.send(()).unwrap();
    relay.counted("delivered", MAX_QUEUED + 1).await;
    (relay, arrived)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_drops_alerts_without_blocking() {
    overfill_queue(600).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_the_queue_does_not_take_uses_no_permit() {
    // One alert is posted, 64 wait, and one is left.
    let (relay, _arrived) = overfill_queue(MAX_QUEUED + 2).await;
    relay.feed.note(NoteKind::Raid, "x", None);
    relay.counted("delivered", MAX_QUEUED + 2).await;
}

/// On one thread, so that alerts are not read from the feed before the test waits.
#[tokio::test]
async fn alerts_that_the_feed_has_dropped_are_noted_in_the_next_one() {
    let (url, arrived) = server(&[]);
    let relay = Relay::start(&url, "");
    relay.feed.note(NoteKind::Raid, "x", None);
    relay.counted("delivered", 1).await;
    for _ in 0..2_000 {
        relay.feed.note(NoteKind::Reloaded, "x", None);
    }
    relay.feed.note(NoteKind::Raid, "x", None);
    relay.counted("delivered", 2).await;
    let all: Vec<Posted> = arrived.try_iter().collect();
    assert_eq!(all[1].json()["suppressed"], json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_retried_after_a_server_error() {
    for status in [500, 503, 429] {
        let (url, arrived) = server(&[Reply::Status(status)]);
        let relay = Relay::start(&url, "");
        relay.feed.note(NoteKind::Raid, "x", None);
        let (one, arrived) = next(arrived).await;
        let (two, _) = next(arrived).await;
        assert_eq!(one.body, two.body);
        assert_eq!(one.header("X-Gischat-Delivery"), two.header("X-Gischat-Delivery"));
        relay.counted("delivered", 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_dropped_after_three_attempts_and_counted_in_the_next_one() {
    let (url, arrived) = server(&[Reply::Status(500); 3]);
    let relay = Relay::start(&url, "");
    relay.feed.note(NoteKind::Raid, "x", None);
    relay.counted("failed", 1).await;
    relay.feed.note(NoteKind::BreakerTripped, "x", None);
    relay.counted("delivered", 1).await;
    let all: Vec<Posted> = arrived.try_iter().collect();
    assert_eq!(all.len(), 4);
    assert_eq!((&all[3].json()["kind"], &all[3].json()["suppressed"]), (&json!("breaker_tripped"), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_alert_is_not_retried_and_a_redirect_is_not_followed() {
    let refusals =
        [Reply::Status(400), Reply::Status(404), Reply::Elsewhere(302), Reply::Elsewhere(307), Reply::Elsewhere(308)];
    for reply in refusals {
        let (url, arrived) = server(&[reply]);
        let relay = Relay::start(&url, "");
        relay.feed.note(NoteKind::Raid, "x", None);
        relay.counted("failed", 1).await;
        relay.feed.note(NoteKind::Raid, "x", None);
        relay.counted("delivered", 1).await;
        let all: Vec<Posted> = arrived.try_iter().collect();
        assert_eq!(all.len(), 2);
        assert!(all.iter().all(|posted| posted.head[0].starts_with("POST /hook/")), "{all:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_answers_does_not_stop_later_alerts() {
    let (url, arrived) = server(&[Reply::Silence; 3]);
    let relay = Relay::start(&url, "");
    relay.feed.note(NoteKind::Raid, "x", None);
    relay.feed.note(NoteKind::Raid, "x", None);
    relay.counted("failed", 1).await;
    relay.counted("delivered", 1).await;
    assert_eq!(arrived.try_iter().count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_body_of_a_response_is_not_read() {
    let (url, _arrived) = server(&[Reply::Endless]);
    let relay = Relay::start(&url, "");
    relay.feed.note(NoteKind::Raid, "x", None);
    relay.counted("delivered", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_connection_fails_an_alert_and_nothing_else() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let relay = Relay::start(&format!("http://{closed}/"), "");
    relay.feed.note(NoteKind::Raid, "x", None);
    relay.counted("failed", 1).await;
    relay.feed.note(NoteKind::Raid, "x", None);
    relay.counted("failed", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_fails_an_https_alert() {
    let (url, arrived) = server(&[]);
    let relay = Relay::start(&url.replace("http:", "https:"), "");
    relay.feed.note(NoteKind::Raid, "x", None);
    relay.counted("failed", 1).await;
    assert_eq!(arrived.try_iter().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_task_stops_even_if_the_server_does_not_respond() {
    let (url, arrived) = server(&[Reply::Silence; 3]);
    let relay = Relay::start(&url, "");
    let settings = format!("[alerts]\nurl = '{url}'\nsecret = '{SECRET}'\n");
    let config = Config::declare(&mut SettingsSource::new().file("relay.toml", &settings).root().section("alerts", ""));
    let alerts = Alerts::new(&config, Arc::clone(&relay.feed), Arc::clone(&relay.metrics)).unwrap();
    relay.stop.cancel();
    let stop = CancellationToken::new();
    let running = tokio::spawn(alerts.run(stop.clone()));
    relay.feed.note(NoteKind::Raid, "x", None);
    let (_, _arrived) = next(arrived).await;
    stop.cancel();
    tokio::time::timeout(TIMEOUT, running).await.unwrap().unwrap();
}
