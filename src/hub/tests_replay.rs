//! Positions that clients name, true and forged, and the events of calls.

use super::*;

fn call(stream: u64, event: u32) -> Kind {
    Kind::Call { stream, event }
}

/// Every position that there can be, in a small ring that has gone round: only the beginnings of events are one.
#[test]
fn only_boundaries_are_places_to_go_on_from() {
    for size in [256, 257, 291] {
        let mut ring = vec![0; size];
        let mut hub = Hub::new(&mut ring, &mut []);
        let mut begins = vec![0];
        for number in 0..200u8 {
            // Payloads that look like frames themselves.
            let payload = [number % 5; 40];
            let kind = if number % 3 == 0 { call(u64::from(number), 1) } else { Kind::ToolsChanged };
            assert!(hub.append(kind, Audience::Client(1), &payload[..usize::from(number % 40)]));
            begins.push(hub.head());
            for position in 0..=hub.head() + 2 * size as u64 {
                let real = position >= hub.tail() && begins.contains(&position);
                assert_eq!(hub.is_boundary(position), real, "ring of {size}, {number} events, position {position}");
            }
            for position in [u64::MAX, u64::MAX - 1, u64::MAX / 2, 1 << 32] {
                assert!(!hub.is_boundary(position));
            }
        }
    }
}

#[test]
fn an_empty_ring_has_one_boundary() {
    let hub = Hub::new(&mut [], &mut []);
    assert!(hub.is_boundary(0) && !hub.is_boundary(1) && !hub.has_end(1, 1));
}

/// What is read from each boundary is every event behind it, once and in order.
#[test]
fn what_follows_a_boundary_is_all_that_came_after() {
    let mut ring = [0; 500];
    let mut hub = Hub::new(&mut ring, &mut []);
    let mut all = vec![];
    for number in 0..300u32 {
        let begin = hub.head();
        assert!(hub.append(call(7, number), Audience::Client(3), number.to_string().as_bytes()));
        all.push((begin, number));
        for (begin, first) in all.iter().filter(|(begin, _)| hub.is_boundary(*begin)) {
            let mut at = *begin;
            let mut seen = vec![];
            while let Next::Event(event, next) = hub.next(at) {
                let Kind::Call { stream: 7, event: numbered } = event.kind else { panic!("{event:?}") };
                assert_eq!([event.payload.0, event.payload.1].concat(), numbered.to_string().as_bytes());
                seen.push(numbered);
                at = next;
            }
            assert_eq!(seen, (*first..=number).collect::<Vec<_>>());
        }
    }
}

#[test]
fn the_events_of_a_call_are_for_its_own_stream() {
    let none = Filter {
        tools: false,
        prompts: false,
        resources: false,
        uris: 0,
        tasks: 0,
        messages: None,
        client: 3,
        call: Some(Resumed { stream: 7, after: 2 }),
    };
    let session = Filter {
        tools: true,
        prompts: true,
        resources: true,
        uris: u64::MAX,
        messages: Some(LogLevel::Debug),
        call: None,
        ..none
    };
    let event = |kind, client| Event { kind, audience: Audience::Client(client), payload: (b"{}", b"") };
    for (stream, number, client, wanted) in
        [(7, 3, 3, true), (7, sse::END_OF_CALL, 3, true), (7, 2, 3, false), (7, 3, 4, false), (8, 3, 3, false)]
    {
        assert_eq!(none.wants(&event(call(stream, number), client)), wanted);
        assert!(!session.wants(&event(call(stream, number), client)), "a session's own stream has no answers");
    }
    for kind in [Kind::ToolsChanged, Kind::ResourceUpdated(0), Kind::Message(LogLevel::Emergency)] {
        assert!(
            !none.wants(&event(kind, 3)) && !none.wants(&Event::of(kind, &[])) && session.wants(&Event::of(kind, &[]))
        );
    }
}

#[test]
fn the_end_of_a_call_is_found_while_it_is_there() {
    let mut ring = [0; 256];
    let mut hub = Hub::new(&mut ring, &mut []);
    hub.append(call(7, 1), Audience::Client(3), b"{}");
    assert!(!hub.has_end(3, 7));
    assert!(hub.has_event(3, 7, 1) && !hub.has_event(3, 7, 2) && !hub.has_event(4, 7, 1) && !hub.has_event(3, 8, 1));
    hub.append(call(7, sse::END_OF_CALL), Audience::Client(3), b"{}");
    assert!(hub.has_end(3, 7) && !hub.has_end(4, 7) && !hub.has_end(3, 8));
    for _ in 0..30 {
        hub.append(Kind::ToolsChanged, Audience::All, b"");
    }
    assert!(!hub.has_end(3, 7));
}

#[test]
fn a_calls_event_is_told_as_it_is() {
    let event = |payload| Event { kind: call(7, 1), audience: Audience::Client(3), payload: (b"", payload) };
    let mut buf = [0; 100];
    let mut w = Writer::new(&mut buf);
    event(b"{\"a\":1}".as_slice()).render(&mut w, b"\"never\"");
    let length = w.written();
    assert_eq!(&buf[..length], b"event: message\ndata: {\"a\":1}\n\n");
    assert!(event(b"".as_slice()).is_silent() && !event(b"{}".as_slice()).is_silent());
    assert!(!Event::of(Kind::ToolsChanged, &[]).is_silent());
}
