//! The admission policy as a table: who is there, who comes, and who gets which slot.

use std::net::IpAddr;

use super::admit::Shares;
use super::conns::{Conn, Conns, Full, Place, Sort, State};
use super::socket::Socket;
use crate::guard::Household;
use crate::limits::REFUSALS_MAX;

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
            let index = conns.open_in(socket(), address(*peer), None, NOW_MS - for_ms).unwrap();
            conns.at(index).unwrap().state = *state;
        }
        assert_eq!(conns.place(NOW_MS, address(*newcomer), SHARE), *expected, "{name}");
    }
}

#[test]
fn one_address_leaves_room_for_every_other() {
    // However one address comes and goes, another finds a slot.
    let mut slots = [const { Conn::EMPTY }; SERVED + REFUSALS_MAX];
    let mut conns = Conns::new(&mut slots);
    for step in 0..1000_u64 {
        let place = conns.place(NOW_MS + step, address(1), SHARE);
        if let Place::Of(index) | Place::RefusalOf(index, _) = place {
            conns.close(index);
        }
        let index = conns.open_in(socket(), address(1), None, NOW_MS + step).unwrap();
        let refused = matches!(place, Place::Refusal(_) | Place::RefusalOf(..));
        let states = [BUSY, IDLE, STREAM, NEW, HEADLESS, QUEUED];
        // Any mixture of them.
        let state = states[(step * 7 % 11) as usize % states.len()];
        conns.at(index).unwrap().state = if refused { GONE } else { state };
        assert!(matches!(conns.place(NOW_MS + step, address(2), SHARE), Place::Free | Place::Of(_)), "step {step}");
    }
}

#[test]
fn the_share_is_checked_and_defaults_to_half() {
    assert!(Shares::new(Some(0), &[]).is_err());
    assert!(Shares::new(None, &["10.0.0.0/8".into()]).is_ok());
    let error = Shares::new(None, &["proxy.example.org".into()]).err().unwrap();
    assert_eq!(
        error,
        "trusted_proxy: expected an address or a network, such as 192.0.2.7 or 10.0.0.0/8; got \"proxy.example.org\""
    );
}

fn address(number: u8) -> Option<Household> {
    (number > 0).then(|| Household::of(IpAddr::from([192, 0, 2, number])))
}

fn socket() -> Socket {
    Socket::other(Box::new(smol::io::Cursor::new(Vec::new())), None)
}
