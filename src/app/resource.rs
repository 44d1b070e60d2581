//! What a program has to read: its resources, as `resources/list` and `resources/templates/list` tell them.

use core::future::Future;

use super::tool::write_meta;
use super::{Completing, ContentAnnotations, Icon, ReadResult, Reading, Schema, prompt, uri};
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
    pub annotations: ContentAnnotations<'static>,
    /// Its pictures, for people. Clients take one that they can show.
    pub icons: &'static [Icon],
    /// What it says to particular clients or hosts (`_meta`): a JSON object.
    pub meta: Option<&'static str>,
    /// The template's variables: an object with a member for each.
    pub arguments: &'static Schema,
    /// The scopes that its caller must have, all of them; others neither see it nor read it.
    pub scopes: &'static [&'static str],
    /// A method completes its variables.
    pub completes: bool,
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
        Icon::write_all(self.icons, w);
        write_meta(self.meta, w);
        w.str("}");
    }
}
