//! What an argument may be: descriptors that live in the program's read-only data, and the JSON Schema they are told to the client as.

use super::numbers::Numbers;
use crate::json::{Value, Writer};

/// What a value may be. One descriptor serves both ends: it is rendered as JSON Schema (2020-12, in the subset that older clients know) for
/// `tools/list`, and held against the arguments of `tools/call`.
///
/// Made by [`args!`](crate::args) and by the [`Arg`](crate::Arg) of each Rust type; seldom by hand.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Schema {
    /// `true` or `false`.
    Bool,
    /// A number without fraction, both bounds included.
    Integer {
        /// The smallest.
        min: i128,
        /// The largest.
        max: i128,
    },
    /// A number, both bounds included.
    Number(Numbers),
    /// A string.
    String {
        /// The fewest characters (Unicode scalar values).
        chars_min: usize,
        /// The most characters.
        chars_max: usize,
        /// The most bytes of the text in UTF-8: what the Rust type can hold. JSON Schema cannot say this.
        bytes_max: usize,
    },
    /// A string that is one of these names.
    Enum(&'static [Variant]),
    /// An array.
    Array {
        /// What each item may be.
        items: &'static Schema,
        /// The fewest items.
        items_min: usize,
        /// The most items.
        items_max: usize,
    },
    /// An object with these members and no others.
    Object(&'static [Field]),
    /// A hand-written JSON Schema, told as it is but for white space around line breaks. Of the value only that it is an object is checked.
    Verbatim(&'static str),
}

/// A member of a [`Schema::Object`].
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The member's name.
    pub name: &'static str,
    /// What people see instead of the name.
    pub title: Option<&'static str>,
    /// What the model reads about it; may be empty.
    pub description: &'static str,
    /// Whether it must be there. Where it need not, `null` counts as absent.
    pub required: bool,
    /// What its value may be.
    pub schema: Schema,
    /// The `Mcp-Param-*` header that repeats it (`x-mcp-header`, 2026-07-28), without that prefix. For the tool's own arguments only.
    pub header: Option<&'static str>,
}

/// One of the names of a [`Schema::Enum`].
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// The string that stands for it.
    pub name: &'static str,
    /// What the model reads about it; may be empty. JSON Schema has no place for it beside a plain `enum`, so it joins the description of the
    /// whole.
    pub description: &'static str,
}

/// Integers beyond this are not exact in every JSON parser (RFC 8259 section 6); as bounds they only say "64 bits", and are left out.
const EXACT_INTEGER_MAX: i64 = (1 << 53) - 1;

impl Schema {
    /// How many levels of objects and arrays stand in each other; 0 for a scalar.
    pub(crate) const fn depth(&self) -> usize {
        match self {
            Self::Array { items, .. } => 1 + items.depth(),
            Self::Object(fields) => {
                let (mut deepest, mut at) = (0, 0);
                while at < fields.len() {
                    let depth = fields[at].schema.depth();
                    if depth > deepest {
                        deepest = depth;
                    }
                    at += 1;
                }
                1 + deepest
            }
            _ => 0,
        }
    }

    /// Whether it describes an object, as MCP wants of a tool's `inputSchema`.
    pub(crate) const fn is_object(&self) -> bool {
        matches!(self, Self::Object(_) | Self::Verbatim(_))
    }

    /// Renders the JSON Schema.
    pub(crate) fn write(&self, w: &mut Writer<'_>) {
        self.write_of(None, w);
    }

    /// Renders the JSON Schema with what the member that it belongs to says.
    fn write_of(&self, field: Option<&Field>, w: &mut Writer<'_>) {
        if let Self::Verbatim(json) = self {
            w.flat(json.as_bytes());
            return;
        }
        self.write_open(field, w);
        if let Some(header) = field.and_then(|field| field.header) {
            w.str(",\"x-mcp-header\":").string(header);
        }
        w.str("}");
    }

    /// Renders the schema of a form (MCP, "Elicitation": a flat object), filled in with the members of `defaults`.
    pub(crate) fn write_form(fields: &[Field], defaults: Value<'_>, w: &mut Writer<'_>) {
        w.str(r#"{"type":"object","properties":{"#);
        for (at, field) in fields.iter().enumerate() {
            w.str(if at == 0 { "" } else { "," }).string(field.name).str(":");
            field.schema.write_open(Some(field), w);
            if let Some(default) = defaults.get(field.name) {
                w.str(r#","default":"#).raw(default.raw());
            }
            w.str("}");
        }
        w.str("}");
        if fields.iter().any(|field| field.required) {
            w.str(r#","required":"#);
            write_names(fields.iter().filter(|field| field.required).map(|field| field.name), w);
        }
        w.str("}");
    }

    // All of it but the closing brace.
    fn write_open(&self, field: Option<&Field>, w: &mut Writer<'_>) {
        w.str("{\"type\":\"").str(self.type_name()).str("\"");
        if let Some(title) = field.and_then(|field| field.title) {
            w.str(",\"title\":").string(title);
        }
        self.write_description(field.map_or("", |field| field.description), w);
        self.write_constraints(w);
    }

    const fn type_name(&self) -> &'static str {
        match self {
            Self::Bool => "boolean",
            Self::Integer { .. } => "integer",
            Self::Number(_) => "number",
            Self::String { .. } | Self::Enum(_) => "string",
            Self::Array { .. } => "array",
            Self::Object(_) | Self::Verbatim(_) => "object",
        }
    }

    /// The `description` member: the member's own, and a line for each variant that has one. Nothing where all are empty.
    fn write_description(&self, description: &str, w: &mut Writer<'_>) {
        let variants = if let Self::Enum(variants) = self { variants } else { &[][..] };
        if description.is_empty() && variants.iter().all(|variant| variant.description.is_empty()) {
            return;
        }
        w.str(",\"description\":\"");
        w.escaped(description);
        let mut first = description.is_empty();
        for variant in variants.iter().filter(|variant| !variant.description.is_empty()) {
            if !first {
                w.str("\\n");
            }
            first = false;
            w.str("`").escaped(variant.name).str("`: ").escaped(variant.description);
        }
        w.str("\"");
    }

    fn write_constraints(&self, w: &mut Writer<'_>) {
        match *self {
            Self::Bool | Self::Verbatim(_) => {}
            Self::Integer { min, max } => {
                write_integer_bound("minimum", min, w);
                write_integer_bound("maximum", max, w);
            }
            Self::Number(numbers) => numbers.write(w),
            Self::String { chars_min, chars_max, .. } => {
                write_lengths("minLength", chars_min, "maxLength", chars_max, w);
            }
            Self::Enum(variants) => {
                w.str(",\"enum\":");
                write_names(variants.iter().map(|variant| variant.name), w);
            }
            Self::Array { items, items_min, items_max } => {
                w.str(",\"items\":");
                items.write(w);
                write_lengths("minItems", items_min, "maxItems", items_max, w);
            }
            Self::Object(fields) => write_fields(fields, w),
        }
    }
}

fn write_fields(fields: &[Field], w: &mut Writer<'_>) {
    if !fields.is_empty() {
        w.str(",\"properties\":");
        for (at, field) in fields.iter().enumerate() {
            w.str(if at == 0 { "{" } else { "," }).string(field.name).str(":");
            field.schema.write_of(Some(field), w);
        }
        w.str("}");
    }
    // An empty `required` is an error before draft 6.
    if fields.iter().any(|field| field.required) {
        w.str(",\"required\":");
        write_names(fields.iter().filter(|field| field.required).map(|field| field.name), w);
    }
    w.str(",\"additionalProperties\":false");
}

fn write_names(names: impl Iterator<Item = &'static str>, w: &mut Writer<'_>) {
    w.str("[");
    for (at, name) in names.enumerate() {
        w.str(if at == 0 { "" } else { "," }).string(name);
    }
    w.str("]");
}

fn write_integer_bound(name: &str, bound: i128, w: &mut Writer<'_>) {
    match i64::try_from(bound) {
        Ok(exact) if (-EXACT_INTEGER_MAX..=EXACT_INTEGER_MAX).contains(&exact) => {
            w.str(",\"").str(name).str("\":").int(exact);
        }
        _ => {}
    }
}

/// The bounds of a length. A smallest length of 0 says nothing and is left out, and so does the largest number.
fn write_lengths(min_name: &str, min: usize, max_name: &str, max: usize, w: &mut Writer<'_>) {
    if min > 0 {
        w.str(",\"").str(min_name).str("\":").uint(min as u64);
    }
    if max < usize::MAX {
        w.str(",\"").str(max_name).str("\":").uint(max as u64);
    }
}
