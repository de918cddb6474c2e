//! `GET /moderation/feed`.

use super::{call, moderated};
use crate::support::Relay;

async fn ids(relay: &Relay, query: &str) -> Vec<u64> {
    let answer = call(relay, "GET", &format!("/moderation/feed{query}"), "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["notes"].as_array().unwrap().iter().map(|note| note["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn notes_come_oldest_first_after_the_one_that_is_known() {
    let relay = moderated(Relay::builder()).start().await;
    assert!(ids(&relay, "").await.is_empty());
    for _ in 0..5 {
        assert_eq!(call(&relay, "POST", "/moderation/reload", "").await.status, 200);
    }
    let all = ids(&relay, "").await;
    assert!(all.len() == 5 && all.is_sorted_by(|one, next| one < next), "{all:?}");
    assert_eq!(ids(&relay, "?limit=2").await, all[..2]);
    assert_eq!(ids(&relay, &format!("?after={}&limit=2", all[1])).await, all[2..4]);
    assert!(ids(&relay, &format!("?after={}", all[4])).await.is_empty());
}

#[tokio::test]
async fn a_query_out_of_bounds_is_refused_with_its_field() {
    let relay = moderated(Relay::builder()).start().await;
    for (query, field) in [
        ("?limit=0", "`limit` is 0; 1 to 1000 are allowed"),
        ("?limit=1001", "`limit` is 1001; 1 to 1000 are allowed"),
        ("?limit=x", "limit: "),
        ("?after=-1", "after: "),
        ("?since=1", "since"),
    ] {
        let answer = call(&relay, "GET", &format!("/moderation/feed{query}"), "").await;
        assert_eq!(answer.status, 422, "{query}: {}", answer.body);
        assert!(answer.json()["detail"].as_str().unwrap().contains(field), "{query}: {}", answer.body);
    }
}
