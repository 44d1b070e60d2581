//! The admission policy as a table, and the table's own promises.

use crate::limits::{CLIENT_TEXT_BYTES_MAX, DELETED_IDS_MAX, SESSION_IDLE_MIN_MS};

use super::{
    Admitted, ClientId, Key, LogLevel, Name, PrincipalId, RestoreRefusal, Revision, SessionFields, SessionId,
    SessionRef, Slot, Stale, Table, TableFull, Transport,
};

const IDLE: u64 = SESSION_IDLE_MIN_MS;

fn id(number: u8) -> SessionId {
    let fields = SessionFields {
        revision: Revision::V2025_06_18,
        transport: Transport::Streamable,
        capabilities: 0b101,
        issued_unix_s: 1_795_000_000,
    };
    SessionId::issue(&Key::new([7; 32]), fields, PrincipalId::ANYONE, [number; 12]).0
}

fn sse_id(number: u8) -> SessionId {
    let fields = SessionFields { transport: Transport::HttpSse, ..id(number).fields() };
    SessionId::issue(&Key::new([7; 32]), fields, PrincipalId::ANYONE, [number; 12]).0
}

fn open(table: &mut Table<'_>, number: u8, now_ms: u64) -> SessionRef {
    let Admitted { session, evicted } = table.open(id(number), "client", "1", now_ms).unwrap();
    assert_eq!(evicted, None);
    session
}

/// What the session in the only slots can be doing when a newcomer arrives.
#[derive(Clone, Copy, Debug)]
enum Doing {
    Unproved,
    Heard,
    LogLevel,
    Call,
    CallEnded,
    Stream,
    StreamClosed,
    SseStream,
    SseClosed,
}

/// Opens a session and brings it into that state, all at the same time.
fn prepare(table: &mut Table<'_>, number: u8, doing: Doing, at: u64) -> SessionRef {
    let sse = matches!(doing, Doing::SseStream | Doing::SseClosed);
    let new = if sse { sse_id(number) } else { id(number) };
    let session = table.open(new, "client", "1", at).unwrap().session;
    if !matches!(doing, Doing::Unproved) {
        table.touch(session, at);
    }
    match doing {
        Doing::Unproved | Doing::Heard => {}
        Doing::LogLevel => assert!(table.set_log_level(session, Some(LogLevel::Error))),
        Doing::Call => assert!(table.call_started(session, at)),
        Doing::CallEnded => {
            assert!(table.call_started(session, at));
            table.call_ended(session, at);
        }
        Doing::Stream | Doing::SseStream => {
            assert_eq!(table.stream_opened(session, 5, at), Ok(None));
        }
        Doing::StreamClosed | Doing::SseClosed => {
            assert_eq!(table.stream_opened(session, 5, at), Ok(None));
            assert!(table.stream_closed(session, 5, at));
        }
    }
    session
}

#[test]
fn who_can_be_evicted() {
    use Doing::*;
    let table = [
        // state, evicted once idle for the minimum
        (Unproved, true),
        (Heard, true),
        (LogLevel, true),
        (Call, false),
        (CallEnded, true),
        (Stream, false),
        (StreamClosed, true),
        (SseStream, false),
        (SseClosed, true),
    ];
    for (doing, evictable) in table {
        for (idle, long_enough) in [(0, false), (IDLE - 1, false), (IDLE, true), (u64::MAX / 2, true)] {
            let mut slots = [const { Slot::EMPTY }; 1];
            let mut names = [const { Name::EMPTY }; 8];
            let mut table = Table::new(&mut slots, &mut names);
            let session = prepare(&mut table, 1, doing, 10);
            let admitted = table.open(id(2), "", "", 10 + idle);
            assert_eq!(admitted.is_ok(), evictable && long_enough, "{doing:?} idle for {idle} ms");
            assert_eq!(table.get(session).is_some(), admitted.is_err(), "{doing:?} idle for {idle} ms");
        }
    }
}

#[test]
fn who_goes_first() {
    use Doing::*;
    let table = [
        // first session: state and last use; second: the same; which of them goes
        (Heard, 10, Heard, 20, 0),
        (Heard, 20, Heard, 10, 1),
        (Heard, 10, Heard, 10, 0),
        (Heard, 10, Unproved, 20, 1),
        (Heard, 10, SseClosed, 20, 1),
        (Unproved, 20, SseClosed, 10, 1),
        (LogLevel, 10, Heard, 20, 1),
        (LogLevel, 10, CallEnded, 20, 1),
        (LogLevel, 10, StreamClosed, 20, 1),
        (LogLevel, 10, LogLevel, 20, 0),
        (LogLevel, 20, Unproved, 10, 1),
        (Call, 10, LogLevel, 20, 1),
        (Stream, 10, LogLevel, 20, 1),
    ];
    for (first, first_used, second, second_used, goes) in table {
        let mut slots = [const { Slot::EMPTY }; 2];
        let mut names = [const { Name::EMPTY }; 8];
        let mut table = Table::new(&mut slots, &mut names);
        let sessions = [prepare(&mut table, 1, first, first_used), prepare(&mut table, 2, second, second_used)];
        let evicted = table.open(id(3), "", "", 20 + IDLE).unwrap().evicted.unwrap();
        assert_eq!(evicted.session, sessions[goes], "{first:?} {first_used} {second:?} {second_used}");
        assert_eq!(evicted.client, ClientId(goes as u64 + 1));
        assert!(table.get(sessions[goes]).is_none() && table.get(sessions[1 - goes]).is_some());
    }
}

#[test]
fn a_free_slot_comes_before_an_eviction_and_full_changes_nothing() {
    let mut slots = [const { Slot::EMPTY }; 2];
    let mut names = [const { Name::EMPTY }; 8];
    let mut table = Table::new(&mut slots, &mut names);
    let first = open(&mut table, 1, 0);
    let second = open(&mut table, 2, 10 * IDLE);
    assert!(table.call_started(second, 10 * IDLE));
    table.touch(first, 10 * IDLE);
    assert_eq!(table.open(id(3), "", "", 10 * IDLE + 1).unwrap_err(), TableFull);
    assert_eq!(table.restore(id(3), 10 * IDLE + 1).unwrap_err(), RestoreRefusal::Full);
    assert!(table.get(first).is_some() && table.get(second).is_some());
    assert_eq!(table.iter().count(), 2);

    let mut none = [];
    let mut names = [const { Name::EMPTY }; 8];
    let mut nothing = Table::new(&mut none, &mut names);
    assert_eq!(nothing.open(id(1), "", "", 0).unwrap_err(), TableFull);
}

#[test]
fn a_restored_session_is_as_it_was() {
    let mut slots = [const { Slot::EMPTY }; 1];
    let mut names = [const { Name::EMPTY }; 8];
    let mut table = Table::new(&mut slots, &mut names);
    let first = open(&mut table, 1, 0);
    assert!(table.set_log_level(first, Some(LogLevel::Debug)));
    let evicted = table.open(id(2), "", "", IDLE).unwrap().evicted.unwrap();
    assert!(evicted.lost_state && evicted.idle_ms == IDLE && evicted.session == first);
    assert_eq!(table.find(&id(1)), None);

    let Admitted { session, evicted } = table.restore(id(1), 2 * IDLE).unwrap();
    assert_eq!(evicted.map(|evicted| (evicted.client, evicted.lost_state)), Some((ClientId(2), false)));
    let restored = table.get(session).unwrap();
    assert_eq!(restored.revision(), Revision::V2025_06_18);
    assert_eq!((restored.id(), restored.client()), (&id(1), ClientId(3)));
    assert_eq!(restored.log_level(), None);
    // Restoring what lives finds it.
    assert_eq!(table.restore(id(1), 2 * IDLE).unwrap().session, session);
    assert_eq!(table.restore(sse_id(9), 9 * IDLE).unwrap_err(), RestoreRefusal::StreamGone);
}

#[test]
fn an_id_finds_only_its_own_principals_session() {
    let mut slots = [const { Slot::EMPTY }; 2];
    let mut names = [const { Name::EMPTY }; 8];
    let mut table = Table::new(&mut slots, &mut names);
    let session = open(&mut table, 1, 0);
    assert_eq!(table.find(&id(1)), Some(session));
    let key = Key::new([7; 32]);
    let other = PrincipalId::of_token_hash(&[1; 32]);
    let (foreign, _) = SessionId::issue(&key, id(1).fields(), other, id(1).random());
    assert_eq!(table.find(&foreign), None);
}

#[test]
fn an_ended_session_stays_ended_while_it_is_remembered() {
    let mut slots = [const { Slot::EMPTY }; 1];
    let mut names = [const { Name::EMPTY }; 8];
    let mut table = Table::new(&mut slots, &mut names);
    for number in 0..=u8::try_from(DELETED_IDS_MAX).unwrap() {
        let session = open(&mut table, number, 0);
        assert_eq!(table.stream_opened(session, 9, 0), Ok(None));
        let ended = table.end(session).unwrap();
        assert_eq!((ended.id, ended.stream, ended.client), (id(number), Some(9), ClientId(u64::from(number) + 1)));
        assert_eq!(table.end(session), None);
        assert!(table.is_ended(&id(number)));
        assert_eq!(table.restore(id(number), 0).unwrap_err(), RestoreRefusal::Ended);
    }
    // One more than there is room for: the oldest is forgotten.
    assert!(!table.is_ended(&id(0)) && table.is_ended(&id(1)));
    table.end_unknown(&id(1));
    assert!(table.is_ended(&id(2)), "an id that is remembered takes no second place");
    let kept: Vec<_> = table.ended().copied().collect();
    assert_eq!(kept.len(), DELETED_IDS_MAX);

    // The stream of an HTTP+SSE session is its end, and takes nobody's place in the list.
    let session = table.open(sse_id(200), "", "", 0).unwrap().session;
    assert!(table.end(session).is_some() && table.ended().eq(&kept));
}

#[test]
fn a_stale_reference_reaches_nobody() {
    let mut slots = [const { Slot::EMPTY }; 1];
    let mut names = [const { Name::EMPTY }; 8];
    let mut table = Table::new(&mut slots, &mut names);
    let stale = open(&mut table, 1, 0);
    assert!(table.end(stale).is_some());
    let session = open(&mut table, 2, 0);
    assert!(!table.call_started(stale, 5) && !table.set_log_level(stale, Some(LogLevel::Info)));
    assert!(!table.set_negotiated(stale, Revision::V2025_11_25, 0, ("x", "y")) && !table.stream_closed(stale, 1, 5));
    assert_eq!((table.stream_opened(stale, 1, 5), table.end(stale)), (Err(Stale), None));
    table.touch(stale, 5);
    table.call_ended(stale, 5);
    let untouched = table.get(session).unwrap();
    assert_eq!((untouched.last_used_ms(), untouched.opened_at_s(), untouched.calls_in_flight()), (0, 0, 0));
    assert_eq!((untouched.log_level(), untouched.stream()), (None, None));
}

#[test]
fn the_newest_stream_wins_and_the_replaced_one_closes_nothing() {
    let mut slots = [const { Slot::EMPTY }; 1];
    let mut names = [const { Name::EMPTY }; 8];
    let mut table = Table::new(&mut slots, &mut names);
    let session = open(&mut table, 1, 0);
    assert_eq!(table.stream_opened(session, 1, 1), Ok(None));
    assert_eq!(table.stream_opened(session, 2, 2), Ok(Some(1)));
    assert_eq!(table.stream_opened(session, 2, 2), Ok(None));
    assert!(!table.stream_closed(session, 1, 3));
    assert_eq!(table.get(session).unwrap().stream(), Some(2));
    assert!(table.stream_closed(session, 2, 4));
    assert_eq!(table.get(session).unwrap().last_used_ms(), 4);
}

#[test]
fn calls_are_counted_to_the_end_of_the_counter() {
    let mut slots = [const { Slot::EMPTY }; 1];
    let mut names = [const { Name::EMPTY }; 8];
    let mut table = Table::new(&mut slots, &mut names);
    let session = open(&mut table, 1, 0);
    table.call_ended(session, 0);
    assert!((0..u16::MAX).all(|_| table.call_started(session, 0)));
    assert!(!table.call_started(session, 0));
    assert_eq!(table.get(session).unwrap().calls_in_flight(), u16::MAX);
}

#[test]
fn what_a_client_calls_itself_is_kept_short_and_plain() {
    let long = "x".repeat(CLIENT_TEXT_BYTES_MAX - 1) + "é";
    let table = [
        ("claude-code", "claude-code"),
        ("", ""),
        ("a\r\nb\0c\u{1b}[31m", "a??b?c?[31m"),
        ("\u{202e}evil\u{2028}\u{feff}", "?evil??"),
        ("Gerät 🦀", "Gerät 🦀"),
        (&long, &long[..CLIENT_TEXT_BYTES_MAX - 1]),
        ("claude-ai (via mcp-remote 0.15.1)", "claude-ai (via mcp-remote 0.15.1"),
    ];
    for (sent, kept) in table {
        let mut slots = [const { Slot::EMPTY }; 1];
        let mut names = [const { Name::EMPTY }; 8];
        let mut table = Table::new(&mut slots, &mut names);
        let session = table.open(sse_id(1), sent, sent, 0).unwrap().session;
        assert_eq!(table.get(session).map(|it| table.client(it)), Some((kept, kept)));
        assert!(table.set_negotiated(session, Revision::V2025_11_25, 0, (sent, "")));
        let negotiated = table.get(session).unwrap();
        assert_eq!(table.client(negotiated), (kept, ""));
        assert_eq!(negotiated.revision(), Revision::V2025_11_25);
    }
}
