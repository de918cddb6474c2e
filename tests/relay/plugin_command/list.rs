//! `plugin list`: what is in the folder of plugins.

use super::{BAD_CONFIGURATION, DOES_NOT_HOLD, DONE, Plugins};

#[test]
fn the_list_shows_how_each_plugin_is_set() {
    let manifest = "version = '0.2.0'\nmode = 'observe'\nrooms = ['QGIS', 'QField']\non_failure = 'reject'";
    let output = Plugins::hostile(manifest, "").run(&["list"], &[]);
    assert_eq!((output.status, output.stderr.as_str()), (DONE, ""), "{output:?}");
    assert_eq!(
        output.stdout,
        "name     version  mode     rooms         on_failure  state\n\
         hostile  0.2.0    observe  QGIS, QField  reject      loaded\n"
    );
}

#[test]
fn what_cannot_be_loaded_is_listed_with_the_reason() {
    let output = Plugins::hostile("", "").with("plugins/broken/plugin.toml", b"mdoe = 'x'").run(&["list"], &[]);
    assert_eq!(output.status, DOES_NOT_HOLD, "{output:?}");
    let rows: Vec<&str> = output.stdout.lines().collect();
    assert!(rows[1].starts_with("broken ") && rows[1].contains("  not loaded: "), "{rows:?}");
    assert!(rows[1].contains("plugin.toml:1: unknown field `mdoe`"), "{rows:?}");
    assert!(rows[2].starts_with("hostile ") && rows[2].ends_with("  loaded"), "{rows:?}");
}

#[test]
fn the_list_is_that_of_the_configured_folder_in_the_configured_order() {
    let plugins = Plugins::none().with("mine/a/plugin.toml", b"").with("mine/b/plugin.toml", b"");
    let environment = [("PLUGINS_DIR", "mine"), ("RELAY__FILTER__PLUGINS__ORDER", "b,gone")];
    let output = plugins.run(&["list"], &environment);
    let names: Vec<&str> = output.stdout.lines().filter_map(|row| row.split(' ').next()).collect();
    assert_eq!(names, ["name", "b", "a"]);
    assert_eq!(output.stderr, "filter.plugins.order names gone, which is not there\n");
}

#[test]
fn a_relay_without_plugins_has_an_empty_list() {
    let output = Plugins::none().run(&["list"], &[]);
    assert_eq!((output.status, output.stderr.as_str()), (DONE, ""), "{output:?}");
    assert_eq!(output.stdout, "there are no plugins: there is no folder plugins\n");
}

#[test]
fn a_folder_that_the_configuration_names_must_be_there() {
    let output = Plugins::none().run(&["list"], &[("PLUGINS_DIR", "mine")]);
    assert_eq!(output.status, DOES_NOT_HOLD, "{output:?}");
    assert!(output.stderr.starts_with("gischat-relay: mine: the folder cannot be read: "), "{output:?}");
}

#[test]
fn a_bad_configuration_has_no_list() {
    let output = Plugins::none().run(&["list"], &[("MAIN_LANG", "?")]);
    assert_eq!((output.status, output.stdout.as_str()), (BAD_CONFIGURATION, ""), "{output:?}");
}
