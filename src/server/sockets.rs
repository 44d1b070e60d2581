//! What happens to sockets: one epoll instance for all of them, which is waited for as one file (DESIGN D2).
//!
//! A connection is told of once for each time that something comes (it is edge-triggered), so that nothing has to be said to the kernel again after each
//! event, and an idle client takes no memory beside its slot. What was told stands with the socket until a read or a write finds that it is no longer
//! so (epoll(7), questions 9 and 10).

use std::io;
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::task::{Context, Poll, Waker};

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

use super::conns::ConnRef;
use super::park;
use super::waited::{Told, Waited, is_of_file};
use crate::limits::SOCKET_EVENTS_PER_LOOK;

/// All sockets that are waited for.
pub(super) struct Sockets {
    epoll: Waited,
}

/// What happened, as far as a read or a write would see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct News {
    /// A read gives something, the end, or an error.
    pub(super) readable: bool,
    /// A read may give less than there is: its peer says nothing more, and the end is behind what it said; or it has sent urgent data (tcp(7)), at
    /// which reads stop.
    pub(super) doubtful: bool,
    /// A write takes something, or fails.
    pub(super) writable: bool,
}

/// Which socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Listener,
    /// A connection, which may be closed by now.
    Conn(ConnRef),
}

/// No connection has this number: there are not so many.
const LISTENER: u64 = (1 << 63) - 1;
/// There is somebody to accept: told again and again, as a call of `accept` in vain takes as long as some ten looks (it makes a socket first).
const NEWCOMERS: EventFlags = EventFlags::IN;
const READS: EventFlags = EventFlags::IN.union(EventFlags::PRI).union(EventFlags::RDHUP).union(EventFlags::ET);

impl Sockets {
    /// Nothing is waited for.
    ///
    /// # Errors
    /// Those of the system: there are no more files.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { epoll: Waited::epoll(epoll::create(CreateFlags::CLOEXEC)?) })
    }

    /// From now on it is told that there is something to read; at once, if there is.
    ///
    /// # Errors
    /// Those of the system: so many can't be waited for.
    pub(super) fn add(&self, socket: &impl AsFd, conn: ConnRef) -> io::Result<()> {
        #[cfg(test)]
        super::engine::tests::added()?;
        Ok(epoll::add(&self.epoll, socket, Place::Conn(conn).data(), READS)?)
    }

    /// The same, and that there is room to write, too.
    ///
    /// # Errors
    /// Those of the system: so many can't be waited for.
    pub(super) fn add_all(&self, socket: &impl AsFd, conn: ConnRef) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, socket, Place::Conn(conn).data(), READS.union(EventFlags::OUT))?)
    }

    /// From now on it is told that there is somebody to accept, with each look while there is.
    ///
    /// # Errors
    /// Those of the system: it can't be waited for.
    pub(super) fn add_listener(&self, listener: &TcpListener) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, listener, Place::Listener.data(), NEWCOMERS)?)
    }

    /// Whether it is told that there is somebody to accept.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) fn tell_of(&self, listener: &TcpListener, tells: bool) -> io::Result<()> {
        // Of an error it always tells: once, and not as long as there is one.
        let flags = if tells { NEWCOMERS } else { EventFlags::ET };
        Ok(epoll::modify(&self.epoll, listener, Place::Listener.data(), flags)?)
    }

    /// From now on it is told, too, that there is room to write; at once, if there is.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) fn add_writes(&self, socket: &impl AsFd, conn: ConnRef) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, socket, Place::Conn(conn).data(), READS.union(EventFlags::OUT))?)
    }

    /// Tells what happened since the last look, which may be what the thread was told in its sleep. True where there may be more.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) fn look(&self, mut each: impl FnMut(Place, News)) -> io::Result<bool> {
        if let Some(more) = self.epoll.heard(|told| tell(&mut each, told)) {
            return Ok(more);
        }
        let mut room = [const { MaybeUninit::<Event>::uninit() }; SOCKET_EVENTS_PER_LOOK];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let (events, rest) = match epoll::wait(&self.epoll, &mut room[..], Some(&at_once)) {
            Err(Errno::INTR) => return Ok(true),
            told => told?,
        };
        for event in &*events {
            tell(&mut each, (event.data.u64(), event.flags));
        }
        Ok(rest.is_empty())
    }

    /// Ready when something happened. It must be asked until it is not, to be told again. `here` is woken instead of the task where this thread sleeps on
    /// it: see [`is_told`](Self::is_told).
    ///
    /// # Errors
    /// Those of the system: it can't be waited for.
    pub(super) fn poll(&self, cx: &mut Context<'_>, here: &Waker) -> Poll<io::Result<()>> {
        self.epoll.poll_readable_or_woken(cx, here)
    }

    /// The thread was told of something in its sleep.
    pub(super) fn is_told(&self) -> bool {
        self.epoll.is_told()
    }

    /// To wait for it takes but one call of the system, which looks, too.
    pub(super) fn is_near(&self) -> bool {
        self.epoll.is_parked()
    }

    /// It must be asked again, as somebody else waits now.
    pub(super) fn has_moved(&self) -> bool {
        self.epoll.has_moved()
    }
}

impl Place {
    fn data(self) -> EventData {
        EventData::new_u64(match self {
            Self::Listener => LISTENER,
            Self::Conn(conn) => conn.number(),
        })
    }

    // None for what is no socket: the thread's own files.
    fn of(data: u64) -> Option<Self> {
        match data {
            LISTENER => Some(Self::Listener),
            conn => (!is_of_file(conn)).then(|| Self::Conn(ConnRef::of_number(conn))),
        }
    }
}

fn tell(each: &mut impl FnMut(Place, News), (data, flags): Told) {
    match Place::of(data) {
        Some(place) => each(place, News::of(flags)),
        None => park::tell(data),
    }
}

impl News {
    fn of(flags: EventFlags) -> Self {
        let broken = flags.intersects(EventFlags::ERR.union(EventFlags::HUP));
        let doubtful = broken || flags.intersects(EventFlags::RDHUP.union(EventFlags::PRI));
        Self {
            readable: doubtful || flags.contains(EventFlags::IN),
            doubtful,
            writable: broken || flags.contains(EventFlags::OUT),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::thread;
    use std::time::Duration;

    use super::*;

    const QUIET: News = News { readable: false, doubtful: false, writable: false };

    fn reference(number: u64) -> ConnRef {
        ConnRef::of_number(number)
    }

    fn conn(number: u64) -> Place {
        Place::Conn(reference(number))
    }

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (client, listener.accept().unwrap().0)
    }

    // All that is told until something is, or what is told at once.
    fn told(sockets: &Sockets, waits: bool) -> Vec<(Place, News)> {
        let mut told = Vec::new();
        for _ in 0..if waits { 500 } else { 1 } {
            assert!(!sockets.look(|place, news| told.push((place, news))).unwrap());
            if !told.is_empty() || !waits {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        told
    }

    #[test]
    fn each_thing_is_told_once() {
        let sockets = Sockets::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        sockets.add_listener(&listener).unwrap();
        let (mut client, mut server) = pair();
        sockets.add(&server, reference(7)).unwrap();
        assert_eq!(told(&sockets, false), []);
        client.write_all(b"one").unwrap();
        assert_eq!(told(&sockets, true), [(conn(7), News { readable: true, ..QUIET })]);
        // It was not read, and is not told again; what comes behind it is.
        assert_eq!(told(&sockets, false), []);
        client.write_all(b"two").unwrap();
        assert_eq!(told(&sockets, true), [(conn(7), News { readable: true, ..QUIET })]);
        assert_eq!(server.read(&mut [0; 16]).unwrap(), 6);
        assert_eq!(told(&sockets, false), []);
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(told(&sockets, true), [(conn(7), News { readable: true, doubtful: true, ..QUIET })]);
    }

    #[test]
    fn what_was_read_before_it_was_told_is_not_told() {
        let sockets = Sockets::new().unwrap();
        let (mut client, mut server) = pair();
        client.write_all(b"early").unwrap();
        assert_eq!(server.read(&mut [0; 16]).unwrap(), 5);
        sockets.add(&server, reference(0)).unwrap();
        assert_eq!(told(&sockets, false), []);
        client.write_all(b"late").unwrap();
        assert_eq!(server.read(&mut [0; 16]).unwrap(), 4);
        assert_eq!(told(&sockets, false), []);
        drop(client);
        assert_eq!(told(&sockets, true), [(conn(0), News { readable: true, doubtful: true, ..QUIET })]);
    }

    #[test]
    fn nothing_is_told_of_what_is_closed() {
        let sockets = Sockets::new().unwrap();
        let (mut client, server) = pair();
        sockets.add(&server, reference(0)).unwrap();
        client.write_all(b"there").unwrap();
        drop(server);
        assert_eq!(told(&sockets, false), []);
    }

    #[test]
    fn urgent_data_makes_reads_doubtful() {
        let sockets = Sockets::new().unwrap();
        let (client, server) = pair();
        sockets.add(&server, reference(0)).unwrap();
        rustix::net::send(&client, b"!", rustix::net::SendFlags::OOB).unwrap();
        let told = told(&sockets, true);
        assert!(matches!(told[..], [(_, News { readable: true, doubtful: true, .. })]), "{told:?}");
    }

    #[test]
    fn newcomers_are_told_of_while_they_wait_and_where_that_is_wanted() {
        let sockets = Sockets::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        sockets.add_listener(&listener).unwrap();
        assert_eq!(told(&sockets, false), []);
        let came = [(Place::Listener, News { readable: true, ..QUIET })];
        let clients: Vec<_> = (0..2).map(|_| TcpStream::connect(listener.local_addr().unwrap()).unwrap()).collect();
        for _ in &clients {
            assert_eq!(told(&sockets, true), came);
            sockets.tell_of(&listener, false).unwrap();
            assert_eq!(told(&sockets, false), []);
            sockets.tell_of(&listener, true).unwrap();
            assert_eq!(told(&sockets, false), came);
            listener.accept().unwrap();
        }
        assert_eq!(told(&sockets, false), []);
    }

    #[test]
    fn whoever_waits_is_woken_again_and_again() {
        let sockets = Sockets::new().unwrap();
        let (mut client, server) = pair();
        sockets.add(&server, reference(0)).unwrap();
        for _ in 0..3 {
            // async-io, which waits here, may tell once more of what was.
            while sockets.poll(&mut Context::from_waker(Waker::noop()), Waker::noop()).is_ready() {}
            client.write_all(b"x").unwrap();
            crate::block_on(std::future::poll_fn(|cx| {
                let here = cx.waker().clone();
                sockets.poll(cx, &here)
            }))
            .unwrap();
            assert_eq!(told(&sockets, false).len(), 1);
        }
    }

    #[test]
    fn room_to_write_is_told_when_it_is_asked_for() {
        let sockets = Sockets::new().unwrap();
        let (mut client, mut server) = pair();
        server.set_nonblocking(true).unwrap();
        sockets.add(&server, reference(1)).unwrap();
        let mut written = 0;
        while let Ok(bytes) = server.write(&[b'x'; 4_096]) {
            written += bytes;
        }
        assert_eq!(told(&sockets, false), []);
        sockets.add_writes(&server, reference(1)).unwrap();
        assert_eq!(told(&sockets, false), []);
        let mut all = vec![0; written];
        client.read_exact(&mut all).unwrap();
        assert_eq!(told(&sockets, true), [(conn(1), News { writable: true, ..QUIET })]);
    }

    #[test]
    fn more_than_one_look_tells_is_told_by_the_next() {
        let sockets = Sockets::new().unwrap();
        let pairs: Vec<_> = (0..=SOCKET_EVENTS_PER_LOOK).map(|_| pair()).collect();
        for (place, (client, server)) in pairs.iter().enumerate() {
            sockets.add(server, reference(place as u64)).unwrap();
            (&*client).write_all(b"x").unwrap();
        }
        let mut seen = vec![0; pairs.len()];
        let mut note = |place, _| match place {
            Place::Conn(place) => seen[usize::try_from(place.number()).unwrap()] += 1,
            Place::Listener => unreachable!(),
        };
        assert!(sockets.look(&mut note).unwrap());
        assert!(!sockets.look(&mut note).unwrap());
        assert!(seen.into_iter().all(|times| times == 1));
    }
}
