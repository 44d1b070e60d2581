//! The headers that a 2026-07-28 request repeats from its body (`MCP-Protocol-Version`, `Mcp-Method`, `Mcp-Name`, and
//! `Mcp-Param-*` for the arguments that a tool's schema marks with `x-mcp-header`), so that a gateway can route without
//! reading it. They must be there once, and equal (`HeaderMismatch`, -32020).

use core::fmt;

use crate::app::{Schema, Tool};
use crate::http::{Known, Request};
use crate::json::{Kind, Text, Value};

/// Compares one header with the text of the body that it repeats. `is_plain`: the text is known to have no escapes.
///
/// # Errors
/// What is wrong, as the message of the `-32020`.
pub(crate) fn agree(
    head: &Request<'_>,
    header: Known,
    (body, is_plain): (Text<'_>, bool),
    errors: &Mismatch,
) -> Result<(), &'static str> {
    match head.count(header) {
        0 => Err(errors.missing),
        1 => match head.header(header) {
            Some(value) if is_plain && value == body.raw() && sentinel(value).is_none() => Ok(()),
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

/// `Mcp-Name` of a task's methods.
pub(crate) const TASK: Mismatch = Mismatch {
    missing: "header mismatch: Mcp-Name is missing; it must equal params.taskId",
    different: "header mismatch: Mcp-Name differs from params.taskId",
    twice: "header mismatch: Mcp-Name was sent more than once",
};

/// Compares the `Mcp-Param-*` headers of a `tools/call` with the arguments that they repeat. Those that repeat none are left alone.
///
/// # Errors
/// What is wrong, as the message of the `-32020`.
pub(crate) fn params_agree<'b>(
    head: &Request<'_>,
    tool: &Tool,
    arguments: impl Fn() -> Option<Value<'b>>,
) -> Result<(), ParamMismatch> {
    let Schema::Object(fields) = tool.input else { return Ok(()) };
    for (field, header) in fields.iter().filter_map(|field| Some((field, field.header?))) {
        let body =
            arguments().and_then(|arguments| arguments.get(field.name)).filter(|value| value.kind() != Kind::Null);
        let mut values =
            head.mcp_params().filter(|(name, _)| name.eq_ignore_ascii_case(header)).map(|(_, value)| value);
        let wrong = |what| Err(ParamMismatch { header, argument: field.name, what });
        match (values.next(), body) {
            (None, None) => {}
            (None, Some(_)) => return wrong("is missing; it must equal"),
            (Some(_), None) => return wrong("was sent without"),
            (Some(_), Some(_)) if values.next().is_some() => return wrong("was sent more than once, for"),
            (Some(value), Some(body)) if repeats(value, body) => {}
            (Some(_), Some(_)) => return wrong("differs from"),
        }
    }
    Ok(())
}

/// An `Mcp-Param-*` header is not as its argument.
#[derive(Debug)]
pub(crate) struct ParamMismatch {
    header: &'static str,
    argument: &'static str,
    what: &'static str,
}

impl fmt::Display for ParamMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { header, argument, what } = self;
        write!(f, "header mismatch: Mcp-Param-{header} {what} params.arguments.{argument}")
    }
}

/// Bytes of the longest number that is compared as one: what is longer is none that clients send.
const NUMBER_BYTES_MAX: usize = 32;

// Whether a header's value says the same as an argument.
fn repeats(value: &[u8], body: Value<'_>) -> bool {
    match body.kind() {
        Kind::String => body.as_text().is_some_and(|text| same(value, text)),
        Kind::Bool => is_scalar(value, |text| text == body.raw()),
        Kind::Number => is_scalar(value, |text| is_number(text, body)),
        Kind::Null | Kind::Array | Kind::Object => false,
    }
}

// Whether a value that may be encoded is a short text that satisfies `is`.
fn is_scalar(value: &[u8], is: impl Fn(&[u8]) -> bool) -> bool {
    let Some(encoded) = sentinel(value) else { return is(value) };
    let mut decoded = Base64::new(encoded);
    let mut text = heapless::Vec::<u8, NUMBER_BYTES_MAX>::new();
    decoded.by_ref().try_for_each(|byte| text.push(byte)).is_ok() && !decoded.bad && is(&text)
}

// Whether a text is a number, and the same one: `42` is `42.0`.
fn is_number(text: &[u8], body: Value<'_>) -> bool {
    let header = Value::new(text);
    if text == body.raw() {
        return true;
    }
    if text.len() > NUMBER_BYTES_MAX || crate::json::validate(text) != Ok(Kind::Number) {
        return false;
    }
    match (header.as_i64(), body.as_i64()) {
        (Some(header), Some(body)) => header == body,
        _ => header.as_u64().is_some() && header.as_u64() == body.as_u64(),
    }
}

// What is inside `=?base64?...?=`.
fn sentinel(value: &[u8]) -> Option<&[u8]> {
    value.strip_prefix(b"=?base64?")?.strip_suffix(b"?=")
}

// A value is either plain, or `=?base64?...?=` around the base64 of its UTF-8.
fn same(value: &[u8], body: Text<'_>) -> bool {
    match sentinel(value) {
        // What was scanned is UTF-8, and so is what equals it.
        None if value == body.raw() && body.is_plain() => true,
        None => core::str::from_utf8(value).is_ok_and(|value| body.eq_str(value)),
        Some(encoded) => {
            let mut utf8 = [0; 4];
            let mut decoded = Base64::new(encoded);
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

impl<'a> Base64<'a> {
    fn new(encoded: &'a [u8]) -> Self {
        Self { rest: encoded, bits: 0, count: 0, bad: false }
    }

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
            let text = Value::new(quoted.as_bytes()).as_text().unwrap();
            assert_eq!(same(value.as_bytes(), text), equal, "{value} and {body}");
        }
    }
}
