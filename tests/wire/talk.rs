//! Cases over sockets, and without them at every cut.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use smol_mcp::Config;
use smol_mcp::testing::TestServer;

use crate::answer::Came;
use crate::support::server::{Running, server};
use crate::support::{PATIENCE, wire};
use crate::table::{Case, Expected, Then};

/// Threads that hold cases against one server at once.
const CLIENTS: usize = 4;

/// Bytes of an input that are cut often: all of a short one, and the ends of a long one.
const NEAR_BYTES: usize = 600;

/// What the answer to the good request holds.
const GOOD: &str = "still there";

/// A good request that is short.
const GOOD_GET: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Holds cases against a server with sockets, each followed by a good request on the same connection and by one on a new one.
pub(crate) fn over_sockets(config: Config, cases: &[Case]) -> Vec<String> {
    let running = Running::start(config);
    let next = AtomicUsize::new(0);
    let good = wire::echo(GOOD);
    let work = || {
        let mut wrong = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let sent = followed(case, &good);
            let half = sent.len() / 2;
            let held = on_socket(running.address, &[&sent], case)
                .and_then(|()| on_socket(running.address, &[&sent[..half], &sent[half..]], case))
                .and_then(|()| {
                    let alone = Case { expected: Expected::default(), ..case.clone() };
                    let served = on_socket(running.address, &[good.as_bytes()], &alone);
                    served.map_err(|why| format!("on a new connection: {why}"))
                });
            wrong.extend(held.err().map(|why| told(case, &why)));
        }
        wrong
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(work)).collect();
        clients.into_iter().flat_map(|client| client.join().expect("it does not panic")).collect()
    })
}

/// Holds cases against a whole server without sockets: in one piece, byte by byte, and in two, cut at every place.
pub(crate) fn at_every_cut(config: Config, cases: &[Case]) -> Vec<String> {
    let mut server = TestServer::new(server().0, config).expect("the server starts");
    server.set_unix_time(1_800_000_000);
    let mut wrong = Vec::new();
    for case in cases {
        let sent = followed(case, GOOD_GET);
        wrong.extend(cut_everywhere(&mut server, case, &sent).err().map(|why| told(case, &why)));
    }
    wrong
}

fn cut_everywhere(server: &mut TestServer, case: &Case, sent: &[u8]) -> Result<(), String> {
    let mut hold = |pieces: &mut dyn Iterator<Item = &[u8]>, how: &str| {
        without_socket(server, pieces, case).map_err(|why| format!("{how}: {why}"))
    };
    hold(&mut [sent].into_iter(), "in one piece")?;
    hold(&mut sent.chunks(1), "byte by byte")?;
    cuts(sent, case).into_iter().try_for_each(|cut| {
        let (now, later) = sent.split_at(cut);
        hold(&mut [now, later].into_iter(), &format!("cut at {cut}"))
    })
}

// Where an input is cut in two: around the ends of lines, and at every seventh byte, others in each case. The decoder alone is fed at every one.
fn cuts(sent: &[u8], case: &Case) -> Vec<usize> {
    let length = case.sent.len();
    let is_end = |cut: usize| sent[cut - 1..=cut].iter().any(|byte| matches!(byte, b'\r' | b'\n'));
    let is_near = |cut: usize| length < NEAR_BYTES || cut < NEAR_BYTES / 2 || length - cut < NEAR_BYTES / 2;
    let every = |cut: usize| if is_near(cut) { 7 } else { 997 };
    (1..=length.min(sent.len() - 1))
        .filter(|cut| (*cut + case.line).is_multiple_of(every(*cut)) || is_near(*cut) && is_end(*cut))
        .collect()
}

fn followed(case: &Case, good: &str) -> Vec<u8> {
    let behind = if case.expected.then == Then::Wait { "" } else { good };
    [&case.sent, behind.as_bytes()].concat()
}

fn told(case: &Case, why: &str) -> String {
    format!(
        "line {} ({}): {why}\n  sent: {}",
        case.line,
        case.section,
        case.sent[..case.sent.len().min(500)].escape_ascii()
    )
}

fn on_socket(address: SocketAddr, pieces: &[&[u8]], case: &Case) -> Result<(), String> {
    let io = |what: &'static str| move |error: io::Error| format!("{what}: {error}");
    let mut socket = TcpStream::connect_timeout(&address, PATIENCE).map_err(io("connect"))?;
    socket.set_read_timeout(Some(PATIENCE)).map_err(io("timeout"))?;
    socket.set_nodelay(true).map_err(io("no delay"))?;
    for piece in pieces {
        // It may have closed already.
        if socket.write_all(piece).is_err() {
            break;
        }
    }
    let mut came = Came::new(&case.expected);
    if case.expected.then == Then::Wait {
        socket.shutdown(Shutdown::Write).map_err(io("half-close"))?;
    }
    let mut buffer = [0; 4096];
    let closed = loop {
        match socket.read(&mut buffer) {
            Ok(0) => break true,
            Ok(read) if came.take(&buffer[..read])? => break false,
            Ok(_) => {}
            Err(error) => return Err(format!("{error}; came: {:?}", came.answers)),
        }
    };
    came.judge(closed, |good| good.status == 200 && good.body.contains(GOOD))
}

fn without_socket(server: &mut TestServer, pieces: &mut dyn Iterator<Item = &[u8]>, case: &Case) -> Result<(), String> {
    let connection = server.connect();
    let mut came = Came::new(&case.expected);
    for piece in pieces {
        server.send(&connection, piece);
    }
    came.take(&server.receive(&connection))?;
    let closed = connection.is_closed();
    if case.expected.then == Then::Wait && closed {
        return Err(format!("it closes; came: {:?}", came.answers));
    }
    came.judge(closed, |good| good.status == 200 && good.body == "ok\n")
}
