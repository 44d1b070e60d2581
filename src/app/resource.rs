//! What a program has to read: its resources, as `resources/list` and `resources/templates/list` tell them.

use core::future::Future;

use super::{Completing, ReadResult, Reading, Schema, prompt, uri};
use crate::json::Writer;

/// The resources of an application. Written by [`resources!`](crate::resources); served by [`Server::resources`](crate::Server::resources).
pub trait Resources {
    /// What they are, in the order in which they are listed: those with a URI, and those with a template. It does not change while the program
    /// runs.
    const RESOURCES: &'static [Resource];

    /// Reads the resource at `index` of [`Resources::RESOURCES`].
    fn read(&self, index: usize, call: &mut Reading<'_>) -> impl Future<Output = ReadResult>;

    /// Completes a variable of the template at `index` of [`Resources::RESOURCES`].
    fn complete(&self, index: usize, call: &mut Completing<'_>) -> impl Future<Output = ()>;
}

/// A resource or a template of resources as it is told to the client (MCP, "Resources", data types `Resource` and `ResourceTemplate`).
#[derive(Clone, Copy, Debug)]
pub struct Resource {
    /// What it is read by: a URI, or a template with variables in braces.
    pub uri: &'static str,
    /// What programs call it.
    pub name: &'static str,
    /// What people see instead of the name.
    pub title: Option<&'static str>,
    /// What the model reads about it.
    pub description: &'static str,
    /// The type of its contents, unless they say something else.
    pub mime: Option<&'static str>,
    /// How many bytes it has, where that is known and never changes.
    pub size: Option<u64>,
    /// For whom it is, and how much it matters.
    pub annotations: ResourceAnnotations,
    /// The template's variables: an object with a member for each.
    pub arguments: &'static Schema,
    /// A method completes its variables.
    pub completes: bool,
}

/// For whom something is, and how much it matters (MCP, `Annotations`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResourceAnnotations {
    /// It is for the user.
    pub user: bool,
    /// It is for the model.
    pub assistant: bool,
    /// From 0, hardly any use, to 1, needed.
    pub priority: Option<f64>,
    /// When it last changed, as ISO 8601.
    pub last_modified: Option<&'static str>,
}

impl ResourceAnnotations {
    /// Nothing is said.
    pub const NONE: Self = Self { user: false, assistant: false, priority: None, last_modified: None };

    /// Renders the member, with the comma in front; nothing where nothing is said.
    pub(crate) fn write(&self, w: &mut Writer<'_>) {
        if *self == Self::NONE {
            return;
        }
        let mut comma = "";
        w.str(r#","annotations":{"#);
        if self.user || self.assistant {
            w.str(match (self.user, self.assistant) {
                (true, true) => r#""audience":["user","assistant"]"#,
                (true, false) => r#""audience":["user"]"#,
                _ => r#""audience":["assistant"]"#,
            });
            comma = ",";
        }
        if let Some(priority) = self.priority {
            w.str(comma).str(r#""priority":"#).float(priority);
            comma = ",";
        }
        if let Some(time) = self.last_modified {
            w.str(comma).str(r#""lastModified":"#).string(time);
        }
        w.str("}");
    }
}

impl Resource {
    /// It has variables.
    pub const fn is_template(&self) -> bool {
        uri::is_template(self.uri)
    }

    /// Whether this URI is read from it.
    pub(crate) fn matches(&self, uri: &str) -> bool {
        uri::matches(self.uri, uri)
    }

    /// One of its variables can be completed.
    pub(crate) fn is_completed(&self) -> bool {
        self.completes || prompt::has_choice(self.arguments)
    }

    /// Renders the entry of its list.
    pub(crate) fn write(&self, w: &mut Writer<'_>) {
        w.str(if self.is_template() { r#"{"uriTemplate":"# } else { r#"{"uri":"# }).string(self.uri);
        w.str(r#","name":"#).string(self.name);
        if let Some(title) = self.title {
            w.str(r#","title":"#).string(title);
        }
        w.str(r#","description":"#).string(self.description);
        if let Some(mime) = self.mime {
            w.str(r#","mimeType":"#).string(mime);
        }
        if let Some(size) = self.size {
            w.str(r#","size":"#).uint(size);
        }
        self.annotations.write(w);
        w.str("}");
    }
}
