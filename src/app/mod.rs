//! The face for authors: what an application says about its tools, and what a tool can do.
//!
//! [`args!`](crate::args) makes a struct, its `Deserialize` and its [`Schema`] from one declaration, [`output!`](crate::output) its `Serialize`
//! too; [`tools!`](crate::tools) makes methods
//! into a table of [`Tool`]s and a static dispatch over them. A call's arguments are first held against the schema ([`validate`]), which can
//! say what is wrong with them, and then read into the struct, which cannot; the first lets through nothing that the second refuses. Most need only
//! one look ([`one_look`]), which decides for those that fit and leaves all others to the two.
//!
//! Invariants: descriptors are constants, made by the compiler; nothing here allocates except on behalf of an author (a `String` argument, an
//! error message); no argument can make a rendering or a check recurse deeper than the types do.

mod annotate;
mod application;
mod arg;
mod args;
mod call;
mod caught;
mod client;
mod completing;
mod encode;
mod error;
mod failure;
mod identity;
mod input;
mod listed;
mod mark;
mod mark_call;
mod mark_resource;
mod mark_scope;
mod numbers;
mod one_look;
mod parse;
mod prompt;
mod prompting;
mod prompts;
mod ran;
mod reading;
mod resource;
mod resources;
mod schema;
mod telling;
mod tool;
mod tools;
mod uri;
mod validate;
mod verbatim;
mod visit;
mod words;

#[cfg(test)]
mod tests_errors;
#[cfg(test)]
mod tests_one_look;
#[cfg(test)]
mod tests_results;
#[cfg(test)]
mod tests_schema;
#[cfg(test)]
mod tests_telling;
#[cfg(test)]
mod tests_tools;
#[cfg(test)]
mod tests_validate;
#[cfg(test)]
mod tests_validate_mix;
#[cfg(test)]
mod tests_verbatim;

pub use annotate::ContentAnnotations;
pub(crate) use application::Catalog;
pub use application::{App, Application, NoPrompts, NoResources, PromptsOf, ResourcesOf, WithPrompts, WithResources};
pub use arg::{Arg, NoRange};
pub(crate) use call::{Announce, Context, Door};
pub use call::{Binary, Call, Data, ResourceLink};
pub(crate) use caught::{caught, unwound};
pub(crate) use client::{Client, ClientText, client_text};
pub use completing::{Completing, CompletionText};
pub use error::{Done, ToolError, ToolResult};
pub use failure::{Failure, PromptResult, ReadResult};
pub(crate) use identity::Identity;
pub(crate) use input::{Ask, Keyed, Nobody, Question, QuestionKind, Ticket, Way, is_yes, pass};
pub use input::{
    Capability, Content, Elicit, ElicitJson, ElicitUrl, Elicited, InputError, ListRoots, Questions, Root, Roots,
    Sample, Sampled, Sampling,
};
pub(crate) use listed::Listed;
pub(crate) use mark_scope::are_scopes;
pub use numbers::Numbers;
pub use prompt::{Prompt, Prompts};
pub use prompting::{Prompting, Role};
pub(crate) use ran::Ran;
pub use reading::Reading;
pub(crate) use reading::{refuse, requested};
pub use resource::{Resource, Resources};
pub use schema::{Field, Schema, Variant};
pub use telling::Trace;
pub(crate) use telling::message_params;
pub use tool::{Annotations, Icon, TaskSupport, Tool, Tools};
pub(crate) use visit::Headers;
pub use visit::{AsyncCheck, Check, Denied, NoCheck, SyncCheck, Visit};

/// What the macros need where they are expanded. No part of the interface.
pub mod private {
    pub use serde;

    pub use super::arg::{Ranged, with_len};
    pub use super::call::Outcome;
    pub use super::input::confirm_tool;
    pub use super::mark::{
        Mark, annotations, are_names_unique, choice, doc_bytes, doc_len, icon_count, icons, is_object, is_tool_name,
        meta, name, object, plain, snake_bytes, snake_len, text, title,
    };
    pub use super::mark_call::{rate, task};
    pub use super::mark_resource::{
        are_prompts_unique, are_uris_unique, are_variables, completes, mime, resource_annotations, resource_uri, size,
    };
    pub use super::mark_scope::{scope_count, scopes};
    pub use super::one_look::Look;
    pub use super::parse::{
        arguments, check_arguments, no_such_tool, parse, parse_none, parse_nothing, parse_unchecked, variables,
    };
    pub use super::prompt::are_words;
    pub use super::uri::is_legal;
    pub use super::verbatim::{is_input_schema, is_json_object};
}
