//! Changes of requests: of their bytes, of their header lines, of their JSON; and the length made right again, so that what is
//! behind the framing is met too.

use super::random::Random;

/// Pieces of a byte or more that are likely to matter.
const SPICE: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b" ",
    b"\t",
    b":",
    b",",
    b"\0",
    b"\x80",
    b"\xff",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b"null",
    b"true",
    b"1e999",
    b"-0",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"0\r\n\r\n",
    b"Host: evil.example\r\n",
    b"HTTP/1.0",
    b"Expect: 100-continue\r\n",
    b"Connection: close\r\n",
    b"Last-Event-ID: 1\r\n",
    b"Accept: text/event-stream\r\n",
    b"Origin: null\r\n",
    b"Mcp-Session-Id: x\r\n",
    b"MCP-Protocol-Version: 2026-07-28\r\n",
    b"\"id\":null,",
    b"\"_meta\":{},",
    b"\"params\":[],",
    b"\"jsonrpc\":\"1.0\",",
    b"\"method\":\"ping\",",
    b"\xef\xbb\xbf",
    b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
];

const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "1",
    "127",
    "65536",
    "2147483648",
    "-2147483649",
    "9007199254740993",
    "18446744073709551616",
    "1e999",
    "-1e-999",
    "0.1",
    "99999999999999999999999999999999999999",
    "1.0",
    "00",
];

const REVISIONS: &[&str] = &["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28", "1999-01-01", ""];

const METHODS: &[&str] = &[
    "initialize",
    "ping",
    "tools/list",
    "tools/call",
    "resources/list",
    "resources/read",
    "resources/templates/list",
    "resources/subscribe",
    "resources/unsubscribe",
    "prompts/list",
    "prompts/get",
    "completion/complete",
    "logging/setLevel",
    "server/discover",
    "subscriptions/listen",
    "tasks/get",
    "tasks/cancel",
    "tasks/update",
    "notifications/initialized",
    "notifications/cancelled",
    "notifications/progress",
    "no/such",
    "",
];

/// A request with none to three changes; `other` is what may be mixed in.
pub(crate) fn mutate(random: &mut Random, request: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = request.to_vec();
    if random.once_in(4) {
        return bytes;
    }
    for _ in 0..=[0, 0, 1, 2][random.below(4)] {
        match random.below(6) {
            0 => raw(random, &mut bytes, other),
            1 => headers(random, &mut bytes, other),
            2 if random.once_in(3) => chunk(random, &mut bytes),
            _ => {
                body(random, &mut bytes, other);
                if !random.once_in(6) {
                    mend_length(&mut bytes);
                }
            }
        }
    }
    bytes
}

// Anywhere.
fn raw(random: &mut Random, bytes: &mut Vec<u8>, other: &[u8]) {
    let (from, to) = range(random, 0, bytes.len());
    match random.below(7) {
        0 if from < bytes.len() => bytes[from] ^= 1 << random.below(8),
        1 => drop(bytes.drain(from..to)),
        2 => repeat(bytes, from, to, 1 + random.below(3)),
        3 => splice(random, bytes, from, to, other),
        4 if random.once_in(3) => bytes.truncate(from),
        5 => swap(bytes, random.pick(METHODS), REVISIONS, random),
        _ => drop(bytes.splice(from..from, random.pick(SPICE).iter().copied())),
    }
}

// Lines of the head: left out, repeated, exchanged with those of another request.
fn headers(random: &mut Random, bytes: &mut Vec<u8>, other: &[u8]) {
    let (Some(end), Some(others_end)) = (head_end(bytes), head_end(other)) else { return };
    let mut lines: Vec<Vec<u8>> = lines(&bytes[..end]);
    let others: Vec<Vec<u8>> = self::lines(&other[..others_end]);
    if lines.is_empty() || others.is_empty() {
        return;
    }
    let at = random.below(lines.len());
    let theirs = others[random.below(others.len())].clone();
    match random.below(6) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[at].clone()),
        2 => lines[at] = theirs,
        3 => lines.insert(at, theirs),
        4 => {
            let with = random.below(lines.len());
            lines.swap(at, with);
        }
        // The value alone.
        _ => {
            let value = theirs.iter().position(|byte| *byte == b':').map_or(&theirs[..], |colon| &theirs[colon..]);
            let name = lines[at].iter().position(|byte| *byte == b':').unwrap_or(lines[at].len());
            lines[at].truncate(name);
            lines[at].extend_from_slice(value);
        }
    }
    let mut text = lines.join(&b"\r\n"[..]);
    text.extend_from_slice(b"\r\n\r\n");
    drop(bytes.splice(..end, text));
}

// The body in chunks; now and then beside its length, with another size, or without an end.
fn chunk(random: &mut Random, bytes: &mut Vec<u8>) {
    let Some(end) = head_end(bytes) else { return };
    let mut text: Vec<u8> = Vec::new();
    for line in lines(&bytes[..end]) {
        if !line.to_ascii_lowercase().starts_with(b"content-length:") || random.once_in(6) {
            text.extend_from_slice(&line);
            text.extend_from_slice(b"\r\n");
        }
    }
    text.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
    let mut rest = &bytes[end..];
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(1 + random.below(rest.len().min(200)));
        let size = piece.len() + usize::from(random.once_in(60));
        let extension = if random.once_in(20) { ";a=b" } else { "" };
        text.extend_from_slice(format!("{size:x}{extension}\r\n").as_bytes());
        text.extend_from_slice(piece);
        text.extend_from_slice(b"\r\n");
        rest = behind;
    }
    if !random.once_in(20) {
        text.extend_from_slice(if random.once_in(20) { b"0\r\nTrailer: x\r\n\r\n" } else { b"0\r\n\r\n" });
    }
    *bytes = text;
}

// JSON, or what was.
fn body(random: &mut Random, bytes: &mut Vec<u8>, other: &[u8]) {
    let start = head_end(bytes).unwrap_or(0);
    let (from, to) = range(random, start, bytes.len());
    match random.below(10) {
        0 if from < bytes.len() => bytes[from] ^= 1 << random.below(8),
        1 => drop(bytes.drain(from..to)),
        2 => repeat(bytes, from, to, 1 + random.below(40)),
        3 => {
            let others = &other[head_end(other).unwrap_or(0)..];
            splice(random, bytes, from, to, others);
        }
        4 | 5 => number(random, bytes, start),
        6 => swap_strings(random, bytes, start),
        7 => swap(bytes, random.pick(METHODS), METHODS, random),
        8 => swap(bytes, random.pick(REVISIONS), REVISIONS, random),
        _ => drop(bytes.splice(from..from, random.pick(SPICE).iter().copied())),
    }
}

// A piece of at most some dozen bytes, or now and then of any length.
fn range(random: &mut Random, start: usize, end: usize) -> (usize, usize) {
    let from = start + random.below(end - start + 1);
    let most = if random.once_in(8) { end - from } else { (end - from).min(24) };
    (from, from + random.below(most + 1))
}

fn repeat(bytes: &mut Vec<u8>, from: usize, to: usize, times: usize) {
    let piece = bytes[from..to].repeat(times);
    // More than a request may have is cut soon enough.
    drop(bytes.splice(to..to, piece.into_iter().take(20_000)));
}

fn splice(random: &mut Random, bytes: &mut Vec<u8>, from: usize, to: usize, other: &[u8]) {
    let (begin, end) = range(random, 0, other.len());
    drop(bytes.splice(from..to, other[begin..end].iter().copied()));
}

// One of the digits' runs becomes another number.
fn number(random: &mut Random, bytes: &mut Vec<u8>, start: usize) {
    let starts: Vec<usize> = (start..bytes.len())
        .filter(|&at| bytes[at].is_ascii_digit() && (at == start || !bytes[at - 1].is_ascii_digit()))
        .collect();
    if starts.is_empty() {
        return;
    }
    let from = random.pick(&starts);
    let to = (from..bytes.len()).find(|&at| !bytes[at].is_ascii_digit()).unwrap_or(bytes.len());
    drop(bytes.splice(from..to, random.pick(NUMBERS).bytes()));
}

// Two of the JSON's strings change places.
fn swap_strings(random: &mut Random, bytes: &mut Vec<u8>, start: usize) {
    let quotes: Vec<usize> = (start..bytes.len()).filter(|&at| bytes[at] == b'"').collect();
    if quotes.len() < 4 {
        return;
    }
    let one = random.below(quotes.len() / 2 - 1) * 2;
    let two = one + 2 + random.below((quotes.len() - one - 2) / 2) * 2;
    let (a, b) = (quotes[one]..quotes[one + 1], quotes[two]..quotes[two + 1]);
    let (first, second) = (bytes[a.clone()].to_vec(), bytes[b.clone()].to_vec());
    drop(bytes.splice(b, first));
    drop(bytes.splice(a, second));
}

// The first of `of` that is there, wherever, becomes `by`.
fn swap(bytes: &mut Vec<u8>, by: &str, of: &[&str], random: &mut Random) {
    let begin = random.below(of.len());
    for old in of.iter().cycle().skip(begin).take(of.len()).filter(|old| !old.is_empty()) {
        if let Some(at) = bytes.windows(old.len()).position(|window| window == old.as_bytes()) {
            drop(bytes.splice(at..at + old.len(), by.bytes()));
            return;
        }
    }
}

// The `Content-Length` of a single request says again what it has.
fn mend_length(bytes: &mut Vec<u8>) {
    let Some(end) = head_end(bytes) else { return };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let Some(at) = head.find("content-length: ").filter(|_| head.is_ascii()) else { return };
    let from = at + "content-length: ".len();
    let to = (from..end).find(|&at| bytes[at] == b'\r').unwrap_or(end);
    let length = (bytes.len() - end).to_string();
    drop(bytes.splice(from..to, length.into_bytes()));
}

/// Where the body begins.
pub(crate) fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

fn lines(head: &[u8]) -> Vec<Vec<u8>> {
    let text = head.strip_suffix(b"\r\n\r\n").unwrap_or(head);
    let mut lines = vec![Vec::new()];
    for (index, &byte) in text.iter().enumerate() {
        if text[index..].starts_with(b"\r\n") {
            lines.push(Vec::new());
        } else if !(byte == b'\n' && index > 0 && text[index - 1] == b'\r') {
            lines.last_mut().unwrap().push(byte);
        }
    }
    lines
}
