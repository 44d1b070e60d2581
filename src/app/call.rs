//! Stand-in for the real `Call`, to be dropped when it is merged.

use super::{Done, ToolResult};
use crate::json::Value;

/// A running tool call.
#[derive(Debug)]
pub struct Call<'a> {
    arguments: &'a [u8],
    scratch: &'a mut [u8],
    /// What the tool said.
    pub(crate) said: String,
}

#[allow(dead_code, clippy::unused_async)]
impl<'a> Call<'a> {
    pub(crate) fn new(arguments: &'a [u8], scratch: &'a mut [u8]) -> Self {
        Self { arguments, scratch, said: String::new() }
    }

    /// The `arguments` of the request; `{}` where it has none.
    pub(crate) fn arguments(&self) -> Value<'a> {
        Value::new(self.arguments)
    }

    /// Bytes in which a string with escapes is decoded.
    pub(crate) fn scratch(&mut self) -> &mut [u8] {
        self.scratch
    }

    /// Answers with one text.
    ///
    /// # Errors
    /// None.
    pub async fn text(&mut self, text: &str) -> ToolResult {
        self.said.push_str(text);
        Ok(Done::new())
    }
}
