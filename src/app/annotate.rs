//! For whom something is, and how much it matters: of resources, and of the blocks of results and prompts.

use crate::json::{self, Kind, Value, Writer};

/// For whom something is, and how much it matters (MCP, `Annotations`): a resource, or a block of a result or of a prompt.
///
/// ```
/// use smol_mcp::ContentAnnotations;
/// const FOR_PEOPLE: ContentAnnotations<'_> = ContentAnnotations::new().user().priority(0.9);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ContentAnnotations<'t> {
    /// It is for the user.
    pub user: bool,
    /// It is for the model.
    pub assistant: bool,
    /// From 0, hardly any use, to 1, needed.
    pub priority: Option<f64>,
    /// When it last changed, as ISO 8601. 2025-06-18 and later know it.
    pub last_modified: Option<&'t str>,
}

impl<'t> ContentAnnotations<'t> {
    /// Nothing is said.
    pub const NONE: Self = Self { user: false, assistant: false, priority: None, last_modified: None };

    /// Nothing is said yet.
    pub const fn new() -> Self {
        Self::NONE
    }

    /// It is for the user.
    #[must_use]
    pub const fn user(mut self) -> Self {
        self.user = true;
        self
    }

    /// It is for the model.
    #[must_use]
    pub const fn assistant(mut self) -> Self {
        self.assistant = true;
        self
    }

    /// How much it matters: from 0.0, hardly any use, to 1.0, needed. What is beyond is told as the nearest of these.
    #[must_use]
    pub const fn priority(mut self, priority: f64) -> Self {
        self.priority = Some(priority);
        self
    }

    /// When it last changed, as ISO 8601: `2026-01-31T12:00:00Z`.
    #[must_use]
    pub const fn last_modified(mut self, time: &'t str) -> Self {
        self.last_modified = Some(time);
        self
    }

    /// Renders the member, with the comma in front; nothing where nothing is said.
    pub(crate) fn write(&self, w: &mut Writer<'_>) {
        if *self != Self::NONE {
            self.write_member(w.str(","));
        }
    }

    /// Renders the member.
    pub(super) fn write_member(&self, w: &mut Writer<'_>) {
        let mut comma = "";
        w.str(r#""annotations":{"#);
        if self.user || self.assistant {
            w.str(match (self.user, self.assistant) {
                (true, true) => r#""audience":["user","assistant"]"#,
                (true, false) => r#""audience":["user"]"#,
                _ => r#""audience":["assistant"]"#,
            });
            comma = ",";
        }
        if let Some(priority) = self.priority.filter(|priority| !priority.is_nan()) {
            w.str(comma).str(r#""priority":"#).float(priority.clamp(0.0, 1.0));
            comma = ",";
        }
        if let Some(time) = self.last_modified {
            w.str(comma).str(r#""lastModified":"#).string(time);
        }
        w.str("}");
    }
}

impl Default for ContentAnnotations<'_> {
    fn default() -> Self {
        Self::NONE
    }
}

/// What was said of a block before it began: a bit each, so that no member comes twice.
pub(super) type Said = u8;
/// Its annotations.
pub(super) const ANNOTATED: Said = 1;
/// Its `_meta`.
pub(super) const META: Said = 2;

/// Whether an author's `_meta` can be sent: it must be a JSON object. The log says if not.
pub(super) fn is_meta(json: &str) -> bool {
    let is = json::validate(json.as_bytes()).is_ok() && Value::new(json.as_bytes()).kind() == Kind::Object;
    if !is {
        log::warn!("a `_meta` was left out: it is no JSON object");
    }
    is
}
