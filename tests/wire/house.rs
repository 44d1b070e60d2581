//! WIRE 5, 14 to 20, as far as a socket tells: what comes before a body is asked for, answers that can be read though the body was not, streams of
//! whole events, and a full house. More of the same: `conversations/limits.txt` and `shutdown.txt`, and the tests `full_house`, `faults`, `starve`,
//! `memory` and `simulation`.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::json;
use smol_mcp::Config;

use crate::answer::Answer;
use crate::support::client::Next;
use crate::support::server::Running;
use crate::support::{PATIENCE, until, wire};

/// RFC 9110, 10.1.1: the body is asked for, once, where it is wanted, and nowhere else.
#[test]
fn who_expects_to_go_on_is_told_first() {
    let running = Running::start(Config::default());
    let post = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n";
    let old = post.replace("HTTP/1.1", "HTTP/1.0");
    let cases = [
        (format!("{post}Content-Length: 2\r\n\r\n"), "{}", 100, 400),
        (format!("{post}Transfer-Encoding: chunked\r\n\r\n"), "2\r\n{}\r\n0\r\n\r\n", 100, 400),
        (format!("{post}Transfer-Encoding: chunked\r\n\r\n"), "0\r\n\r\n", 100, 400),
        (format!("{post}Content-Length: 65536\r\n\r\n"), &" ".repeat(65536), 100, 400),
        (format!("{post}Content-Length: 65537\r\n\r\n"), "", 413, 413),
        (format!("{post}Content-Length: 0\r\n\r\n"), "", 400, 400),
        (post.replace("/json", "/xml") + "Content-Length: 2\r\n\r\n", "", 415, 415),
        (post.replace("/mcp", "/nothing") + "Content-Length: 2\r\n\r\n", "", 404, 404),
        (post.replace("POST", "PUT") + "Content-Length: 2\r\n\r\n", "", 405, 405),
        (post.replace("localhost", "evil.example") + "Content-Length: 2\r\n\r\n", "", 403, 403),
        (format!("{post}Origin: null\r\nContent-Length: 2\r\n\r\n"), "", 403, 403),
    ];
    for (head, body, first, last) in &cases {
        let mut socket = connect(running.address);
        socket.write_all(head.as_bytes()).unwrap();
        let mut came = Vec::new();
        let told = answer(&mut socket, &mut came);
        assert_eq!(told.status, *first, "{head}: {told:?}");
        if told.status == 100 {
            socket.write_all(body.as_bytes()).unwrap();
            assert_eq!(answer(&mut socket, &mut came).status, *last, "{head}");
        }
    }
    // HTTP/1.0 knows no such thing: nothing is told before the body.
    let mut socket = connect(running.address);
    socket.write_all(format!("{old}Content-Length: 2\r\n\r\n").as_bytes()).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    socket.read(&mut [0; 1]).unwrap_err();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.write_all(b"{}").unwrap();
    assert_eq!(answer(&mut socket, &mut Vec::new()).status, 400);
    running.must_serve();
}

/// RFC 9112, 9.6: who is refused in the middle of sending can read why; what it goes on sending is not read for ever.
#[test]
fn a_refusal_can_be_read() {
    let running = Running::start(Config::default());
    let heads = [
        (
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 4294967297\r\n\r\n",
            413,
        ),
        ("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 60000\r\n\r\n", 415),
        ("POST /mcp HTTP/1.1\r\nHost: evil.example\r\nTransfer-Encoding: chunked\r\n\r\n7fff\r\n", 403),
        ("PUT /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\n", 405),
        ("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n\r\n", 400),
        ("NOT HTTP\r\n", 400),
    ];
    for (head, status) in heads {
        let mut socket = connect(running.address);
        socket.write_all(head.as_bytes()).unwrap();
        for _ in 0..8 {
            // It may have closed in the meantime.
            let _ = socket.write_all(&[b'a'; 4096]);
        }
        assert_eq!(answer(&mut socket, &mut Vec::new()).status, status, "{head}");
        // One that goes on without end is cut off.
        let begun = Instant::now();
        while socket.write_all(&[b'a'; 4096]).is_ok() {
            assert!(begun.elapsed() < PATIENCE, "it reads for ever: {head}");
        }
    }
    running.must_serve();
}

/// WHATWG, server-sent events; MCP, transports: one `data:` line for each message, whatever text is in it.
#[test]
fn no_text_breaks_out_of_an_event() {
    let running = Running::start(Config::default());
    let mut stream = running.connect();
    let path = stream.open_http_sse();
    let texts = [
        "a\nb",
        "a\r\nb",
        "a\rb",
        "\n\ndata: {}\n\n",
        "\r\r",
        "\u{0}",
        "\u{b}\u{c}\u{1b}\u{7f}",
        "\u{85}\u{2028}\u{2029}",
        "\u{feff}",
        "event: endpoint\ndata: //evil.example/\n\n",
        ": x",
        "\"\\/",
        "id: 1",
        "retry: 1",
        "\n",
        "",
        "0\r\n\r\n",
        "é€😀",
    ];
    for (id, text) in texts.iter().enumerate() {
        let body = wire::call(id, "echo", &json!({"text": text}));
        let answer = running.connect().ask(&wire::post_to(&path, &[], &body));
        assert_eq!(answer.status, 202, "{answer:?}");
        let Next::Event(name, data) = stream.next() else { panic!("no event for {text:?}") };
        let message: serde_json::Value =
            serde_json::from_str(&data).unwrap_or_else(|error| panic!("{error}: {data:?}"));
        assert_eq!((name.as_str(), &message["id"]), ("message", &json!(id)), "{data}");
        assert_eq!(message["result"]["content"][0]["text"], *text);
        assert!(!data.contains(|char: char| char < ' '), "{data:?}");
    }
}

/// A full house answers at once, keeps those that are served, and serves a newcomer as soon as one is gone (RFC 9110, 15.6.4).
#[test]
fn a_full_house_says_so_and_recovers() {
    let running = Running::start(Config::default().connections(4).streams(2));
    let halves: Vec<_> = ["", "G", "GET / HTTP/1.1\r\nHost", "\r\n"].map(|text| half(running.address, text)).into();
    // They make room a second after they came, the silent ones at once.
    until("a good request among those that stand still", || {
        let mut socket = connect(running.address);
        socket.write_all(wire::echo("here").as_bytes()).ok()?;
        let answer = try_answer(&mut socket)?;
        if answer.status == 503 {
            assert!(answer.field("Retry-After").is_some() && answer.closes(), "{answer:?}");
            return None;
        }
        assert_eq!(answer.status, 200, "{answer:?}");
        Some(())
    });
    drop(halves);
    running.until_served(&wire::echo("those have gone"));
    // Half a request, and a half-close; a reset; one byte at a time: all gone, and the house is as before.
    for round in 0..20 {
        let mut socket = connect(running.address);
        match round % 4 {
            0 => socket.shutdown(Shutdown::Write).unwrap(),
            1 => socket.write_all(b"POST /mcp HTTP/1.1\r\nContent-").unwrap(),
            2 => rustix::net::sockopt::set_socket_linger(&socket, Some(Duration::ZERO)).unwrap(),
            _ => wire::echo("x").bytes().for_each(|byte| drop(socket.write_all(&[byte]))),
        }
    }
    running.until_served(&wire::echo("and these"));
}

/// It ends in time though clients stand still in every way, and its port can be bound again.
#[test]
fn it_ends_whatever_clients_do() {
    let running = Running::start(Config::default());
    let mut stream = running.connect();
    stream.open_http_sse();
    let mut listener = running.connect();
    assert_eq!(listener.open(&wire::listen("listener", "l")).status, 200);
    let texts = [
        "",
        "POST",
        "GET /healthz HTTP/1.1\r\n",
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
    ];
    let halves: Vec<_> = texts.map(|text| half(running.address, text)).into();
    let begun = Instant::now();
    running.handle.shutdown();
    running.wait();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    drop(halves);
    std::net::TcpListener::bind(running.address).expect("the port is free");
}

fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}

fn half(address: SocketAddr, text: &str) -> TcpStream {
    let mut socket = connect(address);
    socket.write_all(text.as_bytes()).unwrap();
    socket
}

fn answer(socket: &mut TcpStream, came: &mut Vec<u8>) -> Answer {
    let mut buffer = [0; 4096];
    loop {
        if let Some((answer, used)) = Answer::take(came, false).unwrap() {
            came.drain(..used);
            return answer;
        }
        let read = socket.read(&mut buffer).expect("an answer comes");
        assert!(read > 0, "the connection ended behind {}", came.escape_ascii());
        came.extend_from_slice(&buffer[..read]);
    }
}

fn try_answer(socket: &mut TcpStream) -> Option<Answer> {
    let (mut came, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        if let Some((answer, _)) = Answer::take(&came, false).unwrap() {
            return Some(answer);
        }
        match socket.read(&mut buffer).ok()? {
            0 => return None,
            read => came.extend_from_slice(&buffer[..read]),
        }
    }
}
