//! Conversations between clients and a server, as texts: what each client sends, and everything that it gets for it.
//!
//! Each text is fed whole, byte by byte, and cut in two at every place; the answer must be the same. Texts are
//! `conversations/*.txt`; one test each.
//!
//! ```text
//! --- option token secret          before the first section: how the servers of this file are set up
//! --- option app library           the application is `library.rs` instead of `fixture.rs`; or away (`away.rs`), asking (`asking.rs`),
//!                                  chores (`chores.rs`), danger, relay (`relay.rs`), guarded, checked (`guarded.rs`), speaker, mute (`speaker.rs`)
//! --- option access kitchen:secret:read,lights:60   a token with a name; `*` for every scope; and for how many seconds
//! --- option oauth RESOURCE ISSUER read,lights read   access tokens let in: of whom, the scopes that there are, those to ask for first
//! --- option cuts 1000             and at most how many cuts are made in each of its conversations, evenly chosen
//! --- let version 2025-06-18       a text that stands for $(version), until the end of its section or file
//! --- define post                  the same, of several lines
//! === A title                      a section: a conversation with a server of its own
//! What is noteworthy about it.
//! --- A sends                      requests; `Content-Length: @` is filled in, `~~~` stands between two of them
//! --- A sends whole                the same, never cut: what is tested elsewhere
//! --- A sends raw                  bytes: \r \n \t \\ \x7f are what they are in Rust, ends of lines are nothing
//! --- A receives                   all that the server has sent since the last time, see `transcript.rs`; or (nothing)
//! --- advance 15000                milliseconds go by
//! --- from 192.0.2.7 A             A connects from there; who is not said to connects from this machine
//! --- half-close A                 also: break A; room A 100 (the bytes that A's network takes unread)
//! --- tokens kitchen:other ...     the tokens are these from here on
//! --- tools-changed                also: resources-changed; prompts-changed; resource-updated URI; broadcast info a text;
//!                                  shutdown; restart; ended (the server must have)
//! ```
//! `common.txt` has the definitions that all texts share. In what is received, `$(name)` with no known meaning takes the
//! characters of a session id and means them from there on; `$(_)` takes them and forgets them; `$(repeat 3 ab)` is
//! `ababab`.
//!
//! With `UPDATE=1` in the environment, what is received where the text has nothing yet is written into the text, and with
//! `UPDATE=all` whatever differs: look at it before you commit it.
#![forbid(unsafe_code)]
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, reason = "this is all tests")]

mod asking;
mod away;
mod chores;
mod danger;
mod fixture;
mod gate;
mod guarded;
mod library;
mod relay;
mod run;
mod script;
mod speaker;
mod transcript;

// The same servers, and whatever else may be sent to them.
#[path = "../mutation/mod.rs"]
mod mutation;

use std::fs;
use std::path::PathBuf;

use run::Way;
use script::Script;

macro_rules! conversations {
    ($($name:ident)*) => {
        const ALL: &[&str] = &[$(stringify!($name)),*];
        $(#[test] fn $name() { check(stringify!($name)); })*
    };
}

conversations! {
    access annotations audit audit_alone authorize batch cancel confirm content http http_sse identity ids input lenient limits logging modern mute
    no_http_sse oauth oauth_base open origins progress prompts public_base rates refused_early resources resume revisions scopes shutdown streams
    subscriptions tasks token tools
}

/// Holds the conversations of one text, in all ways of feeding them.
fn check(name: &str) {
    let path = folder().join(format!("{name}.txt"));
    let common = fs::read_to_string(folder().join("common.txt")).unwrap();
    let mut text = fs::read_to_string(&path).unwrap();
    if let Ok(what) = std::env::var("UPDATE") {
        text = run::update(&Script::parse(&common, &text), &text, what == "all");
        fs::write(&path, &text).unwrap();
    }
    let script = Script::parse(&common, &text);
    let mut broken = Vec::new();
    // An emulator has time for some of them only; which, is the same each time.
    let cuts_max = std::env::var("CONVERSATION_CUTS").map_or(usize::MAX, |most| most.parse().expect("a number"));
    for section in &script.sections {
        let cuts = section.cuts(&script.names, script.cuts_max.min(cuts_max)).map(Way::Cut);
        let ways = [Way::Whole, Way::Bytes].into_iter().chain(cuts);
        // One difference is enough to look at.
        let first = ways.into_iter().find_map(|way| run::hold(&script, section, way).err().map(|why| (way, why)));
        broken.extend(first.map(|(way, why)| format!("{name}.txt, \"{}\", {way:?}: {why}", section.title)));
    }
    let (all, bad) = (script.sections.len(), broken.len());
    assert!(broken.is_empty(), "{bad} of {all} conversations went otherwise\n\n{}\n", broken.join("\n\n"));
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conversations")
}

#[test]
fn every_text_is_held() {
    let files = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let texts = files.filter(|path| path.extension().is_some_and(|extension| extension == "txt"));
    let mut names: Vec<String> = texts.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.retain(|name| name != "common");
    names.sort();
    let mut all = ALL.to_vec();
    all.sort_unstable();
    assert_eq!(names, all);
}
