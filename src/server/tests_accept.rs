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
    /// A newcomer while somebody woke.
    Waking,
    Fails(Errno),
    /// It fails until room was made.
    FailsWithoutRoom(Errno),
    /// A newcomer of whom nothing can be told.
    CannotWait,
}

/// What came of it: admitted, let go, calls of `accept`, and how the turns ended.
fn play(script: &[Gives], mut idle: usize, turns: usize) -> (usize, usize, usize, Vec<String>) {
    let script = RefCell::new(script.iter().copied().collect::<VecDeque<_>>());
    let (mut admitted, let_go, calls) = (0, Cell::new(0), Cell::new(0));
    let mut ends = Vec::new();
    let mut in_vain = 0;
    for _ in 0..turns {
        let end = turn(
            &mut in_vain,
            || {
                calls.set(calls.get() + 1);
                let mut script = script.borrow_mut();
                match script.front().copied() {
                    None => Err(error(Errno::AGAIN)),
                    Some(Gives::FailsWithoutRoom(errno)) if let_go.get() == 0 => Err(error(errno)),
                    Some(gives) => {
                        script.pop_front();
                        if let Gives::Fails(errno) = gives { Err(error(errno)) } else { Ok(gives) }
                    }
                }
            },
            |newcomer| {
                if matches!(newcomer, Gives::CannotWait) {
                    return Err(error(Errno::NOMEM));
                }
                admitted += 1;
                Ok(if matches!(newcomer, Gives::Waking) { Next::Others } else { Next::Accept })
            },
            || {
                let one = idle > 0;
                idle -= usize::from(one);
                let_go.set(let_go.get() + usize::from(one));
                one
            },
        );
        ends.push(match end {
            Turn::Waits => "waits".to_owned(),
            Turn::More => "more".to_owned(),
            Turn::Others => "others".to_owned(),
            Turn::Pause(error) => format!("{:?}", Errno::from_io_error(&error).unwrap()),
        });
    }
    (admitted, let_go.get(), calls.get(), ends)
}

#[test]
fn who_woke_goes_before_the_next_newcomer() {
    let script = [Gives::Newcomer, Gives::Waking, Gives::Newcomer];
    assert_eq!(play(&script, 0, 2), (3, 0, 4, vec!["others".to_owned(), "waits".to_owned()]));
}

#[test]
fn a_turn_takes_those_who_are_there() {
    use Gives::{Fails, Newcomer};
    let (admitted, _, _, ends) = play(&[Newcomer; 3], 0, 2);
    assert_eq!((admitted, ends), (3, vec!["waits".into(), "waits".into()]));
    // A crowd is taken in turns.
    let (admitted, _, calls, ends) = play(&[Newcomer; ACCEPTS_PER_TURN + 1], 0, 1);
    assert_eq!((admitted, calls, ends), (ACCEPTS_PER_TURN, ACCEPTS_PER_TURN, vec!["more".into()]));
    let (admitted, _, _, ends) = play(&[Newcomer; ACCEPTS_PER_TURN + 1], 0, 2);
    assert_eq!((admitted, ends), (ACCEPTS_PER_TURN + 1, vec!["more".into(), "waits".into()]));
    // Those who went take nobody's place.
    let script = [Fails(Errno::CONNABORTED), Newcomer, Fails(Errno::INTR), Fails(Errno::PERM), Newcomer];
    let (admitted, _, _, ends) = play(&script, 0, 2);
    assert_eq!((admitted, ends), (2, vec!["waits".into(), "waits".into()]));
    // Who can't be waited for makes a pause: the next could not be, either.
    let (admitted, _, calls, ends) = play(&[Newcomer, Gives::CannotWait, Newcomer], 0, 1);
    assert_eq!((admitted, calls, ends), (1, 2, vec![format!("{:?}", Errno::NOMEM)]));
}

#[test]
fn what_stays_wrong_makes_a_pause() {
    for errno in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::BADF, Errno::INVAL] {
        let (admitted, let_go, calls, ends) = play(&[Gives::Newcomer, Gives::Fails(errno), Gives::Newcomer], 0, 1);
        assert_eq!((admitted, let_go, calls, ends), (1, 0, 2, vec![format!("{errno:?}")]));
    }
    // An error that is taken for a newcomer's, and is not: the listener is not asked for ever without a pause.
    let turns = ACCEPTS_IN_VAIN_MAX as usize / ACCEPTS_PER_TURN + 1;
    let (_, _, calls, ends) = play(&[Gives::Fails(Errno::PERM); 1_000], 0, turns);
    assert_eq!(calls, ACCEPTS_IN_VAIN_MAX as usize + 1);
    assert_eq!(ends.last(), Some(&format!("{:?}", Errno::PERM)));
}

#[test]
fn a_newcomer_is_worth_more_than_an_idle_connection() {
    let script = [Gives::FailsWithoutRoom(Errno::MFILE), Gives::Newcomer];
    let (admitted, let_go, _, ends) = play(&script, 1, 1);
    assert_eq!((admitted, let_go, ends), (2, 1, vec!["waits".into()]));
    let (admitted, let_go, _, ends) = play(&script, 0, 1);
    assert_eq!((admitted, let_go, ends), (0, 0, vec![format!("{:?}", Errno::MFILE)]));
}
