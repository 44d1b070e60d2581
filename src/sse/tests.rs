use super::*;

/// The parts, put together, are what WHATWG HTML 9.2.6 makes the events of.
#[test]
fn the_parts_make_events() {
    let stream = [OPENED, ENDPOINT, b"/messages?s=1", END, KEEP_ALIVE, MESSAGE, b"{}", END].concat();
    let stream = str::from_utf8(&stream).unwrap();
    let events = [("endpoint", "/messages?s=1"), ("message", "{}")];
    assert_eq!(dispatched(stream), events.map(|(event, data)| (event.to_owned(), data.to_owned())));
}

/// A reading of the standard's interpretation algorithm: event and data of each event dispatched.
fn dispatched(stream: &str) -> Vec<(String, String)> {
    let (mut events, mut event, mut data) = (vec![], String::new(), String::new());
    for line in stream.lines() {
        match line.split_once(':').map(|(field, value)| (field, value.strip_prefix(' ').unwrap_or(value))) {
            _ if line.is_empty() => {
                let data = std::mem::take(&mut data);
                let event = std::mem::take(&mut event);
                if let Some(data) = data.strip_suffix('\n').filter(|data| !data.is_empty()) {
                    events.push((event, data.to_owned()));
                }
            }
            Some(("event", value)) => event = value.to_owned(),
            Some(("data", value)) => data = data + value + "\n",
            _ => {}
        }
    }
    events
}
