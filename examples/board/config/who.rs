//! Who may use what a section names: the same three keys in all of them.

use std::fmt;

use smol_mcp::Principal;

use super::table::Table;

/// Names of people and tokens that one entry takes.
const USERS_MAX: usize = 64;

/// Who may use something. By default everybody whom the server lets in, without being asked again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Who {
    /// The scope that the caller must have (`scope = "garden"`). A token without scopes of its own has every one.
    pub(crate) scope: Option<String>,
    /// The callers who may (`users = ["anna"]`): names of tokens, or `ISSUER#SUBJECT` where the token is an authorization server's. Empty: all.
    pub(crate) users: Vec<String>,
    /// The user must say yes each time before something is changed (`confirm = true`).
    pub(crate) confirm: bool,
    /// Those of what this is a part of, who must be let in by that as well.
    pub(crate) whole: Option<Box<Who>>,
}

/// Why somebody may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Denied {
    /// This scope is missing.
    Scope(String),
    /// Only the named users may.
    User,
}

impl Who {
    /// Reads the keys that all entries have.
    pub(crate) fn read(table: &mut Table<'_>) -> Self {
        let scope = table.text("scope", |scope| {
            // RFC 6749, section 3.3.
            let is_scope =
                !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte));
            is_scope
                .then_some(scope)
                .ok_or("expected one scope: visible ASCII characters without blanks, \" and \\".to_owned())
        });
        let users = table.texts("users", USERS_MAX);
        if users.as_ref().is_some_and(Vec::is_empty) {
            table.problem("users", "nobody could use this: name at least one, or leave `users` out for everybody");
        }
        let users = users.unwrap_or_default();
        Self { scope, users, confirm: table.flag("confirm").unwrap_or(false), whole: None }
    }

    /// The same for a part of something: who may use it must be let in by both, and is asked where either says so.
    pub(crate) fn within(self, whole: &Self) -> Self {
        Self { confirm: self.confirm || whole.confirm, whole: Some(Box::new(whole.clone())), ..self }
    }

    /// Whether this caller may.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn check(&self, principal: &Principal) -> Result<(), Denied> {
        if let Some(whole) = &self.whole {
            whole.check(principal)?;
        }
        if let Some(scope) = self.scope.as_ref().filter(|scope| !principal.has_scope(scope)) {
            return Err(Denied::Scope(scope.clone()));
        }
        let is_listed = self.users.is_empty() || self.users.iter().any(|user| is_user(user, principal));
        if is_listed { Ok(()) } else { Err(Denied::User) }
    }
}

/// A name counts within its source alone: the same one of an authorization server is somebody else. An issuer has no fragment (RFC 8414,
/// section 2), so that the first `#` ends it.
fn is_user(user: &str, principal: &Principal) -> bool {
    let Some(name) = principal.name() else { return false };
    match principal.issuer() {
        None => user == name,
        Some(issuer) => user.split_once('#') == Some((issuer, name)),
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scope(scope) => write!(f, "this needs the scope {scope:?}, which you have not been given"),
            Self::User => {
                f.write_str("the configuration of this server names who may use this, and you are not among them")
            }
        }
    }
}
