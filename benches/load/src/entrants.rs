//! The servers that are compared: the relay, the floors and uWebSockets.
//!
//! Knows where their programs are and how each is started.

use std::env;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use crate::args::Args;
use crate::chains::{Chain, PluginFolder};
use crate::handshake::room_name;
use crate::server::{Launch, Server};
use crate::variant::Variant;

/// The script for Bun.
const BUN_SCRIPT: (&str, &str) = ("bun-server.js", include_str!("../../floor/bun-server.js"));

/// The setting of the starter rules' preset.
const PRESET: &str = "RELAY__FILTER__PRESET";

/// A server to measure the relay against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rival {
    /// The floor with one write per round and member.
    Coalescing,
    /// The floor with one send per message and member.
    Sends,
    /// uWebSockets, through Bun.
    Uwebsockets,
}

impl Rival {
    /// The name in tables.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Coalescing => "coalescing floor",
            Self::Sends => "one-send floor",
            Self::Uwebsockets => "uWebSockets",
        }
    }
}

/// A server to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerKind {
    Relay,
    Rival(Rival),
    /// The relay, compared with itself.
    RelayWith(Variant),
}

impl ServerKind {
    /// The name in tables.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Relay => "gischat-relay",
            Self::Rival(rival) => rival.title(),
            Self::RelayWith(variant) => variant.title(),
        }
    }

    /// The variant of the relay or of the load, if variants are compared.
    pub(crate) fn variant(self) -> Option<Variant> {
        match self {
            Self::RelayWith(variant) => Some(variant),
            Self::Relay | Self::Rival(_) => None,
        }
    }
}

/// A server that can be started for each run.
#[derive(Debug)]
pub(crate) struct Entrant {
    pub(crate) kind: ServerKind,
    /// The version of a third-party server.
    pub(crate) version: Option<String>,
    method: StartMethod,
}

#[derive(Debug)]
enum StartMethod {
    Start { program: PathBuf, settings: Vec<(String, String)> },
    Attach(SocketAddr, u32),
}

impl Entrant {
    /// The relay that the arguments name.
    fn relay(args: &Args) -> Result<Self> {
        let method = match (&args.relay, args.url, args.pid) {
            (Some(program), ..) => StartMethod::Start { program: found(program)?, settings: args.env.clone() },
            (None, Some(address), Some(pid)) => StartMethod::Attach(address, pid),
            _ => anyhow::bail!("neither a relay to start nor a running one is named"),
        };
        Ok(Self { kind: ServerKind::Relay, version: None, method })
    }

    /// A rival, found by its program: a floor's, or Bun's.
    fn rival(rival: Rival, args: &Args) -> Result<Self> {
        let floor = |name: &str| -> Result<PathBuf> {
            let own = env::current_exe().context("this tool's own path")?;
            let folder = args.floors.as_deref().or(own.parent()).unwrap_or(Path::new(""));
            found(&folder.join(name))
        };
        let (program, version) = match rival {
            Rival::Coalescing => (floor("gischat-floor-coalescing")?, None),
            Rival::Sends => (floor("gischat-floor-sends")?, None),
            Rival::Uwebsockets => {
                let bun = match &args.bun {
                    Some(bun) => found(bun)?,
                    None => on_path("bun").context("no `bun` on PATH")?,
                };
                let version = Command::new(&bun).arg("--version").output().context("Bun does not run")?;
                (bun, Some(format!("Bun {}", String::from_utf8_lossy(&version.stdout).trim())))
            }
        };
        Ok(Self {
            kind: ServerKind::Rival(rival),
            version,
            method: StartMethod::Start { program, settings: Vec::new() },
        })
    }

    /// A server that cannot be started.
    #[cfg(test)]
    pub(crate) fn nowhere(kind: ServerKind) -> Self {
        Self { kind, version: None, method: StartMethod::Start { program: PathBuf::new(), settings: Vec::new() } }
    }

    /// The name in tables.
    pub(crate) fn title(&self) -> &'static str {
        self.kind.title()
    }

    /// Starts the server with `rooms` rooms. With `announced`, uWebSockets announces user counts; the relay always does.
    /// A relay has the rules of `chain` and has loaded the plugins of the folder.
    ///
    /// # Errors
    /// If it does not start.
    pub(crate) fn start(
        &self,
        rooms: usize,
        announced: bool,
        chain: Chain,
        plugins: Option<&PluginFolder>,
    ) -> Result<Server> {
        let (program, settings) = match &self.method {
            StartMethod::Start { program, settings } => (program, settings),
            StartMethod::Attach(address, pid) => {
                ensure!(rooms == 1, "a running relay has one room `bench`, but {rooms} are needed");
                ensure!(plugins.is_none(), "the plugins of a running relay cannot be changed");
                ensure!(!chain.measures_rules(), "the rules of a running relay cannot be changed");
                return Ok(Server::attach(*address, *pid));
            }
        };
        let mut settings = settings.clone();
        let presence = match self.kind {
            ServerKind::Relay | ServerKind::RelayWith(_) => {
                let names: Vec<String> = (0..rooms).map(room_name).collect();
                settings.push(("ROOMS".to_owned(), names.join(",")));
                // A preset in the arguments takes precedence, unless rules are measured.
                if chain.measures_rules() || settings.iter().all(|(name, _)| name != PRESET) {
                    settings.push((PRESET.to_owned(), chain.preset().to_owned()));
                }
                true
            }
            ServerKind::Rival(Rival::Uwebsockets) if announced => {
                settings.push(("PRESENCE".to_owned(), "on".to_owned()));
                true
            }
            ServerKind::Rival(_) => false,
        };
        settings.extend(plugins.map(|folder| ("PLUGINS_DIR".to_owned(), folder.path.display().to_string())));
        let script = (self.kind == ServerKind::Rival(Rival::Uwebsockets)).then_some(BUN_SCRIPT);
        let server = Server::start(&Launch { program, settings: &settings, script }, presence)?;
        server.wait_for_plugins(plugins.map_or(0, |folder| folder.plugins))?;
        Ok(server)
    }

    /// Size of the program if it is started here. Bytes.
    pub(crate) fn program_bytes(&self) -> Option<u64> {
        match &self.method {
            StartMethod::Start { program, .. } => Some(program.metadata().ok()?.len()),
            StartMethod::Attach(..) => None,
        }
    }
}

/// Returns the servers that the arguments name, the relay first. Without names, rivals that are not found are left out
/// with a note on stderr.
///
/// # Errors
/// If a named server is not found.
pub(crate) fn all(args: &Args) -> Result<Vec<Entrant>> {
    let mut entrants = vec![Entrant::relay(args)?];
    match &args.against {
        _ if args.alone => {}
        Some(named) => {
            for rival in named {
                entrants.push(Entrant::rival(*rival, args)?);
            }
        }
        None => {
            for rival in Rival::value_variants() {
                match Entrant::rival(*rival, args) {
                    Ok(entrant) => entrants.push(entrant),
                    Err(error) => eprintln!("without {}: {error:#}", rival.title()),
                }
            }
        }
    }
    Ok(entrants)
}

/// Returns the absolute path of a program, since servers run in directories of their own.
fn found(program: &Path) -> Result<PathBuf> {
    program.canonicalize().with_context(|| format!("no program at {}", program.display()))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path: OsString = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
