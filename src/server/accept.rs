//! Accepting connections: nothing that goes wrong there ends the server, and nothing makes it spin (DESIGN D4).

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

use rustix::io::Errno;
use rustix::net::{SocketFlags, acceptfrom_with};
use rustix::process::{Resource, getrlimit};

use super::core::{Core, SOCKETS};
use super::notices::Notice;
use super::socket::Socket;
use crate::limits::{ACCEPT_BACKOFF_MS, ACCEPTS_IN_VAIN_MAX, ACCEPTS_PER_TURN, FILES_BESIDE_CONNECTIONS, REFUSALS_MAX};

/// The listener, and how it went lately.
pub(super) struct Door {
    listener: Option<TcpListener>,
    /// The address of all who connect to it; none where it listens on all of the machine's.
    local: Option<SocketAddr>,
    /// Somebody may be there.
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

/// What comes after a newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// The next one.
    Accept,
    /// Those who woke meanwhile.
    Others,
}

/// How a turn of accepting ended.
#[derive(Debug)]
enum Turn {
    /// The listener tells when there is somebody.
    Waits,
    /// There may be more.
    More,
    /// The same, and others have woken.
    Others,
    /// Nobody can be accepted.
    Pause(io::Error),
}

impl Door {
    /// Nobody was accepted so far.
    pub(super) fn new(listener: Option<TcpListener>) -> Self {
        let local = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let local = local.filter(|local| !local.ip().is_unspecified());
        Self { listener, local, knocked: true, after_ms: 0, in_vain: 0 }
    }

    /// Somebody came.
    pub(super) const fn knock(&mut self) {
        self.knocked = true;
    }

    /// Somebody may be there, and can be let in; `just`: somebody came just now.
    pub(super) const fn is_knocked(&mut self, just: bool) -> bool {
        self.knocked |= just;
        self.knocked && !self.pauses()
    }

    /// It waits until something can be accepted again.
    pub(super) const fn pauses(&self) -> bool {
        self.after_ms > 0
    }

    /// The pause may be over.
    pub(super) const fn open_again(&mut self, now_ms: u64) {
        if now_ms >= self.after_ms {
            self.after_ms = 0;
        }
    }

    /// Accepts those who wait, some at a time. `serve` polls the worker that has one of them: what the kernel has of a connection is at hand then. So
    /// these few go before others whose requests have come meanwhile, as long as there are buffers.
    pub(super) fn accept<A>(&mut self, core: &Core<'_, A>, mut serve: impl FnMut(usize)) {
        self.knocked = false;
        let (Some(listener), local) = (&self.listener, self.local) else { return };
        let turn = turn(
            &mut self.in_vain,
            || accept_from(listener, local).inspect_err(|error| count(core, error)),
            |(tcp, peer, local)| {
                core.admit(Socket::tcp(tcp), Some(peer.ip()), local)?;
                core.assigned.take().into_iter().for_each(&mut serve);
                Ok(if core.ready.is_any() { Next::Others } else { Next::Accept })
            },
            || core.let_one_go(),
        );
        match turn {
            Turn::Waits => {}
            Turn::Others => self.knocked = true,
            Turn::More => {
                self.knocked = true;
                // What happened meanwhile is looked at before: those who came may have gone again, and a crowd must not take the places of others
                // before that is seen.
                core.ready.set(SOCKETS);
            }
            Turn::Pause(error) => self.pause(core, &error),
        }
    }

    /// Nobody can be accepted for a while.
    pub(super) fn pause<A>(&mut self, core: &Core<'_, A>, error: &io::Error) {
        self.knocked = true;
        self.after_ms = core.now_ms.get().saturating_add(ACCEPT_BACKOFF_MS);
        core.notice(Notice::Accept, format_args!("no connection can be accepted for now: {error}"));
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

// `make_room` lets go of what has a file, if there is something that is needed less than a newcomer.
fn turn<T>(
    in_vain: &mut u32,
    mut accept: impl FnMut() -> io::Result<T>,
    mut admit: impl FnMut(T) -> io::Result<Next>,
    mut make_room: impl FnMut() -> bool,
) -> Turn {
    for _ in 0..ACCEPTS_PER_TURN {
        let error = match accept() {
            Ok(newcomer) => {
                *in_vain = 0;
                match admit(newcomer) {
                    Ok(Next::Accept) => continue,
                    Ok(Next::Others) => return Turn::Others,
                    Err(error) => return Turn::Pause(error),
                }
            }
            Err(error) => error,
        };
        match Verdict::of(&error) {
            Verdict::Nobody => return Turn::Waits,
            Verdict::Next if *in_vain < ACCEPTS_IN_VAIN_MAX => *in_vain += 1,
            Verdict::Full if make_room() => {}
            Verdict::Next | Verdict::Full | Verdict::Later => {
                *in_vain = 0;
                return Turn::Pause(error);
            }
        }
    }
    Turn::More
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
            // The last one: no more sockets can be waited for (epoll_ctl(2)).
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
