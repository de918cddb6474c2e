//! Generates the list of plugins embedded in the program: those that are already built.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The plugins that may be embedded. Rust plugins take 100 to 220 KB each; the interpreter of another language takes 10
/// MB or more.
const PLUGINS: [&str; 4] = ["calm-caps", "flood-guard", "geofence", "link-guard"];
/// The embedded files of a plugin.
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
            // Watching a missing file would make cargo rerun this script and recompile the program on every build. The
            // folder exists, and changes when the plugin is built.
            println!("cargo::rerun-if-changed={folder}");
        }
    }
    list.push_str("]\n");
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set; run this script through cargo")?;
    fs::write(Path::new(&out).join(LIST), list)?;
    Ok(())
}
