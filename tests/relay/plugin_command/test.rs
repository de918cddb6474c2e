//! `plugin test`: runs the cases of plugins.

use super::{BAD_ARGUMENTS, BAD_CONFIGURATION, DONE, FAILURE, Plugins, project, run_long};

const SHIPPED: [&str; 6] = ["calm-caps", "flood-guard", "geofence", "link-guard", "polite-words", "quiet-hours"];

#[test]
fn every_shipped_plugin_passes_its_cases() {
    let folders = SHIPPED.map(|name| format!("plugins/{name}"));
    for folder in &folders {
        assert!(project(folder).join("filter.wasm").exists(), "{folder} is not built: `make plugins` builds it");
    }
    let mut arguments = vec!["test"];
    arguments.extend(folders.iter().map(String::as_str));
    let output = run_long(&project(""), &arguments);
    assert_eq!(output.status, DONE, "{output:?}");
    assert_eq!(output.stdout.matches(" cases, all passed\n").count(), SHIPPED.len(), "{}", output.stdout);
}

#[test]
fn a_failed_case_is_shown_with_the_differences() {
    let cases = "[[case]]\nname = 'a word passes'\nmessage = { text = 'hello' }\nexpect = { action = 'pass' }\n\
                 [[case]]\nname = 'nobody is refused'\nmessage = { text = 'reject not here' }\n\
                 expect = { action = 'pass', reason = 'none', labels = ['a'] }\n";
    let output = Plugins::hostile("", cases).test();
    assert_eq!(output.status, FAILURE, "{output:?}");
    let rows: Vec<&str> = output.stdout.lines().skip(2).collect();
    assert!(rows[0].starts_with("a word passes      pass ") && rows[0].ends_with("  ok"), "{rows:?}");
    assert!(rows[1].starts_with("nobody is refused  reject ") && rows[1].ends_with("  FAILED"), "{rows:?}");
    let place = "    plugins/hostile/cases/all.toml:6: ";
    assert_eq!(rows[2], format!("{place}action: expected pass, got reject"));
    assert_eq!(rows[3], format!("{place}reason: expected \"none\", got \"not here\""));
    assert_eq!(rows[4], format!("{place}labels: expected [\"a\"], got []"));
    assert_eq!(rows[5], "2 cases, 1 FAILED");
}

/// Asserts that the test plugin passes these cases.
fn passes(manifest: &str, cases: &str) {
    let output = Plugins::hostile(manifest, cases).test();
    assert_eq!((output.status, output.stderr.as_str()), (DONE, ""), "{output:?}");
}

/// Asserts that the test plugin fails on this text, for this reason.
fn fails(manifest: &str, text: &str, reason: &str) {
    let cases = format!("[[case]]\nname = 'a'\nmessage.text = '{text}'\nexpect.action = 'pass'");
    let output = Plugins::hostile(manifest, &cases).test();
    assert_eq!(output.status, FAILURE, "{output:?}");
    assert!(output.stdout.contains(reason) && output.stdout.contains("FAILED"), "{reason} is not in {output:?}");
}

#[test]
fn every_part_of_an_answer_can_be_expected() {
    passes(
        "",
        r#"
        [[case]]
        name = "a text in place of another"
        message.text = "replace good morning"
        expect = { action = "replace", text = "good morning", labels = [] }
        [[case]]
        name = "a sanction"
        message.text = "mute 60"
        expect = { action = "reject", reason = "quiet", sanction = { kind = "mute", seconds = 60 } }
        [[case]]
        name = "a label"
        message.text = "label advertising"
        expect = { action = "pass", labels = ["advertising"] }
        [[case]]
        name = "a shadow"
        message.text = "shadow it"
        expect = { action = "shadow", reason = "it" }
        [[case]]
        name = "what is held"
        message.text = "hold it"
        expect = { action = "hold", reason = "it" }
        "#,
    );
}

#[test]
fn a_case_sets_room_sender_and_time() {
    passes(
        "",
        r#"
        [[case]]
        name = "the room"
        message = { text = "tell room", room = "QField" }
        room = { members = 3, names = ["jane", "bob"] }
        expect = { action = "reject", reason = 'QField 3 ["bob", "jane"]' }
        [[case]]
        name = "the address"
        message.text = "tell address"
        sender.address = "b2"
        expect = { action = "reject", reason = "b2" }
        [[case]]
        name = "the time"
        message = { text = "tell time", at = 2026-11-23T22:00:00+02:00 }
        expect = { action = "reject", reason = "true" }
        "#,
    );
}

#[test]
fn earlier_messages_of_a_case_are_sent_and_those_of_other_cases_are_not() {
    passes(
        "",
        r#"
        [[case]]
        name = "the first"
        message.text = "count x"
        expect = { action = "reject", reason = "1" }
        [[case]]
        name = "the third, from others"
        before = [{ text = "count x", author = "bob", sender = { address = "b2" } }, { text = "count x" }]
        message.text = "count x"
        expect = { action = "reject", reason = "3" }
        [[case]]
        name = "the first after a minute"
        before = [{ text = "count x", at = 2026-11-23T22:00:00Z }]
        message = { text = "count x", at = 2026-11-23T22:01:00Z }
        expect = { action = "reject", reason = "1" }
        "#,
    );
}

#[test]
fn a_plugin_that_observes_is_tested_for_its_verdict() {
    passes("mode = 'observe'", "[[case]]\nname = 'a'\nmessage.text = 'reject x'\nexpect.action = 'reject'");
}

#[test]
fn messages_that_the_relay_would_not_send_to_the_plugin_pass() {
    passes("", "[[case]]\nname = 'a'\nmessage = { text = 'reject x', kind = 'like' }\nexpect.action = 'pass'");
}

#[test]
fn a_call_over_its_limits_fails() {
    fails("limits.deadline_ms = 20", "loop", "it took longer than 20 ms");
    fails("limits.host_calls = 3", "loop-in-the-host", "more than 3 host calls for one message");
}

#[test]
fn a_failure_fails_the_case_whatever_the_policy_is() {
    fails("on_failure = 'pass'", "panic", "unreachable");
    fails("settings.configure = ''", "labels 17", "it sets 17 labels; the limit is 16");
}

#[test]
fn settings_that_the_plugin_refuses_fail_the_case() {
    let cases = "[[case]]\nname = 'a'\nsettings.configure = 'refuse'\nmessage.text = 'x'\nexpect.action = 'pass'";
    let output = Plugins::hostile("", cases).test();
    assert_eq!(output.status, FAILURE, "{output:?}");
    assert!(output.stdout.contains("it refuses its settings: I do not like these settings"), "{output:?}");
}

#[test]
fn the_message_of_a_panic_is_shown() {
    let cases = "[[case]]\nname = 'a'\nmessage.text = 'panic'\nexpect.action = 'pass'";
    let output = Plugins::hostile("", cases).test();
    assert!(output.stderr.contains("as I was told"), "{output:?}");
}

#[test]
fn limits_are_those_of_the_manifest_up_to_those_of_the_configuration() {
    let cases = "[[case]]\nname = 'a'\nmessage.text = 'x'\nexpect.action = 'pass'";
    let plugins = Plugins::hostile("limits.deadline_ms = 150\nlimits.memory_mib = 8", cases);
    let output = plugins.run(
        &["test", "plugins/hostile"],
        &[("RELAY__FILTER__PLUGINS__MAX_DEADLINE_MS", "100"), ("RELAY__FILTER__PLUGINS__MAX_MEMORY_MIB", "4")],
    );
    assert_eq!(output.status, DONE, "{output:?}");
    assert!(output.stdout.contains(", within 100000 µs and 4096 KiB\n"), "{output:?}");
}

#[test]
fn a_component_may_have_the_name_of_its_folder() {
    let cases = "[[case]]\nname = 'a'\nmessage.text = 'reject x'\nexpect.action = 'reject'";
    let plugins = Plugins::hostile("", cases)
        .without("plugins/hostile/filter.wasm")
        .with("plugins/hostile/hostile.wasm", &crate::plugins::guest("hostile"));
    assert_eq!(plugins.test().status, DONE);
}

#[test]
fn a_plugin_that_cannot_be_loaded_fails() {
    let cases = "[[case]]\nname = 'a'\nmessage.text = 'x'\nexpect.action = 'pass'";
    let unbuilt = Plugins::hostile("", cases).without("plugins/hostile/filter.wasm");
    let output = unbuilt.test();
    assert_eq!((output.status, output.stdout.as_str()), (FAILURE, ""), "{output:?}");
    assert_eq!(output.stderr, "plugins/hostile: there is no filter.wasm, and no source to build it from\n");
    let broken = unbuilt.with("plugins/hostile/filter.wasm", b"");
    let output = broken.test();
    assert_eq!(output.status, FAILURE, "{output:?}");
    assert!(output.stderr.contains("is empty: was the plugin built?"), "{output:?}");
}

#[test]
fn a_folder_without_cases_is_reported() {
    let output = Plugins::hostile("", "").test();
    assert_eq!(output.status, FAILURE, "{output:?}");
    assert_eq!(output.stderr, "plugins/hostile: there are no cases; write them to cases/NAME.toml\n");
}

#[test]
fn unknown_keys_in_a_case_are_named_with_file_and_line() {
    let output = Plugins::hostile("", "[[case]]\nname = 'a'\nmesage.text = 'x'\nexpect.action = 'pass'")
        .with("plugins/hostile/cases/more.toml", b"\n[[case]]\nname = 'b'\nnickname = 'x'\nexpect.actoin = 'pass'")
        .test();
    assert_eq!((output.status, output.stdout.as_str()), (FAILURE, ""), "{output:?}");
    for error in ["all.toml:3: unknown field `mesage`", "more.toml:5: unknown field `actoin`"] {
        assert!(output.stderr.contains(error), "{error} is not in {output:?}");
    }
}

#[test]
fn an_invalid_folder_does_not_prevent_testing_others() {
    let cases = "[[case]]\nname = 'a'\nmessage.text = 'x'\nexpect.action = 'pass'";
    let output = Plugins::hostile("", cases).run(&["test", "plugins/none", "plugins/hostile"], &[]);
    assert_eq!(output.status, FAILURE, "{output:?}");
    assert!(
        output.stderr.starts_with("plugins/none: ") && output.stdout.ends_with("1 case, all passed\n"),
        "{output:?}"
    );
}

#[test]
fn a_folder_and_a_valid_configuration_are_required() {
    let plugins = Plugins::hostile("", "");
    assert_eq!(plugins.run(&["test"], &[]).status, BAD_ARGUMENTS);
    assert_eq!(plugins.run(&["test", "plugins/hostile"], &[("MAIN_LANG", "?")]).status, BAD_CONFIGURATION);
}
