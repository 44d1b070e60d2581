//! The URL by which the server is reached from outside, where a proxy stands before it.

use super::GuardError;
use super::authority::{Authority, is_made_of, is_sub_delim, is_unreserved};
use crate::limits::PUBLIC_BASE_BYTES_MAX;

/// A public base, such as `https://example.org/devices/pump/`: below it lie the server's paths.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PublicBase {
    origin: String,
    host: String,
    prefix: String,
}

impl PublicBase {
    /// Reads `http[s]://host[:port][/path[/]]`, of at most [`PUBLIC_BASE_BYTES_MAX`] bytes. The
    /// error says what is wrong.
    pub(crate) fn parse(url: &str) -> Result<Self, GuardError> {
        Self::parse_as("public_base", url)
    }

    /// The same of another setting that is such a URL.
    pub(crate) fn parse_as(setting: &'static str, url: &str) -> Result<Self, GuardError> {
        let error = |why| GuardError::new(setting, url, why);
        if url.len() > PUBLIC_BASE_BYTES_MAX {
            return Err(error("it has more than 256 bytes"));
        }
        let (scheme, rest) = url.split_once("://").ok_or_else(|| error(FORM))?;
        let default_port = match scheme.to_ascii_lowercase().as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err(error("the scheme is http or https")),
        };
        if rest.contains(['?', '#']) {
            return Err(error("a base has no query and no fragment"));
        }
        let (authority, path) =
            rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).ok_or_else(|| error(FORM))?;
        if authority.contains('@') {
            return Err(error("no user and no password is given in a base"));
        }
        let authority = Authority::parse(authority).ok_or_else(|| error("the host or the port is not one"))?;
        let prefix = path.strip_suffix('/').unwrap_or(path);
        check_prefix(prefix).map_err(error)?;
        let port = match authority.port {
            Some(0) => return Err(error("the port is a number from 1 to 65535")),
            Some(port) if port != default_port => format!(":{port}"),
            _ => String::new(),
        };
        let host = authority.host_text.to_ascii_lowercase();
        let origin = format!("{}://{host}{port}", scheme.to_ascii_lowercase());
        Ok(Self { origin, host, prefix: prefix.to_owned() })
    }

    /// The origin, in lower case, without the port if it is the scheme's own.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// The host, in lower case; an IPv6 address has its brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// What stands before the server's paths: empty, or `/devices/pump`, without a slash at the
    /// end. It is made of visible ASCII, so that it can stand in a header or in an event.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }
}

const FORM: &str = "a base is a URL, such as \"https://example.org\" or \"https://example.org/device\"";

// The message of the error above.
const _: () = assert!(PUBLIC_BASE_BYTES_MAX == 256);

/// `*( "/" segment-nz )` of RFC 3986, and no dot segments: proxies and clients would resolve them
/// differently.
fn check_prefix(prefix: &str) -> Result<(), &'static str> {
    for segment in prefix.split('/').skip(1) {
        if segment.is_empty() {
            return Err("a part of the path is empty");
        }
        if segment == "." || segment == ".." {
            return Err("the path has a part that is \".\" or \"..\"");
        }
        if !is_made_of(segment, |byte| is_unreserved(byte) || is_sub_delim(byte) || matches!(byte, b':' | b'@')) {
            return Err("the path has a character that must be percent-encoded");
        }
    }
    Ok(())
}
