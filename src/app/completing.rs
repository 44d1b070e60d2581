//! A running `completion/complete`, as its handler sees it.

use super::Schema;
use crate::json::{Text, Value};
use crate::limits::{COMPLETION_TEXT_BYTES_MAX, COMPLETIONS_MAX};
use crate::outlet::Out;

/// A text of a completion, as the client wrote it so far.
pub type CompletionText = heapless::String<COMPLETION_TEXT_BYTES_MAX>;

/// A running `completion/complete`: what the user has typed of an argument, and the way to offer the rest.
///
/// The method that `#[complete(..)]` names offers what there is; the first [`COMPLETIONS_MAX`] that fit are sent, the others counted.
pub struct Completing<'a> {
    out: Out<'a>,
    argument: &'static str,
    typed: CompletionText,
    context: Option<Value<'a>>,
    offered: usize,
    broke: bool,
}

impl<'a> Completing<'a> {
    /// A completion of `argument`, of which `typed` is there. One that is longer than its limit has no completions.
    pub(crate) fn new(out: Out<'a>, argument: &'static str, typed: Text<'_>, context: Option<Value<'a>>) -> Self {
        let (typed, broke) = match cut(typed) {
            Some(typed) => (typed, false),
            None => (CompletionText::new(), true),
        };
        Self { out, argument, typed, context, offered: 0, broke }
    }

    /// The name of the argument, or of the template's variable.
    pub const fn argument(&self) -> &'static str {
        self.argument
    }

    /// What the user has typed of it.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// An argument that was filled in before, where the client told it (2025-06-18 and later). Longer than
    /// [`COMPLETION_TEXT_BYTES_MAX`] bytes counts as not told.
    pub fn filled(&self, argument: &str) -> Option<CompletionText> {
        cut(self.context?.get(argument)?.as_text()?)
    }

    /// Offers a value, if it begins with what was typed; case of ASCII letters is nothing to it.
    pub async fn offer(&mut self, value: &str) {
        let begin = value.get(..self.typed.len());
        if begin.is_some_and(|begin| begin.eq_ignore_ascii_case(&self.typed)) {
            self.push(value).await;
        }
    }

    /// Offers a value, whatever was typed.
    pub async fn push(&mut self, value: &str) {
        self.out.turn().await;
        if self.broke {
            return;
        }
        let comma = if self.offered > 0 { "," } else { "" };
        self.offered += 1;
        if self.offered <= COMPLETIONS_MAX {
            self.out
                .write(|w| {
                    w.str(comma).string(value);
                })
                .await;
        }
    }

    /// Offers the names of an enum.
    pub(crate) async fn choose(&mut self, schema: &'static Schema) {
        if let Schema::Enum(variants) = schema {
            for variant in *variants {
                self.offer(variant.name).await;
            }
        }
    }

    /// How many values were offered.
    pub(crate) const fn offered(&self) -> usize {
        self.offered
    }
}

fn cut(text: Text<'_>) -> Option<CompletionText> {
    let mut kept = CompletionText::new();
    text.chars().try_for_each(|char| kept.push(char)).ok()?;
    Some(kept)
}
