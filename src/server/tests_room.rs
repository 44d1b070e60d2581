//! The admission of streams as a table: who listens, who comes, and who gets which place.

use std::net::IpAddr;

use super::conns::{Conn, ConnRef, Conns};
use super::room::{NoRoom, Room};
use super::socket::Socket;
use super::stream_table::{StreamRef, Streams};
use super::streams::{NewStream, Open, Rest, Stream};
use crate::guard::{Household, Peer, Standing};
use crate::hub::Filter;
use crate::outlet::Wire;
use crate::pool::Pool;

/// Places, of which one address may have so many.
const STREAMS: usize = 4;
const SHARE: usize = 2;
const NOW_MS: u64 = 100_000;

/// What a stream is.
#[derive(Clone, Copy)]
enum Is {
    /// Of 2024-11-05, and its client has sent nothing for so long.
    Silent(u64),
    /// Any other.
    Heard,
}
use Is::{Heard, Silent};

/// Who listens (peer; 0: exempt), who comes, the stream that it follows, and what becomes of it.
type Case<'a> = (&'a str, &'a [(u8, Is)], u8, Option<usize>, Expected);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Expected {
    Free,
    Of(usize),
    Full,
    Share,
}
use Expected::{Free, Full, Of, Share};

const CASES: &[Case<'_>] = &[
    ("an empty house", &[], 1, None, Free),
    ("room is left", &[(1, Heard), (2, Heard), (3, Heard)], 4, None, Free),
    ("nobody makes room while some is left", &[(1, Silent(90_000))], 2, None, Free),
    ("who was heard is never touched", &[(1, Heard), (2, Heard), (3, Heard), (4, Heard)], 5, None, Full),
    (
        "the one that is silent longest makes room",
        &[(1, Silent(40_000)), (2, Silent(50_000)), (3, Heard), (4, Silent(45_000))],
        5,
        None,
        Of(1),
    ),
    ("silence has half a minute", &[(1, Silent(29_999)), (2, Heard), (3, Heard), (4, Heard)], 5, None, Full),
    ("after that it goes", &[(1, Silent(30_000)), (2, Heard), (3, Heard), (4, Heard)], 5, None, Of(0)),
    ("what follows another takes its place", &[(1, Heard), (2, Heard), (3, Heard), (4, Heard)], 1, Some(0), Free),
    ("and makes nobody go", &[(1, Heard), (2, Silent(90_000)), (3, Heard), (4, Heard)], 1, Some(0), Free),
    // The share of an address.
    ("its share is taken", &[(1, Heard), (1, Heard)], 1, None, Share),
    ("others have theirs", &[(1, Heard), (1, Heard)], 2, None, Free),
    (
        "its own silent one makes room, and no other's",
        &[(2, Silent(90_000)), (1, Silent(40_000)), (1, Heard)],
        1,
        None,
        Of(1),
    ),
    ("also in a full house", &[(2, Silent(90_000)), (1, Silent(40_000)), (1, Heard), (3, Heard)], 1, None, Of(1)),
    ("its own young one does not", &[(2, Silent(90_000)), (1, Silent(20_000)), (1, Heard)], 1, None, Share),
    (
        "the full house's silent one makes no room for it",
        &[(2, Silent(90_000)), (3, Heard), (1, Heard), (1, Heard)],
        1,
        None,
        Share,
    ),
    ("what it follows is none of its share", &[(1, Heard), (1, Heard)], 1, Some(0), Free),
    ("be it another's", &[(1, Heard), (1, Heard), (2, Heard)], 1, Some(2), Share),
    ("who is exempt has no share", &[(0, Heard), (0, Heard), (0, Heard)], 0, None, Free),
    ("and is bound by the house", &[(0, Heard), (0, Heard), (0, Heard), (0, Heard)], 0, None, Full),
    ("those that are exempt are no share of others", &[(0, Heard), (0, Heard), (1, Heard)], 1, None, Free),
];

#[test]
fn the_table() {
    for (name, there, newcomer, follows, expected) in CASES {
        let mut slots = [const { Conn::EMPTY }; STREAMS];
        let mut conns = Conns::new(&mut slots);
        let (mut places, mut rests) = ([const { Stream::EMPTY }; STREAMS], [const { Rest::Free }; STREAMS]);
        let mut streams = Streams::new(Pool::from(&mut places), Pool::from(&mut rests));
        let opened: Vec<StreamRef> = there
            .iter()
            .map(|(peer, is)| {
                let socket = Socket::other(Box::new(smol::io::Cursor::new(Vec::new())), None, None);
                let index = conns.open_in(socket, Some(address(*peer)), None, NOW_MS).unwrap();
                streams.open(&stream(conns.reference(index).unwrap(), *is)).unwrap()
            })
            .collect();
        let own = address(*newcomer).counted();
        let is_own = |open: &Open| conns.peer_at(open.conn()).and_then(Peer::counted) == own;
        let is_own: Option<&dyn Fn(&Open) -> bool> = if own.is_some() { Some(&is_own) } else { None };
        let found = match streams.room(NOW_MS, SHARE, is_own, follows.map(|at| opened[at])) {
            Room::Free => Free,
            Room::Of(stream) => Of(opened.iter().position(|opened| *opened == stream).unwrap()),
            Room::Refusal(NoRoom::House) => Full,
            Room::Refusal(NoRoom::Share) => Share,
        };
        assert_eq!(found, *expected, "{name}");
    }
}

fn stream(conn: ConnRef, is: Is) -> NewStream {
    let filter = Filter {
        tools: true,
        prompts: false,
        resources: false,
        uris: 0,
        tasks: 0,
        messages: None,
        client: 1,
        call: None,
    };
    let opened_ms = if let Silent(for_ms) = is { NOW_MS - for_ms } else { NOW_MS };
    NewStream { http_sse: matches!(is, Silent(_)), ..NewStream::new(conn, Wire::Chunked, filter, 0, opened_ms) }
}

fn address(number: u8) -> Peer {
    let standing = if number > 0 { Standing::Counted } else { Standing::Exempt };
    Peer { household: Household::of(IpAddr::from([192, 0, 2, number])), standing }
}
