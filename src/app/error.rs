//! What a tool's handler returns.

use core::fmt::{self, Write};
use std::io;

use super::{Capability, InputError, Schema, validate};
use crate::json::Value;
use crate::limits::TOOL_ERROR_BYTES_MAX;
use crate::rate::Limited;

/// What a tool's handler returns: proof that it answered, or the reason why it could not.
pub type ToolResult = Result<Done, ToolError>;

/// Proof that the call was answered. Only the methods of [`Call`](crate::Call) that end an answer make one.
#[derive(Debug)]
#[must_use = "return it: it tells that the call was answered"]
pub struct Done(());

impl Done {
    /// For the methods of `Call`.
    pub(crate) const fn new() -> Self {
        Self(())
    }
}

/// A tool's own failure. The model reads its message, in a result with `isError` set, and can try again; it is not an error of the protocol.
///
/// `?` makes one from a text, and from the errors that reading a device's files brings. Any other error becomes one by [`ToolError::new`]:
/// ```
/// # use smol_mcp::ToolError;
/// fn millidegrees(text: &str) -> Result<i32, ToolError> {
///     let value = text.trim().parse::<i32>()?;
///     if value < -273_150 { Err("colder than cold")? }
///     Ok(value)
/// }
/// assert_eq!(millidegrees("x").unwrap_err().to_string(), "invalid digit found in string");
/// ```
/// At most [`TOOL_ERROR_BYTES_MAX`] bytes of the message are sent.
pub struct ToolError(Reason);

enum Reason {
    Static(&'static str),
    Owned(String),
    Io(io::Error),
    Input(InputError),
    /// It was called too often.
    TooOften(Limited),
    /// The arguments do not fit this schema. Why is found out again when it is told, so that no future has to hold a text, and none is allocated.
    Arguments(&'static Schema),
}

impl ToolError {
    /// A failure with this message, or with that of another error. It is formatted into a `String` here.
    pub fn new(message: impl fmt::Display) -> Self {
        Self(Reason::Owned(message.to_string()))
    }

    /// The arguments of the call do not fit the tool's schema.
    pub(crate) const fn arguments(schema: &'static Schema) -> Self {
        Self(Reason::Arguments(schema))
    }

    /// The capability for want of which the client could not be asked.
    pub(crate) const fn undeclared(&self) -> Option<Capability> {
        if let Reason::Input(InputError::Undeclared(capability)) = self.0 { Some(capability) } else { None }
    }

    /// The message for the model, given the `arguments` of the call: at most [`TOOL_ERROR_BYTES_MAX`] bytes. The same whenever it is formatted.
    pub(crate) fn told<'e>(&'e self, arguments: Value<'e>) -> impl fmt::Display + 'e {
        Told { error: self, arguments }
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reason::Static(text) => f.write_str(text),
            Reason::Owned(text) => f.write_str(text),
            Reason::Io(error) => error.fmt(f),
            Reason::Input(error) => error.fmt(f),
            Reason::TooOften(limited) => limited.fmt(f),
            Reason::Arguments(_) => f.write_str("the arguments do not fit the tool's schema"),
        }
    }
}

impl fmt::Debug for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ToolError").field(&format_args!("{self}")).finish()
    }
}

impl core::error::Error for ToolError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.0 {
            Reason::Io(error) => Some(error),
            Reason::Input(error) => Some(error),
            _ => None,
        }
    }
}

impl From<&'static str> for ToolError {
    fn from(message: &'static str) -> Self {
        Self(Reason::Static(message))
    }
}

impl From<String> for ToolError {
    fn from(message: String) -> Self {
        Self(Reason::Owned(message))
    }
}

impl From<Limited> for ToolError {
    fn from(limited: Limited) -> Self {
        Self(Reason::TooOften(limited))
    }
}

impl From<InputError> for ToolError {
    fn from(error: InputError) -> Self {
        Self(Reason::Input(error))
    }
}

impl From<io::Error> for ToolError {
    fn from(error: io::Error) -> Self {
        Self(Reason::Io(error))
    }
}

/// The errors of formatting and parsing: short texts, known beforehand to hold no secret.
macro_rules! from_displayed {
    ($($error:ty)*) => {
        $(
            impl From<$error> for ToolError {
                fn from(error: $error) -> Self {
                    Self::new(error)
                }
            }
        )*
    };
}

from_displayed! {
    fmt::Error core::num::ParseIntError core::num::ParseFloatError core::num::TryFromIntError core::str::Utf8Error
    core::str::ParseBoolError std::string::FromUtf8Error
}

struct Told<'e> {
    error: &'e ToolError,
    arguments: Value<'e>,
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Cut { out: f, left: TOOL_ERROR_BYTES_MAX };
        if let Reason::Arguments(schema) = self.error.0 {
            if validate::validate(schema, self.arguments, &mut out).is_err() {
                return Ok(());
            }
        }
        write!(out, "{}", self.error)
    }
}

/// Passes on as much text as fits, whole characters only, and drops the rest.
struct Cut<W> {
    out: W,
    left: usize,
}

impl<W: Write> Write for Cut<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let fits = if text.len() <= self.left { text } else { start_of(text, self.left) };
        // Once something was dropped, nothing may follow.
        self.left = if fits.len() == text.len() { self.left - fits.len() } else { 0 };
        self.out.write_str(fits)
    }
}

/// The longest start of `text` that has at most `bytes_max` bytes and ends with a character.
fn start_of(text: &str, bytes_max: usize) -> &str {
    (0..=bytes_max).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}
