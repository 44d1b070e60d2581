//! What a program can ask a model for its user: its prompts, as `prompts/list` tells them.

use core::future::Future;

use super::tool::write_meta;
use super::{Completing, Field, Icon, PromptResult, Prompting, Schema};
use crate::json::Writer;

/// The prompts of an application. Written by [`prompts!`](crate::prompts); served by [`Server::prompts`](crate::Server::prompts).
pub trait Prompts {
    /// What they are, in the order in which they are listed. It does not change while the program runs.
    const PROMPTS: &'static [Prompt];

    /// Makes the prompt at `index` of [`Prompts::PROMPTS`].
    fn get(&self, index: usize, call: &mut Prompting<'_>) -> impl Future<Output = PromptResult>;

    /// Completes an argument of the prompt at `index` of [`Prompts::PROMPTS`].
    fn complete(&self, index: usize, call: &mut Completing<'_>) -> impl Future<Output = ()>;
}

/// A prompt as it is told to the client (MCP, "Prompts", data type `Prompt`).
#[derive(Clone, Copy, Debug)]
pub struct Prompt {
    /// What it is got by.
    pub name: &'static str,
    /// What people see instead of the name.
    pub title: Option<&'static str>,
    /// What it is good for.
    pub description: &'static str,
    /// Its pictures, for people. Clients take one that they can show.
    pub icons: &'static [Icon],
    /// What it says to particular clients or hosts (`_meta`): a JSON object.
    pub meta: Option<&'static str>,
    /// Its arguments: an object. On the wire all of them are strings.
    pub arguments: &'static Schema,
    /// The scopes that its caller must have, all of them; others neither see it nor get it.
    pub scopes: &'static [&'static str],
    /// A method completes its arguments.
    pub completes: bool,
}

impl Prompt {
    /// One of its arguments can be completed.
    pub(crate) fn is_completed(&self) -> bool {
        self.completes || has_choice(self.arguments)
    }

    /// Renders the entry of `prompts/list`.
    pub(crate) fn write(&self, w: &mut Writer<'_>) {
        w.str(r#"{"name":"#).string(self.name);
        if let Some(title) = self.title {
            w.str(r#","title":"#).string(title);
        }
        w.str(r#","description":"#).string(self.description);
        for (at, field) in fields(self.arguments).iter().enumerate() {
            w.str(if at == 0 { r#","arguments":[{"name":"# } else { r#",{"name":"# }).string(field.name);
            if let Some(title) = field.title {
                w.str(r#","title":"#).string(title);
            }
            if !field.description.is_empty() {
                w.str(r#","description":"#).string(field.description);
            }
            w.str(r#","required":"#).bool(field.required).str("}");
        }
        w.str(if fields(self.arguments).is_empty() { "" } else { "]" });
        Icon::write_all(self.icons, w);
        write_meta(self.meta, w);
        w.str("}");
    }
}

/// The members of an object.
pub(super) const fn fields(schema: &'static Schema) -> &'static [Field] {
    if let Schema::Object(fields) = schema { fields } else { &[] }
}

/// One of its members has names to choose from, which complete by themselves.
pub(super) fn has_choice(schema: &'static Schema) -> bool {
    fields(schema).iter().any(|field| matches!(field.schema, Schema::Enum(_)))
}

/// Whether all arguments can be written as texts: no arrays, no objects.
pub const fn are_words(schema: &'static Schema) -> bool {
    let Schema::Object(fields) = schema else { return false };
    let mut at = 0;
    while at < fields.len() {
        if matches!(fields[at].schema, Schema::Array { .. } | Schema::Object(_) | Schema::Verbatim(_)) {
            return false;
        }
        at += 1;
    }
    true
}
