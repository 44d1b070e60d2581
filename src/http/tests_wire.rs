//! The cases of `tests/wire`, fed to the decoder alone: cut at every byte, always the same, and what the whole server answers to them.

use super::tests_harness::{Outcome, outcomes};
use super::*;
use crate::limits::{BODY_BYTES_DEFAULT, CHUNKED_SLACK_BYTES, HEAD_BYTES_MAX, HEADERS_MAX, TARGET_BYTES_MAX};

#[path = "../../tests/wire/table.rs"]
#[allow(dead_code, reason = "a part of it is for the whole server")]
mod table;

use table::{Case, Then, cases};

/// The limits of a server whose configuration says nothing of them.
const LIMITS: Limits = Limits {
    head_bytes_max: HEAD_BYTES_MAX,
    target_bytes_max: TARGET_BYTES_MAX,
    headers_max: HEADERS_MAX,
    body_bytes_max: BODY_BYTES_DEFAULT,
};
const ROOM: usize = HEAD_BYTES_MAX + BODY_BYTES_DEFAULT + CHUNKED_SLACK_BYTES;

/// Inputs of so many bytes are cut at each; longer ones around their ends, and here and there.
const SHORT_BYTES: usize = 800;

#[test]
fn the_cases_of_the_wire_at_every_cut() {
    let common = include_str!("../../tests/wire/cases/common.txt");
    let texts = [
        ("framing", include_str!("../../tests/wire/cases/framing.txt")),
        ("chunks", include_str!("../../tests/wire/cases/chunks.txt")),
        ("lines", include_str!("../../tests/wire/cases/lines.txt")),
        ("names", include_str!("../../tests/wire/cases/names.txt")),
        ("answers", include_str!("../../tests/wire/cases/answers.txt")),
    ];
    for (name, text) in texts {
        for case in cases(&[common, text]) {
            let whole = outcomes(LIMITS, ROOM, [&case.sent[..]]);
            let told = || format!("{name}.txt:{}: {}", case.line, case.sent.escape_ascii());
            assert_eq!(outcomes(LIMITS, ROOM, case.sent.chunks(1)), whole, "byte by byte: {}", told());
            let length = case.sent.len();
            for cut in
                (1..length).filter(|cut| length < SHORT_BYTES || *cut < 99 || length - cut < 99 || cut % 997 == 0)
            {
                let (now, later) = case.sent.split_at(cut);
                assert_eq!(outcomes(LIMITS, ROOM, [now, later]), whole, "cut at {cut}: {}", told());
            }
            // What is answered before a body was looked at tells nothing of it.
            if !case.expected.early {
                assert!(agrees(&whole, &case), "{whole:?}; {}", told());
            }
        }
    }
}

// Whether there are as many requests as answers, and the last answer is that to the refusal, if there is one.
fn agrees(came: &[Outcome], case: &Case) -> bool {
    let expected = &case.expected;
    let requests = came.iter().filter(|outcome| matches!(outcome, Outcome::Request(..))).count();
    match (came.last(), expected.then) {
        (Some(Outcome::Refused(refusal)), Then::Close) => {
            requests + 1 == expected.answers.len()
                && expected.answers.last().is_some_and(|answer| answer.status == refusal.status().0)
        }
        (Some(Outcome::Refused(_)), _) => false,
        // Those behind the one that asks for the connection's end are decoded here.
        (_, Then::Close) => requests >= expected.answers.len(),
        (None | Some(Outcome::Request(..)), Then::Open | Then::Wait)
        | (Some(Outcome::HeadOnly(_) | Outcome::Part), Then::Wait) => requests == expected.answers.len(),
        _ => false,
    }
}
