//! The admission policy as a table: who is there, who comes, and who gets which slot.

use std::net::{IpAddr, SocketAddr};

use super::admit::Shares;
use super::conns::{Conn, Conns, Full, Place, Sort, State};
use super::socket::Socket;
use crate::guard::{Household, Peer, Standing};
use crate::limits::{LOCAL_ADDRESSES_MAX, REFUSALS_MAX};

const IDLE: State = State::Idle;
const BUSY: State = State::Busy { head: false };
const HEADLESS: State = State::Busy { head: true };
const NEW: State = State::New;
const STREAM: State = State::Stream(0);
const QUEUED: State = State::Queued(Sort::Call);
const GONE: State = State::Lingering { read: 0 };

/// Connections that are served at once, in these houses.
const SERVED: usize = 4;
/// Those that one address may have.
const SHARE: usize = 2;
const NOW_MS: u64 = 100_000;

/// Who is there (peer, state, since how many milliseconds), who comes, and what becomes of it.
type Case<'a> = (&'a str, &'a [(u8, State, u64)], u8, Place);

const CASES: &[Case<'_>] = &[
    ("an empty house", &[], 1, Place::Free),
    ("room is left", &[(1, BUSY, 0), (2, BUSY, 0), (3, BUSY, 0)], 4, Place::Free),
    (
        "the longest idle makes room",
        &[(1, BUSY, 9000), (2, IDLE, 10), (3, IDLE, 20), (4, STREAM, 9000)],
        5,
        Place::Of(2),
    ),
    (
        "an idle one before a slow one",
        &[(1, HEADLESS, 9000), (2, IDLE, 0), (3, BUSY, 0), (4, BUSY, 0)],
        5,
        Place::Of(1),
    ),
    (
        "the slowest to bring a head",
        &[(1, HEADLESS, 1500), (2, NEW, 2000), (3, BUSY, 0), (4, BUSY, 0)],
        5,
        Place::Of(1),
    ),
    (
        "a head has its second",
        &[(1, HEADLESS, 999), (2, NEW, 500), (3, BUSY, 0), (4, BUSY, 0)],
        5,
        Place::Refusal(Full::House),
    ),
    ("after its second it goes", &[(1, HEADLESS, 1000), (2, NEW, 500), (3, BUSY, 0), (4, BUSY, 0)], 5, Place::Of(0)),
    (
        "calls, streams and those that wait are never touched",
        &[(1, BUSY, 90_000), (2, STREAM, 90_000), (3, QUEUED, 90_000), (4, BUSY, 0)],
        5,
        Place::Refusal(Full::House),
    ),
    (
        "those who were refused do not count",
        &[(1, BUSY, 0), (2, BUSY, 0), (3, BUSY, 0), (4, GONE, 10), (5, GONE, 5)],
        6,
        Place::Free,
    ),
    (
        "refused, in the place of who was refused first",
        &[
            (1, BUSY, 0),
            (2, BUSY, 0),
            (3, BUSY, 0),
            (4, BUSY, 0),
            (5, GONE, 5),
            (6, GONE, 9),
            (7, GONE, 7),
            (8, GONE, 1),
        ],
        9,
        Place::RefusalOf(5, Full::House),
    ),
    (
        "served, in the place of who was refused first",
        &[
            (1, BUSY, 0),
            (2, BUSY, 0),
            (3, BUSY, 0),
            (5, GONE, 5),
            (6, GONE, 9),
            (7, GONE, 7),
            (8, GONE, 1),
            (9, GONE, 2),
        ],
        9,
        Place::Of(4),
    ),
    // The share of an address.
    ("its share is taken by calls", &[(1, BUSY, 9000), (1, BUSY, 9000)], 1, Place::Refusal(Full::Share)),
    ("others have theirs", &[(1, BUSY, 9000), (1, BUSY, 9000)], 2, Place::Free),
    ("its own idle one makes room, and no other's", &[(2, IDLE, 90_000), (1, IDLE, 10), (1, BUSY, 0)], 1, Place::Of(1)),
    ("its own slow one makes room", &[(2, IDLE, 90_000), (1, NEW, 1000), (1, STREAM, 0)], 1, Place::Of(1)),
    (
        "its streams count, and are not touched",
        &[(1, STREAM, 90_000), (1, STREAM, 90_000)],
        1,
        Place::Refusal(Full::Share),
    ),
    ("what was refused is no share", &[(1, BUSY, 0), (1, GONE, 0), (1, GONE, 0)], 1, Place::Free),
    ("who is exempt has no share", &[(0, BUSY, 0), (0, BUSY, 0), (0, STREAM, 0)], 0, Place::Free),
    (
        "and is bound by the house",
        &[(0, BUSY, 0), (0, BUSY, 0), (0, STREAM, 0), (0, QUEUED, 0)],
        0,
        Place::Refusal(Full::House),
    ),
];

#[test]
fn the_table() {
    for (name, there, newcomer, expected) in CASES {
        let mut slots = [const { Conn::EMPTY }; SERVED + REFUSALS_MAX];
        let mut conns = Conns::new(&mut slots);
        for (peer, state, for_ms) in *there {
            let index = conns.open_in(socket(), Some(address(*peer)), None, NOW_MS - for_ms).unwrap();
            conns.at(index).unwrap().state = *state;
        }
        assert_eq!(conns.place(NOW_MS, household(*newcomer), SHARE), *expected, "{name}");
    }
}

#[test]
fn one_address_leaves_room_for_every_other() {
    // However one address comes and goes, another finds a slot.
    let mut slots = [const { Conn::EMPTY }; SERVED + REFUSALS_MAX];
    let mut conns = Conns::new(&mut slots);
    for step in 0..1000_u64 {
        let place = conns.place(NOW_MS + step, household(1), SHARE);
        if let Place::Of(index) | Place::RefusalOf(index, _) = place {
            conns.close(index);
        }
        let index = conns.open_in(socket(), Some(address(1)), None, NOW_MS + step).unwrap();
        let refused = matches!(place, Place::Refusal(_) | Place::RefusalOf(..));
        let states = [BUSY, IDLE, STREAM, NEW, HEADLESS, QUEUED];
        // Any mixture of them.
        let state = states[(step * 7 % 11) as usize % states.len()];
        conns.at(index).unwrap().state = if refused { GONE } else { state };
        assert!(matches!(conns.place(NOW_MS + step, household(2), SHARE), Place::Free | Place::Of(_)), "step {step}");
    }
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
