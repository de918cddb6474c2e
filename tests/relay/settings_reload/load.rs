//! Settings change in the midst of many messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{WAYS, change, with};
use crate::support::{Client, line};

const SENDERS: usize = 4;
const TOGETHER: usize = 25;
const RELOADS: usize = 12;

/// Sends messages until told to stop, each after the previous one was delivered, and returns their number.
async fn talk(mut client: Client, name: String, done: Arc<AtomicBool>) -> (Client, usize) {
    let mut said = 0;
    while !done.load(Ordering::SeqCst) {
        let lines: Vec<_> = (said..said + TOGETHER).map(|n| line(&name, &format!("{n}"))).collect();
        client.send_together(&lines).await;
        let until = said + TOGETHER;
        while said < until {
            let frame = client.next().await;
            if frame["author"] == *name {
                assert_eq!(frame, line(&name, &format!("{said}")), "a message is lost or out of order");
                said += 1;
            }
        }
    }
    (client, said)
}

#[tokio::test]
async fn changing_rooms_and_limits_loses_no_message_and_closes_nobody_in_other_rooms() {
    let settings = |n: usize| {
        let more = if n.is_multiple_of(2) { ", 'Maps'" } else { "" };
        let bound = 100 + n;
        format!(
            "[instance]\nrooms = ['QGIS'{more}]\n[filter]\nrate.enabled = false\nshape.max_message_length = {bound}\n"
        )
    };
    let relay = with(&settings(0)).start().await;
    let done = Arc::new(AtomicBool::new(false));
    let mut talking = Vec::new();
    for n in 0..SENDERS {
        let client = relay.join("QGIS").await;
        talking.push(tokio::spawn(talk(client, format!("sender{n}"), Arc::clone(&done))));
    }
    let mut closed = 0;
    for n in 1..=RELOADS {
        let guest = if n % 2 == 1 { Some(relay.join("Maps").await) } else { None };
        change(&relay, &settings(n), WAYS[n % 3]).await;
        if let Some(mut guest) = guest {
            assert_eq!(guest.wait_for_close().await.map(|(code, _)| code), Some(1001));
            closed += 1;
        }
        assert_eq!(relay.get("/rules").await.json()["max_message_length"], 100 + n);
    }
    done.store(true, Ordering::SeqCst);
    for task in talking {
        let (mut client, said) = task.await.unwrap();
        assert!(said >= TOGETHER, "{said}");
        client.send(line("last", "sentinel")).await;
        client.skip_until(line("last", "sentinel")).await;
    }
    assert_eq!(closed, RELOADS.div_ceil(2));
}
