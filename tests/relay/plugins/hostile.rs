//! Hostile plugins: each is contained by its limits, and the next message is served.

use super::{FAILED, detail, expect_pass, expect_refusal, guest, hostile, say, with_long_deadlines};
use crate::support::{Relay, line, nb_users, refusal};

/// Waits until the relay has logged this.
async fn logged(relay: &Relay, part: &str) {
    let has = async || u64::from(relay.log().iter().any(|line| line.contains(part)));
    relay.wait_until(1, has).await;
}

/// Asserts that the plugin fails on `text` according to its policy, with `failure` in the log, and answers the next
/// message.
async fn contained(text: &str, failure: &str) {
    contained_with("", text, failure).await;
}

async fn contained_with(limits: &str, text: &str, failure: &str) {
    let relay = hostile(&format!("on_failure = 'reject'\n{limits}")).start().await;
    expect_refusal(&relay, text, FAILED).await;
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
async fn a_bulk_operation_that_overruns_the_deadline_ends_the_call() {
    let limits = "limits.deadline_ms = 5\nlimits.memory_mib = 128";
    let relay = hostile(&format!("on_failure = 'reject'\n{limits}")).start().await;
    expect_refusal(&relay, "fill-at-once 100", FAILED).await;
    logged(&relay, "it took longer than 5 ms").await;
}

#[tokio::test]
async fn an_endless_loop_of_host_calls_ends_at_their_limit() {
    contained("loop-in-the-host", "more than 1000 host calls for one message").await;
}

#[tokio::test]
async fn an_endless_loop_of_host_calls_ends_at_the_deadline_too() {
    let relay = hostile("limits.host_calls = 100000\non_failure = 'reject'\nlimits.deadline_ms = 1").start().await;
    assert_eq!(say(&relay, "loop-in-the-host").await.status, 403);
    logged(&relay, "it took longer than 1 ms").await;
}

#[tokio::test]
async fn a_plugin_cannot_allocate_beyond_its_limit() {
    // Its allocator gives up.
    contained("bomb", "unreachable").await;
    let relay = hostile("").start().await;
    let before = relay.peak_memory();
    expect_pass(&relay, "bomb", "bomb").await;
    let growth = relay.peak_memory() - before;
    assert!(growth < 48 * 1024 * 1024, "the relay grew by {growth} bytes over an instance of 16 MiB");
}

#[tokio::test]
async fn all_plugins_together_stay_within_the_total_memory() {
    let relay = hostile("on_failure = 'reject'").env("RELAY__FILTER__PLUGINS__TOTAL_MEMORY_MIB", "4").start().await;
    assert_eq!(say(&relay, "bomb").await.status, 403);
    logged(&relay, "plugins have exhausted their total memory").await;
    // The next instance can use the memory of the failed one.
    for _ in 0..3 {
        expect_refusal(&relay, "reject next", "next").await;
    }
}

#[tokio::test]
async fn stores_stay_within_the_total_memory() {
    let relay = hostile("on_failure = 'reject'\nlimits.store_kib = 16384")
        .env("RELAY__FILTER__PLUGINS__TOTAL_MEMORY_MIB", "4")
        .start()
        .await;
    expect_refusal(&relay, "store 400", FAILED).await;
    logged(&relay, "plugins have exhausted their total memory").await;
    // The store leaves memory for the next instance.
    for _ in 0..3 {
        expect_refusal(&relay, "reject next", "next").await;
    }
}

#[tokio::test]
async fn memory_is_limited_by_the_manifest() {
    for (limit, most) in [(4, 3), (16, 15)] {
        let relay = hostile(&format!("limits.memory_mib = {limit}")).start().await;
        let answer = say(&relay, "fill").await;
        let mebibytes: u64 = detail(&answer).as_str().and_then(|text| text.parse().ok()).unwrap();
        assert!((most / 2..=most).contains(&mebibytes), "{mebibytes} of {limit} MiB");
        expect_refusal(&relay, "reject next", "next").await;
    }
}

#[tokio::test]
async fn endless_recursion_ends_at_the_end_of_the_stack() {
    // Compilers keep a second stack in the plugin's memory, which overflows first.
    contained("recurse", "out of bounds memory access").await;
    let relay = raw("on_failure = 'reject'").start().await;
    expect_refusal(&relay, "recurse", FAILED).await;
    logged(&relay, "call stack exhausted").await;
    expect_pass(&relay, "hello", "hello").await;
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
async fn a_reason_is_accepted_up_to_its_limit() {
    contained("long-reason 1025", "its reason is 1025 bytes; the limit is 1024").await;
    let relay = hostile("").start().await;
    expect_refusal(&relay, "long-reason 1024", &"x".repeat(1_024)).await;
}

#[tokio::test]
async fn data_beyond_the_copy_limit_is_rejected() {
    contained("long-reason 300000", "fuel").await;
}

#[tokio::test]
async fn a_plugin_may_not_write_a_text_that_shape_would_reject() {
    contained("long-text 256", "its text has 256 characters; the limit is 255").await;
    contained("replace  ", "its text is empty; at least 1 visible character is needed").await;
}

#[tokio::test]
async fn labels_and_sanctions_have_bounds() {
    contained("labels 17", "it sets 17 labels; the limit is 16").await;
    contained("label ", "a label is 0 bytes").await;
    contained("sanction exile", "unknown sanction `exile`").await;
}

#[tokio::test]
async fn a_text_that_is_not_utf_8_is_rejected() {
    contained("no-utf-8", "utf-8").await;
}

#[tokio::test]
async fn a_flood_of_log_lines_is_truncated() {
    let relay = hostile("").start().await;
    expect_pass(&relay, "log 900", "log 900").await;
    // Read the whole log: its lines reach this test later than the answer does.
    relay.signal("TERM");
    let (_, log) = relay.wait();
    let lines = log.iter().filter(|line| line.contains("plugin log")).count();
    assert!((1..=20).contains(&lines), "{lines} lines");
}

#[tokio::test]
async fn a_flood_of_stored_data_stays_within_the_limit() {
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
    let before = relay.peak_memory();
    let groups = "the expression has 1600 groups, which is too many for its size";
    expect_refusal(&relay, "search-groups 1600", groups).await;
    let growth = relay.peak_memory() - before;
    assert!(growth < 64 * 1024 * 1024, "the relay grew by {growth} bytes over one expression");
    let answer = say(&relay, "big-pattern").await;
    assert!(detail(&answer).as_str().is_some_and(|text| text.contains("size limit")), "{}", answer.body);
}

#[tokio::test]
async fn a_replacement_that_grows_a_text_is_bounded() {
    contained("grow-text", "a text with replacements could exceed 262144 bytes").await;
}

#[tokio::test]
async fn a_plugin_within_its_deadline_is_not_interrupted() {
    let relay = hostile("on_failure = 'reject'").start().await;
    expect_pass(&relay, "spin 1000000", "spin 1000000").await;
}

#[tokio::test]
async fn a_plugin_that_uses_up_its_deadline_delays_only_its_own_room() {
    let relay = hostile("rooms = ['QGIS']\non_failure = 'reject'\nlimits.deadline_ms = 100").start().await;
    // How many calls exceed the deadline depends on the machine.
    let mut turns = 1_000_000_u64;
    while say(&relay, &format!("spin {}", 2 * turns)).await.status == 200 {
        turns *= 2;
    }
    let mut jane = relay.join("QGIS").await;
    jane.expect(nb_users(1)).await;
    let mut hans = relay.join("QField").await;
    hans.expect(nb_users(1)).await;
    for n in 0..20 {
        jane.send(line("jane", &format!("spin {turns} {n}"))).await;
        hans.send(line("hans", &n.to_string())).await;
        hans.expect(line("hans", &n.to_string())).await;
    }
    for n in 0..20 {
        let answer = jane.next().await;
        let passed = line("jane", &format!("spin {turns} {n}"));
        // On a busy machine it may be late now and then.
        assert!(answer == passed || answer == refusal(FAILED), "{n}: {answer}");
    }
}

#[tokio::test]
async fn a_plugin_that_fails_to_configure_is_not_loaded() {
    for (behaviour, failure) in [
        ("loop-in-the-host", "more than 1000 host calls"),
        ("recurse", "out of bounds memory access"),
        ("bomb", "unreachable"),
        ("panic", "unreachable"),
    ] {
        let relay = hostile(&format!("settings.configure = '{behaviour}'\non_failure = 'reject'")).start().await;
        logged(&relay, "plugin could not be loaded").await;
        logged(&relay, failure).await;
        expect_refusal(&relay, "hello", FAILED).await;
    }
}

#[tokio::test]
async fn a_plugin_that_starts_slower_than_its_deadline_recovers_after_a_failure() {
    let slow = "settings.configure = 'spin 200000000'\nlimits.configure_ms = 30000\nlimits.deadline_ms = 50";
    let relay = hostile(slow).start().await;
    expect_pass(&relay, "panic", "panic").await;
    relay.wait_until(403, async || say(&relay, "reject next").await.status).await;
}

#[tokio::test]
async fn a_plugin_that_loops_while_configured_is_not_loaded() {
    let relay = hostile("settings.configure = 'loop'\nlimits.configure_ms = 50").start().await;
    logged(&relay, "it took longer than 50 ms").await;
    expect_pass(&relay, "reject x", "reject x").await;
}

#[tokio::test]
async fn a_plugin_that_refuses_its_settings_is_not_loaded_and_its_error_is_shown() {
    let relay = hostile("settings.configure = 'refuse'\non_failure = 'reject'").start().await;
    logged(&relay, "it refuses its settings: I do not like these settings").await;
    assert_eq!(say(&relay, "hello").await.status, 403);
}

#[tokio::test]
async fn errors_of_a_plugin_about_its_settings_are_logged_in_one_line() {
    let relay = hostile("settings.configure = 'refuse-in-lines'").start().await;
    logged(&relay, "it refuses its settings: I do not like these settings").await;
}

#[tokio::test]
async fn a_plugin_that_fails_five_times_is_suspended_and_probed() {
    let relay = hostile("").start().await;
    for _ in 0..5 {
        expect_pass(&relay, "panic", "panic").await;
    }
    logged(&relay, "plugin suspended: it failed too often").await;
    expect_pass(&relay, "reject x", "reject x").await;
    relay.wait_until(403, async || u64::from(say(&relay, "reject x").await.status)).await;
}

#[tokio::test]
async fn a_stuck_plugin_does_not_delay_rooms_without_plugins() {
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

#[tokio::test]
async fn other_rooms_are_served_while_a_plugin_is_stuck() {
    let relay = with_long_deadlines(Relay::builder())
        .env("RATE_LIMITS", "off")
        .env("ROOMS", "QGIS,QField,GRASS")
        .plugin("stuck", "rooms = ['QGIS']\nlimits.deadline_ms = 10000", &guest("hostile"))
        .plugin("fast", "rooms = ['GRASS']", &guest("hostile"))
        .start()
        .await;
    let mut stuck = Vec::new();
    // One more than the plugin has instances.
    for n in 0..5 {
        let mut client = relay.join("QGIS").await;
        client.send(line(&format!("jane {n}"), "loop")).await;
        stuck.push(client);
    }
    let mut hans = relay.join("QField").await;
    let mut greta = relay.join("GRASS").await;
    hans.expect(nb_users(1)).await;
    greta.expect(nb_users(1)).await;
    for n in 0..20 {
        hans.send(line("hans", &n.to_string())).await;
        hans.expect(line("hans", &n.to_string())).await;
        greta.send(line("greta", &format!("replace {n}"))).await;
        greta.expect(line("greta", &n.to_string())).await;
    }
    // Each call that reaches its deadline is logged.
    let ended = relay.log().into_iter().find(|line| line.contains("plugin failed"));
    assert_eq!(ended, None, "the stuck ones were answered first");
}

/// A relay with the plugin in `tests/guests/raw.wat`, under this manifest.
fn raw(manifest: &str) -> crate::support::RelayBuilder {
    let text = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests/raw.wat"));
    with_long_deadlines(Relay::builder())
        .env("RATE_LIMITS", "off")
        .file("plugins/raw/plugin.toml", manifest)
        .file("plugins/raw/filter.wat", &text.unwrap())
}

#[tokio::test]
async fn tables_are_limited_by_the_manifest() {
    for (manifest, most) in [("", "20000"), ("limits.table_elements = 5", "5")] {
        let relay = raw(manifest).start().await;
        expect_refusal(&relay, "table", most).await;
        expect_refusal(&relay, "table", most).await;
        expect_pass(&relay, "hello", "hello").await;
    }
}

#[tokio::test]
async fn a_plugin_with_a_table_over_its_limit_is_not_loaded() {
    let relay = raw("limits.table_elements = 0\non_failure = 'reject'").start().await;
    logged(&relay, "table minimum size of 1 elements exceeds table limits").await;
    expect_refusal(&relay, "hello", FAILED).await;
}

#[tokio::test]
async fn an_answer_outside_of_the_contract_is_a_failure() {
    for (text, failure) in [
        ("variant", "unexpected discriminant: 5"),
        ("pointer", "string pointer/length out of bounds of memory"),
        ("labels", "list pointer/length out of bounds of memory"),
        ("address", "return pointer not aligned"),
    ] {
        let relay = raw("on_failure = 'reject'").start().await;
        expect_refusal(&relay, text, FAILED).await;
        logged(&relay, failure).await;
        expect_pass(&relay, "hello", "hello").await;
    }
}
