//! `plugin list`.

use super::{BAD_CONFIGURATION, DONE, FAILURE, Plugins};

#[test]
fn the_list_shows_the_manifest_of_each_plugin() {
    let manifest = "version = '0.2.0'\nmode = 'observe'\nrooms = ['QGIS', 'QField']\non_failure = 'reject'";
    let output = Plugins::hostile(manifest, "").run(&["list"], &[]);
    assert_eq!((output.status, output.stderr.as_str()), (DONE, ""), "{output:?}");
    assert_eq!(
        output.stdout,
        "name     version  from    mode     rooms         on_failure  state\n\
         hostile  0.2.0    folder  observe  QGIS, QField  reject      loaded\n"
    );
}

#[test]
fn a_plugin_that_cannot_be_loaded_is_listed_with_the_reason() {
    let output = Plugins::hostile("", "").with("plugins/broken/plugin.toml", b"mdoe = 'x'").run(&["list"], &[]);
    assert_eq!(output.status, FAILURE, "{output:?}");
    let rows: Vec<&str> = output.stdout.lines().collect();
    assert!(rows[1].starts_with("broken ") && rows[1].contains("  not loaded: "), "{rows:?}");
    assert!(rows[1].contains("plugin.toml:1: unknown field `mdoe`"), "{rows:?}");
    assert!(rows[2].starts_with("hostile ") && rows[2].ends_with("  loaded"), "{rows:?}");
}

#[test]
fn the_configured_folder_and_order_apply() {
    let plugins = Plugins::none().with("mine/a/plugin.toml", b"").with("mine/b/plugin.toml", b"");
    let environment = [("PLUGINS_DIR", "mine"), ("RELAY__FILTER__PLUGINS__ORDER", "b,gone")];
    let output = plugins.run(&["list"], &environment);
    let names: Vec<&str> = output.stdout.lines().filter_map(|row| row.split(' ').next()).collect();
    assert_eq!(names, ["name", "b", "a"]);
    assert_eq!(output.stderr, "filter.plugins.order names gone, which does not exist\n");
}

#[test]
fn the_list_shows_the_origin_of_each_plugin() {
    let plugins = Plugins::hostile("", "")
        .with("plugins/bare.wasm", &crate::plugins::guest("hostile"))
        .with("plugins/link-guard/plugin.toml", b"version = '0.1.0'\nmode = 'enforce'");
    let output = plugins.run(&["list"], &[("RELAY__FILTER__PLUGINS__EMBEDDED", "true")]);
    let built = output.stdout.contains("embedded");
    assert!(built, "the program was built without plugins: run `make plugins`, then build it again; {output:?}");
    assert_eq!((output.status, output.stderr.as_str()), (DONE, ""), "{output:?}");
    assert_eq!(
        output.stdout,
        "name         version  from                    mode     rooms  on_failure  state\n\
         bare         0.1.0    file                    enforce  all    pass        loaded\n\
         calm-caps    0.1.0    embedded                observe  all    pass        loaded\n\
         flood-guard  0.1.0    embedded                observe  all    pass        loaded\n\
         geofence     0.1.0    embedded                observe  all    pass        loaded\n\
         hostile      0.1.0    folder                  enforce  all    pass        loaded\n\
         link-guard   0.1.0    folder + embedded code  enforce  all    pass        loaded\n"
    );
}

#[test]
fn an_unbuilt_plugin_is_listed_with_its_build_command() {
    for (manifest, status) in [("", DONE), ("on_failure = 'hold'", FAILURE)] {
        let plugins =
            Plugins::none().with("plugins/mine/plugin.toml", manifest.as_bytes()).with("plugins/mine/filter.py", b"");
        let output = plugins.run(&["list"], &[]);
        assert_eq!((output.status, output.stderr.as_str()), (status, ""), "{output:?}");
        assert!(output.stdout.ends_with("  not built: gischat-relay plugin build plugins/mine\n"), "{output:?}");
    }
}

#[test]
fn manifest_texts_are_escaped_for_the_terminal() {
    let manifest = r#"version = "\u001b[2J\u202e"
rooms = ["\u009b31m"]"#;
    let output = Plugins::hostile(manifest, "").run(&["list"], &[]);
    assert_eq!(output.status, DONE, "{output:?}");
    assert!(output.stdout.contains("\\u{1b}[2J\\u{202e}"), "{output:?}");
    assert!(!output.stdout.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')), "{output:?}");
}

#[test]
fn a_relay_without_plugins_has_an_empty_list() {
    let output = Plugins::none().run(&["list"], &[]);
    assert_eq!((output.status, output.stderr.as_str()), (DONE, ""), "{output:?}");
    assert_eq!(output.stdout, "no plugins: the folder plugins does not exist\n");
}

#[test]
fn a_configured_folder_must_exist() {
    let output = Plugins::none().run(&["list"], &[("PLUGINS_DIR", "mine")]);
    assert_eq!(output.status, FAILURE, "{output:?}");
    assert!(output.stderr.starts_with("gischat-relay: mine: the folder cannot be read: "), "{output:?}");
}

#[test]
fn an_invalid_configuration_is_an_error() {
    let output = Plugins::none().run(&["list"], &[("MAIN_LANG", "?")]);
    assert_eq!((output.status, output.stdout.as_str()), (BAD_CONFIGURATION, ""), "{output:?}");
}
