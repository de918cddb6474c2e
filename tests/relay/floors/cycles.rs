//! The files and folders of a folder do not import one another in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::source::{Crate, Edge, ModulePath};

/// For a folder: which of its files and folders import which others, tests aside.
type Graph = BTreeMap<String, BTreeSet<String>>;

fn graphs(edges: &[Edge]) -> BTreeMap<ModulePath, Graph> {
    let mut graphs: BTreeMap<ModulePath, Graph> = BTreeMap::new();
    for Edge { from, to, in_test, .. } in edges {
        let shared = from.iter().zip(to).take_while(|(one, other)| one == other).count();
        if let (Some(own), Some(other), false) = (from.get(shared), to.get(shared), *in_test) {
            let graph = graphs.entry(from.iter().take(shared).cloned().collect()).or_default();
            graph.entry(own.clone()).or_default().insert(other.clone());
        }
    }
    graphs
}

/// Everything that can be reached from a node, itself only over a circle.
fn reachable(graph: &Graph, from: &str) -> BTreeSet<String> {
    let (mut found, mut next) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(node) = next.pop() {
        for other in graph.get(&node).into_iter().flatten() {
            if found.insert(other.clone()) {
                next.push(other.clone());
            }
        }
    }
    found
}

/// The circles of each folder: `folder: a, b, c` for files that all reach one another.
fn cycles(edges: &[Edge]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for (folder, graph) in graphs(edges) {
        let reach: BTreeMap<&String, BTreeSet<String>> =
            graph.keys().map(|node| (node, reachable(&graph, node))).collect();
        let reaches = |from: &String, to: &String| reach.get(from).is_some_and(|found| found.contains(to));
        for node in graph.keys().filter(|node| reaches(node, node)) {
            let circle: Vec<&str> =
                graph.keys().filter(|other| reaches(node, other) && reaches(other, node)).map(String::as_str).collect();
            found.insert(format!("{}: {}", folder.join("/"), circle.join(", ")));
        }
    }
    found.into_iter().collect()
}

#[test]
fn files_of_a_folder_do_not_import_one_another_in_a_circle() {
    let tree = Crate::read_source();
    let found = cycles(&tree.edges());
    assert!(found.is_empty(), "{} circles:\n{}", found.len(), found.join("\n"));
}

#[test]
fn a_planted_circle_is_found() {
    let found = |files: &[(&str, &str)]| {
        let tree = Crate::read(files.iter().map(|(path, text)| (Path::new(*path), *text)));
        cycles(&tree.edges())
    };
    let lib = ("lib.rs", "");
    let direct = [lib, ("m/mod.rs", ""), ("m/a.rs", "use super::b::B;"), ("m/b.rs", "use super::a::A;")];
    assert_eq!(found(&direct), ["m: a, b"]);
    let three =
        [lib, ("m/mod.rs", ""), ("m/a.rs", "use super::b;"), ("m/b.rs", "use super::c;"), ("m/c.rs", "use super::a;")];
    assert_eq!(found(&three), ["m: a, b, c"]);
    let by_re_export =
        [lib, ("m/mod.rs", "mod a; mod b; pub use a::A;"), ("m/a.rs", "use super::b::B;"), ("m/b.rs", "use super::A;")];
    assert_eq!(found(&by_re_export), ["m: a, b"]);
    let in_tests = [
        lib,
        ("m/mod.rs", ""),
        ("m/a.rs", "use super::b::B;"),
        ("m/b.rs", "#[cfg(test)]\nmod tests { use super::super::a::A; }"),
    ];
    assert!(found(&in_tests).is_empty());
    let one_way =
        [lib, ("m/mod.rs", ""), ("m/a.rs", "use super::b::B;"), ("m/b.rs", "use super::c::C;"), ("m/c.rs", "")];
    assert!(found(&one_way).is_empty());
}
