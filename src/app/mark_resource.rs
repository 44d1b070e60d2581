//! The compile-time half of `resources!` and `prompts!`. Public for the macros only.

use super::mark::Mark;
use super::{ContentAnnotations, Prompt, Resource, Schema, prompt, uri};

macro_rules! finders {
    ($($(#[$doc:meta])* $vis:vis $name:ident $variant:ident $ty:ty;)*) => {
        $(
            $(#[$doc])*
            $vis const fn $name(marks: &[Mark]) -> Option<$ty> {
                let mut at = 0;
                while at < marks.len() {
                    if let Mark::$variant(value) = marks[at] {
                        return Some(value);
                    }
                    at += 1;
                }
                None
            }
        )*
    };
}

finders! {
    /// The `#[uri("..")]`, if there is one.
    pub resource_uri Uri &'static str;
    /// The `#[mime("..")]`, if there is one.
    pub mime Mime &'static str;
    /// The `#[size(..)]`, if there is one.
    pub size Size u64;
    /// The `#[priority(..)]`, if there is one.
    priority Priority f64;
    /// The `#[last_modified("..")]`, if there is one.
    last_modified LastModified &'static str;
    /// The `#[audience(..)]`, if there is one: user, assistant.
    audience Audience (bool, bool);
}

/// Whether there is a `#[complete(..)]`.
pub const fn completes(marks: &[Mark]) -> bool {
    let mut at = 0;
    while at < marks.len() {
        if matches!(marks[at], Mark::Completes) {
            return true;
        }
        at += 1;
    }
    false
}

/// What the attributes say about a resource's use.
///
/// # Panics
/// When it is compiled, if the priority is not from 0 to 1.
pub const fn resource_annotations(marks: &[Mark]) -> ContentAnnotations<'static> {
    let (user, assistant) = match audience(marks) {
        Some(audience) => audience,
        None => (false, false),
    };
    let priority = priority(marks);
    if let Some(priority) = priority {
        assert!(priority >= 0.0 && priority <= 1.0, "`#[priority(..)]` is from 0.0 to 1.0");
    }
    ContentAnnotations { user, assistant, priority, last_modified: last_modified(marks) }
}

/// Whether a template's variables are the members of its arguments, and can be written as texts.
pub const fn are_variables(template: &'static str, arguments: &'static Schema) -> bool {
    let fields = prompt::fields(arguments);
    let mut at = 0;
    while at < fields.len() {
        if !uri::has(template, fields[at].name) {
            return false;
        }
        at += 1;
    }
    fields.len() == uri::count(template) && prompt::are_words(arguments)
}

/// Whether no two resources have the same URI.
pub const fn are_uris_unique(resources: &[Resource]) -> bool {
    let mut at = 0;
    while at < resources.len() {
        let mut other = 0;
        while other < at {
            if super::mark::equal(resources[other].uri, resources[at].uri) {
                return false;
            }
            other += 1;
        }
        at += 1;
    }
    true
}

/// Whether no two prompts have the same name.
pub const fn are_prompts_unique(prompts: &[Prompt]) -> bool {
    let mut at = 0;
    while at < prompts.len() {
        let mut other = 0;
        while other < at {
            if super::mark::equal(prompts[other].name, prompts[at].name) {
                return false;
            }
            other += 1;
        }
        at += 1;
    }
    true
}
