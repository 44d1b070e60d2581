//! Many event streams at once: how they are opened, and how they are told something.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::net::sockopt;
use rustix::time::Timespec;

use crate::wire::{EVENT, has_event};

/// What takes longer does not come.
const PATIENCE: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };
/// Streams that are being opened at the same time.
const OPENING: usize = 64;
const ROOM_BYTES: usize = 64 * 1024;

/// Streams, open.
pub(crate) struct Streams {
    epoll: OwnedFd,
    all: Vec<Stream>,
    events: Vec<Event>,
    room: Vec<u8>,
}

struct Stream {
    socket: TcpStream,
    asked: Instant,
    /// What came since it was last told something.
    heard: Vec<u8>,
}

impl Streams {
    /// Opens one by each of these requests; how long each took, in nanoseconds. One is open once it holds this.
    pub(crate) fn open(address: SocketAddr, requests: &[Vec<u8>], needle: &[u8]) -> (Self, Vec<u32>) {
        let epoll = epoll::create(CreateFlags::CLOEXEC).unwrap();
        let events = Vec::with_capacity(1024);
        let mut streams = Self { epoll, all: Vec::with_capacity(requests.len()), events, room: vec![0; ROOM_BYTES] };
        let mut waits = Vec::with_capacity(requests.len());
        let mut rest = requests.iter();
        while waits.len() < requests.len() {
            let more = OPENING.saturating_sub(streams.all.len() - waits.len());
            for request in rest.by_ref().take(more) {
                streams.ask(address, request);
            }
            streams.listen(|stream| {
                let is_open = has_event(&stream.heard, needle);
                if is_open {
                    assert!(stream.heard.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&stream.heard));
                    waits.push(stream.asked.elapsed().as_nanos().try_into().unwrap_or(u32::MAX));
                }
                is_open
            });
        }
        (streams, waits)
    }

    /// Sends what makes the server tell all of them; how long it took until the last had heard it.
    pub(crate) fn tell(&mut self, caller: &mut TcpStream, request: &[u8]) -> Duration {
        let started = Instant::now();
        caller.write_all(request).expect("the server takes it");
        let mut missing = self.all.len();
        while missing > 0 {
            self.listen(|stream| {
                let has_heard = has_event(&stream.heard, EVENT);
                missing -= usize::from(has_heard);
                has_heard
            });
        }
        started.elapsed()
    }

    fn ask(&mut self, address: SocketAddr, request: &[u8]) {
        let asked = Instant::now();
        let mut socket = TcpStream::connect(address).expect("the server accepts");
        socket.set_nodelay(true).unwrap();
        // It goes at once, and its port with it.
        sockopt::set_socket_linger(&socket, Some(Duration::ZERO)).unwrap();
        socket.set_nonblocking(true).unwrap();
        let data = EventData::new_u64(self.all.len() as u64);
        epoll::add(&self.epoll, &socket, data, EventFlags::IN).unwrap();
        let count = socket.write(request).expect("the server takes it");
        assert_eq!(count, request.len(), "a socket with nothing in it takes a small request at once");
        self.all.push(Stream { socket, asked, heard: Vec::new() });
    }

    // Waits until something comes, and lets each one look at what it heard, which it forgets if that was all.
    fn listen(&mut self, mut is_all: impl FnMut(&Stream) -> bool) {
        epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&PATIENCE)).expect("epoll waits");
        assert!(!self.events.is_empty(), "nothing came within {} s", PATIENCE.tv_sec);
        for event in self.events.drain(..) {
            let stream = &mut self.all[usize::try_from(event.data.u64()).unwrap()];
            match stream.socket.read(&mut self.room) {
                Ok(0) => panic!("a stream ended after {}", String::from_utf8_lossy(&stream.heard)),
                Ok(count) => stream.heard.extend_from_slice(&self.room[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => panic!("a stream broke off: {error}"),
            }
            if is_all(stream) {
                stream.heard.clear();
            }
        }
    }
}
