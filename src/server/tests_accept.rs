//! What each error of `accept` leads to.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::*;

fn error(errno: Errno) -> io::Error {
    errno.into()
}

#[test]
fn each_error_has_its_meaning() {
    for (verdict, errors) in [
        (Verdict::Nobody, &[Errno::AGAIN, Errno::WOULDBLOCK][..]),
        (
            Verdict::Next,
            &[
                Errno::INTR,
                Errno::CONNABORTED,
                Errno::CONNRESET,
                Errno::PERM,
                Errno::PROTO,
                Errno::NETDOWN,
                Errno::NOPROTOOPT,
                Errno::HOSTDOWN,
                Errno::NONET,
                Errno::HOSTUNREACH,
                Errno::OPNOTSUPP,
                Errno::NETUNREACH,
                Errno::TIMEDOUT,
            ],
        ),
        (Verdict::Full, &[Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::NOSPC]),
        (Verdict::Later, &[Errno::BADF, Errno::INVAL, Errno::NOTSOCK, Errno::FAULT, Errno::ACCESS, Errno::NOSYS]),
    ] {
        for errno in errors {
            assert_eq!(Verdict::of(&error(*errno)), verdict, "{errno}");
        }
    }
    assert_eq!(Verdict::of(&io::Error::other("something new")), Verdict::Later);
}

/// What a listener gives, one after the other.
#[derive(Clone, Copy)]
enum Gives {
    Newcomer,
    Fails(Errno),
    /// It fails until room was made.
    FailsWithoutRoom(Errno),
}

/// What came of it: those who were let go, calls of `accept`, and how each turn ended.
fn play(script: &[Gives], mut idle: usize, turns: usize) -> (usize, usize, Vec<String>) {
    let script = RefCell::new(script.iter().copied().collect::<VecDeque<_>>());
    let (let_go, calls) = (Cell::new(0), Cell::new(0));
    let mut ends = Vec::new();
    let mut in_vain = 0;
    for _ in 0..turns {
        let end = next(
            &mut in_vain,
            || {
                calls.set(calls.get() + 1);
                let mut script = script.borrow_mut();
                match script.front().copied() {
                    None => Err(error(Errno::AGAIN)),
                    Some(Gives::FailsWithoutRoom(errno)) if let_go.get() == 0 => Err(error(errno)),
                    Some(gives) => {
                        script.pop_front();
                        if let Gives::Fails(errno) = gives { Err(error(errno)) } else { Ok(()) }
                    }
                }
            },
            || {
                let one = idle > 0;
                idle -= usize::from(one);
                let_go.set(let_go.get() + usize::from(one));
                one
            },
        );
        ends.push(match end {
            Ok(Some(())) => "newcomer".to_owned(),
            Ok(None) => "nobody".to_owned(),
            Err(error) => format!("{:?}", Errno::from_io_error(&error).unwrap()),
        });
    }
    (let_go.get(), calls.get(), ends)
}

#[test]
fn a_turn_takes_one_who_is_there() {
    use Gives::{Fails, Newcomer};
    // Nobody is asked for who need not be there: a call in vain takes as long as some ten looks.
    assert_eq!(play(&[Newcomer; 3], 0, 3), (0, 3, vec!["newcomer".to_owned(); 3]));
    assert_eq!(play(&[], 0, 1), (0, 1, vec!["nobody".to_owned()]));
    // Those who went take nobody's turn.
    let script = [Fails(Errno::CONNABORTED), Newcomer, Fails(Errno::INTR), Fails(Errno::PERM), Newcomer];
    assert_eq!(play(&script, 0, 2), (0, 5, vec!["newcomer".to_owned(); 2]));
    // Many of them leave others theirs.
    let script = [Fails(Errno::CONNABORTED); ACCEPTS_PER_KNOCK + 1];
    assert_eq!(play(&script, 0, 1), (0, ACCEPTS_PER_KNOCK, vec!["nobody".to_owned()]));
}

#[test]
fn what_stays_wrong_makes_a_pause() {
    for errno in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::BADF, Errno::INVAL] {
        let (let_go, calls, ends) = play(&[Gives::Newcomer, Gives::Fails(errno), Gives::Newcomer], 0, 2);
        assert_eq!((let_go, calls, ends), (0, 2, vec!["newcomer".to_owned(), format!("{errno:?}")]));
    }
    // An error that is taken for a newcomer's, and is not: the listener is not asked for ever without a pause.
    let turns = ACCEPTS_IN_VAIN_MAX as usize / ACCEPTS_PER_KNOCK + 1;
    let (_, calls, ends) = play(&[Gives::Fails(Errno::PERM); 1_000], 0, turns);
    assert_eq!(calls, ACCEPTS_IN_VAIN_MAX as usize + 1);
    assert_eq!(ends.last(), Some(&format!("{:?}", Errno::PERM)));
}

#[test]
fn a_newcomer_is_worth_more_than_an_idle_connection() {
    let script = [Gives::FailsWithoutRoom(Errno::MFILE), Gives::Newcomer];
    let (let_go, calls, ends) = play(&script, 1, 2);
    assert_eq!((let_go, calls, ends), (1, 3, vec!["newcomer".to_owned(); 2]));
    let (let_go, _, ends) = play(&script, 0, 1);
    assert_eq!((let_go, ends), (0, vec![format!("{:?}", Errno::MFILE)]));
    // Who had come has gone meanwhile: nothing is wrong.
    let (let_go, _, ends) = play(&[Gives::Fails(Errno::MFILE)], 9, 1);
    assert_eq!((let_go, ends), (1, vec!["nobody".to_owned()]));
}

#[test]
fn room_that_is_made_in_vain_makes_a_pause() {
    let mut full = [Gives::Fails(Errno::NFILE); 2 * ACCEPTS_PER_KNOCK];
    let (let_go, calls, ends) = play(&full, 100, 1);
    assert_eq!((let_go, calls, ends), (ACCEPTS_PER_KNOCK, ACCEPTS_PER_KNOCK, vec![format!("{:?}", Errno::NFILE)]));
    // It was not in vain where somebody could be accepted, who had gone.
    full[ACCEPTS_PER_KNOCK - 1] = Gives::Fails(Errno::CONNABORTED);
    let (_, calls, ends) = play(&full, 100, 1);
    assert_eq!((calls, ends), (ACCEPTS_PER_KNOCK, vec!["nobody".to_owned()]));
}
