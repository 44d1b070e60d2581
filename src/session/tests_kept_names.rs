//! What clients call themselves is kept once for all who are alike, for as long as one of them is there.

use crate::limits::{CLIENT_NAMES_MAX, SESSION_IDLE_MIN_MS, SESSION_UNPROVED_MAX_MS};

use super::{
    Key, Name, NameRef, Names, PrincipalId, Revision, SessionFields, SessionId, SessionRef, Slot, Table, Transport,
};

fn id(number: u8) -> SessionId {
    let fields = SessionFields {
        revision: Revision::V2025_11_25,
        transport: Transport::Streamable,
        capabilities: 0,
        issued_unix_s: 1_795_000_000,
    };
    SessionId::issue(&Key::new([7; 32]), fields, PrincipalId::ANYONE, [number; 12]).0
}

fn open(table: &mut Table<'_>, number: u8, name: &str) -> SessionRef {
    table.open(id(number), name, "1", 0).unwrap().session
}

fn name<'t>(table: &'t Table<'_>, session: SessionRef) -> &'t str {
    table.client(table.get(session).unwrap()).0
}

#[test]
fn who_is_alike_shares_a_place_and_the_last_to_go_frees_it() {
    let mut places = [const { Name::EMPTY }; 2];
    let mut names = Names::new((&mut places).into());
    let [first, second] = [(); 2].map(|()| names.keep("a", "1"));
    assert_eq!(first, second);
    // Another version is another name.
    let newer = names.keep("a", "2");
    assert_eq!([first, newer].map(|name| names.get(name)), [("a", "1"), ("a", "2")]);
    let unnamed = names.keep("b", "1");
    assert_eq!((unnamed, names.get(unnamed)), (NameRef::NONE, ("", "")));
    names.let_go(unnamed);
    names.let_go(first);
    assert_eq!(names.keep("b", "1"), NameRef::NONE);
    assert_eq!(names.get(second), ("a", "1"));
    names.let_go(second);
    let named = names.keep("b", "1");
    assert_eq!((names.get(named), names.get(newer)), (("b", "1"), ("a", "2")));
    // What says nothing takes no place.
    assert_eq!(names.keep("", ""), NameRef::NONE);
}

#[test]
fn there_are_no_more_names_than_references_can_tell_apart() {
    let mut places = Vec::with_capacity(CLIENT_NAMES_MAX + 300);
    let mut names = Names::new((&mut places).into());
    let kept: Vec<NameRef> = (0..CLIENT_NAMES_MAX + 300).map(|number| names.keep(&number.to_string(), "")).collect();
    for (number, kept) in kept.iter().enumerate() {
        let expected = if number < CLIENT_NAMES_MAX { number.to_string() } else { String::new() };
        assert_eq!(names.get(*kept), (expected.as_str(), ""));
    }
}

#[test]
fn a_session_lets_its_name_go_however_it_goes() {
    /// A session is there, and goes.
    type Way = fn(&mut Table<'_>, SessionRef);
    let ways: [Way; 4] = [
        |table, session| assert!(table.end(session).is_some()),
        |table, _| assert!(table.expire(SESSION_UNPROVED_MAX_MS).is_some()),
        // Another takes its slot.
        |table, _| assert!(table.open(id(2), "", "", SESSION_IDLE_MIN_MS).unwrap().evicted.is_some()),
        // It says what it is called once more.
        |table, session| assert!(table.set_negotiated(session, Revision::V2024_11_05, 0, ("", ""))),
    ];
    for way in ways {
        let (mut slots, mut places) = ([const { Slot::EMPTY }; 1], [const { Name::EMPTY }; 1]);
        let mut table = Table::new(&mut slots, &mut places);
        let session = open(&mut table, 1, "a");
        assert_eq!(name(&table, session), "a");
        assert_eq!(table.names().keep("b", ""), NameRef::NONE);
        way(&mut table, session);
        let other = table.names().keep("b", "");
        assert_eq!(table.named(other), ("b", ""));
    }
}

#[test]
fn sessions_and_listeners_share_their_names() {
    let (mut slots, mut places) = ([const { Slot::EMPTY }; 2], [const { Name::EMPTY }; 1]);
    let mut table = Table::new(&mut slots, &mut places);
    let sessions = [1, 2].map(|number| open(&mut table, number, "a"));
    let listener = table.names().keep("a", "1");
    assert!(sessions.iter().all(|session| name(&table, *session) == "a"));
    for session in sessions {
        assert!(table.end(session).is_some());
    }
    assert_eq!(table.named(listener), ("a", "1"));
    assert_eq!(table.names().keep("b", ""), NameRef::NONE);
    table.names().let_go(listener);
    assert_ne!(table.names().keep("b", ""), NameRef::NONE);
}
