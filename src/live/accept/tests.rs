use axum::extract::State;
use axum::routing::put;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use super::*;
use crate::live::proxies::ForwardedHeader;

const HEAD: &str = "PUT / HTTP/1.1\r\nHost: relay\r\nContent-Length: 10\r\n\r\n";
/// Far longer than a cut takes, and far shorter than any time limit of the server.
const SOON: Duration = Duration::from_mins(1);

/// Notified when the handler begins, and awaited by it once it has read the body.
#[derive(Clone, Default)]
struct Steps {
    begun: Arc<Notify>,
    go_on: Arc<Notify>,
}

struct Running {
    steps: Steps,
    stop: CancellationToken,
    tasks: TaskTracker,
    client: TcpStream,
}

/// A server with one client.
async fn start() -> Running {
    let steps = Steps::default();
    let handler = async |State(steps): State<Steps>, request: axum::extract::Request| {
        steps.begun.notify_one();
        let body = axum::body::to_bytes(request.into_body(), 100).await;
        steps.go_on.notified().await;
        body.map_or(0, |body| body.len()).to_string()
    };
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let day = Duration::from_hours(24);
    let server = HttpServer {
        router: Router::new().route("/", put(handler)).with_state(steps.clone()),
        connection_limit: Arc::new(ConnectionLimit::new(10, Arc::default())),
        per_address: Arc::new(AddressCounter::new(None)),
        proxies: TrustedProxies::new([], ForwardedHeader::XForwardedFor),
        head_timeout: day,
        unacknowledged_timeout: day,
        tasks: tasks.clone(),
        stop: stop.clone(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tasks.spawn(server.serve(listener));
    let client = TcpStream::connect(address).await.unwrap();
    Running { steps, stop, tasks, client }
}

impl Running {
    async fn send(&mut self, text: &str) {
        self.client.write_all(text.as_bytes()).await.unwrap();
    }

    /// Stops the server, waits until all connections have ended, and returns what the client received.
    async fn stop(mut self) -> String {
        self.stop.cancel();
        self.tasks.close();
        let mut received = Vec::new();
        let ended = async {
            // A reset is an end too.
            let _end = self.client.read_to_end(&mut received).await;
            self.tasks.wait().await;
        };
        tokio::time::timeout(SOON, ended).await.expect("a connection outlasts the stop");
        String::from_utf8(received).unwrap()
    }

    async fn read_answer(&mut self) {
        let mut received = Vec::new();
        while !received.ends_with(b"\r\n\r\n10") {
            let read = tokio::time::timeout(SOON, self.client.read_buf(&mut received)).await;
            assert_ne!(read.expect("no answer").unwrap(), 0);
        }
    }
}

#[tokio::test]
async fn half_a_body_is_cut_by_the_stop() {
    let mut running = start().await;
    running.send(&format!("{HEAD}01234")).await;
    running.steps.begun.notified().await;
    assert_eq!(running.stop().await, "");
}

#[tokio::test]
async fn a_request_that_has_arrived_is_answered_after_the_stop() {
    let mut running = start().await;
    running.send(&format!("{HEAD}0123456789")).await;
    running.steps.begun.notified().await;
    running.stop.cancel();
    running.steps.go_on.notify_one();
    let answer = running.stop().await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n10"), "{answer}");
}

#[tokio::test]
async fn connections_without_a_whole_head_are_cut_by_the_stop() {
    for sent in ["", "PUT / HT", "PUT / HTTP/1.1\r\nHost: relay\r\n"] {
        let mut running = start().await;
        running.send(sent).await;
        assert_eq!(running.stop().await, "", "{sent:?}");
    }
}

#[tokio::test]
async fn a_kept_connection_is_cut_by_the_stop_with_half_a_request_or_none() {
    for sent in ["", "PUT / HT", &format!("{HEAD}01234")] {
        let mut running = start().await;
        running.send(&format!("{HEAD}0123456789")).await;
        running.steps.go_on.notify_one();
        running.read_answer().await;
        running.steps.begun.notified().await;
        running.send(sent).await;
        if sent.starts_with(HEAD) {
            running.steps.begun.notified().await;
        }
        assert_eq!(running.stop().await, "", "{sent:?}");
    }
}
