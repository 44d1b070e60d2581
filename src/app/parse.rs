//! The way from a call to a tool's arguments.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::one_look::at_one_look;
use super::{Arg, Call, Failure, Field, Prompting, Reading, Schema, ToolError, ToolResult, validate};
use crate::json::{self, TypedError};

/// The schema of a tool without arguments.
const NONE: &Schema = &Schema::Object(NO_FIELDS);
const NO_FIELDS: &[Field] = &[];

/// Any arguments.
const ANY: &Schema = &Schema::Verbatim("{}");

/// Checks the arguments of a call and reads them into their type.
///
/// # Errors
/// They do not fit the schema, or a text with escapes in it is too long for the scratch buffer. Both are for the model to read.
pub fn parse<'call, T: Arg<'call> + Deserialize<'call>>(call: &mut Call<'call>) -> Result<T, ToolError> {
    match at_one_look(call.arguments()) {
        Some(arguments) => Ok(arguments),
        None => parse_twice(call),
    }
}

#[inline(never)] // it is large, and seldom needed
fn parse_twice<'call, T: Arg<'call> + Deserialize<'call>>(call: &mut Call<'call>) -> Result<T, ToolError> {
    match check(call, &T::SCHEMA) {
        Ok(()) => read(call),
        Err(error) => Err(error),
    }
}

/// Reads the arguments of a call whose schema is written by hand into their type, which is the only check.
///
/// # Errors
/// As [`parse`].
pub fn parse_unchecked<'call, T: Deserialize<'call>>(call: &mut Call<'call>) -> Result<T, ToolError> {
    match check(call, ANY) {
        Ok(()) => read(call),
        Err(error) => Err(error),
    }
}

// The value may be large: as few copies of it as can be lie on the stack.
fn read<'call, T: Deserialize<'call>>(call: &mut Call<'call>) -> Result<T, ToolError> {
    let arguments = call.arguments();
    let mut typed = Err(TypedError::ScratchFull);
    call.with_scratch(&mut |scratch| typed = json::from_raw(arguments.raw(), scratch));
    match typed {
        Ok(typed) => Ok(typed),
        Err(TypedError::ScratchFull) => Err(ToolError::from(
            "the arguments could not be read: a text with escapes in it is too long for this server",
        )),
        // What else the typed layer refuses, the schema refused before; except for schemas by hand.
        Err(_) => Err(ToolError::from("the arguments do not fit the tool's type")),
    }
}

/// Checks that the arguments of a call are an object, for a tool that reads them itself.
///
/// # Errors
/// They are not.
pub fn parse_nothing(call: &Call<'_>) -> Result<(), ToolError> {
    check(call, ANY)
}

/// Checks that a call has no arguments.
///
/// # Errors
/// It has some.
pub fn parse_none(call: &Call<'_>) -> Result<(), ToolError> {
    check(call, NONE)
}

/// Checks the arguments of a call, and does not read them.
///
/// # Errors
/// They do not fit the schema.
pub fn check_arguments(call: &Call<'_>, schema: &'static Schema) -> Result<(), ToolError> {
    check(call, if let Schema::Verbatim(_) = schema { ANY } else { schema })
}

/// The answer to an index that is none of the tools'. The server looks names up before, so this is never told.
///
/// # Errors
/// Always.
pub fn no_such_tool(_call: &mut Call<'_>) -> ToolResult {
    Err(ToolError::from("no such tool"))
}

/// Reads the variables of a URI into their type.
///
/// # Errors
/// They do not fit: there is no such resource.
pub fn variables<T: Arg<'static> + DeserializeOwned>(call: &Reading<'_>) -> Result<T, Failure> {
    call.variables()
}

/// Reads the arguments of a prompt into their type.
///
/// # Errors
/// They do not fit; the client is told why.
pub fn arguments<T: Arg<'static> + DeserializeOwned>(call: &Prompting<'_>) -> Result<T, Failure> {
    call.arguments()
}

fn check(call: &Call<'_>, schema: &'static Schema) -> Result<(), ToolError> {
    validate::validate(schema, call.arguments(), &mut Nowhere).map_err(|_| ToolError::arguments(schema))
}

/// Where the reason of a refusal goes until it is told.
struct Nowhere;

impl core::fmt::Write for Nowhere {
    fn write_str(&mut self, _text: &str) -> core::fmt::Result {
        // Ends the formatting at its first piece.
        Err(core::fmt::Error)
    }
}
