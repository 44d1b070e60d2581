//! The floor: what one thread pays to the kernel alone. A loop over epoll that parses nothing: it counts bytes, and so knows when a request is
//! whole and which it is; its answers are the recorded ones of the server that it is compared with.
//!
//! ```text
//! speed --serve floor --listen ADDR:PORT --rule BYTES:KIND:FILE ...
//! ```

use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::{self, Errno};
use rustix::net::{self, SocketFlags, sockopt};

/// Taken from the kernel at once.
const EVENTS: usize = 256;
const ROOM_BYTES: usize = 16 * 1024;
const LISTENER: u64 = u64::MAX;

/// What is done about a request of this many bytes.
struct Rule {
    request_bytes: usize,
    kind: Kind,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It is answered.
    Answer,
    /// Its answer begins a stream.
    Stream,
    /// It is answered by the rule before, and all streams are sent this.
    Event,
}

struct Peer {
    socket: OwnedFd,
    received: usize,
    streams: bool,
    /// What is to be written: the rule, and how much of it was.
    writing: Option<(usize, usize)>,
    /// There was no room for all of it.
    is_waited_for: bool,
}

struct Floor {
    epoll: OwnedFd,
    peers: Vec<Option<Peer>>,
    free: Vec<usize>,
    rules: Vec<Rule>,
}

/// Serves until it is killed.
pub(crate) fn serve(listen: &str, rules: &[String]) -> ! {
    let listener = TcpListener::bind(listen).expect("an address that is free");
    // A backlog as the others have it.
    net::listen(&listener, 1024).unwrap();
    listener.set_nonblocking(true).unwrap();
    // Those who are accepted have it from here.
    sockopt::set_tcp_nodelay(&listener, true).unwrap();
    let epoll = epoll::create(CreateFlags::CLOEXEC).unwrap();
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN).unwrap();
    println!("listening on http://{}/mcp", listener.local_addr().unwrap());
    let rules = rules.iter().map(|rule| Rule::read(rule)).collect();
    let mut floor = Floor { epoll, peers: Vec::new(), free: Vec::new(), rules };
    let mut events: Vec<Event> = Vec::with_capacity(EVENTS);
    let mut room = [0; ROOM_BYTES];
    loop {
        match epoll::wait(&floor.epoll, spare_capacity(&mut events), None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => panic!("epoll waits: {error}"),
        }
        for event in events.drain(..) {
            if event.data.u64() == LISTENER {
                floor.accept(&listener, &mut room);
            } else {
                floor.turn(usize::try_from(event.data.u64()).unwrap(), &mut room);
            }
        }
    }
}

impl Rule {
    // BYTES:KIND:FILE
    fn read(rule: &str) -> Self {
        let mut parts = rule.splitn(3, ':');
        let mut part = || parts.next().expect("BYTES:KIND:FILE");
        let request_bytes = part().parse().expect("a number of bytes");
        let kind = match part() {
            "answer" => Kind::Answer,
            "stream" => Kind::Stream,
            "event" => Kind::Event,
            other => panic!("no kind of rule: {other}"),
        };
        Self { request_bytes, kind, bytes: fs::read(part()).expect("a file") }
    }
}

impl Floor {
    // One that comes has most often sent its request by then.
    fn accept(&mut self, listener: &TcpListener, room: &mut [u8]) {
        let Ok(socket) = net::accept_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) else { return };
        let index = self.free.pop().unwrap_or_else(|| {
            self.peers.push(None);
            self.peers.len() - 1
        });
        epoll::add(&self.epoll, &socket, EventData::new_u64(index as u64), EventFlags::IN).unwrap();
        self.peers[index] = Some(Peer { socket, received: 0, streams: false, writing: None, is_waited_for: false });
        self.turn(index, room);
    }

    // What can be done for one now.
    fn turn(&mut self, index: usize, room: &mut [u8]) {
        let Some(peer) = &mut self.peers[index] else { return };
        if peer.writing.is_some() {
            self.write(index);
            return;
        }
        match io::read(&peer.socket, room) {
            Ok(count) if count > 0 => peer.received += count,
            Err(Errno::AGAIN) => return,
            _ => {
                self.close(index);
                return;
            }
        }
        let Some(number) = self.rules.iter().position(|rule| rule.request_bytes == peer.received) else { return };
        peer.received = 0;
        peer.streams = self.rules[number].kind == Kind::Stream;
        peer.writing = Some((number, 0));
        self.write(index);
        if self.rules.get(number + 1).is_some_and(|rule| rule.kind == Kind::Event) {
            self.tell(number + 1);
        }
    }

    fn write(&mut self, index: usize) {
        let Some(peer) = &mut self.peers[index] else { return };
        let Some((number, written)) = &mut peer.writing else { return };
        let bytes = &self.rules[*number].bytes;
        match io::write(&peer.socket, &bytes[*written..]) {
            Ok(count) => *written += count,
            Err(Errno::AGAIN) => {}
            Err(_) => {
                self.close(index);
                return;
            }
        }
        let must_wait = *written < bytes.len();
        if must_wait != peer.is_waited_for {
            peer.is_waited_for = must_wait;
            let flags = if must_wait { EventFlags::OUT } else { EventFlags::IN };
            epoll::modify(&self.epoll, &peer.socket, EventData::new_u64(index as u64), flags).unwrap();
        }
        if !must_wait {
            peer.writing = None;
        }
    }

    fn tell(&mut self, rule: usize) {
        let bytes = &self.rules[rule].bytes;
        for peer in self.peers.iter().flatten().filter(|peer| peer.streams) {
            assert_eq!(io::write(&peer.socket, bytes), Ok(bytes.len()), "a stream that is read has room for an event");
        }
    }

    fn close(&mut self, index: usize) {
        self.peers[index] = None;
        self.free.push(index);
    }
}
