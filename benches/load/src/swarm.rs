//! All connections of a run, driven by one thread and one poll.
//!
//! Decides when a member is served: as soon as its socket is ready, or on its turn.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use mio::{Events, Interest, Poll, Token};

use crate::client::Client;
use crate::clients::{Clients, Ready};
use crate::frames::Text;
use crate::layout::Layout;
use crate::round_robin::RoundRobin;
use crate::server::Server;

/// Most sockets served between two checks of the clock and of the sender. With more, the sender's window would run dry
/// while others are read.
const EVENTS: usize = 256;
/// Client addresses of a swarm, from 127.0.0.2 on. Ten thousand connections are a hundred for each, far below any limit
/// of ports.
const SOURCES: u8 = 100;

/// The connections of one run.
#[derive(Debug)]
pub(crate) struct Swarm {
    poll: Poll,
    events: Events,
    server: SocketAddr,
    /// Whether the server announces user counts.
    announces: bool,
    /// The number of the first room.
    first_room: usize,
    /// The last byte of the first client address.
    first_source: u8,
    clients: Clients,
    /// Members that are served by turns; their sockets are not in the poll.
    round_robin: Option<RoundRobin>,
}

impl Swarm {
    /// Creates an empty swarm for `server`.
    ///
    /// # Errors
    /// If the poll cannot be created.
    pub(crate) fn new(server: &Server) -> Result<Self> {
        Ok(Self {
            poll: Poll::new().context("epoll")?,
            events: Events::with_capacity(EVENTS),
            server: server.address,
            announces: server.announces,
            first_room: 0,
            first_source: 2,
            clients: Clients::new(),
            round_robin: None,
        })
    }

    /// Uses the rooms from number `first_room` on.
    pub(crate) fn in_rooms_from(self, first_room: usize) -> Self {
        Self { first_room, ..self }
    }

    /// Uses client addresses that no other swarm has.
    pub(crate) fn with_own_addresses(self) -> Self {
        Self { first_source: self.first_source + SOURCES, ..self }
    }

    /// The members and their counts.
    pub(crate) fn clients(&self) -> &Clients {
        &self.clients
    }

    /// Opens the connections of a `layout`, at most `parallel` handshakes at a time. Returns how long the handshakes took.
    ///
    /// # Errors
    /// If a connection fails, or when it takes longer than `limit`.
    pub(crate) fn connect(&mut self, layout: Layout, parallel: usize, limit: Duration) -> Result<Duration> {
        let (started, count) = (Instant::now(), layout.members());
        while self.clients.opened() < count {
            while self.clients.len() < count && self.clients.len() - self.clients.opened() < parallel {
                self.dial(layout)?;
            }
            self.pump(Duration::from_millis(100), |_, _| {})?;
            let opened = self.clients.opened();
            if let Some(problem) = self.clients.problems().first() {
                bail!("after {opened} of {count} connections: {problem}");
            }
            ensure!(started.elapsed() < limit, "{opened} of {count} connections within {limit:?}");
        }
        Ok(started.elapsed())
    }

    fn dial(&mut self, layout: Layout) -> Result<()> {
        let member = self.clients.len();
        let room = layout.room_of(member);
        let source = Ipv4Addr::new(127, 0, 0, self.first_source + (member % usize::from(SOURCES)) as u8);
        let generation = layout.generation_of(member);
        let mut client = Client::dial((source, 0).into(), self.server, self.first_room + room, generation)
            .with_context(|| format!("connection {member} from {source}"))?;
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(client.stream_mut(), Token(member), both).context("epoll")?;
        self.clients.add(client, layout.size(room));
        Ok(())
    }

    /// Serves `members` by turns from now on, each once in `period`, whether or not data has arrived for it.
    ///
    /// The kernel collects data in the meantime, so that one read takes many frames: half the cost of a delivery is on
    /// the receiver's side, and this tool shares its machine with the relay.
    ///
    /// # Errors
    /// If the sockets cannot be deregistered.
    pub(crate) fn serve_by_turns(&mut self, members: Vec<usize>, period: Duration) -> Result<()> {
        for &member in &members {
            self.poll.registry().deregister(self.clients.client_mut(member).stream_mut()).context("epoll")?;
        }
        self.round_robin = (!members.is_empty()).then(|| RoundRobin::new(members, period));
        Ok(())
    }

    /// How often every member that is served by turns has had its turn; `None` if there are none.
    pub(crate) fn laps(&self) -> Option<u64> {
        self.round_robin.as_ref().map(RoundRobin::laps)
    }

    /// Serves ready sockets, or waits for one at most `timeout`. `on_message` receives each message with the number of
    /// the member.
    ///
    /// Connections that end are recorded, see [`Clients::problems`].
    ///
    /// # Errors
    /// If polling itself fails.
    pub(crate) fn pump(&mut self, timeout: Duration, mut on_message: impl FnMut(usize, Text<'_>)) -> Result<()> {
        let timeout = if self.round_robin.is_some() { timeout.min(RoundRobin::MAX_WAIT) } else { timeout };
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            other => other.context("epoll")?,
        }
        for event in &self.events {
            let ready = Ready { read: event.is_readable(), write: event.is_writable(), closed: event.is_read_closed() };
            self.clients.serve(event.token().0, ready, &mut on_message);
        }
        if let Some(round_robin) = &mut self.round_robin {
            let ready = Ready { read: true, write: true, closed: false };
            for _ in 0..round_robin.due_turns() {
                self.clients.serve(round_robin.next(), ready, &mut on_message);
            }
        }
        Ok(())
    }

    /// Queues `frame` for `member`. The next [`Self::flush`] sends it.
    pub(crate) fn queue(&mut self, member: usize, frame: &[u8]) {
        self.clients.queue(member, frame);
    }

    /// Sends everything that is queued for `member`.
    pub(crate) fn flush(&mut self, member: usize) {
        self.clients.flush(member);
    }

    /// Serves until every member has the right user count and no text has arrived for `quiet`. Returns when the last
    /// member received the right count. Counts are not awaited from a server that does not announce them.
    ///
    /// Pings do not count: among ten thousand connections there is always one.
    ///
    /// # Errors
    /// When it takes longer than `limit`.
    pub(crate) fn settle(&mut self, quiet: Duration, limit: Duration) -> Result<Instant> {
        let started = Instant::now();
        let (mut last, mut seen) = (started, self.clients.tally().texts());
        while last.elapsed() < quiet || !self.has_right_counts() {
            self.pump(Duration::from_millis(20), |_, _| {})?;
            let texts = self.clients.tally().texts();
            if texts != seen {
                (last, seen) = (Instant::now(), texts);
            }
            if started.elapsed() > limit {
                let problem = self.problems().into_iter().next();
                bail!("not quiet within {limit:?}: {}", problem.as_deref().unwrap_or("texts keep arriving"));
            }
        }
        Ok(self.clients.presence().complete_since().unwrap_or(started))
    }

    fn has_right_counts(&self) -> bool {
        !self.announces || self.clients.presence().is_complete()
    }

    /// Returns the problems so far. Call it when all connections are open and settled.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = self.clients.problems();
        if !self.has_right_counts() {
            problems.push(format!("{} members have a wrong user count", self.clients.presence().incorrect()));
        }
        problems
    }

    /// Closes all connections.
    pub(crate) fn close(self) {
        self.clients.close();
    }
}
