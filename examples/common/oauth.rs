//! An authorization server whose access tokens let in, as flags tell of it.

use std::path::PathBuf;

use smol_mcp::{Issuer, OAuth};

use super::MCP_PATH;

/// The flags of an authorization server.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct OAuthArgs {
    /// Its URL.
    pub(crate) issuer: Option<String>,
    /// The file of its keys.
    pub(crate) jwks: Option<PathBuf>,
    /// The server's own URL; where it is not given, that of the endpoint below the public base.
    pub(crate) resource: Option<String>,
    /// Further names of the server in tokens.
    pub(crate) audiences: Vec<String>,
    /// The scopes that there are.
    pub(crate) scopes: Vec<String>,
}

impl OAuthArgs {
    /// The flag that is missing, as they need each other.
    pub(crate) fn lacks(&self, has_base: bool) -> Option<&'static str> {
        let Self { issuer, jwks, resource, audiences, scopes } = self;
        let any = jwks.is_some() || resource.is_some() || !audiences.is_empty() || !scopes.is_empty();
        match issuer {
            None if any => Some("--oauth-issuer"),
            Some(_) if jwks.is_none() => Some("--oauth-jwks"),
            Some(_) if resource.is_none() && !has_base => Some("--oauth-resource or --public-base"),
            _ => None,
        }
    }

    /// The setting that they make, if they are there.
    pub(crate) fn setting(&self, base: Option<&str>) -> Option<OAuth> {
        let base = base.unwrap_or_default();
        let endpoint = || format!("{}{MCP_PATH}", base.strip_suffix('/').unwrap_or(base));
        let issuer = self.jwks.iter().fold(Issuer::new(self.issuer.as_ref()?), Issuer::jwks_file);
        let oauth =
            OAuth::new(self.resource.clone().unwrap_or_else(endpoint)).issuer(issuer).scopes(self.scopes.clone());
        Some(self.audiences.iter().fold(oauth, OAuth::audience))
    }
}
