//! The chunked coding (RFC 9112, 7.1): good and bad, at every cut.

use super::tests_harness::{LIMITS, Outcome, ROOM, at_every_cut, check_refused, check_refused_with, check_valid};
use super::tests_harness::{check_valid_with, next};
use super::*;
use crate::limits::{CHUNK_EXTENSION_BYTES_MAX, CHUNKED_SLACK_BYTES, TRAILER_BYTES_MAX};

const HEAD: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
const DESCRIBED: &str = "POST / 1.1 keep | Host=a | Transfer-Encoding=chunked";

fn input(body: &[u8]) -> Vec<u8> {
    [HEAD.as_bytes(), body].concat()
}

#[test]
fn valid_bodies() {
    let cases: &[(&[u8], &[u8])] = &[
        (b"0\r\n\r\n", b""),
        (b"0000000000000000\r\n\r\n", b""),
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"1\r\nh\r\n1\r\ne\r\n3\r\nllo\r\n0\r\n\r\n", b"hello"),
        (b"0005\r\nhello\r\n000\r\n\r\n", b"hello"),
        (b"a\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        (b"1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n", b"abcdefghijklmnopqrstuvwxyz"),
        // Data is only counted, never looked at.
        (b"7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", b"\r\n0\r\n\r\n"),
        (b"4\r\n\0\xff\n\r\r\n0\r\n\r\n", b"\0\xff\n\r"),
        // 7.1.1: extensions are ignored
        (b"5;a\r\nhello\r\n0;b\r\n\r\n", b"hello"),
        (b"5;a=b\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;a=\"b;c\\\"d\"\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5; a = b ; c\r\nhello\r\n0\r\n\r\n", b"hello"),
        // 7.1.1, 9110 5.6.3: bad white space is put up with
        (b"5 ;a\r\nhello\r\n0\t ;b\r\n\r\n", b"hello"),
        (b"5;\r\nhello\r\n0;;\r\n\r\n", b"hello"),
        (b"5;\xc3\xa9\t\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;5\r\nhello\r\n0;0\r\n\r\n", b"hello"),
        // 7.1.2: trailers are dropped, also those that would be framing
        (b"5\r\nhello\r\n0\r\nA: b\r\n\r\n", b"hello"),
        (b"5\r\nhello\r\n0\r\nA:\r\nB: c\r\n\r\n", b"hello"),
        (b"5\r\nhello\r\n0\r\nContent-Length: 9\r\nHost: x\r\nTransfer-Encoding: x\r\n\r\n", b"hello"),
        (b"2;x\r\nhe\r\n3;y=z\r\nllo\r\n0;last\r\nChecksum: 1\r\n\r\n", b"hello"),
    ];
    for (sent, decoded) in cases {
        check_valid(&input(sent), DESCRIBED, decoded);
    }
}

#[test]
fn refused_bodies() {
    for (sent, refusal) in REFUSED_BODIES {
        // A head that is whole was handed out before, at every cut: the body is what is refused.
        check_refused(&input(sent), *refusal);
    }
}

#[test]
fn a_body_that_stops_is_waited_for() {
    let whole = input(b"5;x\r\nhello\r\n0;y\r\nT: t\r\n\r\n");
    for end in HEAD.len()..whole.len() {
        assert_eq!(at_every_cut(LIMITS, ROOM, &whole[..end]), [Outcome::HeadOnly(DESCRIBED.to_owned())], "{end}");
    }
}

/// The bound is on decoded bytes: framing, extensions and trailers of a body never need more of the buffer.
#[test]
fn framing_takes_no_room() {
    let room = HEAD.len() + 40 + CHUNKED_SLACK_BYTES;
    let mut sent = Vec::new();
    for digit in 0..40_u8 {
        sent.extend_from_slice(b"01;an-extension\r\n");
        sent.extend_from_slice(&[b'a' + digit % 26, b'\r', b'\n']);
    }
    sent.extend_from_slice(b"0\r\nTrailer: which is longer than what the buffer keeps free for it, by far\r\n\r\n");
    let decoded: Vec<u8> = (0..40).map(|digit| b'a' + digit % 26).collect();
    check_valid_with(LIMITS, room, &input(&sent), DESCRIBED, &decoded);
    // One byte less, and the last chunk has no room.
    check_refused_with(LIMITS, room - 1, &input(&sent), Refusal::BodyTooLarge);
}

#[test]
fn the_body_limit_counts_all_chunks() {
    for (limit, refused) in [(19, true), (20, false), (21, false)] {
        let limits = Limits { body_bytes_max: limit, ..LIMITS };
        for sent in
            [&b"14\r\n01234567890123456789\r\n0\r\n\r\n"[..], b"5\r\n01234\r\nf\r\n567890123456789\r\n0\r\n\r\n"]
        {
            if refused {
                check_refused_with(limits, ROOM, &input(sent), Refusal::BodyTooLarge);
            } else {
                check_valid_with(limits, ROOM, &input(sent), DESCRIBED, b"01234567890123456789");
            }
        }
    }
}

#[test]
fn extensions_and_trailers_are_bounded() {
    let body = |extension: usize, trailer: usize| {
        // Split over two chunks: the bound is for the body. `T:` and the value are the trailer's bytes.
        let (a, b) = (extension / 2, extension - extension / 2);
        let text = format!("1;{}\r\nx\r\n0;{}\r\nT:{}\r\n\r\n", "e".repeat(a), "e".repeat(b), "t".repeat(trailer - 2));
        input(text.as_bytes())
    };
    check_valid(&body(CHUNK_EXTENSION_BYTES_MAX, 2), DESCRIBED, b"x");
    check_valid(&body(2, TRAILER_BYTES_MAX), DESCRIBED, b"x");
    check_refused(&body(CHUNK_EXTENSION_BYTES_MAX + 1, 2), Refusal::ChunkExtension);
    check_refused(&body(2, TRAILER_BYTES_MAX + 1), Refusal::TrailersTooLong);
}

/// Bodies of every size, in chunks of every size, as far as the limits go.
#[test]
fn sizes() {
    let data: Vec<u8> = (0..200_u8).collect();
    for size in [1, 2, 3, 9, 10, 15, 16, 17, 99, 100, 199, 200] {
        for per_chunk in [1, 2, 7, 15, 16, 17, 200] {
            let mut text = HEAD.as_bytes().to_vec();
            for chunk in data[..size].chunks(per_chunk) {
                text.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                text.extend_from_slice(chunk);
                text.extend_from_slice(b"\r\n");
            }
            text.extend_from_slice(b"0\r\n\r\n");
            text.extend_from_slice(tests_harness::NEXT);
            for piece in [1, 2, 3, 5, 50, 64, 1000] {
                let came = tests_harness::outcomes(LIMITS, ROOM, text.chunks(piece));
                assert_eq!(came, [Outcome::Request(DESCRIBED.to_owned(), data[..size].to_vec()), next()]);
            }
        }
    }
}

/// What is sent behind `HEAD`, and what is wrong with it.
const REFUSED_BODIES: &[(&[u8], Refusal)] = &[
    // 7.1: chunk-size = 1*HEXDIG
    (b"\r\nhello\r\n0\r\n\r\n", Refusal::ChunkSize),
    (b";a\r\nhello\r\n0\r\n\r\n", Refusal::ChunkSize),
    (b"0x5\r\nhello\r\n0\r\n\r\n", Refusal::ChunkSize),
    (b"+5\r\nhello\r\n0\r\n\r\n", Refusal::ChunkSize),
    (b"-5\r\nhello\r\n0\r\n\r\n", Refusal::ChunkSize),
    (b" 5\r\nhello\r\n0\r\n\r\n", Refusal::ChunkSize),
    (b"5 \r\nhello\r\n0\r\n\r\n", Refusal::ChunkSize),
    (b"5\t\r\nhello\r\n0\r\n\r\n", Refusal::ChunkSize),
    (b"5 a\r\nhello\r\n0\r\n\r\n", Refusal::ChunkSize),
    (b"5h\r\nhello\r\n0\r\n\r\n", Refusal::ChunkSize),
    (b"5_\r\nhello\r\n0\r\n\r\n", Refusal::ChunkSize),
    (b"g\r\nhello\r\n0\r\n\r\n", Refusal::ChunkSize),
    (b"\xef\xbc\x95\r\nhello\r\n0\r\n\r\n", Refusal::ChunkSize),
    (b"\0\r\n\r\n", Refusal::ChunkSize),
    (b"00000000000000005\r\nhello\r\n0\r\n\r\n", Refusal::ChunkSize),
    (b"00000000000000000\r\n\r\n", Refusal::ChunkSize),
    // 7.1: large hexadecimal numerals must not overflow
    (b"c9\r\n", Refusal::BodyTooLarge),
    (b"ffffffff\r\n", Refusal::BodyTooLarge),
    (b"100000005\r\nhello\r\n0\r\n\r\n", Refusal::BodyTooLarge),
    (b"ffffffffffffffff\r\n", Refusal::BodyTooLarge),
    (b"10000000000000005\r\nhello\r\n0\r\n\r\n", Refusal::BodyTooLarge),
    (b"5\r\nhello\r\nc4\r\n", Refusal::BodyTooLarge),
    (b"5\r\nhello\r\nfffffffffffffffb\r\n", Refusal::BodyTooLarge),
    // 2.2 and 7.1: CRLF only
    (b"5\nhello\r\n0\r\n\r\n", Refusal::BareLf),
    (b"5;a\nhello\r\n0\r\n\r\n", Refusal::BareLf),
    (b"\n5\r\nhello\r\n0\r\n\r\n", Refusal::BareLf),
    (b"5\rhello\r\n0\r\n\r\n", Refusal::BareCr),
    (b"5\r\r\nhello\r\n0\r\n\r\n", Refusal::BareCr),
    (b"5;a\rb\r\nhello\r\n0\r\n\r\n", Refusal::BareCr),
    (b"0\n\r\n", Refusal::BareLf),
    (b"0\r\n\n", Refusal::BareLf),
    (b"0\r\n\r\r\n", Refusal::BareCr),
    (b"0\r\n\rX", Refusal::BareCr),
    // 7.1: data is as long as it was said to be
    (b"5\r\nhello\n0\r\n\r\n", Refusal::ChunkEnd),
    (b"5\r\nhello0\r\n\r\n", Refusal::ChunkEnd),
    (b"5\r\nhello!\r\n0\r\n\r\n", Refusal::ChunkEnd),
    (b"5\r\nhello\r0\r\n\r\n", Refusal::ChunkEnd),
    (b"5\r\nhello\r\r\n0\r\n\r\n", Refusal::ChunkEnd),
    (b"6\r\nhello\r\n0\r\n\r\n", Refusal::ChunkEnd),
    // 7.1.1
    (b"5;a\0\r\nhello\r\n0\r\n\r\n", Refusal::ChunkExtension),
    (b"5;a\x7f\r\nhello\r\n0\r\n\r\n", Refusal::ChunkExtension),
    (b"0;\x0b\r\n\r\n", Refusal::ChunkExtension),
    // 7.1.2 and 5
    (b"0\r\nhello\r\n\r\n", Refusal::Trailer),
    (b"0\r\n: a\r\n\r\n", Refusal::Trailer),
    (b"0\r\n A: b\r\n\r\n", Refusal::Trailer),
    (b"0\r\nA: b\r\n c\r\n\r\n", Refusal::Trailer),
    (b"0\r\nA : b\r\n\r\n", Refusal::Trailer),
    (b"0\r\nA: \0\r\n\r\n", Refusal::Trailer),
    (b"0\r\nA: b\n\r\n", Refusal::BareLf),
    (b"0\r\nA\n\r\n", Refusal::BareLf),
    (b"0\r\nA: b\rc\r\n\r\n", Refusal::BareCr),
    (b"0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::Trailer),
];
