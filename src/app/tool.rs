//! What a program offers: its tools, as `tools/list` tells them.

use core::future::Future;

use super::{Call, Schema, ToolResult};
use crate::json::Writer;
use crate::rate::Rate;

/// The tools of an application. Written by [`tools!`](crate::tools).
pub trait Tools {
    /// What they are, in the order in which they are listed. It does not change while the program runs.
    const TOOLS: &'static [Tool];

    /// Whether the tool at `index` of [`Tools::TOOLS`] is offered at all (`#[when(..)]` of [`tools!`](crate::tools)). It is asked once, when the
    /// server is bound; a tool that is not offered is not listed, and calls find no tool of that name.
    fn is_offered(&self, index: usize) -> bool {
        let _ = index;
        true
    }

    /// Runs the tool at `index` of [`Tools::TOOLS`].
    ///
    /// Resolves to an error if its arguments do not fit, or if it fails itself.
    fn call_tool(&self, index: usize, call: &mut Call<'_>) -> impl Future<Output = ToolResult>;
}

/// A tool as it is told to the client (MCP, "Tools", data type `Tool`).
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    /// What it is called by: 1 to [`TOOL_NAME_BYTES_MAX`](crate::limits::TOOL_NAME_BYTES_MAX) of the characters `A-Za-z0-9_-.`
    pub name: &'static str,
    /// What people see instead of the name.
    pub title: Option<&'static str>,
    /// What the model reads to know when and how to use it.
    pub description: &'static str,
    /// Its arguments: an object.
    pub input: &'static Schema,
    /// What the structured content of its result is: an object; `None` where its result has none.
    pub output: Option<&'static Schema>,
    /// What it does to the world.
    pub annotations: Annotations,
    /// Whether it runs as a task; `None`: never.
    pub task: Option<TaskSupport>,
    /// Its pictures, for people. Clients take one that they can show.
    pub icons: &'static [Icon],
    /// What it says to particular clients or hosts (`_meta`): a JSON object.
    pub meta: Option<&'static str>,
    /// How often it may be called, by all callers together; `None`: as often as they like.
    pub rate: Option<Rate>,
    /// The scopes that its caller must have, all of them; others neither see it nor call it.
    pub scopes: &'static [&'static str],
}

/// That a tool runs as a task (extension `io.modelcontextprotocol/tasks`, 2026-07-28), where the client can follow one and there is room: the
/// call is answered with the task's id at once, and the client comes again for the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskSupport {
    /// It is not run in another way (`#[task(required)]`). Otherwise it runs as a plain call where it can't be a task.
    pub required: bool,
    /// It begins as a plain call, and becomes a task at [`Call::become_task`] (`#[task(later)]`).
    pub later: bool,
}

/// A picture that stands for something (MCP, `Icon`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Icon {
    /// Where it is: an `https:` URL of the server's own host, or a `data:` URI.
    pub src: &'static str,
    /// Its media type; empty where its place tells it.
    pub mime: &'static str,
    /// The sizes that it has: `48x48`, or `any` where it scales.
    pub sizes: &'static [&'static str],
}

/// What a tool does to the world (MCP, `ToolAnnotations`). Hosts ask their user, or do not, by these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Annotations {
    /// It changes nothing.
    pub read_only: bool,
    /// It may undo or overwrite something. If not, it only adds.
    pub destructive: bool,
    /// To call it twice with the same arguments does no more than to call it once.
    pub idempotent: bool,
    /// It reaches beyond the device, to what nobody listed.
    pub open_world: bool,
}

impl Tool {
    /// Renders the entry of `tools/list`, in the shape that suits every revision: those that do not know a member ignore it.
    pub(crate) fn write(&self, w: &mut Writer<'_>) {
        w.str("{\"name\":").string(self.name);
        if let Some(title) = self.title {
            w.str(",\"title\":").string(title);
        }
        w.str(",\"description\":").string(self.description).str(",\"inputSchema\":");
        self.input.write(w);
        if let Some(output) = self.output {
            w.str(",\"outputSchema\":");
            output.write(w);
        }
        self.write_annotations(w);
        Icon::write_all(self.icons, w);
        write_meta(self.meta, w);
        w.str("}");
    }

    fn write_annotations(&self, w: &mut Writer<'_>) {
        w.str(",\"annotations\":{");
        // 2025-03-26 has the title here only.
        if let Some(title) = self.title {
            w.str("\"title\":").string(title).str(",");
        }
        // All four, though some are the defaults: hosts differ in what they take for granted.
        let Annotations { read_only, destructive, idempotent, open_world } = self.annotations;
        w.str("\"readOnlyHint\":").bool(read_only).str(",\"destructiveHint\":").bool(destructive);
        w.str(",\"idempotentHint\":").bool(idempotent).str(",\"openWorldHint\":").bool(open_world).str("}");
    }
}

impl Icon {
    /// Renders the member of all of them, with the comma in front; nothing where there are none.
    pub(super) fn write_all(icons: &[Icon], w: &mut Writer<'_>) {
        for (at, icon) in icons.iter().enumerate() {
            w.str(if at == 0 { ",\"icons\":[" } else { "," });
            icon.write(w);
        }
        w.str(if icons.is_empty() { "" } else { "]" });
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.str("{\"src\":").string(self.src);
        if !self.mime.is_empty() {
            w.str(",\"mimeType\":").string(self.mime);
        }
        for (at, size) in self.sizes.iter().enumerate() {
            w.str(if at == 0 { ",\"sizes\":[" } else { "," }).string(size);
        }
        w.str(if self.sizes.is_empty() { "}" } else { "]}" });
    }
}

/// Renders a `_meta`, with the comma in front; nothing where there is none.
pub(super) fn write_meta(meta: Option<&str>, w: &mut Writer<'_>) {
    if let Some(meta) = meta {
        w.str(",\"_meta\":").flat(meta.as_bytes());
    }
}
