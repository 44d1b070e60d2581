//! The wire, requirement by requirement: raw bytes, and what must come back.
//!
//! Cases are text (`cases/*.txt`, read by `table.rs`). Each is held three times over sockets (in one write, in two, and followed by a good request
//! on a new connection), and at every cut against the whole server without sockets; a good request on the same connection follows each, which
//! must be answered where the connection stays, and must not be where it goes. The same texts are fed at every cut to the pure decoder
//! (`src/http/tests_wire.rs`) and, those of JSON, to the scanner (`src/json/tests_wire.rs`).
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "this is all tests")]

mod answer;
mod guard;
mod house;
mod json;
mod line;
mod messages;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod talk;
mod texts;

use smol_mcp::Config;

use talk::{at_every_cut, over_sockets};

const COMMON: &str = include_str!("cases/common.txt");

/// Each file of cases by both ways.
macro_rules! tables {
    ($($name:ident $cases:literal;)*) => {$(
        mod $name {
            const TEXT: &str = include_str!(concat!("cases/", stringify!($name), ".txt"));

            #[test]
            fn over_sockets() {
                super::hold(TEXT, $cases, super::over_sockets);
            }

            #[test]
            fn at_every_cut() {
                super::hold(TEXT, $cases, super::at_every_cut);
            }
        }
    )*};
}

tables! {
    framing 100;
    chunks 100;
    lines 140;
    names 90;
    answers 90;
}

fn hold(text: &str, at_least: usize, by: fn(Config, &[table::Case]) -> Vec<String>) {
    let cases = table::cases(&[COMMON, text]);
    assert!(cases.len() >= at_least, "{} cases", cases.len());
    let wrong = by(Config::default(), &cases);
    eprintln!("{} cases", cases.len());
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// What the cases expect is looked at: none holds with another status, another end, or one more answer.
#[test]
fn a_wrong_expectation_is_seen() {
    let texts = ["framing", "chunks", "lines", "names", "answers"].map(|name| {
        let path = format!("{}/tests/wire/cases/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).expect("the cases are there")
    });
    for (at, text) in texts.iter().enumerate() {
        let right = table::cases(&[COMMON, text]);
        // Some of each file.
        let right: Vec<_> = right.into_iter().skip(at).step_by(9).collect();
        let mut wrong = Vec::new();
        for case in &right {
            let mut other = |change: &dyn Fn(&mut table::Expected)| {
                let mut case = case.clone();
                change(&mut case.expected);
                wrong.push(case);
            };
            other(&|expected| {
                expected.then =
                    if expected.then == table::Then::Close { table::Then::Open } else { table::Then::Close };
            });
            if let Some(last) = case.expected.answers.len().checked_sub(1) {
                other(&|expected| expected.answers[last].status += 1);
                other(&|expected| drop(expected.answers.pop()));
                other(&|expected| expected.answers[last].fields.push(("x-odd".into(), "*".into())));
            }
        }
        let seen = at_every_cut(Config::default(), &wrong);
        assert_eq!(seen.len(), wrong.len(), "some were not seen; these were:\n{}", seen.join("\n"));
    }
}
