//! What clients may send and what comes of it, as data: each file in `tests/cases/wire` is a table of cases.
//!
//! A case names a claim, what a client sends, and what is heard then. All cases of a file are played against one
//! running relay, each by a client of its own while a bystander listens. After each of them the bystander must have
//! heard that and nothing else, the relay must count exactly, and it must still serve.

mod case;

use std::panic::AssertUnwindSafe;
use std::path::Path;

use futures_util::FutureExt;
use serde_json::json;

use self::case::{Case, Expected, Notices, Step, Table};
use crate::support::raw::{Raw, Seen};
use crate::support::{Client, Relay, exiter, line, nb_users, newcomer};

/// A running relay and somebody who listens in its room.
struct Stage {
    relay: Relay,
    bystander: Client,
    notices: Notices,
}

impl Stage {
    async fn set(notices: Notices) -> Self {
        let setting = format!("{notices:?}").to_lowercase();
        let relay = Relay::with()
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
        let mut client = Raw::join(self.relay.address(), "QGIS").await;
        assert_eq!(client.hear().await, nb_users(2), "the sender on joining");
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
            assert_eq!(client.next().await, Seen::End, "the sender after the close frame");
        } else if !leaves {
            // Were there more for the sender, it would come before the answer to this.
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
        // Were there more for the bystander, it would come before this.
        self.bystander.expect(nb_users(1)).await;
        self.bystander.send(line("bystander", "sentinel")).await;
        self.bystander.expect(line("bystander", "sentinel")).await;
        assert_eq!(self.relay.connected().await, 1);
        assert_eq!(self.relay.get("/room/QGIS/users").await.json(), json!(["bystander"]));
        self
    }
}

/// Plays the cases of a file, with a setting other than the default only those to which it matters.
async fn play(file: &str, notices: Notices) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/wire").join(file);
    let table: Table = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut cases = table.case;
    cases.retain(|case| notices == Notices::Visible || case.expect.iter().any(Expected::is_notice));
    let mut stage = Stage::set(notices).await;
    let mut failures = Vec::new();
    for case in cases {
        let name = case.name.clone();
        // What is wrong has been printed when a case fails; the others are played all the same.
        stage = if let Ok(stage) = AssertUnwindSafe(stage.play(case)).catch_unwind().await {
            stage
        } else {
            failures.push(name);
            Stage::set(notices).await
        };
    }
    assert!(failures.is_empty(), "{file}, notices {notices:?}: {failures:#?}");
}

#[tokio::test]
async fn every_form_of_a_v1_frame_is_heard() {
    play("frames.toml", Notices::Visible).await;
}

#[tokio::test]
async fn who_is_refused_gets_a_chat_line_and_nobody_else_hears_of_it() {
    play("refused.toml", Notices::Visible).await;
}

#[tokio::test]
async fn who_is_refused_gets_an_internal_frame_where_the_setting_says_so() {
    play("refused.toml", Notices::Internal).await;
}

#[tokio::test]
async fn who_is_refused_hears_nothing_where_the_setting_says_so() {
    play("refused.toml", Notices::Off).await;
}

#[tokio::test]
async fn what_is_none_of_the_protocols_frames_is_met_with_silence() {
    play("uncompliant.toml", Notices::Visible).await;
}

#[tokio::test]
async fn what_is_none_of_the_protocols_frames_gets_an_internal_frame_where_the_setting_says_so() {
    play("uncompliant.toml", Notices::Internal).await;
}

#[tokio::test]
async fn what_is_none_of_the_protocols_frames_is_met_with_silence_where_the_setting_says_so() {
    play("uncompliant.toml", Notices::Off).await;
}

#[tokio::test]
async fn frames_are_taken_as_the_rfc_wants_them() {
    play("framing.toml", Notices::Visible).await;
}

#[tokio::test]
async fn control_frames_and_fragments_are_taken_as_the_rfc_wants_them() {
    play("control.toml", Notices::Visible).await;
}

#[tokio::test]
async fn texts_are_utf_8_or_end_the_connection() {
    play("utf8.toml", Notices::Visible).await;
}

#[tokio::test]
async fn connections_are_closed_as_the_rfc_wants_it() {
    play("closing.toml", Notices::Visible).await;
}
