//! The load: one thread, many connections, each of which sends its next request when its answer is whole.
//!
//! Many clients stay awake: their thread looks for answers again and again. One that sleeps has to be woken by the server that answers it, which
//! takes a few microseconds of the server's CPU, and whether it sleeps depends on the server: where that is faster than this thread (the
//! floor is), an answer is always there already. Clients of a board are on other machines, and are woken by their own. A lone client sleeps, as it
//! has to wait for whoever serves it.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::time::Timespec;

use crate::http::{Answer, find};
use crate::wire::shown;

/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long who sleeps does so at most.
const ASLEEP: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };
const AWAKE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
/// The first answers of a connection are looked into; of the rest only the status.
const CHECKED: u32 = 3;
/// Read at once: more than most answers have.
const ROOM_BYTES: usize = 256 * 1024;

/// Whether clients keep their connections.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// They do.
    Keeps,
    /// They close theirs after each answer, without having said so, and open another.
    Anew,
}

/// When clients stop.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    /// After so long.
    Time(Duration),
    /// After so many requests of all of them together.
    Count(usize),
}

/// Clients, connected.
pub(crate) struct Load {
    address: SocketAddr,
    manner: Manner,
    needle: &'static [u8],
    wait: Timespec,
    epoll: OwnedFd,
    clients: Vec<Client>,
}

struct Client {
    socket: Option<TcpStream>,
    request: Vec<u8>,
    answer: Answer,
    sent: Instant,
    checks_left: u32,
}

impl Load {
    /// A client for each of the requests, which it will send again and again.
    pub(crate) fn new(address: SocketAddr, manner: Manner, needle: &'static [u8], requests: Vec<Vec<u8>>) -> Self {
        let epoll = epoll::create(CreateFlags::CLOEXEC).unwrap();
        let client = |request| Client {
            socket: None,
            request,
            answer: Answer::default(),
            sent: Instant::now(),
            checks_left: CHECKED,
        };
        Self { address, manner, needle, wait: ASLEEP, epoll, clients: requests.into_iter().map(client).collect() }
    }

    /// The same, and never asleep.
    pub(crate) fn awake(self) -> Self {
        Self { wait: AWAKE, ..self }
    }

    /// Runs until then, and until all that was asked is answered; how long each answer took, in nanoseconds.
    pub(crate) fn run(&mut self, until: Until) -> Vec<u32> {
        let (end, most) = match until {
            Until::Time(time) => (Some(Instant::now() + time), usize::MAX),
            Until::Count(count) => (None, count),
        };
        let mut waits = Vec::with_capacity(1 << 16);
        let mut started = 0;
        for index in 0..self.clients.len().min(most) {
            self.send(index);
            started += 1;
        }
        let mut room = vec![0; ROOM_BYTES];
        let mut events: Vec<Event> = Vec::with_capacity(self.clients.len());
        while waits.len() < started {
            let waited = Instant::now();
            while events.is_empty() {
                assert!(waited.elapsed() < PATIENCE, "no answer within {PATIENCE:?}");
                epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&self.wait)).expect("epoll waits");
            }
            for event in events.drain(..) {
                let index = usize::try_from(event.data.u64()).unwrap();
                let Some(wait) = self.receive(index, &mut room) else { continue };
                waits.push(wait);
                if started < most && end.is_none_or(|end| Instant::now() < end) {
                    self.send(index);
                    started += 1;
                }
            }
        }
        waits
    }

    // The next request of a client, by a new connection if it has none.
    fn send(&mut self, index: usize) {
        let client = &mut self.clients[index];
        client.sent = Instant::now();
        let socket = client.socket.get_or_insert_with(|| {
            let socket = TcpStream::connect(self.address).expect("the server accepts");
            socket.set_nodelay(true).unwrap();
            socket.set_nonblocking(true).unwrap();
            epoll::add(&self.epoll, &socket, EventData::new_u64(index as u64), EventFlags::IN).unwrap();
            socket
        });
        let count = socket.write(&client.request).expect("the server takes it");
        assert_eq!(count, client.request.len(), "a socket with nothing in it takes a small request at once");
    }

    // What came for a client: how long it waited, if it has its answer.
    fn receive(&mut self, index: usize, room: &mut [u8]) -> Option<u32> {
        let client = &mut self.clients[index];
        let count = match client.socket.as_mut()?.read(room) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
            Err(error) => panic!("an answer broke off: {error}"),
        };
        assert!(count > 0, "the connection ended in the middle of an answer: {}", shown(&client.answer));
        if !client.answer.take(&room[..count]) {
            return None;
        }
        let wait = client.sent.elapsed().as_nanos().try_into().unwrap_or(u32::MAX);
        assert_eq!(client.answer.status(), 200, "{}", shown(&client.answer));
        if client.checks_left > 0 {
            client.checks_left -= 1;
            assert!(find(client.answer.bytes(), self.needle).is_some(), "{}", shown(&client.answer));
        }
        client.answer.clear();
        if self.manner == Manner::Anew {
            client.socket = None;
        }
        Some(wait)
    }
}
