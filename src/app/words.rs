//! Arguments that come as texts (of a prompt, of a URI template), read into their types.

use core::fmt::{self, Display, Write};

use serde::de::DeserializeOwned;

use super::{Arg, Field, Schema, validate};
use crate::json::{self, Value, Writer};
use crate::limits::NUMBER_CHARS_MAX;

/// The texts do not fit the declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Misfit;

/// Reads named texts into a struct of `args!`: what its schema says is a number or a boolean is read from the text of it. An empty text stands
/// for an absent number.
///
/// # Errors
/// They do not fit the schema or the `scratch`; [`explain`] says why.
pub(super) fn read<'w, T: Arg<'static> + DeserializeOwned, V: Display>(
    words: impl Iterator<Item = (Word<'w>, V)>,
    scratch: &mut [u8],
) -> Result<T, Misfit> {
    let (object, scratch) = scratch.split_at_mut(scratch.len() / 2);
    let raw = object_of(&T::SCHEMA, words, object).ok_or(Misfit)?;
    validate::validate(&T::SCHEMA, Value::new(raw), &mut Nowhere).map_err(|_| Misfit)?;
    json::from_raw(raw, scratch).map_err(|_| Misfit)
}

/// Says why texts do not fit.
pub(super) fn explain<'w, V: Display>(
    schema: &Schema,
    words: impl Iterator<Item = (Word<'w>, V)>,
    scratch: &mut [u8],
    reason: &mut dyn Write,
) {
    let (object, _) = scratch.split_at_mut(scratch.len() / 2);
    // An error of the sink means that it has enough.
    let _ = match object_of(schema, words, object) {
        None => reason.write_str("the arguments are too long"),
        Some(raw) if validate::validate(schema, Value::new(raw), reason).is_err() => Ok(()),
        Some(_) => reason.write_str("the arguments could not be read"),
    };
}

/// A name, as a program or a client wrote it.
#[derive(Clone, Copy)]
pub(super) enum Word<'n> {
    /// Of the program.
    Ours(&'static str),
    /// Of the client.
    Theirs(json::Text<'n>),
}

impl Word<'_> {
    fn is(self, name: &str) -> bool {
        match self {
            Self::Ours(ours) => ours == name,
            Self::Theirs(text) => text.eq_str(name),
        }
    }
}

impl Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(ours) => f.write_str(ours),
            Self::Theirs(text) => text.fmt(f),
        }
    }
}

// The texts as a JSON object of the types that the schema wants; `None` when there is no room for it.
fn object_of<'o, 'w, V: Display>(
    schema: &Schema,
    words: impl Iterator<Item = (Word<'w>, V)>,
    out: &'o mut [u8],
) -> Option<&'o [u8]> {
    let fields = if let Schema::Object(fields) = schema { *fields } else { &[] };
    let mut w = Writer::new(out);
    w.str("{");
    for (at, (name, value)) in words.enumerate() {
        w.str(if at > 0 { ",\"" } else { "\"" }).escaped_fmt(format_args!("{name}")).str("\":");
        write_value(&mut w, fields.iter().find(|field| name.is(field.name)), &value);
    }
    w.str("}");
    let (length, complete) = (w.written(), w.is_complete());
    out.get(..length).filter(|_| complete)
}

fn write_value(w: &mut Writer<'_>, field: Option<&Field>, value: &impl Display) {
    let mut short = heapless::String::<NUMBER_CHARS_MAX>::new();
    // A longer one is no number.
    let fits = write!(short, "{value}").is_ok();
    let is_number = |text: &str| {
        text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
            && json::validate(text.as_bytes()).is_ok()
    };
    let plain = match field.map(|field| field.schema) {
        Some(Schema::Integer { .. } | Schema::Number(_)) => is_number(&short),
        Some(Schema::Bool) => matches!(short.as_str(), "true" | "false"),
        _ => false,
    };
    let is_text = matches!(field.map(|field| field.schema), None | Some(Schema::String { .. }));
    match field {
        Some(field) if fits && short.is_empty() && !field.required && !is_text => w.str("null"),
        _ if fits && plain => w.str(&short),
        _ => w.str("\"").escaped_fmt(format_args!("{value}")).str("\""),
    };
}

/// Where the reason of a refusal goes until it is told.
struct Nowhere;

impl Write for Nowhere {
    fn write_str(&mut self, _text: &str) -> fmt::Result {
        Err(fmt::Error)
    }
}
