//! `plugin build`: runs the build script of a plugin's language, with the kit in the plugin's folder.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use super::kit;
use super::language::Language;
use super::print_to;

/// The variable with the folder in which the scripts install and find tools.
const TOOLS_VARIABLE: &str = "GISCHAT_TOOLS";
/// The folder of tools in the relay's repository.
const REPOSITORY_TOOLS: &str = "target/tools";
/// The variable with cargo's target folder.
const CARGO_TARGET_VARIABLE: &str = "CARGO_TARGET_DIR";

/// Builds each folder and shows the output of the tools. Exits with 1 if a build fails.
pub(super) fn run(folders: &[PathBuf], install: bool) -> ExitCode {
    let mut all_built = true;
    for folder in folders {
        if let Err(error) = build(folder, install) {
            print_to(io::stderr(), &format!("gischat-relay: {error}\n"));
            all_built = false;
        }
    }
    if all_built { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn build(folder: &Path, install: bool) -> Result<(), String> {
    let named = folder.display();
    let language = Language::detect(folder)?;
    // The scripts treat a name without a slash as a plugin of the repository.
    let absolute = folder.canonicalize().map_err(|error| format!("{named}: {error}"))?;
    let scripts = ScratchDir::new().map_err(|error| format!("cannot create a folder for the build: {error}"))?;
    let (name, text) = kit::script(language);
    let script = scripts.0.join(name);
    let own_kit = absolute.join("sdk");
    let sdk = if own_kit.is_dir() { own_kit } else { scripts.0.join("sdk") };
    let written = kit::write_file(&script, text).and_then(|()| kit::write_kit(language, &scripts.0.join("sdk")));
    written.map_err(|error| format!("cannot create a folder for the build: {error}"))?;

    let mut command = Command::new("sh");
    command.arg(&script).stdin(Stdio::null()).env("GISCHAT_SDK", sdk);
    command.env("GISCHAT_INSTALL", format!("gischat-relay plugin build --install {named}"));
    if is_unset(TOOLS_VARIABLE) {
        command.env(TOOLS_VARIABLE, tools());
    }
    if is_unset(CARGO_TARGET_VARIABLE) {
        command.env(CARGO_TARGET_VARIABLE, absolute.join("target"));
    }
    // The script for Rust installs nothing.
    if install && language != Language::Rust {
        command.arg("--install");
    }
    let status = command.arg(&absolute).status().map_err(|error| format!("{named}: sh: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{named}: the build failed")) }
}

fn is_unset(variable: &str) -> bool {
    env::var_os(variable).is_none_or(|value| value.is_empty())
}

/// The default folder of tools: that of the repository if there is one, otherwise one in the user's cache.
fn tools() -> PathBuf {
    let here = env::current_dir().unwrap_or_default().join(REPOSITORY_TOOLS);
    let path_in = |variable: &str| env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || path_in("XDG_CACHE_HOME").or_else(|| Some(path_in("HOME")?.join(".cache")));
    match cache() {
        Some(cache) if !here.is_dir() => cache.join("gischat-relay/tools"),
        _ => here,
    }
}

/// A temporary folder for one build, removed on drop.
struct ScratchDir(PathBuf);

impl ScratchDir {
    fn new() -> io::Result<Self> {
        let path = env::temp_dir().join(format!("gischat-build-{}", uuid::Uuid::new_v4()));
        // Nobody else may replace the script.
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        let _ignored = fs::remove_dir_all(&self.0);
    }
}
