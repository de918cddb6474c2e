//! Protocol cases as data: each file in `tests/cases/wire` is a table of cases.
//!
//! A case has a name, the frames that a client sends, and the frames expected in response. All cases of a file run
//! against one relay, each with a new client and a shared bystander. After each case, the bystander must have received
//! exactly the expected frames, the counters must be exact, and the relay must still serve.

mod case;

use std::panic::AssertUnwindSafe;
use std::path::Path;

use futures_util::FutureExt;
use serde_json::json;

use self::case::{Case, Expected, Notices, Step, Table};
use crate::support::raw::{RawClient, Received};
use crate::support::{Client, Relay, exiter, line, nb_users, newcomer};

/// A running relay with a bystander in its room.
struct Harness {
    relay: Relay,
    bystander: Client,
    notices: Notices,
}

impl Harness {
    async fn set(notices: Notices) -> Self {
        let setting = format!("{notices:?}").to_lowercase();
        let relay = Relay::builder()
            .env("RATE_LIMITS", "off")
            .env("RELAY__FILTER__PRESET", "off")
            .env("V1_NOTICES", &setting)
            .start()
            .await;
        let mut bystander = relay.join("QGIS").await;
        bystander.expect(nb_users(1)).await;
        bystander.send(newcomer("bystander")).await;
        bystander.expect(newcomer("bystander")).await;
        Self { relay, bystander, notices }
    }

    async fn play(mut self, case: Case) -> Self {
        let Case { text, send, expect, registers, leaves, .. } = case;
        let mut client = RawClient::join(self.relay.address(), "QGIS").await;
        assert_eq!(client.next_json().await, nb_users(2), "the sender on joining");
        self.bystander.expect(nb_users(2)).await;

        let text = text.map(|text| Step { text, ..Step::default() });
        for step in text.iter().chain(&send) {
            let bytes = step.bytes();
            for packet in bytes.chunks(if step.bytewise { 1 } else { bytes.len() }) {
                client.send(packet).await;
            }
        }
        for wanted in expect.iter().filter_map(|expected| expected.for_sender(self.notices)) {
            let seen = client.next().await;
            assert!(wanted.is(&seen), "the sender got {seen:?}, not {wanted:?}");
        }
        if expect.last().is_some_and(Expected::ends) {
            assert_eq!(client.next().await, Received::End, "the sender after the close frame");
        } else if !leaves {
            // Further frames for the sender would arrive before the response to this.
            let more = client.until_pong(b"sentinel").await;
            assert!(more.is_empty(), "the sender got more than expected: {more:?}");
        }
        for frame in expect.iter().filter_map(Expected::for_bystander) {
            self.bystander.expect(frame).await;
        }
        drop(client);
        if let Some(nickname) = registers {
            self.bystander.expect(exiter(&nickname)).await;
        }
        // Further frames for the bystander would arrive before this.
        self.bystander.expect(nb_users(1)).await;
        self.bystander.send(line("bystander", "sentinel")).await;
        self.bystander.expect(line("bystander", "sentinel")).await;
        assert_eq!(self.relay.connected().await, 1);
        assert_eq!(self.relay.get("/room/QGIS/users").await.json(), json!(["bystander"]));
        self
    }
}

/// Runs the cases of a file; with a non-default setting, only those it affects.
async fn play(file: &str, notices: Notices) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/wire").join(file);
    let table: Table = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut cases = table.case;
    cases.retain(|case| notices == Notices::Visible || case.expect.iter().any(Expected::is_notice));
    let mut stage = Harness::set(notices).await;
    let mut failures = Vec::new();
    for case in cases {
        let name = case.name.clone();
        // A failed case has printed its error; run the others nevertheless.
        stage = if let Ok(stage) = AssertUnwindSafe(stage.play(case)).catch_unwind().await {
            stage
        } else {
            failures.push(name);
            Harness::set(notices).await
        };
    }
    assert!(failures.is_empty(), "{file}, notices {notices:?}: {failures:#?}");
}

#[tokio::test]
async fn every_form_of_a_v1_frame_is_delivered() {
    play("frames.toml", Notices::Visible).await;
}

#[tokio::test]
async fn a_refused_sender_gets_a_chat_line_and_nobody_else_does() {
    play("refused.toml", Notices::Visible).await;
}

#[tokio::test]
async fn a_refused_sender_gets_an_internal_frame_if_configured() {
    play("refused.toml", Notices::Internal).await;
}

#[tokio::test]
async fn a_refused_sender_gets_nothing_if_configured() {
    play("refused.toml", Notices::Off).await;
}

#[tokio::test]
async fn unknown_frames_are_ignored() {
    play("uncompliant.toml", Notices::Visible).await;
}

#[tokio::test]
async fn unknown_frames_get_an_internal_frame_if_configured() {
    play("uncompliant.toml", Notices::Internal).await;
}

#[tokio::test]
async fn unknown_frames_are_ignored_if_configured() {
    play("uncompliant.toml", Notices::Off).await;
}

#[tokio::test]
async fn frames_are_handled_according_to_the_rfc() {
    play("framing.toml", Notices::Visible).await;
}

#[tokio::test]
async fn control_frames_and_fragments_are_handled_according_to_the_rfc() {
    play("control.toml", Notices::Visible).await;
}

#[tokio::test]
async fn texts_are_utf_8_or_end_the_connection() {
    play("utf8.toml", Notices::Visible).await;
}

#[tokio::test]
async fn connections_are_closed_according_to_the_rfc() {
    play("closing.toml", Notices::Visible).await;
}
