//! All connections of a run, driven by one thread and one poll.
//!
//! Owns the decision when a member is served: as soon as its socket is ready, or on its turn.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use mio::{Events, Interest, Poll, Token};

use crate::client::Client;
use crate::crowd::{Crowd, Ready};
use crate::layout::Layout;
use crate::rounds::Rounds;
use crate::server::Server;

/// Sockets served between two looks at the clock or at the sender; more would let the sender's
/// window run dry while others are read.
const EVENTS: usize = 256;
/// Client addresses, from 127.0.0.2 on. Ten thousand connections are a hundred for each, far from
/// the end of any range of ports.
const SOURCES: u8 = 100;

/// The connections of one run.
#[derive(Debug)]
pub(crate) struct Swarm {
    poll: Poll,
    events: Events,
    server: SocketAddr,
    /// Whether the server tells rooms how many they are.
    announces: bool,
    /// The number of the first room.
    first_room: usize,
    crowd: Crowd,
    /// Members whose sockets are not in the poll.
    rounds: Option<Rounds>,
}

impl Swarm {
    /// An empty swarm around `server`.
    ///
    /// # Errors
    /// If the system gives no poll.
    pub(crate) fn new(server: &Server) -> Result<Self> {
        Ok(Self {
            poll: Poll::new().context("epoll")?,
            events: Events::with_capacity(EVENTS),
            server: server.address,
            announces: server.announces,
            first_room: 0,
            crowd: Crowd::new(),
            rounds: None,
        })
    }

    /// The same for rooms from that number on.
    pub(crate) fn in_rooms_from(self, first_room: usize) -> Self {
        Self { first_room, ..self }
    }

    /// The members and their counts.
    pub(crate) fn crowd(&self) -> &Crowd {
        &self.crowd
    }

    /// Opens the connections of a `layout`, at most `parallel` handshakes at a time, and says how long the handshakes
    /// took.
    ///
    /// # Errors
    /// At the first connection that fails, and when it takes longer than `limit`.
    pub(crate) fn connect(&mut self, layout: Layout, parallel: usize, limit: Duration) -> Result<Duration> {
        let (started, count) = (Instant::now(), layout.members());
        while self.crowd.opened() < count {
            while self.crowd.len() < count && self.crowd.len() - self.crowd.opened() < parallel {
                self.dial(layout)?;
            }
            self.pump(Duration::from_millis(100), |_, _| {})?;
            let opened = self.crowd.opened();
            if let Some(problem) = self.crowd.problems().first() {
                bail!("after {opened} of {count} connections: {problem}");
            }
            ensure!(started.elapsed() < limit, "{opened} of {count} connections within {limit:?}");
        }
        Ok(started.elapsed())
    }

    fn dial(&mut self, layout: Layout) -> Result<()> {
        let member = self.crowd.len();
        let room = layout.room_of(member);
        let source = Ipv4Addr::new(127, 0, 0, 2 + (member % usize::from(SOURCES)) as u8);
        let mut client = Client::dial((source, 0).into(), self.server, self.first_room + room)
            .with_context(|| format!("connection {member} from {source}"))?;
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(client.stream_mut(), Token(member), both).context("epoll")?;
        self.crowd.add(client, layout.size(room));
        Ok(())
    }

    /// From now on serves `members` by turns, each once in `period`, whether or not something has
    /// come for it.
    ///
    /// The kernel gathers in the meantime, so that one read takes many frames: half the cost of a
    /// delivery is on the receiver's side, and this tool shares its machine with the relay.
    ///
    /// # Errors
    /// If the poll does not let them go.
    pub(crate) fn serve_by_turns(&mut self, members: Vec<usize>, period: Duration) -> Result<()> {
        for &member in &members {
            self.poll.registry().deregister(self.crowd.client_mut(member).stream_mut()).context("epoll")?;
        }
        self.rounds = (!members.is_empty()).then(|| Rounds::new(members, period));
        Ok(())
    }

    /// How often everybody who is served by turns has had one; `None` when nobody is.
    pub(crate) fn laps(&self) -> Option<u64> {
        self.rounds.as_ref().map(Rounds::laps)
    }

    /// Serves what is ready, or waits for it at most `timeout`; `on_chat` gets each chat message
    /// with the number of the member.
    ///
    /// Connections that end are noted, see [`Crowd::problems`].
    ///
    /// # Errors
    /// If polling itself fails.
    pub(crate) fn pump(&mut self, timeout: Duration, mut on_chat: impl FnMut(usize, &[u8])) -> Result<()> {
        let timeout = if self.rounds.is_some() { timeout.min(Rounds::NAP) } else { timeout };
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            other => other.context("epoll")?,
        }
        for event in &self.events {
            let ready = Ready { read: event.is_readable(), write: event.is_writable(), closed: event.is_read_closed() };
            self.crowd.serve(event.token().0, ready, &mut on_chat);
        }
        if let Some(rounds) = &mut self.rounds {
            let ready = Ready { read: true, write: true, closed: false };
            for _ in 0..rounds.deal() {
                self.crowd.serve(rounds.next(), ready, &mut on_chat);
            }
        }
        Ok(())
    }

    /// Keeps `frame` to be sent as `member` with the next [`Self::flush`].
    pub(crate) fn queue(&mut self, member: usize, frame: &[u8]) {
        self.crowd.queue(member, frame);
    }

    /// Sends all that `member` has queued.
    pub(crate) fn flush(&mut self, member: usize) {
        self.crowd.flush(member);
    }

    /// Serves until everybody was told how many are in the room and nothing has come for `quiet`, and says when the
    /// right number came to the last member. A server that announces nothing is quiet from the start.
    ///
    /// Only texts count as noise: ten thousand connections, each pinged now and then, are never without a ping.
    ///
    /// # Errors
    /// When it takes longer than `limit`.
    pub(crate) fn settle(&mut self, quiet: Duration, limit: Duration) -> Result<Instant> {
        let started = Instant::now();
        let (mut last, mut seen) = (started, self.crowd.tally().texts());
        while last.elapsed() < quiet || !self.is_told() {
            self.pump(Duration::from_millis(20), |_, _| {})?;
            let texts = self.crowd.tally().texts();
            if texts != seen {
                (last, seen) = (Instant::now(), texts);
            }
            if started.elapsed() > limit {
                let problem = self.problems().into_iter().next();
                bail!("no quiet within {limit:?}: {}", problem.as_deref().unwrap_or("there is always a text more"));
            }
        }
        Ok(self.crowd.told().since().unwrap_or(started))
    }

    fn is_told(&self) -> bool {
        !self.announces || self.crowd.told().everybody()
    }

    /// What has gone wrong so far; to be asked when all are in and settled.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = self.crowd.problems();
        if !self.is_told() {
            problems.push(format!("{} members do not know how many they are", self.crowd.told().wrong()));
        }
        problems
    }

    /// Ends all connections in good order.
    pub(crate) fn leave(self) {
        self.crowd.leave();
    }
}
