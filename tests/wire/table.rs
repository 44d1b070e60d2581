//! Cases as text: what a client sends, what must come back, and where that is written.
//!
//! ```text
//! # a comment
//! def NAME text                       <NAME> stands for the text from here on
//! 9112 6.3 | 400 close | POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\nhello
//! ```
//! What is sent has the escapes `\r \n \t \0 \xNN \\`. `<NAME>` is a definition, `<TEXT*N>` a text N times, and `<body>` gives all that is
//! behind it a `Content-Length`, and an empty line before it.
//!
//! What must come back: the status of each answer, in order; behind a status a code of JSON-RPC (`-32600`), header lines (`name=value`, a `_`
//! stands for a space; `name=*`: any value; `name=` none), `like=text` (a part of the body), or `head` (it has no body, for it was asked by HEAD).
//! At last how it goes on: `open` (the next request on the connection is answered), `close` (nothing behind is looked at, and the connection
//! ends), or `wait` (what was sent is not whole). `early` in front of all: it is refused before its body was looked at.

use std::collections::HashMap;

/// One case.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Its line in the file.
    pub(crate) line: usize,
    /// Where it is written: of an RFC, or of MCP.
    pub(crate) section: String,
    pub(crate) expected: Expected,
    pub(crate) sent: Vec<u8>,
}

/// What must come back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected {
    pub(crate) answers: Vec<Answer>,
    pub(crate) then: Then,
    pub(crate) early: bool,
}

/// What an answer must be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) code: Option<i64>,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) parts: Vec<String>,
    pub(crate) is_head: bool,
}

/// How the connection goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Then {
    #[default]
    Open,
    Close,
    Wait,
}

/// Reads the cases of texts; what one defines is known to those behind it.
pub(crate) fn cases(texts: &[&str]) -> Vec<Case> {
    let mut names = HashMap::new();
    let mut cases = Vec::new();
    for (at, line) in texts.iter().flat_map(|text| text.lines().enumerate()) {
        let at = at + 1;
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some((name, text)) = line.strip_prefix("def ").and_then(|rest| rest.split_once(' ')) {
            names.insert(name.to_owned(), filled(text, &names));
            continue;
        }
        let mut parts = line.splitn(3, '|');
        let (Some(section), Some(expected), Some(sent)) = (parts.next(), parts.next(), parts.next()) else {
            panic!("line {at} is no case: {line}");
        };
        let sent = bytes(sent.strip_prefix(' ').unwrap_or(sent), &names);
        cases.push(Case {
            line: at,
            section: section.trim().to_owned(),
            expected: expectation(&filled(expected, &names)),
            sent,
        });
    }
    cases
}

fn expectation(text: &str) -> Expected {
    let mut expected = Expected::default();
    for word in text.split_whitespace() {
        match (word, expected.answers.last_mut()) {
            ("open", _) => expected.then = Then::Open,
            ("close", _) => expected.then = Then::Close,
            ("wait", _) => expected.then = Then::Wait,
            ("early", _) => expected.early = true,
            ("head", Some(answer)) => answer.is_head = true,
            (word, Some(answer)) if word.starts_with("-32") => answer.code = Some(word.parse().expect("a code")),
            (word, Some(answer)) if word.starts_with("like=") => {
                let part = unescaped(&word["like=".len()..].replace('_', " "));
                answer.parts.push(String::from_utf8(part).expect("UTF-8"));
            }
            (word, answer) => {
                if let (Some((name, value)), Some(answer)) = (word.split_once('='), answer) {
                    answer.fields.push((name.to_owned(), value.replace('_', " ")));
                } else {
                    let status = word.parse().unwrap_or_else(|_| panic!("no word of an expectation: {word}"));
                    expected.answers.push(Answer { status, ..Answer::default() });
                }
            }
        }
    }
    expected
}

// What a case sends.
fn bytes(text: &str, names: &HashMap<String, String>) -> Vec<u8> {
    let filled = filled(text, names);
    let Some((head, body)) = filled.split_once("<body>") else { return unescaped(&filled) };
    let (mut sent, body) = (unescaped(head), unescaped(body));
    sent.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
    sent.extend(body);
    sent
}

// The text with its definitions and repetitions; `<body>` stays.
fn filled(text: &str, names: &HashMap<String, String>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('<') {
        let (name, after) = behind.split_once('>').unwrap_or_else(|| panic!("`<` without `>`: {text}"));
        filled.push_str(before);
        match (names.get(name), name.rsplit_once('*')) {
            (Some(text), _) => filled.push_str(text),
            (None, Some((text, times))) => filled.push_str(&text.repeat(times.parse().expect("a number behind `*`"))),
            (None, None) if name == "body" => filled.push_str("<body>"),
            _ => panic!("<{name}> is not defined"),
        }
        rest = after;
    }
    filled + rest
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'0') => 0,
            Some(b'\\') => b'\\',
            Some(b'x') => {
                let digits = [rest.next(), rest.next()].map(|digit| char::from(digit.expect("two digits behind \\x")));
                u8::from_str_radix(&String::from_iter(digits), 16).expect("two digits behind \\x")
            }
            other => panic!("no escape: \\{other:?} in {text}"),
        });
    }
    bytes
}
