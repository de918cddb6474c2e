//! The modules of `lib.rs` import only what is declared before them.

use std::path::Path;

use super::files;
use super::source::{Crate, Edge, is_for_tests};

/// A module that `lib.rs` declares.
#[derive(Debug)]
struct Layer {
    name: String,
    /// Whether it is compiled for tests only. Tests in any module may import it, nothing else may.
    is_for_tests: bool,
}

/// The modules that `lib.rs` declares, the lowest first.
fn declared(lib: &str) -> Vec<Layer> {
    let file = syn::parse_file(lib).unwrap();
    let modules = file.items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) => {
            Some(Layer { name: module.ident.to_string(), is_for_tests: is_for_tests(&module.attrs) })
        }
        _ => None,
    });
    modules.collect()
}

/// Each reference that leads upward, or from the relay itself to a module for tests, with its place.
fn upward(layers: &[Layer], edges: &[Edge]) -> Vec<String> {
    let layer = |name: &String| layers.iter().position(|layer| layer.name == *name);
    let is_for_tests = |at: usize| layers.get(at).is_some_and(|layer| layer.is_for_tests);
    let mut found = Vec::new();
    for Edge { from, to, line, in_test } in edges {
        let (Some(own), Some(other)) = (from.first(), to.first()) else { continue };
        let is_allowed = layer(own)
            .zip(layer(other))
            .is_some_and(|(own, other)| own == other || if is_for_tests(other) { *in_test } else { other < own });
        if !is_allowed {
            found.push(format!("{}:{line}: `{own}` imports `{other}`", from.join("/")));
        }
    }
    found
}

#[test]
fn imports_go_downward_only() {
    let files = files();
    let lib = files.iter().find(|(path, _)| path == Path::new("lib.rs")).map(|(_, text)| text).unwrap();
    let layers = declared(lib);
    assert!(layers.len() > 5, "{layers:?}");
    let found = upward(&layers, &Crate::read_source().edges());
    assert!(found.is_empty(), "src/lib.rs declares from the bottom to the top:\n{}", found.join("\n"));
}

#[test]
fn a_planted_upward_import_is_found() {
    let layers = declared("mod model; mod wire; #[cfg(test)] mod fixtures; mod room; mod app;");
    for (path, text, lines) in [
        ("wire/v1.rs", "use crate::room::Room;", vec![1]),
        ("wire/v1.rs", "use crate::{model::Message,\n room::{Room, app},\n wire, app};", vec![2, 2, 3]),
        ("wire/v1.rs", "fn f() {\n crate::app::run(\"crate::room\", 'c')\n}", vec![2]),
        ("wire/v1.rs", "fn f() {\n println!(\"{}\",\n crate::app::run())\n}", vec![3]),
        ("wire/mod.rs", "use super::room::Room;", vec![1]),
        ("wire/v1.rs", "use super::super::room::Room;", vec![1]),
        ("wire/v1.rs", "use super::room::Room;", vec![]),
        ("wire/mod.rs", "mod tests {\n use super::room;\n use super::super::room;\n}\nuse super::app;", vec![3, 5]),
        ("wire.rs", "fn f<'a>(x: &'a str) {} type X = crate :: room :: Y;", vec![1]),
        ("room/mod.rs", "use crate::{model, wire::{self, room}};\nuse crate::room::x;", vec![]),
        ("room/mod.rs", "/* crate::app */ // crate::app\n//! [`crate::app`]\n//! x", vec![]),
        ("room/mod.rs", "const X: &str = r#\"crate::app \" crate::app\"#; use crate::app;", vec![1]),
        ("model/mod.rs", "pub use crate::wire::Line;", vec![1]),
        ("model/mod.rs", "#[cfg(test)]\nmod tests { use crate::fixtures::room; }", vec![]),
        ("room/mod.rs", "use crate::fixtures::room;", vec![1]),
        ("fixtures/mod.rs", "use crate::model::Message;\nuse crate::room::Room;", vec![2]),
    ] {
        let others = ["lib.rs", "model/mod.rs", "wire/mod.rs", "fixtures/mod.rs", "room/mod.rs", "app/mod.rs"];
        let others = others.into_iter().filter(|other| *other != path).map(|other| (Path::new(other), ""));
        let tree = Crate::read(others.chain([(Path::new(path), text)]));
        let found: Vec<usize> = (upward(&layers, &tree.edges()).iter())
            .map(|found| found.split(':').nth(1).unwrap().parse().unwrap())
            .collect();
        assert_eq!(found, lines, "{path}: {text}");
    }
}

#[test]
fn an_upward_import_by_a_re_export_is_found() {
    let layers = declared("mod model; mod wire;");
    let tree = Crate::read([
        (Path::new("lib.rs"), ""),
        (Path::new("model/mod.rs"), "pub use crate::wire::Line;"),
        (Path::new("model/text.rs"), "use super::Line;"),
        (Path::new("wire/mod.rs"), "pub struct Line;"),
    ]);
    let found = upward(&layers, &tree.edges());
    assert_eq!(found, ["model:1: `model` imports `wire`", "model/text:1: `model` imports `wire`"]);
}
