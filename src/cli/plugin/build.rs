//! `plugin build`: runs the script that builds plugins of a language, with the kit that the plugin brings along.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use super::kit;
use super::language::Language;
use super::tell;

/// Where the scripts look for tools, and put them.
const TOOLS: &str = "GISCHAT_TOOLS";
/// Where they are in the repository of the relay.
const TOOLS_HERE: &str = "target/tools";
/// Where cargo puts what it builds.
const CARGO_TARGET: &str = "CARGO_TARGET_DIR";

/// Builds each folder; 1 when one cannot be built. What the tools say is not held back.
pub(super) fn run(folders: &[PathBuf], install: bool) -> ExitCode {
    let mut all_built = true;
    for folder in folders {
        if let Err(fault) = build(folder, install) {
            tell(io::stderr(), &format!("gischat-relay: {fault}\n"));
            all_built = false;
        }
    }
    if all_built { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn build(folder: &Path, install: bool) -> Result<(), String> {
    let named = folder.display();
    let language = Language::of(folder)?;
    // The scripts take a name without a slash for one of the repository's plugins.
    let whole = folder.canonicalize().map_err(|fault| format!("{named}: {fault}"))?;
    let scripts = Scratch::make().map_err(|fault| format!("no folder for the build: {fault}"))?;
    let (name, text) = kit::script(language);
    let script = scripts.0.join(name);
    let own_kit = whole.join("sdk");
    let sdk = if own_kit.is_dir() { own_kit } else { scripts.0.join("sdk") };
    let written = kit::put(&script, text).and_then(|()| kit::write(language, &scripts.0.join("sdk")));
    written.map_err(|fault| format!("no folder for the build: {fault}"))?;

    let mut command = Command::new("sh");
    command.arg(&script).stdin(Stdio::null()).env("GISCHAT_SDK", sdk);
    command.env("GISCHAT_INSTALL", format!("gischat-relay plugin build --install {named}"));
    if is_unset(TOOLS) {
        command.env(TOOLS, tools());
    }
    if is_unset(CARGO_TARGET) {
        command.env(CARGO_TARGET, whole.join("target"));
    }
    // Rust's has nothing that it could install.
    if install && language != Language::Rust {
        command.arg("--install");
    }
    let status = command.arg(&whole).status().map_err(|fault| format!("{named}: sh: {fault}"))?;
    if status.success() { Ok(()) } else { Err(format!("{named}: it could not be built")) }
}

fn is_unset(variable: &str) -> bool {
    env::var_os(variable).is_none_or(|value| value.is_empty())
}

/// The folder of tools when no variable names one: that of the repository, where this is one; else one of the user's.
fn tools() -> PathBuf {
    let here = env::current_dir().unwrap_or_default().join(TOOLS_HERE);
    let of = |variable: &str| env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || of("XDG_CACHE_HOME").or_else(|| Some(of("HOME")?.join(".cache")));
    match cache() {
        Some(cache) if !here.is_dir() => cache.join("gischat-relay/tools"),
        _ => here,
    }
}

/// A folder of this build, which goes with it.
struct Scratch(PathBuf);

impl Scratch {
    fn make() -> io::Result<Self> {
        let path = env::temp_dir().join(format!("gischat-build-{}", uuid::Uuid::new_v4()));
        // Nobody else may put another script there.
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _what_is_left_is_temporary = fs::remove_dir_all(&self.0);
    }
}
