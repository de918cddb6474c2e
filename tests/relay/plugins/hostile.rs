//! Plugins that do what they should not: each is contained within its limit, and the next message is served.

use super::{detail, expect_pass, expect_refusal, hostile, say};
use crate::support::{Relay, line, nb_users};

/// Waits until the relay has logged this.
async fn logged(relay: &Relay, part: &str) {
    let has = async || u64::from(relay.log().iter().any(|line| line.contains(part)));
    relay.wait_until(1, has).await;
}

/// The plugin must fail over `text` with `failure` in the log, as its policy says, and answer the next message.
async fn contained(text: &str, failure: &str) {
    contained_with("", text, failure).await;
}

async fn contained_with(limits: &str, text: &str, failure: &str) {
    let relay = hostile(&format!("on_failure = 'reject'\n{limits}")).start().await;
    expect_refusal(&relay, text, "A filter of this instance cannot be asked now; please try again later.").await;
    logged(&relay, failure).await;
    expect_refusal(&relay, "reject next", "next").await;
    let relay = hostile(limits).start().await;
    expect_pass(&relay, text, text).await;
    expect_refusal(&relay, "reject next", "next").await;
}

#[tokio::test]
async fn an_endless_loop_ends_at_the_deadline() {
    contained_with("limits.deadline_ms = 500", "loop", "it took longer than 500 ms").await;
}

#[tokio::test]
async fn an_endless_loop_of_calls_of_the_host_ends_at_their_limit() {
    contained("loop-in-the-host", "more than 1000 calls of the host for one message").await;
}

#[tokio::test]
async fn an_endless_loop_of_calls_of_the_host_ends_at_the_deadline_too() {
    let relay = hostile("limits.host_calls = 100000\non_failure = 'reject'\nlimits.deadline_ms = 1").start().await;
    assert_eq!(say(&relay, "loop-in-the-host").await.status, 403);
    logged(&relay, "it took longer than 1 ms").await;
}

#[tokio::test]
async fn who_wants_all_memory_gets_its_share() {
    contained("bomb", "a plugin has failed").await;
    let relay = hostile("").start().await;
    let before = relay.peak_memory();
    expect_pass(&relay, "bomb", "bomb").await;
    let growth = relay.peak_memory() - before;
    assert!(growth < 48 * 1024 * 1024, "the relay grew by {growth} bytes over an instance of 16 MiB");
}

#[tokio::test]
async fn all_plugins_together_have_no_more_memory_than_the_operator_says() {
    let relay = hostile("on_failure = 'reject'").env("RELAY__FILTER__PLUGINS__TOTAL_MEMORY_MIB", "4").start().await;
    assert_eq!(say(&relay, "bomb").await.status, 403);
    logged(&relay, "all plugins together want more memory than they may have").await;
    // What the failed instance had is there for the next one.
    for _ in 0..3 {
        expect_refusal(&relay, "reject next", "next").await;
    }
}

#[tokio::test]
async fn endless_recursion_ends_at_the_end_of_the_stack() {
    contained("recurse", "a plugin has failed").await;
}

#[tokio::test]
async fn a_panic_ends_one_call() {
    contained("panic", "unreachable").await;
}

#[tokio::test]
async fn a_trap_ends_one_call() {
    contained("trap", "unreachable").await;
}

#[tokio::test]
async fn a_reason_is_taken_up_to_its_limit() {
    contained("long-reason 1025", "its reason is 1025 bytes long, of 1024").await;
    let relay = hostile("").start().await;
    expect_refusal(&relay, "long-reason 1024", &"x".repeat(1_024)).await;
}

#[tokio::test]
async fn more_than_may_be_copied_is_not_copied() {
    contained("long-reason 300000", "a plugin has failed").await;
}

#[tokio::test]
async fn a_text_that_shape_would_refuse_is_none_that_a_plugin_may_write() {
    contained("long-text 256", "its text has 256 characters, of 255").await;
    contained("replace  ", "it replaces the text with an empty one").await;
}

#[tokio::test]
async fn labels_and_sanctions_have_bounds() {
    contained("labels 17", "it puts 17 labels on a message, of 16").await;
    contained("label ", "a label is 0 bytes long").await;
}

#[tokio::test]
async fn a_text_that_is_no_utf_8_is_none() {
    contained("no-utf-8", "a plugin has failed").await;
}

#[tokio::test]
async fn a_flood_of_lines_leaves_a_few_in_the_log() {
    let relay = hostile("").start().await;
    expect_pass(&relay, "log 900", "log 900").await;
    let lines = relay.log().iter().filter(|line| line.contains("a plugin says")).count();
    assert!((1..=20).contains(&lines), "{lines} lines");
}

#[tokio::test]
async fn a_flood_of_the_store_keeps_to_its_limit() {
    let relay = hostile("").start().await;
    let before = relay.peak_memory();
    for _ in 0..5 {
        expect_pass(&relay, "store 900", "store 900").await;
    }
    let growth = relay.peak_memory() - before;
    assert!(growth < 16 * 1024 * 1024, "the relay grew by {growth} bytes over a store of 1 MiB");
}

#[tokio::test]
async fn patterns_are_bounded_in_number_and_size() {
    let relay = hostile("limits.host_calls = 10000\non_failure = 'reject'").start().await;
    assert_eq!(say(&relay, "patterns 101").await.status, 403);
    let answer = say(&relay, "big-pattern").await;
    assert!(detail(&answer).as_str().is_some_and(|text| text.contains("size limit")), "{}", answer.body);
}

#[tokio::test]
async fn a_text_that_grows_on_the_host_is_bounded_too() {
    contained("grow-text", "a text with replacements may be longer than 262144 bytes").await;
}

#[tokio::test]
async fn who_is_slow_within_its_deadline_is_left_alone() {
    let relay = hostile("on_failure = 'reject'").start().await;
    expect_pass(&relay, "spin 1000000", "spin 1000000").await;
}

#[tokio::test]
async fn what_loops_when_it_is_configured_is_not_loaded() {
    let relay = hostile("settings.configure = 'loop'\nlimits.configure_ms = 50").start().await;
    logged(&relay, "it took longer than 50 ms").await;
    expect_pass(&relay, "reject x", "reject x").await;
}

#[tokio::test]
async fn a_plugin_that_refuses_its_settings_is_not_loaded_and_says_why() {
    let relay = hostile("settings.configure = 'refuse'\non_failure = 'reject'").start().await;
    logged(&relay, "it refuses its settings: I do not like these settings").await;
    assert_eq!(say(&relay, "hello").await.status, 403);
}

#[tokio::test]
async fn who_fails_five_times_is_set_aside_and_tried_again() {
    let relay = hostile("").start().await;
    for _ in 0..5 {
        expect_pass(&relay, "panic", "panic").await;
    }
    logged(&relay, "a plugin is set aside: it failed too often").await;
    expect_pass(&relay, "reject x", "reject x").await;
    relay.wait_until(403, async || u64::from(say(&relay, "reject x").await.status)).await;
}

#[tokio::test]
async fn a_stuck_plugin_does_not_hold_up_rooms_that_have_none() {
    let relay = hostile("rooms = ['QGIS']\nlimits.deadline_ms = 200").start().await;
    let mut stuck = Vec::new();
    for n in 0..4 {
        let mut client = relay.join("QGIS").await;
        client.send(line(&format!("jane {n}"), "loop")).await;
        stuck.push(client);
    }
    let mut hans = relay.join("QField").await;
    hans.expect(nb_users(1)).await;
    for n in 0..50 {
        hans.send(line("hans", &n.to_string())).await;
        hans.expect(line("hans", &n.to_string())).await;
    }
}
