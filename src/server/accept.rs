//! Accepting connections: nothing that goes wrong there ends the server, and nothing makes it spin (DESIGN D4).

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

use rustix::io::Errno;
use rustix::net::{SocketFlags, acceptfrom_with};
use rustix::process::{Resource, getrlimit};

use super::core::{Core, SOCKETS};
use super::notices::Notice;
use super::socket::Socket;
use super::sockets::Sockets;
use crate::limits::{
    ACCEPT_BACKOFF_MS, ACCEPTS_IN_VAIN_MAX, ACCEPTS_PER_KNOCK, FILES_BESIDE_CONNECTIONS, REFUSALS_MAX,
};

/// The listener, and how it went lately.
pub(super) struct Door {
    listener: Option<TcpListener>,
    /// The address of all who connect to it; none where it listens on all of the machine's.
    local: Option<SocketAddr>,
    /// Somebody is there.
    knocked: bool,
    /// Nobody is accepted before this; 0 while all goes well.
    after_ms: u64,
    /// Errors in a row that were a newcomer's.
    in_vain: u32,
}

/// What an error of `accept` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Nobody is there.
    Nobody,
    /// This one is gone; the next one need not be.
    Next,
    /// There are no files or no memory for one more.
    Full,
    /// It will not be otherwise at once.
    Later,
}

impl Door {
    /// Nobody was accepted so far.
    pub(super) fn new(listener: Option<TcpListener>) -> Self {
        let local = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let local = local.filter(|local| !local.ip().is_unspecified());
        Self { listener, local, knocked: false, after_ms: 0, in_vain: 0 }
    }

    /// Somebody came.
    pub(super) const fn knock(&mut self) {
        self.knocked = true;
    }

    /// Somebody is there, and can be let in.
    pub(super) const fn is_knocked(&self) -> bool {
        self.knocked && !self.pauses()
    }

    /// It waits until something can be accepted again.
    pub(super) const fn pauses(&self) -> bool {
        self.after_ms > 0
    }

    /// The pause may be over.
    pub(super) fn open_again<A>(&mut self, core: &Core<'_, A>) {
        if self.pauses() && core.now_ms.get() >= self.after_ms {
            self.after_ms = 0;
            self.tell(core, true);
        }
    }

    /// Accepts the one who has waited longest; the listener tells again of those behind. `serve` polls the worker that has it. False where nobody
    /// was there, or could be accepted. Where there are no more files, somebody has to leave for it; unless that `makes_room`, it knocks on.
    pub(super) fn accept<A>(&mut self, core: &Core<'_, A>, makes_room: bool, serve: impl FnOnce(usize)) -> bool {
        self.knocked = false;
        let (Some(listener), local) = (&self.listener, self.local) else { return false };
        let newcomer = next(
            &mut self.in_vain,
            || accept_from(listener, local).inspect_err(|error| count(core, error)),
            || makes_room && core.let_one_go(),
        );
        let admitted = newcomer.and_then(|newcomer| match newcomer {
            Some((tcp, peer, local)) => core.admit(Socket::tcp(tcp), Some(peer.ip()), local, serve).map(|()| true),
            None => Ok(false),
        });
        match admitted {
            Err(error) if !makes_room && is_full(&error) => {
                self.knocked = true;
                false
            }
            Err(error) => {
                self.pause(core, &error);
                false
            }
            Ok(is_one) => {
                if !core.sockets.as_ref().is_some_and(Sockets::is_near) {
                    // A look takes one call of the system, and to wait in the reactor takes seven.
                    core.ready.set(SOCKETS);
                }
                is_one
            }
        }
    }

    /// Nobody can be accepted for a while.
    pub(super) fn pause<A>(&mut self, core: &Core<'_, A>, error: &io::Error) {
        self.knocked = false;
        self.after_ms = core.now_ms.get().saturating_add(ACCEPT_BACKOFF_MS);
        self.tell(core, false);
        core.notice(Notice::Accept, format_args!("no connection can be accepted for now: {error}"));
    }

    // Who is not let in shall not keep the thread awake. An error of the system costs that, and nothing else.
    fn tell<A>(&self, core: &Core<'_, A>, tells: bool) {
        if let (Some(listener), Some(sockets)) = (&self.listener, &core.sockets) {
            let _ = sockets.tell_of(listener, tells);
        }
    }
}

// A newcomer, its address, and the one that it connected to.
fn accept_from(
    listener: &TcpListener,
    local: Option<SocketAddr>,
) -> io::Result<(TcpStream, SocketAddr, Option<SocketAddr>)> {
    let (socket, peer) = acceptfrom_with(listener, SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC))?;
    let tcp = TcpStream::from(socket);
    let peer = peer.map_or_else(|| tcp.peer_addr(), |peer| Ok(peer.try_into()?))?;
    let local = local.or_else(|| tcp.local_addr().ok());
    Ok((tcp, peer, local))
}

fn count<A>(core: &Core<'_, A>, error: &io::Error) {
    match Verdict::of(error) {
        Verdict::Nobody => {}
        Verdict::Next => core.tally.connections.accept_aborted.add(),
        Verdict::Full | Verdict::Later => core.tally.connections.accept_errors.add(),
    }
}

// The next newcomer; none where nobody is there, or those who were have gone. An error is one after which there must be a pause. `make_room` lets go
// of what has a file, if there is something that is needed less than a newcomer.
fn next<T>(
    in_vain: &mut u32,
    mut accept: impl FnMut() -> io::Result<T>,
    mut make_room: impl FnMut() -> bool,
) -> io::Result<Option<T>> {
    // The room that was made last was of no use: others on this machine take it, or there is no memory.
    let mut is_full = None;
    for _ in 0..ACCEPTS_PER_KNOCK {
        let error = match accept() {
            Ok(newcomer) => {
                *in_vain = 0;
                return Ok(Some(newcomer));
            }
            Err(error) => error,
        };
        match Verdict::of(&error) {
            Verdict::Nobody => return Ok(None),
            Verdict::Next if *in_vain < ACCEPTS_IN_VAIN_MAX => {
                *in_vain += 1;
                is_full = None;
            }
            Verdict::Full if make_room() => is_full = Some(error),
            Verdict::Next | Verdict::Full | Verdict::Later => {
                *in_vain = 0;
                return Err(error);
            }
        }
    }
    is_full.map_or(Ok(None), Err)
}

/// There are no files or no memory for one more.
pub(super) fn is_full(error: &io::Error) -> bool {
    Verdict::of(error) == Verdict::Full
}

impl Verdict {
    // accept(2) lists the errors. Those of a network are of a connection that it broke before it was accepted.
    fn of(error: &io::Error) -> Self {
        let Some(errno) = Errno::from_io_error(error) else { return Self::Later };
        match errno {
            Errno::AGAIN => Self::Nobody,
            Errno::INTR
            | Errno::CONNABORTED
            | Errno::CONNRESET
            | Errno::TIMEDOUT
            | Errno::PROTO
            | Errno::PERM
            | Errno::NETDOWN
            | Errno::NETUNREACH
            | Errno::NONET
            | Errno::HOSTDOWN
            | Errno::HOSTUNREACH
            | Errno::NOPROTOOPT
            | Errno::OPNOTSUPP => Self::Next,
            // The last one is epoll_ctl(2)'s: no more sockets can be waited for.
            Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM | Errno::NOSPC => Self::Full,
            _ => Self::Later,
        }
    }
}

/// Says so when the process may not open as many files as there may be connections.
pub(super) fn warn_of_few_files(connections: usize) {
    let needed = (connections + REFUSALS_MAX) as u64 + FILES_BESIDE_CONNECTIONS;
    if let Some(most) = getrlimit(Resource::Nofile).current.filter(|most| *most < needed) {
        log::warn!(
            "{connections} connections need about {needed} open files, and this process may have {most}; raise that \
             (ulimit -n, LimitNOFILE=), or lower the number of connections"
        );
    }
}

#[cfg(test)]
#[path = "tests_accept.rs"]
mod tests;
