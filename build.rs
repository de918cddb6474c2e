//! Lists the plugins that are embedded in the program: those that are built when the program is.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The plugins that may be embedded. Those in Rust take about 100 KB each; the interpreter of another language takes 10
/// MB and more.
const PLUGINS: [&str; 3] = ["calm-caps", "flood-guard", "link-guard"];
/// The files that a plugin is embedded with.
const FILES: [&str; 2] = ["plugin.toml", "filter.wasm"];
/// The file that `src/sandbox/embedded.rs` includes.
const LIST: &str = "embedded_plugins.rs";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let mut list = String::from("&[\n");
    for name in PLUGINS {
        let folder = format!("plugins/{name}");
        let [manifest, code] = FILES.map(|file| format!("{folder}/{file}"));
        if [&manifest, &code].into_iter().all(|file| Path::new(file).is_file()) {
            println!("cargo::rerun-if-changed={manifest}\ncargo::rerun-if-changed={code}");
            let [manifest, code] =
                [manifest, code].map(|file| format!("concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{file}\")"));
            writeln!(
                list,
                "Embedded {{ name: \"{name}\", manifest: include_str!({manifest}), code: include_bytes!({code}) }},"
            )?;
        } else if Path::new(&folder).is_dir() {
            // A missing file would make cargo run this script, and compile the program, at every build. The folder is
            // there, and changes when the plugin is built.
            println!("cargo::rerun-if-changed={folder}");
        }
    }
    list.push_str("]\n");
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set; cargo sets it")?;
    fs::write(Path::new(&out).join(LIST), list)?;
    Ok(())
}
