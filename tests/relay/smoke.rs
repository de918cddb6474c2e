//! The basic function: clients join a room and chat.

use serde_json::json;

use crate::support::{Relay, line, nb_users, newcomer};

#[tokio::test]
async fn two_clients_chat_and_a_too_short_author_is_refused() {
    let relay = Relay::start().await;
    let mut jane = relay.join("QGIS").await;
    jane.expect(nb_users(1)).await;
    let mut hans = relay.join("QGIS").await;
    jane.expect(nb_users(2)).await;
    hans.expect(nb_users(2)).await;

    jane.send(newcomer("jane")).await;
    jane.expect(newcomer("jane")).await;
    hans.expect(newcomer("jane")).await;

    jane.send(json!({"message": "hello", "author": "jane", "avatar": "mGeoPackage.svg"})).await;
    for client in [&mut jane, &mut hans] {
        client.expect(json!({"message": "hello", "author": "jane", "avatar": "mGeoPackage.svg"})).await;
    }

    hans.send(line("x", "hi")).await;
    hans.expect_refusal("`author` has 1 character; 3 to 32 are allowed").await;
    hans.send(line("hans", "sentinel")).await;
    jane.expect(line("hans", "sentinel")).await;
}
