//! The ring: order, wrapping, loss, and what each listener is told.

use super::*;

fn texts(hub: &Hub<'_>, mut cursor: u64) -> Result<Vec<String>, ()> {
    let mut texts = Vec::new();
    loop {
        match hub.next(cursor) {
            Next::Event(event, next) => {
                let whole = [event.payload.0, event.payload.1].concat();
                texts.push(String::from_utf8(whole).unwrap());
                assert!(next > cursor);
                cursor = next;
            }
            Next::UpToDate => return Ok(texts),
            Next::Lost => return Err(()),
        }
    }
}

#[test]
fn events_come_in_order_and_whole_wherever_they_lie() {
    for size in [256, 257, 300, 1000] {
        let mut ring = vec![0xaa; size];
        let mut hub = Hub::new(&mut ring, &mut []);
        let mut kept: Vec<(u64, String)> = Vec::new();
        for number in 0..500usize {
            let text = format!("{number}").repeat(number % 11);
            kept.push((hub.head(), text.clone()));
            assert!(hub.append(Kind::Message(LogLevel::Info), Audience::Client(number as u64 + 1), text.as_bytes()));
            let oldest = kept.iter().position(|(at, _)| *at >= hub.tail).unwrap();
            kept.drain(..oldest);
            let expected: Vec<String> = kept.iter().map(|(_, text)| text.clone()).collect();
            assert_eq!(texts(&hub, kept[0].0), Ok(expected), "ring of {size}, event {number}");
        }
    }
}

#[test]
fn a_cursor_that_the_ring_passed_by_has_lost() {
    let mut ring = [0; 256];
    let mut hub = Hub::new(&mut ring, &mut []);
    let start = hub.head();
    let mut lost = false;
    for number in 0..100 {
        hub.append(Kind::ToolsChanged, Audience::All, &[]);
        lost |= texts(&hub, start).is_err();
        assert_eq!(lost, (number + 1) * FRAME_BYTES > 256);
        assert_eq!(texts(&hub, hub.head()), Ok(vec![]));
    }
}

#[test]
fn an_event_that_is_too_large_changes_nothing() {
    let mut ring = [0; 256];
    let mut hub = Hub::new(&mut ring, &mut []);
    hub.append(Kind::ToolsChanged, Audience::All, b"");
    let before = (hub.head, hub.tail);
    assert!(!hub.append(Kind::ToolsChanged, Audience::All, &[b'x'; 64]));
    assert!(!Hub::new(&mut vec![0; 1 << 20], &mut []).append(Kind::ToolsChanged, Audience::All, &vec![b'x'; 65_536]));
    assert_eq!((hub.head, hub.tail), before);
    assert!(hub.append(Kind::ToolsChanged, Audience::All, &[b'x'; 52]));
}

fn rendered(kind: Kind, payload: &[u8], subscription: &[u8]) -> String {
    let event = Event { kind, audience: Audience::All, payload: payload.split_at(payload.len() / 2) };
    let mut buf = [0; 500];
    let mut w = Writer::new(&mut buf);
    event.render(&mut w, subscription);
    let length = w.written();
    String::from_utf8(buf[..length].to_vec()).unwrap()
}

#[test]
fn events_are_told_in_the_listeners_way() {
    assert_eq!(
        rendered(Kind::ToolsChanged, b"", b""),
        "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n"
    );
    assert_eq!(
        rendered(Kind::ResourcesChanged, b"", b"\"l-1\""),
        "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/list_changed\",\"params\":\
         {\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":\"l-1\"}}}\n\n"
    );
    assert_eq!(
        rendered(Kind::Message(LogLevel::Info), b"{\"level\":\"info\",\"data\":1}", b""),
        "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":1}}\n\n"
    );
}

#[test]
fn a_filter_lets_through_what_was_asked_for() {
    let all = Filter {
        tools: true,
        prompts: true,
        resources: true,
        uris: 1,
        tasks: 0,
        messages: Some(LogLevel::Warning),
        client: 7,
        call: None,
    };
    let none = Filter {
        tools: false,
        prompts: false,
        resources: false,
        uris: 0,
        tasks: 0,
        messages: None,
        client: 7,
        call: None,
    };
    let event = |kind, audience| Event { kind, audience, payload: (&[], &[]) };
    for kind in [Kind::ToolsChanged, Kind::PromptsChanged, Kind::ResourcesChanged, Kind::Message(LogLevel::Error)] {
        assert!(all.wants(&event(kind, Audience::All)) && all.wants(&event(kind, Audience::Client(7))));
        assert!(!all.wants(&event(kind, Audience::Client(8))) && !none.wants(&event(kind, Audience::All)));
        assert_eq!(decode(encode(kind).0, encode(kind).1), kind);
    }
    for level in LogLevel::ALL {
        assert_eq!(all.wants(&event(Kind::Message(level), Audience::All)), level >= LogLevel::Warning);
        let (code, number) = encode(Kind::Message(level));
        assert_eq!(decode(code, number), Kind::Message(level));
    }
}
