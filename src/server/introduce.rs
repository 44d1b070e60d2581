//! What a server says of itself.

use std::borrow::Cow;

use super::Server;
use crate::app::{Icon, Identity};
use crate::json::{self, Kind, Value};

impl<A, R, P, H> Server<A, R, P, H> {
    /// What people see instead of the name.
    #[must_use]
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.identity.title = Some(title.into());
        self
    }

    /// What people read about the server: a sentence or two.
    #[must_use]
    pub fn description(mut self, description: impl Into<Cow<'static, str>>) -> Self {
        self.identity.description = Some(description.into());
        self
    }

    /// Where people find out more about it.
    #[must_use]
    pub fn website_url(mut self, url: impl Into<Cow<'static, str>>) -> Self {
        self.identity.website_url = Some(url.into());
        self
    }

    /// A picture of the server, for people; clients take one that they can show of those that are given.
    #[must_use]
    pub fn icon(mut self, icon: Icon) -> Self {
        self.identity.icons.push(icon);
        self
    }

    /// What a model should know before it uses the server (`instructions`).
    #[must_use]
    pub fn instructions(mut self, instructions: impl Into<Cow<'static, str>>) -> Self {
        self.identity.instructions = Some(instructions.into());
        self
    }

    /// Declares an extension of the protocol that the application serves with its tools, resources and prompts: its name (`com.example/name`),
    /// and its settings, a JSON object. [`bind`](Self::bind) refuses what is neither. What clients say of theirs is in
    /// [`Call::meta`](crate::Call::meta).
    ///
    /// ```
    /// # use smol_mcp::{Server, tools};
    /// # struct Board;
    /// # tools! { impl Board {} }
    /// let server = Server::new("board", "1.0.0", Board).extension("com.example/wiring", r#"{"version": 2}"#);
    /// ```
    #[must_use]
    pub fn extension(mut self, name: impl Into<Cow<'static, str>>, settings: impl Into<Cow<'static, str>>) -> Self {
        self.identity.extensions.push((name.into(), settings.into()));
        self
    }
}

/// Whether what a server says of itself can be told.
///
/// # Errors
/// What is wrong, and what would be right.
pub(super) fn check(identity: &Identity) -> Result<(), String> {
    for (at, (name, settings)) in identity.extensions.iter().enumerate() {
        if !is_extension(name) {
            return Err(format!("extension: expected a name such as com.example/name, got {name:?}"));
        }
        if name == crate::mcp::tasks::EXTENSION {
            return Err(format!("extension: {name} is declared by itself where a tool is a `#[task]`"));
        }
        if identity.extensions.iter().take(at).any(|(other, _)| other == name) {
            return Err(format!("extension: {name} is declared twice"));
        }
        let object = Value::new(settings.as_bytes()).kind() == Kind::Object;
        if json::validate(settings.as_bytes()).is_err() || !object {
            return Err(format!("extension: the settings of {name} must be a JSON object, such as {{}}"));
        }
    }
    Ok(())
}

// MCP, `_meta` key names: labels with dots between them, a slash, a name.
fn is_extension(name: &str) -> bool {
    let word = |text: &str, inner: &[u8]| {
        let bytes = text.as_bytes();
        let ends = [bytes.first(), bytes.last()];
        ends.iter().all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || inner.contains(byte))
    };
    let label = |text: &str| word(text, b"-") && text.starts_with(|first: char| first.is_ascii_alphabetic());
    name.split_once('/').is_some_and(|(prefix, name)| prefix.split('.').all(label) && word(name, b"-_."))
}
