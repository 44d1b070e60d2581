//! Results that have a type: written once as text, for people and older clients, and once as `structuredContent`.

use core::cell::Cell;
use core::future::Future;

use serde::Serialize;

use super::{Block, Call};
use crate::app::{Arg, Done, Schema, ToolError, ToolResult};
use crate::json::{self, Progress};

/// What the method of a tool may return: a [`ToolResult`], or `Result<T, ToolError>` of a `T` that [`output!`](crate::output) declares, which
/// makes the result's `structuredContent`, and its schema the tool's `outputSchema`.
#[diagnostic::on_unimplemented(
    message = "a tool cannot return `{Self}`",
    note = "it returns `ToolResult`, or `Result<T, ToolError>` where `T` is a struct that `output!` declares"
)]
pub trait Outcome {
    /// The schema of what it returns.
    const OUTPUT: Option<&'static Schema>;

    /// Writes the end of the result.
    fn finish(self, call: &mut Call<'_>) -> impl Future<Output = ToolResult>;
}

impl Outcome for ToolResult {
    const OUTPUT: Option<&'static Schema> = None;

    fn finish(self, _call: &mut Call<'_>) -> impl Future<Output = ToolResult> {
        core::future::ready(self)
    }
}

impl<T: Arg<'static> + Serialize> Outcome for Result<T, ToolError> {
    const OUTPUT: Option<&'static Schema> = Some(&T::OUTPUT);

    async fn finish(self, call: &mut Call<'_>) -> ToolResult {
        call.structured(&self?).await
    }
}

impl Call<'_> {
    /// Ends the result with a value: as a text block, which the specification asks for, and as `structuredContent`.
    pub(super) async fn structured<T: Serialize>(&mut self, value: &T) -> ToolResult {
        if json::check(value).is_err() {
            // Nothing of it was written. A type of `output!` gets here by its floats only.
            Err("the tool's result can't be told: a number in it is infinite or none, or its type has no JSON form")?;
        }
        self.begin_text().await;
        self.write_value(value, true).await;
        self.end_block().await;
        self.out.str(r#"],"structuredContent":"#).await;
        self.write_value(value, false).await;
        self.block = Block::Structured;
        Ok(Done::new())
    }
    async fn write_value<T: Serialize>(&self, value: &T, quoted: bool) {
        let progress = Cell::new(Progress::START);
        self.out
            .write(|w| {
                // It was checked before. What does not fit now follows.
                let _ = json::write_on(value, w, quoted, &progress);
            })
            .await;
    }
}
