//! The compile-time half of the macros: attributes become [`Mark`]s, and constant functions read them. Public for the macros only.

use super::{Annotations, Field, Icon, Schema, TaskSupport, Tool, Variant, verbatim};
use crate::limits::{ARG_DEPTH_MAX, HEADER_NAME_BYTES_MAX, OBJECT_FIELDS_MAX, TOOL_NAME_BYTES_MAX};
use crate::rate::Rate;

/// An attribute of a tool, an argument or a variant.
#[derive(Clone, Copy, Debug)]
pub enum Mark {
    /// A line of a doc comment.
    Doc(&'static str),
    /// `#[read_only]`
    ReadOnly,
    /// `#[additive]`
    Additive,
    /// `#[destructive]`
    Destructive,
    /// `#[idempotent]`
    Idempotent,
    /// `#[open_world]`
    OpenWorld,
    /// `#[task]`, `#[task(required)]`, `#[task(later)]`
    Task(TaskSupport),
    /// `#[title("..")]`
    Title(&'static str),
    /// `#[name("..")]`
    Name(&'static str),
    /// `#[icon("..")]`
    Icon(Icon),
    /// `#[meta(r#"{..}"#)]`
    Meta(&'static str),
    /// `#[rate(..)]`
    Rate(Rate),
    /// `#[scope("..")]`
    Scopes(&'static [&'static str]),
    /// `#[uri("..")]`
    Uri(&'static str),
    /// `#[mime("..")]`
    Mime(&'static str),
    /// `#[size(..)]`
    Size(u64),
    /// `#[audience(user, assistant)]`
    Audience((bool, bool)),
    /// `#[priority(..)]`
    Priority(f64),
    /// `#[last_modified("..")]`
    LastModified(&'static str),
    /// `#[complete(..)]`
    Completes,
    /// One that the compiler reads.
    Foreign,
}

/// How many bytes [`doc_bytes`] makes.
pub const fn doc_len(marks: &[Mark]) -> usize {
    let (mut len, mut lines, mut at) = (0, 0, 0);
    while at < marks.len() {
        if let Mark::Doc(line) = marks[at] {
            // The line, and the line break before all but the first.
            len += doc_line(line).len() + (lines > 0) as usize;
            lines += 1;
        }
        at += 1;
    }
    len
}

/// The lines of a doc comment, joined by line breaks, without the space that follows `///`.
pub const fn doc_bytes<const LEN: usize>(marks: &[Mark]) -> [u8; LEN] {
    let (mut bytes, mut len, mut lines, mut at) = ([0; LEN], 0, 0, 0);
    while at < marks.len() {
        if let Mark::Doc(line) = marks[at] {
            if lines > 0 {
                bytes[len] = b'\n';
                len += 1;
            }
            lines += 1;
            let line = doc_line(line);
            let (_, room) = bytes.split_at_mut(len);
            let (room, _) = room.split_at_mut(line.len());
            room.copy_from_slice(line);
            len += line.len();
        }
        at += 1;
    }
    bytes
}

const fn doc_line(line: &'static str) -> &'static [u8] {
    match line.as_bytes() {
        [b' ', rest @ ..] => rest,
        whole => whole,
    }
}

/// The text that one of the functions above made.
pub const fn text(bytes: &'static [u8]) -> &'static str {
    match str::from_utf8(bytes) {
        Ok(text) => text,
        // Whole lines were joined, so this is never reached.
        Err(_) => "",
    }
}

/// An identifier without the `r#` of a raw one.
pub const fn plain(identifier: &'static str) -> &'static str {
    match identifier.as_bytes() {
        [b'r', b'#', ..] => identifier.split_at(2).1,
        _ => identifier,
    }
}

/// How many bytes [`snake_bytes`] makes.
pub const fn snake_len(camel: &str) -> usize {
    let (mut len, mut at) = (0, 0);
    while at < camel.len() {
        len += 1 + (at > 0 && camel.as_bytes()[at].is_ascii_uppercase()) as usize;
        at += 1;
    }
    len
}

/// The name in snake case, by the rule of serde's `rename_all`: an underscore before each capital but the first.
///
/// # Panics
/// When it is compiled, if the name is not ASCII.
pub const fn snake_bytes<const LEN: usize>(camel: &str) -> [u8; LEN] {
    assert!(camel.is_ascii(), "a variant that is not ASCII needs `#[name(\"..\")]`");
    let (mut bytes, mut len, mut at) = ([0; LEN], 0, 0);
    while at < camel.len() {
        let byte = camel.as_bytes()[at];
        if at > 0 && byte.is_ascii_uppercase() {
            bytes[len] = b'_';
            len += 1;
        }
        bytes[len] = byte.to_ascii_lowercase();
        len += 1;
        at += 1;
    }
    bytes
}

/// The schema of a struct.
///
/// # Panics
/// When it is compiled, if it has too many fields or nests too deep, or has a `#[header(..)]` that no client could send.
pub const fn object(fields: &'static [Field]) -> Schema {
    assert!(fields.len() <= OBJECT_FIELDS_MAX, "more fields than `OBJECT_FIELDS_MAX`");
    let schema = Schema::Object(fields);
    assert!(schema.depth() <= ARG_DEPTH_MAX, "structs and arrays nest deeper than `ARG_DEPTH_MAX`");
    let mut at = 0;
    while at < fields.len() {
        assert!(
            !has_header(&fields[at].schema),
            "`#[header(..)]` is for the tool's own arguments, not for what is in them"
        );
        if let Some(header) = fields[at].header {
            assert!(is_token(header), "`#[header(..)]` must be a word that can be a part of a header's name");
            assert!(
                matches!(
                    fields[at].schema,
                    Schema::Bool | Schema::Integer { .. } | Schema::String { .. } | Schema::Enum(_)
                ),
                "`#[header(..)]` is for texts, integers and booleans"
            );
            let mut other = 0;
            while other < at {
                let taken = match fields[other].header {
                    Some(other) => same_header(other, header),
                    None => false,
                };
                assert!(!taken, "two arguments have the same `#[header(..)]`");
                other += 1;
            }
        }
        at += 1;
    }
    schema
}

// Without regard to case.
const fn same_header(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() {
        if !a[at].eq_ignore_ascii_case(&b[at]) {
            return false;
        }
        at += 1;
    }
    a.len() == b.len()
}

const fn has_header(schema: &Schema) -> bool {
    match schema {
        Schema::Array { items, .. } => has_header(items),
        Schema::Object(fields) => {
            let mut at = 0;
            while at < fields.len() {
                if fields[at].header.is_some() {
                    return true;
                }
                at += 1;
            }
            false
        }
        _ => false,
    }
}

// RFC 9110, 5.6.2.
const fn is_token(text: &str) -> bool {
    let mut at = 0;
    while at < text.len() {
        if !matches!(
            text.as_bytes()[at],
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
            | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z'
        ) {
            return false;
        }
        at += 1;
    }
    !text.is_empty() && text.len() <= HEADER_NAME_BYTES_MAX - "mcp-param-".len()
}

/// The schema of an enum.
///
/// # Panics
/// When it is compiled, if two variants have the same name, or a name needs escapes in JSON.
pub const fn choice(variants: &'static [Variant]) -> Schema {
    let mut at = 0;
    while at < variants.len() {
        let name = variants[at].name.as_bytes();
        let mut byte = 0;
        while byte < name.len() {
            // What has an escape in JSON could be read by one layer and not by the other.
            assert!(
                name[byte] >= b' ' && !matches!(name[byte], b'"' | b'\\'),
                "a variant's name has a character that JSON must escape"
            );
            byte += 1;
        }
        let mut other = 0;
        while other < at {
            assert!(!equal(variants[other].name, variants[at].name), "two variants have the same name");
            other += 1;
        }
        at += 1;
    }
    Schema::Enum(variants)
}

/// Whether a tool's arguments, or its structured content, can have this schema.
pub const fn is_object(schema: &Schema) -> bool {
    match schema {
        Schema::Verbatim(json) => verbatim::is_input_schema(json),
        other => other.is_object(),
    }
}

/// How many icons there are.
pub const fn icon_count(marks: &[Mark]) -> usize {
    let (mut count, mut at) = (0, 0);
    while at < marks.len() {
        if let Mark::Icon(_) = marks[at] {
            count += 1;
        }
        at += 1;
    }
    count
}

/// The `#[icon(..)]`s.
pub const fn icons<const COUNT: usize>(marks: &[Mark]) -> [Icon; COUNT] {
    let (mut icons, mut count, mut at) = ([Icon { src: "", mime: "", sizes: &[] }; COUNT], 0, 0);
    while at < marks.len() {
        if let Mark::Icon(icon) = marks[at] {
            icons[count] = icon;
            count += 1;
        }
        at += 1;
    }
    icons
}

/// The `#[meta(..)]`, if there is one.
///
/// # Panics
/// When it is compiled, if it is no JSON object.
pub const fn meta(marks: &[Mark]) -> Option<&'static str> {
    let mut at = 0;
    while at < marks.len() {
        if let Mark::Meta(json) = marks[at] {
            assert!(verbatim::is_json_object(json), "`#[meta(..)]` must be a JSON object");
            return Some(json);
        }
        at += 1;
    }
    None
}

/// The `#[title("..")]`, if there is one.
pub const fn title(marks: &[Mark]) -> Option<&'static str> {
    let mut at = 0;
    while at < marks.len() {
        if let Mark::Title(title) = marks[at] {
            return Some(title);
        }
        at += 1;
    }
    None
}

/// The `#[name("..")]`, or the function's own name.
pub const fn name(marks: &[Mark], function: &'static str) -> &'static str {
    let mut at = 0;
    while at < marks.len() {
        if let Mark::Name(name) = marks[at] {
            return name;
        }
        at += 1;
    }
    plain(function)
}

/// What the attributes say about a tool's effects; `None` where they do not say it, or contradict each other.
pub const fn annotations(marks: &[Mark]) -> Option<Annotations> {
    let (mut read_only, mut additive, mut destructive, mut idempotent, mut open_world) =
        (false, false, false, false, false);
    let mut at = 0;
    while at < marks.len() {
        match marks[at] {
            Mark::ReadOnly => read_only = true,
            Mark::Additive => additive = true,
            Mark::Destructive => destructive = true,
            Mark::Idempotent => idempotent = true,
            Mark::OpenWorld => open_world = true,
            _ => {}
        }
        at += 1;
    }
    match (read_only, additive, destructive, idempotent) {
        (true, false, false, false) => Some(Annotations { read_only, destructive, idempotent: true, open_world }),
        (false, true, false, _) | (false, false, true, _) | (false, false, false, true) => {
            Some(Annotations { read_only, destructive, idempotent, open_world })
        }
        _ => None,
    }
}

/// Whether a tool may have this name (MCP, "Tool names"; 64 bytes because some clients and model APIs stop there).
pub const fn is_tool_name(name: &str) -> bool {
    let mut at = 0;
    while at < name.len() {
        if !matches!(name.as_bytes()[at], b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.') {
            return false;
        }
        at += 1;
    }
    !name.is_empty() && name.len() <= TOOL_NAME_BYTES_MAX
}

/// Whether no two tools have the same name.
pub const fn are_names_unique(tools: &[Tool]) -> bool {
    let mut at = 0;
    while at < tools.len() {
        let mut other = 0;
        while other < at {
            if equal(tools[other].name, tools[at].name) {
                return false;
            }
            other += 1;
        }
        at += 1;
    }
    true
}

pub(super) const fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    a.len() == b.len()
}
