//! `plugin new` and `plugin build`, with only the binary and the tools of a language.

use std::path::{Path, PathBuf};

use super::{BAD_ARGUMENTS, DONE, FAILURE, LONG, Plugins, plugin_command, project, run_long};
use crate::support::program::{Output, output_within};

/// The folder of the tools for Python and JavaScript.
fn tools() -> PathBuf {
    std::env::var_os("GISCHAT_TOOLS").map_or_else(|| project("target/tools"), PathBuf::from)
}

fn build(directory: &Path, folder: &str) -> Output {
    let mut command = plugin_command(directory, &["build", folder]);
    command.env("GISCHAT_TOOLS", tools());
    // Kept between runs, mostly for the dependencies of the kit.
    command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugins-from-scratch"));
    output_within(&mut command, LONG)
}

#[track_caller]
fn done(output: &Output) {
    assert_eq!(output.status, DONE, "{}{}", output.stdout, output.stderr);
}

/// Asserts that a plugin can be created and built outside of the repository, and passes its cases.
fn from_scratch(language: &str) {
    let directory = tempfile::tempdir().unwrap();
    let name = format!("my-{language}-words");
    let folder = format!("plugins/{name}");
    let new = run_long(directory.path(), &["new", &name, "--lang", language]);
    done(&new);
    for step in [format!("plugin build {folder}"), format!("plugin test {folder}")] {
        assert!(new.stdout.contains(&step), "{step} is not in {}", new.stdout);
    }
    done(&build(directory.path(), &folder));
    let test = run_long(directory.path(), &["test", &folder]);
    done(&test);
    assert!(test.stdout.starts_with(&format!("{name} 0.1.0, ")), "{}", test.stdout);
    assert!(test.stdout.ends_with(" cases, all passed\n"), "{}", test.stdout);
}

#[test]
fn a_plugin_in_rust_is_created_from_scratch() {
    from_scratch("rust");
}

#[test]
fn a_plugin_in_python_is_created_from_scratch() {
    from_scratch("python");
}

#[test]
fn a_plugin_in_javascript_is_created_from_scratch() {
    from_scratch("javascript");
}

const NO_ADMINS: &str = "
import { Filter, passed, reject } from 'gischat-filter';

export default class NoAdmins extends Filter {
  name = 'no-admins';
  version = '0.1.0';

  checkNickname(nickname, room, sender) {
    return nickname === 'admin' && !sender.trusted ? reject(`nobody is admin of ${room}`) : passed();
  }
}
";

#[test]
fn a_case_may_be_about_a_nickname() {
    let plugins = Plugins::none();
    done(&plugins.run(&["new", "no-admins", "--lang", "js"], &[]));
    let cases = "[[case]]\nname = 'a'\nnickname = 'admin'\n\
                 expect = { action = 'reject', reason = 'nobody is admin of QGIS' }\n\
                 [[case]]\nname = 'b'\nnickname = 'admin'\nsender.trusted = true\nexpect.action = 'pass'\n\
                 [[case]]\nname = 'c'\nnickname = 'bob'\nexpect.action = 'pass'\n";
    let plugins = plugins
        .with("plugins/no-admins/filter.js", NO_ADMINS.as_bytes())
        .with("plugins/no-admins/cases/first.toml", cases.as_bytes());
    done(&build(plugins.0.path(), "plugins/no-admins"));
    let test = run_long(plugins.0.path(), &["test", "plugins/no-admins"]);
    done(&test);
    assert!(test.stdout.ends_with("3 cases, all passed\n"), "{}", test.stdout);
}

#[test]
fn a_new_plugin_has_no_placeholders_left() {
    let plugins = Plugins::none();
    for language in ["rust", "python", "js"] {
        let name = format!("no-{language}-here");
        let output = plugins.run(&["new", &name, "--lang", language, "--into", "a/b"], &[]);
        done(&output);
        let folder = plugins.0.path().join("a/b").join(name);
        assert!(folder.join("plugin.toml").exists() && folder.join("sdk/wit/filter.wit").exists(), "{output:?}");
        for file in own_files(&folder) {
            let text = std::fs::read_to_string(&file).unwrap();
            for left in ["my-filter", "MyFilter", "{{", "PATH/sdk"] {
                assert!(!text.contains(left), "{left} is in {}", file.display());
            }
        }
    }
}

/// All files in a folder, recursively, except the kit.
fn own_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let own = entries.filter(|path| !path.ends_with("sdk"));
    own.flat_map(|path| if path.is_dir() { own_files(&path) } else { vec![path] }).collect()
}

#[test]
fn an_invalid_plugin_name_is_rejected() {
    let plugins = Plugins::none();
    for name in ["LinkGuard", "link_guard", "link guard", "../guard", "-guard", "guard-", "", "été"] {
        let output = plugins.run(&["new", "--lang", "rust", "--", name], &[]);
        assert_eq!(output.status, BAD_ARGUMENTS, "{name}: {output:?}");
    }
    assert!(!plugins.0.path().join("plugins").exists());
}

#[test]
fn an_unknown_language_is_rejected() {
    let output = Plugins::none().run(&["new", "guard", "--lang", "cobol"], &[]);
    assert_eq!(output.status, BAD_ARGUMENTS, "{output:?}");
    assert!(output.stderr.contains("rust, python, javascript"), "{output:?}");
}

#[test]
fn an_existing_folder_is_not_changed() {
    let plugins = Plugins::none().with("plugins/guard/notes.txt", b"mine");
    let output = plugins.run(&["new", "guard", "--lang", "rust"], &[]);
    assert_eq!(output.status, FAILURE, "{output:?}");
    assert_eq!(output.stderr, "gischat-relay: plugins/guard: the folder already exists\n");
    assert_eq!(std::fs::read_dir(plugins.0.path().join("plugins/guard")).unwrap().count(), 1);
}

#[test]
fn a_plugin_can_be_created_despite_an_invalid_configuration() {
    let output = Plugins::none().run(&["new", "guard", "--lang", "js"], &[("MAIN_LANG", "?")]);
    done(&output);
}

#[test]
fn a_missing_build_tool_is_named() {
    let plugins = Plugins::none();
    let directory = plugins.0.path();
    let environment = [("PATH", "/usr/bin:/bin"), ("HOME", directory.to_str().unwrap())];
    for (language, tool) in [("python", "pip install componentize-py=="), ("js", "Install")] {
        let name = format!("my-{language}");
        done(&plugins.run(&["new", &name, "--lang", language], &[]));
        let folder = format!("plugins/{name}");
        let output = plugins.run(&["build", &folder], &environment);
        assert_eq!(output.status, FAILURE, "{output:?}");
        assert!(output.stderr.contains(tool), "{tool} is not in {output:?}");
        assert!(!directory.join(folder).join("filter.wasm").exists());
    }
}

#[test]
fn a_folder_with_nothing_to_build_is_named() {
    let output = Plugins::none().with("mine/plugin.toml", b"").run(&["build", "mine"], &[]);
    assert_eq!(output.status, FAILURE, "{output:?}");
    assert!(output.stderr.contains("mine: nothing to build"), "{output:?}");
}
