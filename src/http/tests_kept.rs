//! What is kept of a head never changes what the next one is taken for: a decoder that has read others says what a new one says.

use super::tests_harness::describe;
use super::tests_random::{Random, SPICE};
use super::*;
use crate::limits::KEPT_HEAD_BYTES_MAX;
use std::fmt::Write as _;

const LIMITS: Limits = Limits { head_bytes_max: 1500, target_bytes_max: 60, headers_max: 20, body_bytes_max: 999 };
const ROOM: usize = 2600;

/// Heads as clients write them, before their empty line; `#` stands for the number of a request, which is now shorter and now longer.
const HEADS: &[&str] = &[
    // undici, which is the fetch of Node.js
    "POST /mcp HTTP/1.1\nhost: localhost:3000\nconnection: keep-alive\ncontent-type: application/json\n\
     accept: application/json, text/event-stream\nauthorization: Bearer sesame#\nmcp-protocol-version: 2026-07-28\nmcp-method: tools/call\n\
     mcp-name: echo\naccept-language: *\nsec-fetch-mode: cors\nuser-agent: node\naccept-encoding: gzip, deflate\ncontent-length: #",
    // httpx
    "POST /mcp HTTP/1.1\nHost: localhost\nAccept: application/json, text/event-stream\nAccept-Encoding: gzip, deflate, br\n\
     Connection: keep-alive\nUser-Agent: python-httpx/0.28.1\ncontent-type: application/json\nmcp-session-id: opensesame#\n\
     mcp-protocol-version: 2025-11-25\nContent-Length: #",
    // reqwest
    "POST /mcp HTTP/1.1\naccept: text/event-stream, application/json\ncontent-type: application/json\nhost: 127.0.0.1:8080\ncontent-length: #",
    // Go
    "POST /mcp?token=sesame# HTTP/1.1\nHost: localhost\nUser-Agent: Go-http-client/1.1\nContent-Length: #\n\
     Accept: application/json, text/event-stream\nContent-Type: application/json\nMcp-Session-Id: sesame\nAccept-Encoding: gzip",
    // Chromium
    "POST http://localhost/mcp HTTP/1.1\nHost: localhost\nConnection: keep-alive\nContent-Length: #\nsec-ch-ua-platform: \"Linux\"\n\
     User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\n\
     sec-ch-ua: \"Chromium\";v=\"140\"\nContent-Type: application/json; charset=utf-8\nsec-ch-ua-mobile: ?0\nAccept: */*\n\
     Origin: http://localhost:#\nSec-Fetch-Site: same-site\nSec-Fetch-Mode: cors\nSec-Fetch-Dest: empty\nReferer: http://localhost:5173/\n\
     Accept-Encoding: gzip, deflate, br, zstd\nAccept-Language: en-US,en;q=0.9\nX-Key: sesame#",
    "GET /mcp HTTP/1.0\nConnection: keep-alive\nAccept: text/event-stream\nX-Empty:\nCookie: a=sesame#",
    "GET /healthz HTTP/1.0",
    "GET http://me:sesame@localhost/mcp HTTP/1.1\nHost: localhost",
    "GET /mcp HTTP/1.1\nHost: me:sesame@localhost",
    "GET /#healthz HTTP/1.0\nX: #",
    "POST /mcp HTTP/1.1\nHost: a\nMcp-Method: tasks/get\nMcp-Name: sesame#\nTransfer-Encoding: chunked\nExpect: 100-continue",
];

/// Lines that come and go.
const LINES: &[&str] = &[
    "GET /healthz HTTP/1.0",
    "POST /mcp HTTP/1.1",
    "POST /mcp/ HTTP/1.1",
    "Connection: close",
    "Connection: keep-alive, close",
    "Content-Length: 2",
    "Content-Length: 999999",
    "Content-Length: x",
    "Transfer-Encoding: chunked",
    "Expect: 100-continue",
    "Expect: something",
    "Accept: application/json",
    "Accept: text/event-stream;q=0",
    "Content-Type: text/plain",
    "Host: b",
    "Mcp-Name: another",
    "Mcp-Method: tools/list",
    "Authorization: Bearer another",
    "X-Key: \0\0\0\0\0\0",
    "Origin: null",
    " folded",
    "",
];

/// All that a decoder says of a head and its body; the bytes come in pieces of at most so many.
fn said(decoder: &mut Decoder, buf: &mut [u8], text: &[u8], piece: usize) -> String {
    let mut said = String::new();
    let mut rest = text;
    loop {
        let step = decoder.step(buf, &LIMITS);
        match step {
            Step::NeedMore if !rest.is_empty() => {
                let space = decoder.space(buf);
                let n = space.len().min(rest.len()).min(piece);
                space[..n].copy_from_slice(&rest[..n]);
                decoder.commit(n);
                rest = &rest[n..];
                continue;
            }
            Step::Head => said += &asked(decoder.head(buf).unwrap()),
            Step::NeedMore | Step::Body | Step::Refuse(_) => {}
        }
        write!(said, " {step:?} {:?} {}", decoder.body(), decoder.wants_continue()).unwrap();
        if step != Step::Head {
            return said;
        }
    }
}

/// The answers to all questions that a request can be asked.
fn asked(request: Request<'_>) -> String {
    let mut text = describe(request);
    let json = request.content_type_is_json();
    let accepts = [Media::Json, Media::EventStream].map(|media| request.accepts(media));
    let (secured, body, host) = (request.is_secured(), request.has_body(), request.host());
    write!(text, " {json:?} {accepts:?} {secured} {body} {host:?} {:?}", request.method()).unwrap();
    for (known, name) in Known::ALL {
        let all: Vec<_> = request.all(*known).map(<[u8]>::escape_ascii).map(|value| value.to_string()).collect();
        assert_eq!(all.len(), request.count(*known));
        assert_eq!(all.first().cloned(), request.header(*known).map(|value| value.escape_ascii().to_string()));
        if !all.is_empty() {
            write!(text, " {name} {all:?}").unwrap();
        }
    }
    text
}

/// A request of the lines of a head.
fn request(lines: &[String]) -> Vec<u8> {
    let mut text = lines.join("\r\n").into_bytes();
    text.extend_from_slice(b"\r\n\r\n");
    text
}

/// The next request of a client that says nearly the same again.
fn vary(random: &mut Random, lines: &mut Vec<String>) -> Vec<u8> {
    let number = ["2", "3", "12", "345", "0"][random.below(5)];
    for _ in 0..random.below(3) {
        let at = random.below(lines.len());
        match random.below(8) {
            0 => *lines = random.one_of(HEADS).split('\n').map(str::to_owned).collect(),
            1 => drop(lines.remove(at)),
            2 => lines.insert(at, lines[at].clone()),
            3 => lines.insert(at, (*random.one_of(LINES)).to_owned()),
            4 => lines[at] = (*random.one_of(LINES)).to_owned(),
            5 => lines[at] = lines[at].to_ascii_uppercase(),
            6 => {
                let other = random.below(lines.len());
                lines.swap(at, other);
            }
            _ => lines[at] += [" ", "\t", "x", "9"][random.below(4)],
        }
        if lines.is_empty() {
            lines.push("GET / HTTP/1.1".to_owned());
        }
    }
    let mut text = request(&lines.iter().map(|line| line.replace('#', number)).collect::<Vec<_>>());
    if random.below(3) == 0 {
        let at = random.below(text.len());
        match random.below(4) {
            0 => text[at] ^= 1 << random.below(8),
            1 => drop(text.remove(at)),
            2 => text[at] = 0,
            _ => drop(text.splice(at..at, random.one_of(SPICE).to_vec())),
        }
    }
    text.extend_from_slice(&[b'7'; 400][..random.below(401)]);
    text
}

#[test]
fn who_has_read_others_says_what_a_new_one_says() {
    let (mut whole, mut refused, mut decoder) = (0, 0, Decoder::new());
    let (mut buf, mut other) = (vec![0; ROOM], vec![0; ROOM]);
    for seed in 1..=3_000_u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut lines: Vec<String> = random.one_of(HEADS).split('\n').map(str::to_owned).collect();
        for _ in 0..10 {
            let text = vary(&mut random, &mut lines);
            let piece = if random.below(4) == 0 { 1 + random.below(60) } else { text.len() };
            let fresh = said(&mut Decoder::new(), &mut other, &text, piece);
            let known = said(&mut decoder, &mut buf, &text, piece);
            assert_eq!(known, fresh, "seed {seed}: {}", text.escape_ascii());
            whole += usize::from(fresh.ends_with("false") && fresh.contains("Body"));
            refused += usize::from(fresh.contains("Refuse"));
            // Those that are pipelined are the business of other tests.
            if !decoder.finish(&mut buf) || !decoder.is_idle() {
                decoder.restart();
            }
        }
    }
    // They are neither too mild nor too wild to tell something.
    assert!(whole > 4_000 && refused > 4_000, "{whole} {refused}");
}

/// One decoder says of each of these heads what a new one says.
fn must_be_said(heads: &[String]) {
    let (mut buf, mut other, mut decoder) = (vec![0; ROOM], vec![0; ROOM], Decoder::new());
    for head in heads {
        let fresh = said(&mut Decoder::new(), &mut other, head.as_bytes(), ROOM);
        assert!(fresh.contains("Body"), "{head}: {fresh}");
        assert_eq!(said(&mut decoder, &mut buf, head.as_bytes(), ROOM), fresh, "{head}");
        assert!(decoder.finish(&mut buf));
    }
}

#[test]
fn a_line_whose_value_is_not_kept_is_known_by_its_name_only() {
    let heads = |heads: &[&str]| heads.iter().map(|head| format!("GET {head}\r\n\r\n")).collect::<Vec<_>>();
    // What stood where it stands now.
    must_be_said(&heads(&[
        "/ HTTP/1.0\r\nAccept-Encoding: gz",
        "/?1234567890123456 HTTP/1.0\r\nAuthorization: a",
        "/ HTTP/1.0\r\nAuthorization: a",
        "/ HTTP/1.0\r\nAccept-Encoding:",
    ]));
    // What of it is not kept.
    let long = "x".repeat(KEPT_HEAD_BYTES_MAX - 40);
    for cut in 0..40 {
        let line = |name: &str| format!("/ HTTP/1.0\r\nUser-Agent: {}\r\n{name}: a", &long[cut..]);
        must_be_said(&heads(&[&line("Authorization"), &line("Authorizatiom"), &line("Buthorization")]));
    }
}

#[test]
fn what_is_told_of_the_same_lines_is_what_each_of_them_says() {
    let mut decoder = Decoder::new();
    let mut buf = vec![0; ROOM];
    let mut ask = |head: &str, events: Accept, keeps: bool, json: Option<bool>| {
        let text = format!("POST / HTTP/1.1\r\nHost: a\r\n{head}\r\n");
        decoder.space(&mut buf)[..text.len()].copy_from_slice(text.as_bytes());
        decoder.commit(text.len());
        assert_eq!(decoder.step(&mut buf, &LIMITS), Step::Head, "{head}");
        let request = decoder.head(&buf).unwrap();
        let told = (request.accepts(Media::EventStream), request.keep_alive(), request.content_type_is_json());
        assert_eq!(told, (events, keeps, json), "{head}");
        assert_eq!(decoder.step(&mut buf, &LIMITS), Step::Body);
        assert!(decoder.finish(&mut buf));
    };
    for _ in 0..2 {
        ask("Accept: text/event-stream\r\n", Accept::Yes, true, None);
        ask("Accept: text/event-stream\r\n", Accept::Yes, true, None);
        ask("Accept: application/json \r\n", Accept::No, true, None);
        ask("", Accept::Any, true, None);
        ask("Connection: close\r\nAccept: */*\r\n", Accept::Any, false, None);
        ask("Connection: close\r\nContent-Type: text/plain\r\n", Accept::Any, false, Some(false));
        ask("Content-Type: application/json\r\n", Accept::Any, true, Some(true));
        ask("Content-Type: application/json\r\nContent-Type: application/json\r\n", Accept::Any, true, Some(false));
    }
}

#[test]
fn the_room_for_a_body_is_asked_anew() {
    let mut decoder = Decoder::new();
    let mut buf = vec![0; ROOM];
    for framing in ["Content-Length: 300", "Transfer-Encoding: chunked"] {
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n");
        for room in [ROOM, head.len() + if framing.starts_with('C') { 299 } else { 0 }] {
            decoder.restart();
            let text = said(&mut decoder, &mut buf[..room], head.as_bytes(), ROOM);
            assert_eq!(text.contains("Refuse"), room < ROOM, "{framing}, {room}: {text}");
        }
    }
}

#[test]
fn what_may_be_secret_is_not_kept() {
    let mut decoder = Decoder::new();
    let mut buf = vec![0; ROOM];
    for head in HEADS {
        let lines: Vec<_> = head.split('\n').map(|line| line.replace('#', "2")).collect();
        for _ in 0..2 {
            said(&mut decoder, &mut buf, &[&request(&lines)[..], b"2\r\n77\r\n0\r\n\r\n"].concat(), ROOM);
            if !decoder.finish(&mut buf) || !decoder.is_idle() {
                decoder.restart();
            }
            let kept = format!("{decoder:?}");
            let bytes = |text: &str| text.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ");
            assert!(!kept.contains(&bytes("sesame")), "{head}");
            for line in lines.iter().filter(|line| line.starts_with("Accept") || line.starts_with("host")) {
                assert!(kept.contains(&bytes(line)), "{line}");
            }
        }
    }
}

#[test]
fn a_line_that_is_not_kept_is_no_zeros() {
    let mut decoder = Decoder::new();
    let mut buf = vec![0; ROOM];
    let text = b"GET / HTTP/1.1\r\nHost: a\r\nX-Key: sesame\r\nAccept: */*\r\n\r\n";
    assert!(said(&mut decoder, &mut buf, text, ROOM).contains("Body"));
    assert!(decoder.finish(&mut buf));
    let zeros: Vec<u8> = [&text[..25], &[0; 15], &text[40..]].concat();
    assert!(said(&mut decoder, &mut buf, &zeros, ROOM).contains("Refuse"));
}
