//! The admission policy as a table: who is there, who comes, and who gets which slot.

use std::net::{IpAddr, SocketAddr};

use super::admit::Shares;
use super::conns::{Conn, Conns, Full, Sort, State};
use super::socket::Socket;
use super::vacancy::{Brings, Vacancy};
use crate::guard::{Household, Peer, Standing};
use crate::limits::{HEAD_GRACE_MS, IDLE_KEPT_MS, LOCAL_ADDRESSES_MAX, REFUSALS_MAX};

const IDLE: State = State::Idle;
const BUSY: State = State::Busy { head: false, new: false };
const HEADLESS: State = State::Busy { head: true, new: false };
const NEW: State = State::New;
const STREAM: State = State::Stream(0);
const QUEUED: State = State::Queued(Sort::Call);
const BEGUN: State = State::Queued(Sort::Begun);
const GONE: State = State::Lingering { read: 0 };
const WAITING: State = State::Waiting;

/// Connections that are served at once, in these houses.
const SERVED: usize = 4;
/// Those that one address may have.
const SHARE: usize = 2;
const NOW_MS: u64 = 100_000;

/// Who is there (peer, state, since how many milliseconds), who comes, and what becomes of it.
type Case<'a> = (&'a str, &'a [(u8, State, u64)], u8, Vacancy);

const HOUSE: Vacancy = Vacancy::None(Full::House);
const OWN: Vacancy = Vacancy::None(Full::Share);

const CASES: &[Case<'_>] = &[
    ("an empty house", &[], 1, Vacancy::Free),
    ("room is left", &[(1, BUSY, 0), (2, BUSY, 0), (3, BUSY, 0)], 4, Vacancy::Free),
    (
        "the longest idle makes room",
        &[(1, BUSY, 90_000), (2, IDLE, 10_000), (3, IDLE, 20_000), (4, STREAM, 90_000)],
        5,
        Vacancy::Of(2),
    ),
    (
        "one idle for long before a slow one",
        &[(1, HEADLESS, 11_000), (2, IDLE, IDLE_KEPT_MS), (3, BUSY, 0), (4, BUSY, 0)],
        5,
        Vacancy::Of(1),
    ),
    (
        "a slow one before one that was idle for a short time",
        &[(1, HEADLESS, HEAD_GRACE_MS), (2, IDLE, IDLE_KEPT_MS - 1), (3, BUSY, 0), (4, BUSY, 0)],
        5,
        Vacancy::Of(0),
    ),
    (
        "the slowest to bring a head",
        &[(1, HEADLESS, 1500), (2, NEW, 2000), (3, BEGUN, 1900), (4, BUSY, 0)],
        5,
        Vacancy::Of(1),
    ),
    (
        "one that was idle for a short time before some that are silent",
        &[(1, NEW, 1), (2, NEW, 2), (3, IDLE, 9_000), (4, BUSY, 0)],
        5,
        Vacancy::Of(2),
    ),
    (
        "one that was idle for a short time before one that has begun",
        &[(1, HEADLESS, 999), (2, BEGUN, 999), (3, IDLE, 0), (4, BUSY, 0)],
        5,
        Vacancy::Of(2),
    ),
    ("a head has its second", &[(1, HEADLESS, 999), (2, BEGUN, 999), (3, BUSY, 0), (4, BUSY, 0)], 5, HOUSE),
    (
        "after its second it goes",
        &[(1, HEADLESS, 1000), (2, BEGUN, 500), (3, BUSY, 0), (4, BUSY, 0)],
        5,
        Vacancy::Of(0),
    ),
    (
        "calls, streams and those that wait are never touched",
        &[(1, BUSY, 90_000), (2, STREAM, 90_000), (3, QUEUED, 90_000), (4, BUSY, 0)],
        5,
        HOUSE,
    ),
    (
        "those who were refused do not count, and those who wait",
        &[(1, BUSY, 0), (2, BUSY, 0), (3, BUSY, 0), (4, GONE, 10), (5, WAITING, 5)],
        6,
        Vacancy::Free,
    ),
    // The share of an address.
    ("its share is taken by calls", &[(1, BUSY, 9000), (1, BUSY, 9000)], 1, OWN),
    ("others have theirs", &[(1, BUSY, 9000), (1, BUSY, 9000)], 2, Vacancy::Free),
    ("its own idle one makes room", &[(2, IDLE, 90_000), (1, IDLE, 10), (1, BUSY, 0)], 1, Vacancy::Of(1)),
    ("its own slow one makes room", &[(2, IDLE, 90_000), (1, NEW, 1000), (1, STREAM, 0)], 1, Vacancy::Of(1)),
    ("its streams count, and are not touched", &[(1, STREAM, 90_000), (1, STREAM, 90_000)], 1, OWN),
    ("what was refused is no share, nor what waits", &[(1, BUSY, 0), (1, GONE, 0), (1, WAITING, 0)], 1, Vacancy::Free),
    ("who is exempt has no share", &[(0, BUSY, 0), (0, BUSY, 0), (0, STREAM, 0)], 0, Vacancy::Free),
    ("and is bound by the house", &[(0, BUSY, 0), (0, BUSY, 0), (0, STREAM, 0), (0, QUEUED, 0)], 0, HOUSE),
];

#[test]
fn the_table() {
    for (name, there, newcomer, expected) in CASES {
        let mut slots = [const { Conn::EMPTY }; SERVED + REFUSALS_MAX];
        let conns = house(&mut slots, there);
        assert_eq!(vacancy(&conns, NOW_MS, *newcomer, Brings::Nothing), *expected, "{name}: it says nothing");
        assert_eq!(vacancy(&conns, NOW_MS, *newcomer, Brings::Part), *expected, "{name}: it brings a part");
        let whole = vacancy(&conns, NOW_MS, *newcomer, Brings::Whole);
        // Whoever brings all of a request has the place of one that has not.
        let begun = there.iter().position(|(_, state, _)| *state == HEADLESS);
        let expected = begun.filter(|_| *expected == HOUSE).map_or(*expected, Vacancy::Of);
        assert_eq!(whole, expected, "{name}: it brings a request");
    }
}

#[test]
fn a_silent_crowd_goes_before_whoever_was_answered() {
    let mut slots = [const { Conn::EMPTY }; 20 + REFUSALS_MAX];
    let there = |silent: usize| {
        let idle = std::iter::repeat_n((1, IDLE, IDLE_KEPT_MS - 1), 20 - silent);
        (0..silent as u64).map(|for_ms| (2, NEW, for_ms)).chain(idle).collect::<Vec<_>>()
    };
    let conns = house(&mut slots, &there(6));
    assert_eq!(conns.vacancy(NOW_MS, household(3), 99, |_| Brings::Nothing, &mut []), Vacancy::Of(6));
    let mut slots = [const { Conn::EMPTY }; 20 + REFUSALS_MAX];
    let conns = house(&mut slots, &there(7));
    assert_eq!(
        conns.vacancy(NOW_MS, household(3), 99, |_| Brings::Nothing, &mut []),
        Vacancy::Of(6),
        "the oldest of them"
    );
}

#[test]
fn a_slot_is_found_for_whoever_comes() {
    type Case<'a> = (&'a str, &'a [(u8, State, u64)], Option<usize>);
    let cases: &[Case<'_>] = &[
        ("nobody waits, and all are served", &[(1, BUSY, 9_000), (2, IDLE, 9_000)], None),
        ("one that was refused goes before one that waits", &[(1, WAITING, 9), (2, GONE, 5), (3, BUSY, 0)], Some(1)),
        ("the first that was refused", &[(1, GONE, 5), (2, GONE, 9), (3, GONE, 7), (4, IDLE, 99_000)], Some(1)),
        ("the first that waits", &[(1, WAITING, 5), (2, WAITING, 9), (4, IDLE, 99_000)], Some(1)),
    ];
    for (name, there, expected) in cases {
        let mut slots = [const { Conn::EMPTY }; SERVED + REFUSALS_MAX];
        assert_eq!(house(&mut slots, there).least(NOW_MS), *expected, "{name}");
    }
}

#[test]
fn one_address_leaves_room_for_every_other() {
    // However one address comes and goes, another finds a slot.
    let mut slots = [const { Conn::EMPTY }; SERVED + REFUSALS_MAX];
    let mut conns = Conns::new(&mut slots);
    for step in 0..1000_u64 {
        let now_ms = NOW_MS + step;
        if let Some(least) = Some(&conns).filter(|conns| conns.is_full()).and_then(|conns| conns.least(now_ms)) {
            conns.close(least);
        }
        let index = conns.open_in(socket(), Some(address(1)), None, now_ms).unwrap();
        let brings = [Brings::Nothing, Brings::Part, Brings::Whole][(step % 3) as usize];
        let found = vacancy(&conns, now_ms, 1, brings);
        if let Vacancy::Of(index) = found {
            conns.close(index);
        }
        let states = [BUSY, IDLE, STREAM, NEW, HEADLESS, QUEUED];
        // Any mixture of them.
        let state = states[(step * 7 % 11) as usize % states.len()];
        let refused = if brings == Brings::Nothing { WAITING } else { GONE };
        conns.at(index).unwrap().state = if matches!(found, Vacancy::None(_)) { refused } else { state };
        assert!(!matches!(vacancy(&conns, now_ms, 2, Brings::Nothing), Vacancy::None(_)), "step {step}");
    }
}

fn house<'m>(slots: &'m mut [Conn], there: &[(u8, State, u64)]) -> Conns<'m> {
    let mut conns = Conns::new(slots);
    for (peer, state, for_ms) in there {
        let index = conns.open_in(socket(), Some(address(*peer)), None, NOW_MS - for_ms).unwrap();
        conns.at(index).unwrap().state = *state;
    }
    conns
}

fn vacancy(conns: &Conns<'_>, now_ms: u64, newcomer: u8, brings: Brings) -> Vacancy {
    conns.vacancy(now_ms, household(newcomer), SHARE, |_| brings, &mut [])
}

#[test]
fn the_share_is_checked_and_defaults_to_half() {
    assert!(Shares::new(Some(0), None, &[]).is_err());
    assert_eq!(Shares::new(None, Some(0), &[]).err().unwrap(), "streams_per_address: expected at least 1, got 0");
    assert!(Shares::new(None, None, &["10.0.0.0/8".into()]).is_ok());
    assert_eq!(Shares::new(None, None, &[]).unwrap().of(64 + REFUSALS_MAX, 33).streams(), 17);
    assert_eq!(Shares::new(None, Some(40), &[]).unwrap().of(64 + REFUSALS_MAX, 33).streams(), 40);
    let error = Shares::new(None, None, &["proxy.example.org".into()]).err().unwrap();
    assert_eq!(
        error,
        "trusted_proxy: expected an address or a network, such as 192.0.2.7 or 10.0.0.0/8; got \"proxy.example.org\""
    );
}

#[test]
fn a_connection_knows_the_address_it_came_to_however_many_there_are() {
    let mut slots = [const { Conn::EMPTY }; 2 * LOCAL_ADDRESSES_MAX];
    let mut conns = Conns::new(&mut slots);
    let locals: Vec<SocketAddr> = (0..10_000).map(|port| ([192, 0, 2, 1], port).into()).collect();
    // So many that there is no place for the last ones: their sockets are asked.
    for local in &locals[..2 * LOCAL_ADDRESSES_MAX] {
        let socket = Socket::other(Box::new(smol::io::Cursor::new(Vec::new())), None, Some(*local));
        conns.open_in(socket, None, Some(*local), 0).unwrap();
    }
    for (index, local) in locals[..2 * LOCAL_ADDRESSES_MAX].iter().enumerate() {
        let conn = conns.reference(index).unwrap();
        assert_eq!(conns.local(conn), Some(*local));
        conns.close(index);
        assert_eq!(conns.local(conn), None);
    }
    // One that has none, and whose socket has none.
    let index = conns.open_in(socket(), None, None, 0).unwrap();
    let conn = conns.reference(index).unwrap();
    assert_eq!(conns.local(conn), None);
}

#[test]
fn who_is_exempt_and_who_is_believed() {
    let shares = Shares::new(None, None, &["10.0.0.0/8".into(), "127.0.0.2".into()]).unwrap();
    for (peer, standing) in [
        ("192.0.2.7", Standing::Counted),
        ("::ffff:192.0.2.7", Standing::Counted),
        ("127.0.0.1", Standing::Exempt),
        ("::1", Standing::Exempt),
        ("127.0.0.2", Standing::Proxy),
        ("10.1.2.3", Standing::Proxy),
        ("::ffff:10.1.2.3", Standing::Proxy),
    ] {
        assert_eq!(shares.peer(peer.parse().unwrap()).standing, standing, "{peer}");
    }
}

// 0 is this machine.
fn address(number: u8) -> Peer {
    let standing = if number > 0 { Standing::Counted } else { Standing::Exempt };
    Peer { household: Household::of(IpAddr::from([192, 0, 2, number])), standing }
}

fn household(number: u8) -> Option<Household> {
    address(number).counted()
}

fn socket() -> Socket {
    Socket::other(Box::new(smol::io::Cursor::new(Vec::new())), None, None)
}
