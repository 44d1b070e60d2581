//! Places for questions: taken, answered, lost, free again.

use std::task::{Context, Poll, Waker};

use super::inputs::*;
use crate::app::{InputError, Ticket};
use crate::limits::INPUT_BYTES_MAX;
use crate::session::SessionRef;

fn table<R>(places: usize, calls: usize, test: impl FnOnce(&mut Inputs<'_>) -> R) -> R {
    let mut slots: Vec<Input> = (0..places).map(|_| Input::EMPTY).collect();
    let mut bytes = vec![0; places * INPUT_BYTES_MAX];
    test(&mut Inputs::new(&mut slots, &mut bytes, calls))
}

fn poll(inputs: &mut Inputs<'_>, ticket: Ticket) -> Poll<Result<(), InputError>> {
    inputs.poll(&Context::from_waker(Waker::noop()), ticket)
}

const A: SessionRef = SessionRef::of_test(1);
const B: SessionRef = SessionRef::of_test(2);

#[test]
fn an_answer_reaches_its_question_once() {
    table(2, 4, |inputs| {
        let (one, two) = (inputs.open(A, 0, 0).unwrap(), inputs.open(B, 1, 0).unwrap());
        assert!(!inputs.reply(B, one, Some(b"\"of another session\"")));
        assert!(!inputs.reply(A, Ticket(one.0, one.1.wrapping_add(1)), Some(b"1")), "of another time");
        assert!(!inputs.reply(A, Ticket(7, one.1), Some(b"1")), "of no place");
        assert_eq!(poll(inputs, one), Poll::Pending);
        assert!(inputs.waits(0) && inputs.waits(1) && !inputs.waits(2));
        assert!(inputs.reply(A, one, Some(b"{\"x\":1}")));
        assert!(!inputs.reply(A, one, Some(b"\"again\"")));
        assert_eq!(poll(inputs, one), Poll::Ready(Ok(())));
        assert_eq!(inputs.answer(one), Some(&b"{\"x\":1}"[..]));
        assert!(!inputs.waits(0));
        inputs.forget(one);
        inputs.forget(one);
        assert_eq!(inputs.answer(one), None);
        assert_eq!(poll(inputs, one), Poll::Ready(Err(InputError::Gone)));
        assert!(!inputs.reply(A, one, Some(b"\"late\"")));
        // Its place has another question now.
        let third = inputs.open(A, 0, 0).unwrap();
        assert!(third.0 == one.0 && third.1 != one.1);
        inputs.forget(one);
        assert_eq!(poll(inputs, third), Poll::Pending);
        assert!(inputs.reply(B, two, None));
        assert_eq!(poll(inputs, two), Poll::Ready(Err(InputError::Refused)));
    });
}

#[test]
fn there_are_as_many_as_there_are() {
    table(3, 3, |inputs| {
        let first = inputs.open(A, 0, 0).unwrap();
        inputs.open(A, 0, 0).unwrap();
        inputs.open(A, 1, 0).unwrap();
        assert_eq!(inputs.open(A, 1, 0), Err(InputError::Full), "no place");
        inputs.forget(first);
        assert_eq!(inputs.open(A, 2, 0), Err(InputError::Full), "a third call: one buffer is for others");
        inputs.open(A, 1, 0).unwrap();
    });
    table(0, 8, |inputs| assert_eq!(inputs.open(A, 0, 0), Err(InputError::Full)));
    table(1, 1, |inputs| assert!(inputs.open(A, 0, 0).is_ok(), "the answer comes by the reserve"));
}

#[test]
fn nobody_waits_for_ever() {
    table(3, 8, |inputs| {
        let (one, two) = (inputs.open(A, 0, 0).unwrap(), inputs.open(B, 1, 500).unwrap());
        inputs.expire(1_000, 1_000);
        assert_eq!(poll(inputs, one), Poll::Ready(Err(InputError::TimedOut)));
        assert_eq!(poll(inputs, two), Poll::Pending);
        assert!(!inputs.reply(A, one, Some(b"1")), "too late");
        inputs.end(Some(B));
        assert_eq!(poll(inputs, two), Poll::Ready(Err(InputError::Gone)));
        let three = inputs.open(A, 2, 0).unwrap();
        inputs.end(None);
        assert_eq!(poll(inputs, three), Poll::Ready(Err(InputError::Gone)));
    });
}

#[test]
fn a_question_that_was_missed_is_sent_again_once() {
    table(4, 8, |inputs| {
        let cx = Context::from_waker(Waker::noop());
        let (one, two) = (inputs.open(A, 0, 0).unwrap(), inputs.open(A, 0, 0).unwrap());
        let (unsent, other) = (inputs.open(A, 0, 0).unwrap(), inputs.open(B, 1, 0).unwrap());
        for (ticket, event) in [(one, 3), (two, 4), (other, 4)] {
            inputs.sent(ticket, event);
        }
        inputs.resume(0, |event| event > 3);
        let missed = |inputs: &mut Inputs<'_>| [one, two, unsent, other].map(|ticket| inputs.poll_missed(&cx, ticket));
        assert_eq!(missed(inputs), [false, true, false, false]);
        assert_eq!(missed(inputs), [false; 4], "once");
        inputs.resume(0, |_| true);
        assert!(inputs.reply(A, one, Some(b"1")), "it came all the same");
        assert_eq!(missed(inputs), [false, true, false, false]);
    });
}

#[test]
fn an_answer_fits_or_is_refused() {
    table(2, 8, |inputs| {
        let (one, two) = (inputs.open(A, 0, 0).unwrap(), inputs.open(A, 0, 0).unwrap());
        assert!(inputs.reply(A, two, Some(&[b'7'; INPUT_BYTES_MAX])));
        assert_eq!(inputs.answer(two).map(<[u8]>::len), Some(INPUT_BYTES_MAX));
        assert!(inputs.reply(A, one, Some(&[b'7'; INPUT_BYTES_MAX + 1])));
        assert_eq!(poll(inputs, one), Poll::Ready(Err(InputError::TooLarge)));
    });
}

#[test]
fn ids_are_read_as_they_were_written_and_no_others() {
    assert_eq!(ticket(b"\"smol-3-4294967295\""), Some(Ticket(3, u32::MAX)));
    assert_eq!(ticket(br#""\u0073mol\u002d3-4""#), Some(Ticket(3, 4)), "in other escapes");
    for id in [
        "7",
        "null",
        "\"\"",
        "\"smol-3\"",
        "\"smol-3-\"",
        "\"smol--1-4\"",
        "\"smol-3-4294967296\"",
        "\"smol-3-4-5\"",
        "\"other-3-4\"",
    ] {
        assert_eq!(ticket(id.as_bytes()), None, "{id}");
    }
    assert_eq!(ticket(format!("\"smol-3-{}\"", "0".repeat(99)).as_bytes()), None);
}
