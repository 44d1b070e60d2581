//! The wire, requirement by requirement: raw bytes, and what must come back.
//!
//! Cases are text (`cases/*.txt`, read by `table.rs`). Each is held three times over sockets (in one write, in two, and followed by a good request
//! on a new connection), and at every cut against the whole server without sockets; a good request on the same connection follows each, which
//! must be answered where the connection stays, and must not be where it goes. The same texts are fed at every cut to the pure decoder
//! (`src/http/tests_wire.rs`) and, those of JSON, to the scanner (`src/json/tests_wire.rs`).
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "this is all tests")]

mod answer;
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
