//! The headers that a 2026-07-28 request repeats from its body (`MCP-Protocol-Version`, `Mcp-Method`, `Mcp-Name`), so that
//! a gateway can route without reading it. They must be there once, and equal (`HeaderMismatch`, -32020).

use crate::http::{Known, Request};
use crate::json::Text;

/// Compares one header with the text of the body that it repeats.
///
/// # Errors
/// What is wrong, as the message of the `-32020`.
pub(crate) fn agree(head: &Request<'_>, header: Known, body: Text<'_>, errors: &Mismatch) -> Result<(), &'static str> {
    match head.count(header) {
        0 => Err(errors.missing),
        1 => match head.header(header) {
            Some(value) if same(value, body) => Ok(()),
            _ => Err(errors.different),
        },
        _ => Err(errors.twice),
    }
}

/// The three things that can be wrong with a header, as sentences for the client.
pub(crate) struct Mismatch {
    missing: &'static str,
    different: &'static str,
    twice: &'static str,
}

/// `MCP-Protocol-Version`.
pub(crate) const VERSION: Mismatch = Mismatch {
    missing: "header mismatch: MCP-Protocol-Version is missing; it must equal the protocolVersion in params._meta",
    different: "header mismatch: MCP-Protocol-Version differs from the protocolVersion in params._meta",
    twice: "header mismatch: MCP-Protocol-Version was sent more than once",
};
/// `Mcp-Method`.
pub(crate) const METHOD: Mismatch = Mismatch {
    missing: "header mismatch: Mcp-Method is missing; it must equal the body's method",
    different: "header mismatch: Mcp-Method differs from the body's method",
    twice: "header mismatch: Mcp-Method was sent more than once",
};
/// `Mcp-Name`.
pub(crate) const NAME: Mismatch = Mismatch {
    missing: "header mismatch: Mcp-Name is missing; it must equal params.name (resources/read: params.uri)",
    different: "header mismatch: Mcp-Name differs from params.name (resources/read: params.uri)",
    twice: "header mismatch: Mcp-Name was sent more than once",
};

// A value is either plain, or `=?base64?...?=` around the base64 of its UTF-8.
fn same(value: &[u8], body: Text<'_>) -> bool {
    let encoded = value.strip_prefix(b"=?base64?").and_then(|rest| rest.strip_suffix(b"?="));
    match encoded {
        None => core::str::from_utf8(value).is_ok_and(|value| body.eq_str(value)),
        Some(encoded) => {
            let mut utf8 = [0; 4];
            let mut decoded = Base64 { rest: encoded, bits: 0, count: 0, bad: false };
            for char in body.chars() {
                for byte in char.encode_utf8(&mut utf8).bytes() {
                    if decoded.next() != Some(byte) {
                        return false;
                    }
                }
            }
            decoded.next().is_none() && !decoded.bad
        }
    }
}

/// The bytes of standard base64 (RFC 4648, section 4), padding required.
struct Base64<'a> {
    rest: &'a [u8],
    bits: u32,
    count: u32,
    bad: bool,
}

impl Base64<'_> {
    fn digit(byte: u8) -> Option<u32> {
        Some(u32::from(match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        }))
    }

    // Only the padding that completes the last quantum may follow, and no bits may be left over.
    fn end(&mut self) -> Option<u8> {
        let padding: &[u8] = match self.count {
            0 => b"",
            2 => b"=",
            4 => b"==",
            _ => b"?",
        };
        self.bad |= self.rest != padding;
        self.bad |= self.bits & ((1 << self.count) - 1) != 0;
        self.rest = &[];
        self.count = 0;
        None
    }
}

impl Iterator for Base64<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        while self.count < 8 {
            let Some((byte, rest)) = self.rest.split_first() else { return self.end() };
            let Some(digit) = Self::digit(*byte) else { return self.end() };
            self.rest = rest;
            self.bits = (self.bits << 6 | digit) & 0xffff;
            self.count += 6;
        }
        self.count -= 8;
        u8::try_from(self.bits >> self.count & 0xff).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_compared_decoded() {
        for (value, body, equal) in [
            ("add", "add", true),
            ("add", "adc", false),
            ("add ", "add", false),
            ("=?base64?YWRk?=", "add", true),
            ("=?base64?YWRkZA==?=", "addd", true),
            ("=?base64?YWRkZWU=?=", "addee", true),
            ("=?base64?w6k=?=", "é", true),
            ("=?base64?YWRkZA=?=", "addd", false),
            ("=?base64?YWRkZA?=", "addd", false),
            ("=?base64?YWRkZB==?=", "addd", false),
            ("=?base64?YWRk!?=", "add", false),
            ("=?base64?YWRk====?=", "add", false),
            ("=?base64??=", "", true),
            ("=?BASE64?YWRk?=", "add", false),
            ("=?base64?YWR?=", "add", false),
            ("=?base64?YWRkZGQ=?=", "add", false),
            ("=?base64?YQ==?=", "add", false),
        ] {
            let quoted = format!("\"{body}\"");
            let text = crate::json::Value::new(quoted.as_bytes()).as_text().unwrap();
            assert_eq!(same(value.as_bytes(), text), equal, "{value} and {body}");
        }
    }
}
