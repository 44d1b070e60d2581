//! The table of URIs, and updates that say the same.

use super::*;

#[test]
fn a_uri_has_one_place_as_long_as_somebody_wants_it() {
    let mut places = [const { Uri::EMPTY }; 3];
    let mut uris = Uris::new(&mut places);
    assert_eq!(uris.intern("a:1", 0), Ok(0));
    assert_eq!(uris.intern("a:2", 0b001), Ok(1));
    assert_eq!(uris.intern("a:1", 0b011), Ok(0));
    assert_eq!(uris.intern("a:3", 0b011), Ok(2));
    assert_eq!(uris.intern("a:4", 0b111), Err(NoPlace::Full));
    assert_eq!(uris.intern("a:4", 0b101), Ok(1));
    assert_eq!((uris.find("a:2"), uris.find("a:4"), uris.find("")), (None, Some(1), None));
    assert_eq!(uris.of(0b110).collect::<Vec<_>>(), ["a:4", "a:3"]);
    assert_eq!(uris.intern(&"x".repeat(257), 0), Err(NoPlace::Long));
    assert_eq!((bit(0), bit(63), bit(64), bit(usize::MAX)), (1, 1 << 63, 0, 0));
}

#[test]
fn an_update_is_current_until_the_next_of_its_uri() {
    let (mut ring, mut places) = ([0; 1024], [const { Uri::EMPTY }; 2]);
    let mut hub = Hub::new(&mut ring, &mut places);
    assert_eq!(hub.uris().intern("a:1", 0), Ok(0));
    assert_eq!(hub.uris().intern("a:2", 1), Ok(1));
    for place in [0, 1, 0] {
        let uri = if place == 0 { "a:1" } else { "a:2" };
        assert!(hub.append(Kind::ResourceUpdated(place), Audience::All, uri.as_bytes()));
    }
    let current = |hub: &Hub<'_>| {
        let (mut cursor, mut current) = (0, Vec::new());
        while let Next::Event(event, next) = hub.next(cursor) {
            current.push(hub.is_current(&event, cursor));
            cursor = next;
        }
        current
    };
    assert_eq!(current(&hub), [false, true, true]);
    // Another URI in the place has nothing to do with what was before.
    assert_eq!(hub.uris().intern("a:3", 0b10), Ok(0));
    assert_eq!(current(&hub), [false, true, false]);
}

#[test]
fn an_update_is_told_to_who_wants_it() {
    let (mut ring, mut places) = ([0; 256], [const { Uri::EMPTY }; 2]);
    let mut hub = Hub::new(&mut ring, &mut places);
    assert!(hub.append(Kind::ResourceUpdated(1), Audience::All, b"a:2"));
    let Next::Event(event, _) = hub.next(0) else { panic!("nothing is there") };
    let filter = Filter {
        tools: false,
        prompts: false,
        resources: false,
        uris: 0b10,
        tasks: 0,
        messages: None,
        client: 1,
        call: None,
    };
    assert!(filter.wants(&event));
    assert!(!Filter { uris: 0b01, resources: true, ..filter }.wants(&event));
}
