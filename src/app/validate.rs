//! Holds arguments against their schema. MCP wants a wrong argument answered with a tool error that the model can act upon (SEP-1303), so
//! what is refused is named: the argument by its path, what was expected, and what came.

use core::fmt::{self, Write};

use super::{Field, Schema};
use crate::json::{Kind, Text, Value};
use crate::limits::{ARG_DEPTH_MAX, ARG_SHOWN_CHARS_MAX};

/// The arguments do not fit; why was written to the `reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

/// Whether `value`, the arguments of a call, fits `schema`. Stricter than JSON Schema in three points: an integer must be written without
/// fraction or exponent (`1.0` is refused), a text must also fit its type in bytes, and no member may come twice.
///
/// # Errors
/// At the first argument that does not fit, one sentence about it goes to `reason`: unbounded, since it may list every name there is.
pub(crate) fn validate(schema: &Schema, value: Value<'_>, reason: &mut dyn Write) -> Result<(), Refused> {
    Validator { path: heapless::Vec::new(), reason }.value(schema, value)
}

/// The way from the arguments' root to a value in them.
#[derive(Clone, Copy)]
enum Step {
    Member(&'static str),
    Item(usize),
}

struct Validator<'r> {
    path: heapless::Vec<Step, ARG_DEPTH_MAX>,
    reason: &'r mut dyn Write,
}

impl Validator<'_> {
    /// Recurses at most [`ARG_DEPTH_MAX`] times: each level holds a step of the path, and the path is full then.
    fn value(&mut self, schema: &Schema, value: Value<'_>) -> Result<(), Refused> {
        let found = match (schema, value.kind()) {
            (Schema::Object(fields), Kind::Object) => return self.members(fields, value),
            (Schema::Array { items, items_min, items_max }, Kind::Array) => match value.elements().count() {
                count if count < *items_min || count > *items_max => Err(Found::Items(count)),
                _ => return self.items(items, value),
            },
            _ => scalar(schema, value),
        };
        found.or_else(|found| {
            let (expected, path) = (Expected(schema, found), Path(&self.path));
            refuse(self.reason, format_args!("{path}: expected {expected}, got {}", Came(found, value)))
        })
    }

    fn members(&mut self, fields: &'static [Field], value: Value<'_>) -> Result<(), Refused> {
        let mut seen = 0_u64;
        for (key, value) in value.members() {
            let Some((at, field)) = fields.iter().enumerate().find(|(_, field)| key.eq_str(field.name)) else {
                return self.unknown(fields, key);
            };
            // `args!` allows no more fields than there are bits. In a schema by hand, what lies past them is left to the typed layer.
            let bit = u32::try_from(at).ok().and_then(|at| 1_u64.checked_shl(at)).unwrap_or(0);
            if seen & bit != 0 {
                let path = Member(&self.path, field.name);
                return refuse(self.reason, format_args!("argument {path} is given twice"));
            }
            seen |= bit;
            if !field.required && value.kind() == Kind::Null {
                continue;
            }
            self.inside(Step::Member(field.name), &field.schema, value)?;
        }
        for (at, field) in fields.iter().enumerate() {
            let bit = u32::try_from(at).ok().and_then(|at| 1_u64.checked_shl(at)).unwrap_or(u64::MAX);
            if field.required && seen & bit == 0 {
                return self.missing(field);
            }
        }
        Ok(())
    }

    fn items(&mut self, schema: &Schema, value: Value<'_>) -> Result<(), Refused> {
        value.elements().enumerate().try_for_each(|(at, item)| self.inside(Step::Item(at), schema, item))
    }

    fn inside(&mut self, step: Step, schema: &Schema, value: Value<'_>) -> Result<(), Refused> {
        if self.path.push(step).is_err() {
            return refuse(self.reason, format_args!("{} nests deeper than {ARG_DEPTH_MAX} levels", Path(&self.path)));
        }
        let result = self.value(schema, value);
        self.path.pop();
        result
    }

    fn unknown(&mut self, fields: &[Field], key: Text<'_>) -> Result<(), Refused> {
        let (path, names) = (Member(&self.path, Shown(key.chars())), Names(fields.iter().map(|field| field.name)));
        if fields.is_empty() {
            return refuse(self.reason, format_args!("unknown argument {path}: expected none"));
        }
        refuse(self.reason, format_args!("unknown argument {path}: expected {names}"))
    }

    fn missing(&mut self, field: &Field) -> Result<(), Refused> {
        let path = Member(&self.path, field.name);
        if field.description.is_empty() {
            let expected = Expected(&field.schema, Found::Other);
            return refuse(self.reason, format_args!("missing argument {path}: expected {expected}"));
        }
        refuse(self.reason, format_args!("missing argument {path}: {}", field.description))
    }
}

fn refuse(reason: &mut dyn Write, message: fmt::Arguments<'_>) -> Result<(), Refused> {
    // Whoever gave a sink that fails wants no more of it.
    let _ = reason.write_fmt(message);
    Err(Refused)
}

/// What is wrong with a value, beyond what can be seen by looking at it.
#[derive(Clone, Copy)]
enum Found {
    /// It is of another kind, out of range, or no such name.
    Other,
    /// A whole number with a fraction or an exponent.
    Fraction,
    /// A text of this many characters: too few or too many.
    Chars(usize),
    /// A text of not too many characters, but of this many bytes.
    Bytes(usize),
    /// An array of this many items: too few or too many.
    Items(usize),
}

fn scalar(schema: &Schema, value: Value<'_>) -> Result<(), Found> {
    let fits = match *schema {
        Schema::Bool => value.kind() == Kind::Bool,
        Schema::Integer { min, max } => return integer(min, max, value),
        Schema::Number(numbers) => numbers.hold(value),
        Schema::String { chars_min, chars_max, bytes_max } => return text(chars_min, chars_max, bytes_max, value),
        Schema::Enum(variants) => {
            value.as_text().is_some_and(|text| variants.iter().any(|variant| text.eq_str(variant.name)))
        }
        Schema::Verbatim(_) => value.kind() == Kind::Object,
        // Their own kind is handled by the caller.
        Schema::Array { .. } | Schema::Object(_) => false,
    };
    if fits { Ok(()) } else { Err(Found::Other) }
}

fn integer(min: i128, max: i128, value: Value<'_>) -> Result<(), Found> {
    let number = value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from));
    let Some(number) = number.filter(|number| min <= *number && *number <= max) else { return Err(Found::Other) };
    let digits = value.raw().strip_prefix(b"-").unwrap_or(value.raw());
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Found::Fraction);
    }
    // `-0` is no unsigned integer to the typed layer.
    if number == 0 && min >= 0 && value.raw().starts_with(b"-") { Err(Found::Other) } else { Ok(()) }
}

fn text(chars_min: usize, chars_max: usize, bytes_max: usize, value: Value<'_>) -> Result<(), Found> {
    let text = value.as_text().ok_or(Found::Other)?;
    // A character has at least one byte.
    if chars_min == 0 && text.raw().len() <= chars_max.min(bytes_max) && text.is_plain() {
        return Ok(());
    }
    let (chars, bytes) = (text.count_chars(), text.decoded_len());
    if chars < chars_min || chars > chars_max {
        Err(Found::Chars(chars))
    } else if bytes > bytes_max {
        Err(Found::Bytes(bytes))
    } else {
        Ok(())
    }
}

/// The name of a value: its path, or that of the whole.
struct Path<'p>(&'p [Step]);

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("arguments");
        }
        f.write_str("argument `")?;
        write_steps(self.0, f)?;
        f.write_str("`")
    }
}

/// The path of a member that is not there, or should not be.
struct Member<'p, N>(&'p [Step], N);

impl<N: fmt::Display> fmt::Display for Member<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`")?;
        write_steps(self.0, f)?;
        let dot = if self.0.is_empty() { "" } else { "." };
        write!(f, "{dot}{}`", self.1)
    }
}

fn write_steps(steps: &[Step], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, step) in steps.iter().enumerate() {
        match step {
            Step::Member(name) if at == 0 => f.write_str(name)?,
            Step::Member(name) => write!(f, ".{name}")?,
            Step::Item(index) => write!(f, "[{index}]")?,
        }
    }
    Ok(())
}

/// What a schema expects, said with regard to what was found.
struct Expected<'s>(&'s Schema, Found);

impl fmt::Display for Expected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self.0 {
            Schema::Bool => f.write_str("true or false"),
            Schema::Integer { min, max } => write!(f, "an integer from {min} to {max}"),
            Schema::Number(numbers) => numbers.fmt(f),
            Schema::String { bytes_max, .. } if matches!(self.1, Found::Bytes(_)) => {
                write!(f, "a string of at most {bytes_max} bytes")
            }
            Schema::String { chars_min, chars_max, .. } => {
                write!(f, "a string of {}", Between(chars_min, chars_max, "characters"))
            }
            Schema::Enum(variants) => write!(f, "one of {}", Names(variants.iter().map(|variant| variant.name))),
            Schema::Array { items_min, items_max, .. } => {
                write!(f, "an array of {}", Between(items_min, items_max, "items"))
            }
            Schema::Object(_) | Schema::Verbatim(_) => f.write_str("an object"),
        }
    }
}

struct Between(usize, usize, &'static str);

impl fmt::Display for Between {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self(0, max, what) => write!(f, "at most {max} {what}"),
            Self(min, max, what) if min == max => write!(f, "{max} {what}"),
            Self(min, max, what) => write!(f, "{min} to {max} {what}"),
        }
    }
}

/// What came instead.
struct Came<'b>(Found, Value<'b>);

impl fmt::Display for Came<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Scanned JSON is UTF-8; the fallback is never reached.
        let json = Shown(str::from_utf8(self.1.raw()).unwrap_or("?").chars());
        match self.0 {
            Found::Other => write!(f, "{json}"),
            Found::Fraction => write!(f, "{json}: write it without fraction or exponent"),
            Found::Chars(count) => write!(f, "{count} characters"),
            Found::Bytes(count) => write!(f, "{count} bytes"),
            Found::Items(count) => write!(f, "{count} items"),
        }
    }
}

/// The first [`ARG_SHOWN_CHARS_MAX`] characters of what the client sent, without control characters.
struct Shown<C>(C);

impl<C: Iterator<Item = char> + Clone> fmt::Display for Shown<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.clone();
        for c in chars.by_ref().take(ARG_SHOWN_CHARS_MAX) {
            f.write_char(if c.is_control() { '?' } else { c })?;
        }
        if chars.next().is_some() { f.write_str("...") } else { Ok(()) }
    }
}

/// Names in backquotes, separated by commas.
struct Names<I>(I);

impl<I: Iterator<Item = &'static str> + Clone> fmt::Display for Names<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.0.clone().enumerate() {
            write!(f, "{}`{name}`", if at == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
