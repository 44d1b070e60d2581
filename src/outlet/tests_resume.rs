//! Answers whose connection breaks after every number of bytes: what the client read, and what is kept for it, is each event once.

use core::cell::RefCell;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use super::*;
use crate::sse::{EventId, Place, RequestTail};

/// When and how the connection breaks.
#[derive(Clone, Copy, Debug)]
struct Break {
    /// After so many bytes; never where there are fewer.
    after: usize,
    /// The most bytes that are taken at a time.
    most: usize,
    /// The client had said that it sends nothing more.
    doubled: bool,
}

/// What became of an answer.
#[derive(Debug, Default)]
struct Fate {
    sent: Vec<u8>,
    kept: Vec<(Place, String)>,
    /// It went on without its connection.
    detached: bool,
    /// It broke, and there was nothing by which the client could come back.
    gone: bool,
}

fn resumable<'b>(primed: bool) -> Resumable<'b> {
    let id = EventId { boot: 0xb007, client: 5, stream: 6, place: Place::Call(0), request: RequestTail::default() };
    Resumable { id, request: b"42", primed, retry_ms: 2_000 }
}

/// Runs `handler` to its end, as a worker would. `limit`: what is longer can't be kept.
fn run(buf: &mut [u8], primed: bool, how: Break, limit: usize, handler: impl AsyncFnOnce(Out<'_>)) -> Fate {
    let mut outlet = Outlet::new(buf, ResponseHead::new(Status::OK, Framing::None), true);
    outlet.set_resumable(resumable(primed));
    if how.doubled {
        outlet.double();
    }
    let outlet = RefCell::new(outlet);
    let mut fate = Fate::default();
    let mut handler = pin!(handler(Out::new(&outlet)));
    let mut running = true;
    for _ in 0..1_000_000 {
        if running && handler.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            running = false;
            outlet.borrow_mut().finish();
        }
        let mut outlet = outlet.borrow_mut();
        keep(&mut outlet, limit, &mut fate);
        let n = {
            let bytes = outlet.pending();
            let n = bytes.len().min(how.most).min(how.after - fate.sent.len());
            fate.sent.extend_from_slice(&bytes[..n]);
            n
        };
        let due = !outlet.pending().is_empty();
        outlet.sent(n);
        if due && fate.sent.len() == how.after && !outlet.pending().is_empty() && !outlet.detach() {
            fate.gone = true;
            return fate;
        }
        keep(&mut outlet, limit, &mut fate);
        if outlet.is_done() {
            fate.detached = outlet.is_detached();
            return fate;
        }
    }
    panic!("the answer never ended: {how:?}");
}

fn keep(outlet: &mut Outlet<'_>, limit: usize, fate: &mut Fate) {
    loop {
        let Some(Kept { id, json }) = outlet.next_kept() else { return };
        let whole = json.len() <= limit;
        if whole {
            fate.kept.push((id.place, String::from_utf8(json.to_vec()).unwrap()));
        }
        outlet.kept(whole);
    }
}

/// The whole events in what a client read, with their ids.
fn read(sent: &[u8]) -> Vec<(Place, String)> {
    let text = String::from_utf8(sent.to_vec()).unwrap();
    let Some((_, mut body)) = text.split_once("\r\n\r\n") else { return vec![] };
    let mut data = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        data.push_str(&rest[..size.min(rest.len())]);
        body = rest.get(size + 2..).unwrap_or_default();
    }
    let mut events = vec![];
    for block in data.split_inclusive("\n\n").filter(|block| block.ends_with("\n\n")) {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
        if let Some(id) = field("id: ") {
            let place = EventId::parse(id.as_bytes()).expect("an id of ours").place;
            events.push((place, field("data: ").unwrap_or_default().to_owned()));
        }
    }
    events
}

async fn steps(out: Out<'_>, length: usize) {
    out.str("[").await;
    for number in 1..=3 {
        out.notify(|w| {
            w.str("{\"n\":").uint(number).str("}");
        })
        .await;
    }
    out.str(&"x".repeat(length)).await;
    out.str("]").await;
}

/// All that a client should have: the beginning where it is primed, the three steps, the answer.
fn all(primed: bool, answer: &str) -> Vec<(Place, String)> {
    let first = primed.then(|| (Place::Call(0), String::new()));
    let steps = (1..=3).map(|n| (Place::Call(n), format!("{{\"n\":{n}}}")));
    first.into_iter().chain(steps).chain([(Place::Call(sse::END_OF_CALL), answer.to_owned())]).collect()
}

#[test]
fn whenever_it_breaks_each_event_is_read_or_kept() {
    let answer = format!("[{}]", "x".repeat(300));
    let mut buf = vec![0; Outlet::BYTES_MIN];
    for primed in [true, false] {
        let whole = Break { after: usize::MAX, most: usize::MAX, doubled: false };
        let fate = run(&mut buf, primed, whole, 1_000, async |out: Out<'_>| steps(out, 300).await);
        assert_eq!((read(&fate.sent), fate.kept, fate.detached), (all(primed, &answer), vec![], false));
        let length = fate.sent.len();
        for after in 0..length {
            for most in [usize::MAX, 7] {
                let how = Break { after, most, doubled: false };
                let fate = run(&mut buf, primed, how, 1_000, async |out: Out<'_>| steps(out, 300).await);
                let had = read(&fate.sent);
                if fate.gone {
                    assert_eq!(had, vec![], "{how:?}");
                    continue;
                }
                // It comes back with the last id that it read.
                let last = had.last().map(|(place, _)| number(*place));
                let missed = fate.kept.iter().filter(|(place, _)| Some(number(*place)) > last);
                let got: Vec<_> = had.iter().chain(missed).cloned().collect();
                let expected = all(primed, &answer);
                assert!(
                    got == expected || (had.is_empty() && got == expected[usize::from(primed)..]),
                    "{how:?}: {got:?}"
                );
                assert_eq!(fate.detached, had.len() < expected.len() || !fate.kept.is_empty());
            }
        }
    }
}

fn number(place: Place) -> u32 {
    let Place::Call(number) = place else { panic!("{place:?}") };
    number
}

#[test]
fn what_a_client_that_may_be_gone_was_sent_is_kept_too() {
    let answer = format!("[{}]", "x".repeat(300));
    let mut buf = vec![0; Outlet::BYTES_MIN];
    for after in (0..2_000).chain([usize::MAX]) {
        let how = Break { after, most: 50, doubled: true };
        let fate = run(&mut buf, true, how, 1_000, async |out: Out<'_>| steps(out, 300).await);
        if !fate.gone {
            assert_eq!(fate.kept, all(true, &answer)[1..], "{how:?}");
        }
    }
}

#[test]
fn an_answer_that_can_not_be_kept_is_said_to_be_lost() {
    // More than may be kept; more than the buffer holds; and a part of it was sent.
    for (length, after) in [(1_500, 500), (20_000, 500), (20_000, 3_000)] {
        let mut buf = vec![0; Outlet::BYTES_MIN];
        let how = Break { after, most: usize::MAX, doubled: false };
        let fate = run(&mut buf, true, how, 1_000, async |out: Out<'_>| steps(out, length).await);
        let (place, json) = fate.kept.last().expect("an answer");
        assert_eq!(*place, Place::Call(sse::END_OF_CALL));
        assert!(json.starts_with(r#"{"jsonrpc":"2.0","id":42,"error":{"code":-32603,"#), "{json}");
        assert!(fate.detached);
        assert_eq!(fate.kept.iter().filter(|(place, _)| *place == Place::Call(sse::END_OF_CALL)).count(), 1);
    }
}

fn write(w: &mut Writer<'_>, length: usize) {
    w.str(&"n".repeat(length));
}

#[test]
fn an_event_that_can_not_be_kept_is_left_out() {
    let mut buf = vec![0; Outlet::BYTES_MIN];
    let how = Break { after: 250, most: usize::MAX, doubled: false };
    let fate = run(&mut buf, true, how, 100, async |out: Out<'_>| {
        assert!(out.detach().await);
        assert!(out.notify(|w| write(w, 101)).await);
        assert!(out.notify(|w| write(w, 2)).await);
        assert!(!out.notify(|w| write(w, 100_000)).await, "it does not even fit the buffer");
        out.str("1").await;
    });
    let expected = vec![(Place::Call(2), "nn".to_owned()), (Place::Call(sse::END_OF_CALL), "1".to_owned())];
    assert_eq!(fate.kept, expected);
}

#[test]
fn what_is_taken_back_without_a_connection_is_not_missed() {
    let mut buf = vec![0; Outlet::BYTES_MIN];
    let how = Break { after: usize::MAX, most: usize::MAX, doubled: false };
    let fate = run(&mut buf, true, how, 1_000, async |out: Out<'_>| {
        assert!(out.detach().await);
        assert!(out.detach().await, "it has gone already");
        out.str(&"x".repeat(100_000)).await;
        assert!(out.rewind(Mark::START));
        out.str("it failed").await;
    });
    assert_eq!(fate.kept, vec![(Place::Call(sse::END_OF_CALL), "it failed".to_owned())]);
    let text = String::from_utf8(fate.sent).unwrap();
    assert!(text.ends_with("id: 0000b007-5-c6-0-n42\nretry: 2000\ndata:\n\n\r\n0\r\n\r\n"), "{text}");
}

#[test]
fn a_response_that_breaks_off_is_lost() {
    let mut buf = vec![0; Outlet::BYTES_MIN];
    let how = Break { after: usize::MAX, most: usize::MAX, doubled: false };
    let fate = run(&mut buf, true, how, 1_000, async |out: Out<'_>| {
        assert!(out.detach().await);
        out.str("{").await;
        out.break_off();
    });
    assert!(fate.kept[0].1.contains("the answer is lost"), "{fate:?}");
}

#[test]
fn a_connection_is_kept_where_its_client_could_not_come_back() {
    let how = Break { after: usize::MAX, most: usize::MAX, doubled: false };
    let mut buf = vec![0; Outlet::BYTES_MIN];
    let fate = run(&mut buf, false, how, 1_000, async |out: Out<'_>| {
        assert!(!out.detach().await, "it has no id");
        out.str("1").await;
    });
    assert!(!fate.detached && fate.sent.ends_with(b"\r\n\r\n1"));
    let fate = run(&mut buf, true, how, 1_000, async |out: Out<'_>| {
        out.str(&"x".repeat(10_000)).await;
        assert!(!out.detach().await, "the response is under way");
    });
    assert!(!fate.detached);
    let outlet = RefCell::new(Outlet::new(&mut buf, ResponseHead::new(Status::OK, Framing::None), true));
    let out = Out::new(&outlet);
    let mut detach = pin!(out.detach());
    assert_eq!(
        detach.as_mut().poll(&mut Context::from_waker(Waker::noop())),
        Poll::Ready(false),
        "it has no ids at all"
    );
    assert!(!outlet.borrow_mut().detach() && outlet.borrow_mut().next_kept().is_none());
}

#[test]
fn a_call_that_was_dropped_ends_silently() {
    let mut buf = vec![0; Outlet::BYTES_MIN];
    let mut outlet = Outlet::new(&mut buf, ResponseHead::new(Status::OK, Framing::None), true);
    outlet.set_resumable(resumable(true));
    outlet.keep_alive();
    let n = outlet.pending().len();
    outlet.sent(n);
    assert!(outlet.detach());
    let outlet = RefCell::new(outlet);
    let _ = pin!(Out::new(&outlet).str("half")).poll(&mut Context::from_waker(Waker::noop()));
    let mut outlet = outlet.borrow_mut();
    outlet.end_silently();
    let mut fate = Fate::default();
    keep(&mut outlet, 1_000, &mut fate);
    assert_eq!(fate.kept, vec![(Place::Call(sse::END_OF_CALL), String::new())]);
    assert!(outlet.is_done());
}
