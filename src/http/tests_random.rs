//! Random conversations: decoded or refused, the same at every cut, never a body other than the framing says.

use super::tests_harness::{LIMITS, Outcome, ROOM, outcomes};
use super::*;

/// Marsaglia's xorshift64: the same seed gives the same run on every machine.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    pub(super) fn one_of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }
}

/// What changes of one byte are likely to matter.
pub(super) const SPICE: &[&[u8]] = &[
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b" ",
    b"\t",
    b":",
    b";",
    b",",
    b"0",
    b"1",
    b"9",
    b"f",
    b"\0",
    b"\x80",
    b"\x7f",
    b"-",
    b"+",
    b"0x",
    b"chunked",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Host: b\r\n",
    b"0\r\n\r\n",
    b"GET / HTTP/1.1\r\n",
    b"HTTP/1.0",
    b"\r\n ",
    b"ffffffff",
];

const TEXTS: &[&[u8]] = &[
    b"GET /mcp HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
    b"POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: 13\r\nContent-Type: application/json\r\n\r\n{\"id\":\"\\r\\n\"}",
    b"POST /mcp HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\n\r\n!\r\n0\r\nT: u\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\nOrigin: http://localhost\r\n\r\n",
    b"POST http://a/x?y=z HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok",
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"POST / HTTP/1.0\r\nContent-Length: 30\r\n\r\nGET /in HTTP/1.1\r\nHost: body\r\n\r",
];

/// A few requests behind each other, with up to four changes.
fn conversation(random: &mut Random) -> Vec<u8> {
    let mut text: Vec<u8> = (0..=random.below(3)).flat_map(|_| random.one_of(TEXTS).to_vec()).collect();
    for _ in 0..random.below(5) {
        let at = random.below(text.len());
        match random.below(6) {
            0 => text[at] ^= 1 << random.below(8),
            1 => drop(text.remove(at)),
            2 => text[at] = u8::try_from(random.below(256)).unwrap(),
            3 => drop(text.splice(at..at, random.one_of(SPICE).to_vec())),
            4 if random.below(3) == 0 => text.truncate(at),
            _ => {
                let end = (at + random.below(12)).min(text.len());
                drop(text.splice(at..end, random.one_of(SPICE).to_vec()));
            }
        }
        if text.is_empty() {
            text.push(b'G');
        }
    }
    text
}

/// A second reading of RFC 9112, 6.3 and 7.1, by other means: the rest of a text behind one request whose outcome was
/// that it was served, after checking that its body is what the text says.
fn judge<'t>(text: &'t [u8], body: &[u8]) -> &'t [u8] {
    let mut text = text;
    while let Some(rest) = text.strip_prefix(b"\r\n") {
        text = rest;
    }
    let head_len = text.windows(4).position(|four| four == b"\r\n\r\n").expect("a served request has a head") + 4;
    let head = String::from_utf8_lossy(&text[..head_len]).to_ascii_lowercase();
    assert!(!head.replace("\r\n", "").contains(['\r', '\n', '\0']), "{head:?}");
    let values = |name: &str| -> Vec<String> {
        let lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        lines.filter(|(key, _)| *key == name).map(|(_, value)| value.trim_matches([' ', '\t']).to_owned()).collect()
    };
    let (lengths, codings) = (values("content-length"), values("transfer-encoding"));
    let mut rest = &text[head_len..];
    match (&lengths[..], &codings[..]) {
        ([], []) => assert_eq!(body, b""),
        ([length], []) => {
            assert!(length.bytes().all(|byte| byte.is_ascii_digit()));
            let length: usize = length.parse().unwrap();
            assert_eq!(body, &rest[..length]);
            rest = &rest[length..];
        }
        ([], [coding]) => {
            assert_eq!(coding, "chunked");
            let mut decoded = vec![];
            loop {
                let (line, behind) = line(rest);
                let size = line.split(|byte| *byte == b';').next().unwrap();
                assert!(size.iter().all(u8::is_ascii_hexdigit));
                let size = usize::from_str_radix(std::str::from_utf8(size).unwrap(), 16).unwrap();
                rest = behind;
                if size == 0 {
                    break;
                }
                decoded.extend_from_slice(&rest[..size]);
                rest = rest[size..].strip_prefix(b"\r\n").expect("CRLF behind the data");
            }
            loop {
                let (trailer, behind) = line(rest);
                rest = behind;
                if trailer.is_empty() {
                    break;
                }
            }
            assert_eq!(body, decoded);
        }
        other => panic!("unclear framing was served: {other:?}"),
    }
    rest
}

fn line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.windows(2).position(|two| two == b"\r\n").expect("a line ends in CRLF");
    (&text[..end], &text[end + 2..])
}

#[test]
fn mutated_requests_are_served_rightly_or_refused() {
    let (mut served, mut refused, mut waiting) = (0, 0, 0);
    for seed in 1..=3_500_u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let text = conversation(&mut random);
        // Shown only when the test fails.
        println!("seed {seed}: {}", text.escape_ascii());
        let whole = outcomes(LIMITS, ROOM, [&text[..]]);
        assert_eq!(outcomes(LIMITS, ROOM, text.chunks(1)), whole);
        let per_piece = 1 + random.below(40);
        assert_eq!(outcomes(LIMITS, ROOM, text.chunks(per_piece)), whole);

        let mut rest = &text[..];
        for outcome in &whole {
            match outcome {
                Outcome::Request(_, body) => {
                    rest = judge(rest, body);
                    served += 1;
                }
                Outcome::Refused(_) => refused += 1,
                Outcome::HeadOnly(_) | Outcome::Part => waiting += 1,
            }
        }
    }
    // The mutations are neither too mild nor too wild to tell something.
    assert!(served > 1_750 && refused > 1_750 && waiting > 100, "{served} {refused} {waiting}");
}

#[test]
fn noise_is_never_served() {
    for seed in 1..=1_000_u64 {
        println!("seed {seed}");
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let text: Vec<u8> = (0..random.below(600)).map(|_| u8::try_from(random.next() % 256).unwrap()).collect();
        let whole = outcomes(LIMITS, ROOM, [&text[..]]);
        assert!(whole.iter().all(|outcome| matches!(outcome, Outcome::Refused(_) | Outcome::Part)), "{whole:?}");
        assert_eq!(outcomes(LIMITS, ROOM, text.chunks(1 + random.below(9))), whole);
    }
}

/// The same under limits and buffers that are small and odd.
#[test]
fn small_limits_and_buffers() {
    for seed in 1..=2_000_u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let text = conversation(&mut random);
        let limits = Limits {
            head_bytes_max: random.below(120),
            target_bytes_max: random.below(20),
            headers_max: random.below(5),
            body_bytes_max: random.below(20),
        };
        let room = 1 + random.below(200);
        println!("seed {seed}: room {room}, {limits:?}: {}", text.escape_ascii());
        let whole = outcomes(limits, room, [&text[..]]);
        assert_eq!(outcomes(limits, room, text.chunks(1)), whole);
        assert_eq!(outcomes(limits, room, text.chunks(1 + random.below(40))), whole);
        let mut rest = &text[..];
        for outcome in &whole {
            if let Outcome::Request(_, body) = outcome {
                assert!(body.len() <= limits.body_bytes_max);
                rest = judge(rest, body);
            }
        }
    }
}
