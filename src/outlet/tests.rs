//! Every form of an answer, through every size of write.

use core::cell::RefCell;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use super::chunk::put;
use super::*;

/// Runs `handler` against an outlet of the least size, taking at most `most` bytes at a time; gives all that was sent.
fn sent<'b>(outlet: Outlet<'b>, most: usize, handler: impl AsyncFnOnce(Out<'_>)) -> (String, RefCell<Outlet<'b>>) {
    let outlet = RefCell::new(outlet);
    let mut sent = Vec::new();
    {
        let mut handler = pin!(handler(Out::new(&outlet)));
        let mut running = true;
        for _ in 0..1_000_000 {
            if running {
                if let Poll::Ready(()) = handler.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    running = false;
                    outlet.borrow_mut().finish();
                }
            }
            let mut outlet = outlet.borrow_mut();
            let n = {
                let bytes = outlet.pending();
                let n = bytes.len().min(most);
                sent.extend_from_slice(&bytes[..n]);
                n
            };
            outlet.sent(n);
            if outlet.is_done() {
                break;
            }
        }
    }
    assert!(outlet.borrow().is_done(), "the answer never ended");
    (String::from_utf8(sent).unwrap(), outlet)
}

fn template<'b>() -> ResponseHead<'b> {
    ResponseHead::new(Status::OK, Framing::None)
}

fn dechunked(mut body: &str) -> String {
    let mut data = String::new();
    loop {
        let (size, rest) = body.split_once("\r\n").unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        data.push_str(&rest[..size]);
        body = rest[size..].strip_prefix("\r\n").unwrap();
        if size == 0 {
            assert_eq!(body, "", "something follows the last chunk");
            return data;
        }
    }
}

const WRITES: [usize; 4] = [1, 7, 1000, usize::MAX];

#[test]
fn a_small_answer_is_one_write_with_its_length() {
    let mut buf = vec![0; Outlet::BYTES_MIN];
    let mut outlet = Outlet::new(&mut buf, template(), true);
    put(outlet.free(), 0, b"{\"a\":1}");
    outlet.body = 7;
    outlet.finish();
    let first = String::from_utf8(outlet.pending().to_vec()).unwrap();
    assert!(first.starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n"), "{first}");
    assert!(first.ends_with("\r\n\r\n{\"a\":1}"), "{first}");
    outlet.sent(first.len());
    assert!(outlet.is_done() && outlet.pending().is_empty());
}

#[test]
fn an_answer_of_any_length_is_whole() {
    for most in WRITES {
        for (length, http10) in
            [(0, false), (100, false), (2_047, false), (2_048, false), (2_049, false), (50_000, false), (50_000, true)]
        {
            let mut buf = vec![0; Outlet::BYTES_MIN];
            let text: String = ('a'..='z').cycle().take(length).collect();
            let mut outlet = Outlet::new(&mut buf, template(), false);
            if http10 {
                outlet.set_http10();
            }
            let (all, _) = sent(outlet, most, async |out: Out<'_>| {
                out.escaped(&text[..length / 2]).await;
                out.str(&text[length / 2..]).await;
            });
            let (head, body) = all.split_once("\r\n\r\n").unwrap();
            let body = if head.contains("chunked") { dechunked(body) } else { body.to_owned() };
            assert_eq!(body, text, "{length} bytes, {most} at a time");
            assert_eq!(head.contains("Content-Length"), length <= 2_048, "{head}");
            assert_eq!(head.contains("Connection: close"), http10, "{head}");
        }
    }
}

#[test]
fn a_notification_makes_an_event_stream_and_overtakes_the_response() {
    for most in WRITES {
        for length in [0, 5, 1_500, 30_000] {
            let mut buf = vec![0; Outlet::BYTES_MIN];
            let text = "x".repeat(length);
            let outlet = Outlet::new(&mut buf, template(), true);
            let (all, _) = sent(outlet, most, async |out: Out<'_>| {
                out.str(&text[..length.min(300)]).await;
                for number in 1..=3 {
                    let sent = out.notify(|w| {
                        w.str("{\"n\":").uint(number).str("}");
                    });
                    assert!(sent.await);
                }
                out.str(&text[length.min(300)..]).await;
            });
            let (head, body) = all.split_once("\r\n\r\n").unwrap();
            assert!(head.contains("text/event-stream") && head.contains("X-Accel-Buffering: no"), "{head}");
            let event = |data: &str| format!("event: message\ndata: {data}\n\n");
            let mut expected: String = (1..=3).map(|n| event(&format!("{{\"n\":{n}}}"))).collect();
            if length > 0 {
                expected.push_str(&event(&text));
            }
            assert_eq!(dechunked(body), expected, "{length} bytes, {most} at a time");
        }
    }
}

#[test]
fn a_notification_that_can_not_be_sent_is_told_so() {
    let mut buf = vec![0; Outlet::BYTES_MIN];
    let outlet = Outlet::new(&mut buf, template(), false);
    let (all, _) = sent(outlet, usize::MAX, async |out: Out<'_>| {
        assert!(!out.notify(|w| drop_str(w, "{}")).await, "the client reads no event stream");
        out.str("1").await;
    });
    assert!(all.ends_with("\r\n\r\n1"));
    let mut buf = vec![0; Outlet::BYTES_MIN];
    let outlet = Outlet::new(&mut buf, template(), true);
    let (all, _) = sent(outlet, usize::MAX, async |out: Out<'_>| {
        out.str(&"y".repeat(10_000)).await;
        assert!(!out.notify(|w| drop_str(w, "{}")).await, "the response is under way");
    });
    assert!(!all.contains("event-stream"));
}

fn drop_str(w: &mut Writer<'_>, text: &str) {
    w.str(text);
}

#[test]
fn a_relayed_answer_is_one_event_without_head_or_end() {
    for (wire, length) in
        [(Wire::Chunked, 10), (Wire::Chunked, 9_000), (Wire::UntilClose, 10), (Wire::UntilClose, 9_000)]
    {
        let mut buf = vec![0; Outlet::BYTES_MIN];
        let text = "z".repeat(length);
        let (all, outlet) = sent(Outlet::relay(&mut buf, wire), 100, async |out: Out<'_>| out.str(&text).await);
        let data = if wire == Wire::Chunked { dechunked(&format!("{all}0\r\n\r\n")) } else { all };
        assert_eq!(data, format!("event: message\ndata: {text}\n\n"));
        assert!(!outlet.borrow().holds_stream());
    }
}

#[test]
fn what_was_not_sent_can_be_taken_back() {
    let mut buf = vec![0; Outlet::BYTES_MIN];
    let (all, _) = sent(Outlet::new(&mut buf, template(), true), usize::MAX, async |out: Out<'_>| {
        out.str("half an ans").await;
        assert!(out.rewind(Mark::START));
        out.set_status(Status::NOT_FOUND);
        out.str("no").await;
    });
    assert!(all.starts_with("HTTP/1.1 404 ") && all.ends_with("Content-Length: 2\r\n\r\nno"), "{all}");
    let mut buf = vec![0; Outlet::BYTES_MIN];
    sent(Outlet::new(&mut buf, template(), true), usize::MAX, async |out: Out<'_>| {
        out.str(&"a".repeat(5_000)).await;
        assert!(!out.rewind(Mark::START));
    });
}

#[test]
fn no_content_and_head_have_no_body() {
    let mut buf = vec![0; Outlet::BYTES_MIN];
    let mut outlet = Outlet::new(&mut buf, template(), false);
    outlet.set_status(Status::NO_CONTENT);
    outlet.finish();
    let all = String::from_utf8(outlet.pending().to_vec()).unwrap();
    assert!(all.starts_with("HTTP/1.1 204 No Content\r\n") && !all.contains("Content-Length"), "{all}");
    let mut outlet = Outlet::new(&mut buf, template(), false);
    outlet.set_head_only();
    put(outlet.free(), 0, b"ok\n");
    outlet.body = 3;
    outlet.finish();
    let all = String::from_utf8(outlet.pending().to_vec()).unwrap();
    assert!(all.contains("Content-Length: 3\r\n") && all.ends_with("\r\n\r\n"), "{all}");
}

#[test]
fn a_silent_call_shows_life() {
    let mut buf = vec![0; Outlet::BYTES_MIN];
    let mut outlet = Outlet::new(&mut buf, template(), true);
    outlet.keep_alive();
    let first = String::from_utf8(outlet.pending().to_vec()).unwrap();
    assert!(first.contains("text/event-stream") && first.contains(": keep-alive\n\n"), "{first}");
    outlet.sent(first.len());
    outlet.keep_alive();
    let second = String::from_utf8(outlet.pending().to_vec()).unwrap();
    assert_eq!(second, "00000e\r\n: keep-alive\n\n\r\n");
    outlet.sent(second.len());
    outlet.finish();
    assert_eq!(outlet.pending(), b"0\r\n\r\n");
}

#[test]
fn nobody_reads() {
    let mut buf = vec![0; Outlet::BYTES_MIN];
    let mut outlet = Outlet::new(&mut buf, template(), true);
    outlet.abandon();
    let (all, _) = sent(outlet, usize::MAX, async |out: Out<'_>| {
        out.str(&"a".repeat(100_000)).await;
        assert!(!out.notify(|w| drop_str(w, "{}")).await);
    });
    assert_eq!(all, "");
}
