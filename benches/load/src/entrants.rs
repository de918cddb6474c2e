//! The servers that are compared: the relay, the floors and uWebSockets.
//!
//! Owns where their programs are and how each wants to be started.

use std::env;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use crate::args::Args;
use crate::chains::{Chain, Folder};
use crate::handshake::room_name;
use crate::server::{Launch, Server};

/// What Bun runs.
const BUN_SCRIPT: (&str, &str) = ("bun-server.js", include_str!("../../floor/bun-server.js"));

/// The setting that says how much the starter rules do.
const PRESET: &str = "RELAY__FILTER__PRESET";

/// A server to measure the relay against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rival {
    /// The floor that writes once a round and member.
    Coalescing,
    /// The floor that sends each message to each member.
    Sends,
    /// uWebSockets, by way of Bun.
    Uwebsockets,
}

impl Rival {
    /// As it is called in tables.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Coalescing => "coalescing floor",
            Self::Sends => "one-send floor",
            Self::Uwebsockets => "uWebSockets",
        }
    }
}

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Relay,
    Rival(Rival),
    /// The relay with these plugins or rules.
    With(Chain),
}

impl Who {
    /// As it is called in tables.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Relay => "gischat-relay",
            Self::Rival(rival) => rival.title(),
            Self::With(chain) => chain.title(),
        }
    }
}

/// One server, ready to be started as often as there are runs.
#[derive(Debug)]
pub(crate) struct Entrant {
    pub(crate) who: Who,
    /// What of it matters for a figure, if it is somebody else's.
    pub(crate) version: Option<String>,
    how: How,
}

#[derive(Debug)]
enum How {
    Start { program: PathBuf, settings: Vec<(String, String)> },
    Attach(SocketAddr, u32),
}

impl Entrant {
    /// The relay that the arguments name.
    fn relay(args: &Args) -> Result<Self> {
        let how = match (&args.relay, args.url, args.pid) {
            (Some(program), ..) => How::Start { program: found(program)?, settings: args.env.clone() },
            (None, Some(address), Some(pid)) => How::Attach(address, pid),
            _ => anyhow::bail!("neither a relay to start nor one that runs"),
        };
        Ok(Self { who: Who::Relay, version: None, how })
    }

    /// A rival by its program: a floor's, or Bun's.
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
        Ok(Self { who: Who::Rival(rival), version, how: How::Start { program, settings: Vec::new() } })
    }

    /// One that cannot be started.
    #[cfg(test)]
    pub(crate) fn nowhere(who: Who) -> Self {
        Self { who, version: None, how: How::Start { program: PathBuf::new(), settings: Vec::new() } }
    }

    /// As it is called in tables.
    pub(crate) fn title(&self) -> &'static str {
        self.who.title()
    }

    /// A server with `rooms`. With `announced`, one that can tell its rooms how many they are does so; the relay always
    /// does. The relay has the rules of `chain`, and has loaded the plugins of the folder when it is one.
    ///
    /// # Errors
    /// If it does not start.
    pub(crate) fn start(
        &self,
        rooms: usize,
        announced: bool,
        chain: Chain,
        plugins: Option<&Folder>,
    ) -> Result<Server> {
        let (program, settings) = match &self.how {
            How::Start { program, settings } => (program, settings),
            How::Attach(address, pid) => {
                ensure!(rooms == 1, "a relay that runs already has one room `bench`, and {rooms} are needed");
                ensure!(plugins.is_none(), "a relay that runs already has the plugins that it has");
                ensure!(!chain.is_of_rules(), "a relay that runs already has the rules that it has");
                return Ok(Server::attach(*address, *pid));
            }
        };
        let mut settings = settings.clone();
        let presence = match self.who {
            Who::Relay | Who::With(_) => {
                let names: Vec<String> = (0..rooms).map(room_name).collect();
                settings.push(("ROOMS".to_owned(), names.join(",")));
                // What the arguments say comes first, unless the rules are what differs between the columns.
                if chain.is_of_rules() || settings.iter().all(|(name, _)| name != PRESET) {
                    settings.push((PRESET.to_owned(), chain.preset().to_owned()));
                }
                true
            }
            Who::Rival(Rival::Uwebsockets) if announced => {
                settings.push(("PRESENCE".to_owned(), "on".to_owned()));
                true
            }
            Who::Rival(_) => false,
        };
        settings.extend(plugins.map(|folder| ("PLUGINS_DIR".to_owned(), folder.path.display().to_string())));
        let script = (self.who == Who::Rival(Rival::Uwebsockets)).then_some(BUN_SCRIPT);
        let server = Server::start(&Launch { program, settings: &settings, script }, presence)?;
        server.wait_for_plugins(plugins.map_or(0, |folder| folder.plugins))?;
        Ok(server)
    }

    /// Bytes of its program, where it is started here.
    pub(crate) fn program_bytes(&self) -> Option<u64> {
        match &self.how {
            How::Start { program, .. } => Some(program.metadata().ok()?.len()),
            How::Attach(..) => None,
        }
    }
}

/// All servers that the arguments name, the relay first. Rivals that are not named are left out where they cannot be
/// had, which is said on stderr.
///
/// # Errors
/// If one that is named cannot be had.
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

/// Servers run in directories of their own, so their programs need whole paths.
fn found(program: &Path) -> Result<PathBuf> {
    program.canonicalize().with_context(|| format!("no program at {}", program.display()))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path: OsString = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
