//! `examples/chat.py`, which README shows: people talk with it, and so do scripts.

use crate::support::Relay;
use crate::support::script::Script;

fn url(relay: &Relay) -> String {
    format!("http://{}", relay.address())
}

#[tokio::test]
async fn two_scripts_chat() {
    let relay = Relay::start().await;
    let mut jane = Script::start(&url(&relay), &["--room", "QGIS", "--nickname", "jane"], &[]);
    jane.wait_for("* jane came in");
    let mut hans = Script::start(&url(&relay), &["--nickname", "hans"], &[]);
    hans.wait_for("* connections in QGIS: 2");
    hans.wait_for("* hans came in");
    jane.wait_for("* hans came in");

    jane.type_line("Wie geht's, Hans? 👋");
    jane.wait_for("jane: Wie geht's, Hans? 👋");
    hans.wait_for("jane: Wie geht's, Hans? 👋");
    hans.type_line("prima");
    jane.wait_for("hans: prima");

    hans.end_input();
    assert_eq!(hans.wait(), (Some(0), vec!["hans: prima".to_owned()]));
    assert_eq!(jane.wait_for("* connections in QGIS: 1"), ["* hans left"]);
    jane.end_input();
    assert_eq!(jane.wait(), (Some(0), vec![]));
}

#[tokio::test]
async fn the_author_x_is_refused_with_the_reason() {
    let relay = Relay::start().await;
    let script = Script::start(&url(&relay), &["--author", "x", "--say", "hello"], &[]);
    let (status, heard) = script.wait();
    assert_eq!(heard, ["* connections in QGIS: 1", "! Refused: `author` has 1 character; 3 to 32 are allowed"]);
    assert_eq!(status, Some(1));
}

#[tokio::test]
async fn a_nickname_in_use_is_refused_with_the_reason() {
    let relay = Relay::start().await;
    let mut jane = Script::start(&url(&relay), &["--nickname", "jane"], &[]);
    jane.wait_for("* jane came in");
    let (status, heard) = Script::start(&url(&relay), &["--nickname", "Jane", "--say", "hello"], &[]).wait();
    assert_eq!(status, Some(1), "{heard:?}");
    let refusal =
        "! Refused: this name, or one that looks like it, belongs to somebody else in this room; choose another one";
    assert_eq!(heard, ["* connections in QGIS: 2", refusal]);
}

#[tokio::test]
async fn a_script_may_only_listen() {
    let relay = Relay::start().await;
    let mut ear = Script::start(&url(&relay), &["--listen", "4"], &[]);
    ear.wait_for("* connections in QGIS: 1");
    let put = relay.put("/room/QGIS/message", r#"{"message":"a\tb","author":"hans"}"#).await;
    assert_eq!(put.status, 200, "{put:?}");
    // A control is a blank in the terminal.
    ear.wait_for("hans: a b");
    assert_eq!(ear.wait(), (Some(0), vec![]));
    assert_eq!(relay.get("/room/QGIS/users").await.json(), serde_json::json!([]));
}

#[tokio::test]
async fn a_room_with_blanks_is_found_and_an_unknown_one_is_a_clear_error() {
    let relay = Relay::builder().env("ROOMS", "Field and mobile,Café/Bar").start().await;
    for room in ["Field and mobile", "Café/Bar"] {
        let script = Script::start(&url(&relay), &["--room", room, "--nickname", "jane", "--say", "hello"], &[]);
        let wanted = [format!("* connections in {room}: 1"), "* jane came in".into(), "jane: hello".into()];
        assert_eq!(script.wait(), (Some(0), wanted.to_vec()));
    }
    let (status, heard) = Script::start(&url(&relay), &["--room", "QGIS", "--listen", "1"], &[]).wait();
    assert_eq!(status, Some(1), "{heard:?}");
    let [error] = heard.as_slice() else { panic!("{heard:#?}") };
    assert!(error.starts_with(&format!("stderr: cannot talk in QGIS at {}: ", url(&relay))), "{error}");
    assert!(error.contains("404"), "{error}");
}
