//! An authorization server whose access tokens let in, as flags tell of it: for examples that have them among their own, since an example that
//! has none of it is smaller by all of it.

use smol_mcp::{Config, Issuer, OAuth};

use super::MCP_PATH;
use super::args::{Args, OwnFlag};

pub(crate) const ISSUER: OwnFlag = OwnFlag {
    name: "oauth-issuer",
    value: "URL",
    help: "take the access tokens of this authorization server (README, \"OAuth\"),\nand tell clients to get one there",
};
pub(crate) const JWKS: OwnFlag =
    OwnFlag { name: "oauth-jwks", value: "PATH", help: "its keys (a JWK Set); read again when the file changes" };
pub(crate) const RESOURCE: OwnFlag = OwnFlag {
    name: "oauth-resource",
    value: "URL",
    help: "this server in the aud of tokens (default: /mcp below --public-base)",
};
pub(crate) const AUDIENCE: OwnFlag =
    OwnFlag { name: "oauth-audience", value: "NAME", help: "another name of it there; may be repeated" };
pub(crate) const SCOPE: OwnFlag =
    OwnFlag { name: "oauth-scope", value: "SCOPE", help: "a scope that clients can ask for; may be repeated" };

/// The configuration with what these flags say.
pub(crate) fn config(args: &Args, config: Config) -> Result<Config, String> {
    let text = |flag: &OwnFlag| args.own(flag.name).map(|value| value.to_string_lossy().into_owned());
    let all = |flag: &OwnFlag| args.all_own(flag.name).map(|value| value.to_string_lossy().into_owned()).collect();
    let lacks = |what: &str| Err(format!("access tokens need {what} as well (see --help)"));
    let (audiences, scopes): (Vec<String>, Vec<String>) = (all(&AUDIENCE), all(&SCOPE));
    let (jwks, resource) = (args.own(JWKS.name), text(&RESOURCE));
    let Some(issuer) = text(&ISSUER) else {
        let any = jwks.is_some() || resource.is_some() || !audiences.is_empty() || !scopes.is_empty();
        return if any { lacks("--oauth-issuer") } else { Ok(config) };
    };
    let Some(jwks) = jwks else { return lacks("--oauth-jwks") };
    let base = args.public_base.as_deref().map(|base| base.strip_suffix('/').unwrap_or(base));
    let Some(resource) = resource.or_else(|| Some(format!("{}{MCP_PATH}", base?))) else {
        return lacks("--oauth-resource or --public-base");
    };
    let oauth = OAuth::new(resource).issuer(Issuer::new(issuer).jwks_file(jwks)).scopes(scopes);
    Ok(config.oauth(audiences.into_iter().fold(oauth, OAuth::audience)))
}
