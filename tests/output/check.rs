//! A JSON text is held to what it should be while it comes, without keeping it: its long strings are compared, and the rest is parsed at the end.

use std::sync::LazyLock;

use serde_json::Value;

use crate::app::BLOCK;

/// What a long string begins with, and whether it is base64.
const LONG: [(&[u8], bool); 2] = [(b"\"text\":\"", false), (b"\"blob\":\"", true)];

/// A message of which all has come.
#[derive(Debug)]
pub(crate) struct Message {
    /// All of it but what the long strings hold.
    pub(crate) rest: Value,
    /// How many bytes of the block, over and over, each of them had.
    pub(crate) long: Vec<usize>,
}

/// A message that comes.
#[derive(Default)]
pub(crate) struct Check {
    rest: Vec<u8>,
    long: Vec<usize>,
    state: State,
}

#[derive(Default)]
enum State {
    #[default]
    Outside,
    Text {
        bytes: usize,
        escape: Vec<u8>,
    },
    /// The last four characters wait, since they may be the last of all.
    Base64 {
        bytes: usize,
        last: Vec<u8>,
    },
}

impl Check {
    /// The next bytes of it.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        while let [first, behind @ ..] = bytes {
            match &mut self.state {
                State::Outside => {
                    self.rest.push(*first);
                    bytes = behind;
                    if let Some((_, base64)) = LONG.iter().find(|(begin, _)| self.rest.ends_with(begin)) {
                        self.state = match base64 {
                            true => State::Base64 { bytes: 0, last: Vec::new() },
                            false => State::Text { bytes: 0, escape: Vec::new() },
                        };
                    }
                }
                State::Text { bytes: seen, escape } if escape.is_empty() => {
                    let run = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(bytes.len());
                    compare(seen, &bytes[..run]);
                    bytes = &bytes[run..];
                    match bytes {
                        [b'\\', behind @ ..] => {
                            escape.push(b'\\');
                            bytes = behind;
                        }
                        [_, ..] => self.end(),
                        [] => {}
                    }
                }
                State::Text { bytes: seen, escape } => {
                    escape.push(*first);
                    bytes = behind;
                    if escape.len() == if escape[1] == b'u' { 6 } else { 2 } {
                        let quoted = format!("\"{}\"", str::from_utf8(escape).unwrap());
                        let text: String = serde_json::from_str(&quoted).expect("a legal escape");
                        compare(seen, text.as_bytes());
                        escape.clear();
                    }
                }
                State::Base64 { bytes: seen, last } if *first == b'"' => {
                    let group = last[..].try_into().expect("base64 comes in fours");
                    compare(seen, &decode(group));
                    self.end();
                }
                State::Base64 { bytes: seen, last } => {
                    let run = bytes.iter().position(|byte| *byte == b'"').unwrap_or(bytes.len());
                    last.extend_from_slice(&bytes[..run]);
                    bytes = &bytes[run..];
                    let sure = last.len().saturating_sub(1) / 4 * 4;
                    compare_base64(seen, &last[..sure]);
                    last.drain(..sure);
                }
            }
        }
    }

    // The quote of a long string's end is still to be read.
    fn end(&mut self) {
        let state = std::mem::take(&mut self.state);
        if let State::Text { bytes, .. } | State::Base64 { bytes, .. } = state {
            self.long.push(bytes);
        }
    }

    /// All of it has come.
    pub(crate) fn finish(self) -> Message {
        let rest = serde_json::from_slice(&self.rest);
        let rest = rest.unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&self.rest)));
        Message { rest, long: self.long }
    }
}

// Behind the bytes that were seen comes this, in whole groups.
fn compare_base64(seen: &mut usize, text: &[u8]) {
    // Three blocks make whole groups, over and over.
    static CYCLE: LazyLock<Vec<u8>> = LazyLock::new(|| BLOCK.repeat(3).as_bytes().chunks(3).flat_map(encode).collect());
    let mut rest = text;
    while !rest.is_empty() {
        let expected = &CYCLE[*seen / 3 * 4 % CYCLE.len()..];
        let length = expected.len().min(rest.len());
        assert!(rest[..length] == expected[..length], "what comes behind byte {seen} is wrong");
        *seen += length / 4 * 3;
        rest = &rest[length..];
    }
}

fn encode(group: &[u8]) -> [u8; 4] {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
    [18, 12, 6, 0].map(|shift| DIGITS[(bits >> shift & 63) as usize])
}

// Behind the bytes that were seen comes this.
fn compare(seen: &mut usize, bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let expected = &BLOCK.as_bytes()[*seen % BLOCK.len()..];
        let length = expected.len().min(rest.len());
        assert!(rest[..length] == expected[..length], "what comes behind byte {seen} is wrong");
        *seen += length;
        rest = &rest[length..];
    }
}

fn decode(group: [u8; 4]) -> Vec<u8> {
    let padding = group.iter().rev().take_while(|character| **character == b'=').count();
    let bits = group.iter().fold(0u32, |bits, character| {
        let sextet = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => 0,
            _ => panic!("no base64: {character}"),
        };
        bits << 6 | u32::from(sextet)
    });
    bits.to_be_bytes()[1..4 - padding].to_vec()
}
