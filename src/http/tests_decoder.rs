//! The decoder's other promises: what it says of itself between the steps.

use super::tests_harness::{LIMITS, NEXT, ROOM};
use super::*;

/// A decoder and its buffer, driven by hand.
struct Bench {
    decoder: Decoder,
    buf: Vec<u8>,
}

impl Bench {
    fn new(room: usize) -> Self {
        Self { decoder: Decoder::new(), buf: vec![0; room] }
    }

    /// Puts bytes into the space, as many as there is room for, without a step.
    fn put(&mut self, text: &[u8]) -> usize {
        let space = self.decoder.space(&mut self.buf);
        let n = space.len().min(text.len());
        space[..n].copy_from_slice(&text[..n]);
        self.decoder.commit(n);
        n
    }

    fn step(&mut self) -> Step {
        self.decoder.step(&mut self.buf, &LIMITS)
    }

    fn feed(&mut self, text: &[u8]) -> Step {
        assert_eq!(self.put(text), text.len());
        self.step()
    }

    fn finish(&mut self) -> bool {
        self.decoder.finish(&mut self.buf)
    }
}

const POST: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";

#[test]
fn the_steps_of_a_request() {
    let mut bench = Bench::new(ROOM);
    assert!(bench.decoder.is_idle());
    assert_eq!(bench.step(), Step::NeedMore);
    assert_eq!(bench.feed(&POST[..10]), Step::NeedMore);
    assert!(!bench.decoder.is_idle());
    assert!(bench.decoder.head(&bench.buf).is_none());
    assert_eq!(bench.feed(&POST[10..]), Step::Head);
    assert_eq!(bench.decoder.body(), 0..0);
    assert_eq!(bench.step(), Step::NeedMore);
    assert_eq!(bench.feed(b"hell"), Step::NeedMore);
    assert_eq!(bench.feed(b"o"), Step::Body);
    assert_eq!(bench.step(), Step::Body);
    assert_eq!(bench.decoder.body(), POST.len()..POST.len() + 5);
    assert_eq!(bench.decoder.free_tail(), POST.len() + 5);
    // The part of the buffer before the body is enough for the head, so the body can be lent out mutably.
    let (head, body) = bench.buf.split_at_mut(bench.decoder.body().start);
    body[0] = b'j';
    assert_eq!(bench.decoder.head(head).unwrap().host(), Some("a"));
    assert!(bench.finish());
    assert!(bench.decoder.is_idle());
    assert_eq!(bench.decoder.free_tail(), 0);
    assert_eq!(bench.step(), Step::NeedMore);
}

#[test]
fn a_request_without_body_has_it_at_once() {
    let mut bench = Bench::new(ROOM);
    assert_eq!(bench.feed(NEXT), Step::Head);
    assert_eq!(bench.step(), Step::Body);
    assert!(bench.decoder.body().is_empty());
}

#[test]
fn blank_lines_leave_a_connection_idle() {
    let mut bench = Bench::new(ROOM);
    for byte in b"\r\n\r\n\r" {
        assert_eq!(bench.feed(&[*byte]), Step::NeedMore);
        assert_eq!(bench.decoder.is_idle(), *byte == b'\n');
        assert_eq!(bench.decoder.free_tail(), 0);
    }
    assert_eq!(bench.feed(b"\n"), Step::NeedMore);
    assert_eq!(bench.feed(NEXT), Step::Head);
    assert_eq!(bench.step(), Step::Body);
    assert!(bench.finish());
    // They are counted for each request anew.
    assert_eq!(bench.feed(b"\r\n\r\n\r\n\r\n"), Step::NeedMore);
    assert_eq!(bench.feed(b"\r\n"), Step::Refuse(Refusal::BlankLines));
}

#[test]
fn pipelined_bytes_wait_behind_the_request() {
    let mut bench = Bench::new(POST.len() + 5 + NEXT.len() + 3);
    assert_eq!(bench.feed(POST), Step::Head);
    assert_eq!(bench.feed(b"hello"), Step::Body);
    // While the request runs, what comes goes behind it, until the buffer is full.
    assert_eq!(bench.put(NEXT), NEXT.len());
    assert_eq!(bench.step(), Step::Body);
    assert_eq!(bench.put(NEXT), 3);
    assert_eq!(bench.step(), Step::Body);
    assert!(bench.decoder.space(&mut bench.buf).is_empty());
    assert_eq!(&bench.buf[bench.decoder.body()], b"hello");
    assert!(bench.finish());
    assert!(!bench.decoder.is_idle());
    assert_eq!(bench.decoder.free_tail(), NEXT.len() + 3);
    assert_eq!(bench.step(), Step::Head);
    assert_eq!(bench.decoder.head(&bench.buf).unwrap().path(), "/next");
    assert_eq!(bench.step(), Step::Body);
    assert!(bench.finish());
    assert_eq!(bench.feed(&NEXT[3..]), Step::Head);
}

#[test]
fn pipelined_bytes_behind_a_chunked_body() {
    let mut bench = Bench::new(ROOM);
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(bench.feed(head), Step::Head);
    assert_eq!(bench.feed(&[b"5\r\nhello\r\n0\r\n\r\n", NEXT].concat()), Step::Body);
    assert_eq!(bench.decoder.body(), head.len()..head.len() + 5);
    assert_eq!(bench.decoder.free_tail(), head.len() + 5 + NEXT.len());
    assert_eq!(bench.put(b"X"), 1);
    assert!(bench.finish());
    assert_eq!(bench.decoder.free_tail(), NEXT.len() + 1);
    assert_eq!(bench.step(), Step::Head);
    assert_eq!(bench.decoder.head(&bench.buf).unwrap().path(), "/next");
}

/// RFC 9110, 10.1.1
#[test]
fn wants_continue() {
    let wants = |head: &str, body: &[u8]| {
        let mut bench = Bench::new(ROOM);
        assert!(!bench.decoder.wants_continue());
        assert_eq!(bench.feed(head.replace('\n', "\r\n").as_bytes()), Step::Head);
        let wanted = bench.decoder.wants_continue();
        if !body.is_empty() {
            let _ = bench.feed(body);
            assert!(!bench.decoder.wants_continue(), "a byte of the body has come");
        }
        wanted
    };
    assert!(wants("POST / HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 5\n\n", b"h"));
    assert!(wants("POST / HTTP/1.1\nHost: a\nExpect: 100-continue\nTransfer-Encoding: chunked\n\n", b"5"));
    assert!(wants("POST / HTTP/1.1\nHost: a\nExpect: 100-Continue\nContent-Length: 5\n\n", b"hello"));
    assert!(!wants("POST / HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 0\n\n", b""));
    assert!(!wants("POST / HTTP/1.1\nHost: a\nExpect: 100-continue\n\n", b""));
    assert!(!wants("POST / HTTP/1.1\nHost: a\nContent-Length: 5\n\n", b""));
    assert!(!wants("POST / HTTP/1.0\nHost: a\nExpect: 100-continue\nContent-Length: 5\n\n", b""));
    // The body, or its first bytes, came with the head.
    assert!(!wants("POST / HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 5\n\nh", b""));
    assert!(!wants("POST / HTTP/1.1\nHost: a\nExpect: 100-continue\nTransfer-Encoding: chunked\n\n5", b""));
}

#[test]
fn an_unread_body_ends_the_connection() {
    for came in [&b""[..], b"hell"] {
        let mut bench = Bench::new(ROOM);
        assert_eq!(bench.feed(&[POST, came].concat()), Step::Head);
        assert!(!bench.finish());
        assert!(bench.decoder.head(&bench.buf).is_none());
        assert_eq!(bench.feed(NEXT), Step::Refuse(Refusal::BodyUnread));
        assert!(!bench.finish());
        assert_eq!(bench.step(), Step::Refuse(Refusal::BodyUnread));
    }
    // Also when all of it is in the buffer, but was not stepped to: the caller never saw Body.
    let mut bench = Bench::new(ROOM);
    assert_eq!(bench.feed(&[POST, b"hello"].concat()), Step::Head);
    assert!(!bench.finish());
    // Before a request there is nothing to be done with.
    assert!(Bench::new(ROOM).finish());
}

/// A refused request's head stays to be asked when it is the body that is wrong: a browser reads the answer only when
/// it grants the Origin.
#[test]
fn a_refused_body_leaves_the_head() {
    let text = b"POST / HTTP/1.1\r\nHost: a\r\nOrigin: http://o\r\nContent-Length: 999\r\n\r\n";
    let mut bench = Bench::new(ROOM);
    assert_eq!(bench.feed(text), Step::Refuse(Refusal::BodyTooLarge));
    assert_eq!(bench.decoder.head(&bench.buf).unwrap().header(Known::Origin), Some(&b"http://o"[..]));
    let mut bench = Bench::new(ROOM);
    assert_eq!(bench.feed(b"POST / HTTP/1.1\r\nOrigin: http://o\r\nBad\r\n\r\n"), Step::Refuse(Refusal::HeaderColon));
    assert!(bench.decoder.head(&bench.buf).is_none());
}

/// A caller's slip is a refusal or a cut, never a panic.
#[test]
fn misuse_does_no_harm() {
    let mut bench = Bench::new(64);
    bench.decoder.commit(usize::MAX);
    bench.decoder.commit(usize::MAX);
    assert!(bench.decoder.space(&mut bench.buf).is_empty());
    assert_eq!(bench.step(), Step::Refuse(Refusal::Method));
    let mut decoder = Decoder::new();
    assert_eq!(decoder.step(&mut [], &LIMITS), Step::NeedMore);
    decoder.commit(5);
    assert_eq!(decoder.step(&mut [], &LIMITS), Step::NeedMore);
    // A buffer that shrinks below what it held.
    let mut bench = Bench::new(ROOM);
    assert_eq!(bench.feed(POST), Step::Head);
    assert_eq!(bench.feed(b"hello"), Step::Body);
    let _ = bench.decoder.step(&mut bench.buf[..10], &LIMITS);
    let request = bench.decoder.head(&bench.buf[..10]).unwrap();
    assert_eq!((request.host(), request.header(Known::ContentLength)), (Some(""), Some(&b""[..])));
    let _ = bench.decoder.finish(&mut bench.buf[..10]);
    let mut bench = Bench::new(ROOM);
    assert_eq!(bench.feed(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), Step::Head);
    assert_eq!(bench.feed(b"5\r\nhe"), Step::NeedMore);
    let _ = bench.decoder.step(&mut bench.buf[..10], &LIMITS);
}

/// What stands in the memory budget.
#[test]
fn the_decoder_is_small() {
    let kept = crate::limits::KEPT_HEAD_BYTES_MAX;
    assert!(size_of::<Decoder>() <= 704 + kept + 96, "{}", size_of::<Decoder>());
    assert!(size_of::<Request<'_>>() <= 4 * size_of::<usize>());
}
