//! Accepting connections: nothing that goes wrong there ends the server, and nothing makes it spin (DESIGN D4).

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::task::{Context, Poll};

use async_io::Async;
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use super::core::{Core, LISTENER};
use super::notices::Notice;
use super::socket::Socket;
use crate::limits::{ACCEPT_BACKOFF_MS, ACCEPTS_IN_VAIN_MAX, ACCEPTS_PER_TURN, FILES_BESIDE_CONNECTIONS, REFUSALS_MAX};

/// The listener, and how it went lately.
pub(super) struct Door {
    listener: Option<Async<TcpListener>>,
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

/// How a turn of accepting ended.
#[derive(Debug)]
enum Turn {
    /// The listener wakes when there is somebody.
    Waits,
    /// There may be more.
    More,
    /// Nobody can be accepted.
    Pause(io::Error),
}

impl Door {
    /// Nobody was accepted so far.
    pub(super) fn new(listener: Option<Async<TcpListener>>) -> Self {
        Self { listener, after_ms: 0, in_vain: 0 }
    }

    /// It waits until something can be accepted again.
    pub(super) const fn pauses(&self) -> bool {
        self.after_ms > 0
    }

    /// The pause is over. True when there was one.
    pub(super) fn open_again(&mut self, now_ms: u64) -> bool {
        let over = self.pauses() && now_ms >= self.after_ms;
        if over {
            self.after_ms = 0;
        }
        over
    }

    /// Accepts those who wait, some at a time.
    pub(super) fn accept<A>(&mut self, core: &Core<'_, A>) {
        let Some(listener) = &self.listener else { return };
        if self.pauses() {
            return;
        }
        let mut cx = Context::from_waker(core.waker(LISTENER));
        let turn = turn(
            &mut self.in_vain,
            || accept_from(listener).inspect_err(|error| count(core, error)),
            || listener.poll_readable(&mut cx),
            |(tcp, peer)| {
                let local = tcp.get_ref().local_addr().ok();
                core.admit(Socket::Tcp(tcp), Some(peer.ip()), local);
            },
            || core.let_one_go(),
        );
        match turn {
            Turn::Waits => {}
            Turn::More => core.ready.set(LISTENER),
            Turn::Pause(error) => {
                let now_ms = core.now_ms.get();
                self.after_ms = now_ms.saturating_add(ACCEPT_BACKOFF_MS);
                core.notice(Notice::Accept, format_args!("no connection can be accepted for now: {error}"));
            }
        }
    }
}

fn accept_from(listener: &Async<TcpListener>) -> io::Result<(Async<TcpStream>, SocketAddr)> {
    let (tcp, peer) = listener.get_ref().accept()?;
    // Where it can't be set, answers are slower.
    let _ = tcp.set_nodelay(true);
    Ok((Async::new(tcp)?, peer))
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
    mut poll_readable: impl FnMut() -> Poll<io::Result<()>>,
    mut admit: impl FnMut(T),
    mut make_room: impl FnMut() -> bool,
) -> Turn {
    for _ in 0..ACCEPTS_PER_TURN {
        let error = match accept() {
            Ok(newcomer) => {
                *in_vain = 0;
                admit(newcomer);
                continue;
            }
            Err(error) => error,
        };
        match Verdict::of(&error) {
            Verdict::Nobody => match poll_readable() {
                Poll::Pending => return Turn::Waits,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Turn::Pause(error),
            },
            Verdict::Next if *in_vain < ACCEPTS_IN_VAIN_MAX => *in_vain += 1,
            Verdict::Full if make_room() => {}
            Verdict::Next | Verdict::Full | Verdict::Later => {
                *in_vain = 0;
                return Turn::Pause(error);
            }
        }
    }
    // There may be more; but the reactor looks first at those who came in, as they may have gone again: a crowd must not take the places of others
    // before it is seen.
    match poll_readable() {
        Poll::Pending => Turn::Waits,
        Poll::Ready(Ok(())) => Turn::More,
        Poll::Ready(Err(error)) => Turn::Pause(error),
    }
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
