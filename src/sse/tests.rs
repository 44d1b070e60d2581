use super::*;

/// What a writer wrote into a buffer of this many bytes.
fn written(room: usize, write: impl Fn(&mut [u8]) -> Option<usize>) -> Option<String> {
    let mut out = vec![b'#'; room + 1];
    let len = write(&mut out[..room]);
    assert_eq!(out[room], b'#');
    len.map(|len| String::from_utf8(out[..len].to_vec()).unwrap())
}

type Writer = fn(&mut [u8]) -> Option<usize>;

#[test]
fn lines_are_written_whole_or_not_at_all() {
    let cases: &[(Writer, &str)] = &[
        (|out| id_line(b"b7:3:42", out), "id: b7:3:42\n"),
        (|out| id_line(b"", out), "id: \n"),
        (|out| event_line(b"endpoint", out), "event: endpoint\n"),
        (|out| comment(b"hello", out), ": hello\n\n"),
        (|out| comment(b"", out), ": \n\n"),
        (|out| retry_line(0, out), "retry: 0\n"),
        (|out| retry_line(3000, out), "retry: 3000\n"),
        (|out| retry_line(u32::MAX, out), "retry: 4294967295\n"),
    ];
    for (write, text) in cases {
        assert_eq!(written(text.len(), write).as_deref(), Some(*text));
        assert_eq!(written(100, write).as_deref(), Some(*text));
        for room in 0..text.len() {
            assert_eq!(written(room, write), None, "{text:?} in {room}");
        }
    }
    assert_eq!(RETRY_LINE_BYTES, "retry: 4294967295\n".len());
}

#[test]
fn nothing_can_end_a_line_or_void_an_id() {
    for bad in [&b"a\rb"[..], b"a\nb", b"\r\n", b"a\n\ndata: x"] {
        assert_eq!(written(100, |out| id_line(bad, out)), None);
        assert_eq!(written(100, |out| event_line(bad, out)), None);
        assert_eq!(written(100, |out| comment(bad, out)), None);
    }
    assert_eq!(written(100, |out| id_line(b"a\0b", out)), None);
    assert_eq!(written(100, |out| event_line(b"a\0b", out)), None);
    assert_eq!(written(100, |out| id_line(b" a", out)), None);
}

/// The parts, put together, are what WHATWG HTML 9.2.6 makes the events of.
#[test]
fn the_parts_make_events() {
    let mut id = [0; 32];
    let id_len = id_line(b"7", &mut id).unwrap();
    let stream =
        [OPENED, ENDPOINT, b"/messages?s=1", END, &id[..id_len], EMPTY_DATA, KEEP_ALIVE, MESSAGE, b"{}", END].concat();
    assert_eq!(
        dispatched(std::str::from_utf8(&stream).unwrap()),
        [("endpoint", "", "/messages?s=1"), ("message", "7", "{}")].map(|(event, id, data)| (
            event.to_owned(),
            id.to_owned(),
            data.to_owned()
        ))
    );
}

/// A reading of the standard's interpretation algorithm: (event, last event id, data) of each event dispatched.
fn dispatched(stream: &str) -> Vec<(String, String, String)> {
    let (mut events, mut event, mut id, mut data) = (vec![], String::new(), String::new(), String::new());
    for line in stream.lines() {
        match line.split_once(':').map(|(field, value)| (field, value.strip_prefix(' ').unwrap_or(value))) {
            _ if line.is_empty() => {
                let data = std::mem::take(&mut data);
                let event = std::mem::take(&mut event);
                if let Some(data) = data.strip_suffix('\n').filter(|data| !data.is_empty()) {
                    events.push((event, id.clone(), data.to_owned()));
                }
            }
            Some(("event", value)) => event = value.to_owned(),
            Some(("id", value)) => id = value.to_owned(),
            Some(("data", value)) => data = data + value + "\n",
            _ => {}
        }
    }
    events
}
