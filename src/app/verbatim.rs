//! Hand-written JSON in the source of a program, checked while it is compiled.

use crate::limits::JSON_DEPTH_MAX;

/// Whether `text` is one JSON object, and nothing else.
pub const fn is_json_object(text: &str) -> bool {
    let json = text.as_bytes();
    let start = space(json, 0);
    starts(json, start, b"{") && whole(json, start)
}

/// Whether `text` is a JSON Schema that a tool's arguments can have: an object whose `type` is `"object"` (MCP, `Tool.inputSchema`). It must not
/// name `x-mcp-header`, which promises checks that need `args!`.
pub const fn is_input_schema(text: &str) -> bool {
    is_json_object(text) && is_type_object(text.as_bytes()) && !contains(text.as_bytes(), b"\"x-mcp-header\"")
}

/// What the functions below give for what is no JSON.
const NONE: usize = usize::MAX;

const fn whole(json: &[u8], start: usize) -> bool {
    let end = value(json, start, 0);
    end != NONE && space(json, end) == json.len()
}

// Of an object: whether its member `type` is `"object"`.
const fn is_type_object(json: &[u8]) -> bool {
    let mut at = space(json, 0) + 1;
    loop {
        at = space(json, at);
        let named = starts(json, at, b"\"type\"");
        at = colon(json, string(json, at));
        if at == NONE {
            return false;
        }
        if named {
            return starts(json, at, b"\"object\"");
        }
        at = space(json, value(json, at, 1));
        if !starts(json, at, b",") {
            return false;
        }
        at += 1;
    }
}

// The end of the value at `at`.
const fn value(json: &[u8], at: usize, depth: usize) -> usize {
    if at >= json.len() || depth >= JSON_DEPTH_MAX {
        return NONE;
    }
    match json[at] {
        b'{' => items(json, at + 1, depth, b'}'),
        b'[' => items(json, at + 1, depth, b']'),
        b'"' => string(json, at),
        b't' => word(json, at, b"true"),
        b'f' => word(json, at, b"false"),
        b'n' => word(json, at, b"null"),
        _ => number(json, at),
    }
}

// The end of an object or an array, from behind its bracket.
const fn items(json: &[u8], at: usize, depth: usize, close: u8) -> usize {
    let mut at = space(json, at);
    if starts(json, at, &[close]) {
        return at + 1;
    }
    loop {
        if close == b'}' {
            at = colon(json, string(json, space(json, at)));
        }
        at = space(json, value(json, space(json, at), depth + 1));
        if starts(json, at, &[close]) {
            return at + 1;
        }
        if !starts(json, at, b",") {
            return NONE;
        }
        at += 1;
    }
}

// The value behind a colon.
const fn colon(json: &[u8], at: usize) -> usize {
    let at = space(json, at);
    if starts(json, at, b":") { space(json, at + 1) } else { NONE }
}

const fn string(json: &[u8], at: usize) -> usize {
    if !starts(json, at, b"\"") {
        return NONE;
    }
    let mut at = at + 1;
    while at < json.len() {
        match json[at] {
            b'"' => return at + 1,
            b'\\' if starts(json, at + 1, b"u") => {
                let end = at + 6;
                at += 2;
                while at < end {
                    if at >= json.len() || !json[at].is_ascii_hexdigit() {
                        return NONE;
                    }
                    at += 1;
                }
            }
            b'\\' if at + 1 < json.len() && contains(b"\"\\/bfnrt", &[json[at + 1]]) => at += 2,
            b'\\' | 0..=0x1f => return NONE,
            _ => at += 1,
        }
    }
    NONE
}

const fn number(json: &[u8], at: usize) -> usize {
    let at = if starts(json, at, b"-") { at + 1 } else { at };
    let mut end = if starts(json, at, b"0") { at + 1 } else { digits(json, at) };
    if end != NONE && starts(json, end, b".") {
        end = digits(json, end + 1);
    }
    if end != NONE && (starts(json, end, b"e") || starts(json, end, b"E")) {
        end += 1;
        end = digits(json, if starts(json, end, b"+") || starts(json, end, b"-") { end + 1 } else { end });
    }
    end
}

// The end of the digits at `at`, of which there must be one.
const fn digits(json: &[u8], at: usize) -> usize {
    let mut end = at;
    while end < json.len() && json[end].is_ascii_digit() {
        end += 1;
    }
    if end > at { end } else { NONE }
}

const fn word(json: &[u8], at: usize, word: &[u8]) -> usize {
    if starts(json, at, word) { at + word.len() } else { NONE }
}

const fn space(json: &[u8], mut at: usize) -> usize {
    while at < json.len() && matches!(json[at], b' ' | b'\t' | b'\n' | b'\r') {
        at += 1;
    }
    at
}

const fn starts(json: &[u8], at: usize, with: &[u8]) -> bool {
    let mut place = 0;
    while place < with.len() {
        if at >= json.len() || place >= json.len() - at || json[at + place] != with[place] {
            return false;
        }
        place += 1;
    }
    true
}

const fn contains(json: &[u8], what: &[u8]) -> bool {
    let mut at = 0;
    while at < json.len() {
        if starts(json, at, what) {
            return true;
        }
        at += 1;
    }
    false
}
