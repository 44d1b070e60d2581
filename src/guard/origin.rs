//! The Origin field: which page sent the request?

use core::fmt;
use core::net::SocketAddr;

use super::authority::{Authority, UriHost};
use super::host::KeptHost;
use super::shown::Shown;
use super::{Guard, GuardError};

impl Guard {
    /// Whether the page that sent a request may do so, by all copies of its Origin field (RFC 6454,
    /// section 7; MCP, "Security Warning" of the transports). None is fine: no page, or one that
    /// only follows a link.
    ///
    /// Allowed are pages of this machine (loopback hosts, any port), of the server's own names and
    /// address (any port), of the public base, and configured ones. Each copy must be allowed;
    /// lists never are, and `null` is only where every page is.
    pub(crate) fn origin<'a>(
        &self,
        origins: impl Iterator<Item = &'a [u8]>,
        local: Option<SocketAddr>,
    ) -> Result<Option<OriginGrant<'a>>, OriginRefusal> {
        let mut first = None;
        let mut alone = true;
        for sent in origins {
            let grant = self.one_origin(sent, local)?;
            alone = first.is_none();
            first = first.or(Some(grant));
        }
        Ok(first.map(|grant| if alone { grant } else { OriginGrant::NoCors }))
    }

    fn one_origin<'a>(&self, sent: &'a [u8], local: Option<SocketAddr>) -> Result<OriginGrant<'a>, OriginRefusal> {
        let refusal = |fault| Err(OriginRefusal { fault, shown: Shown::new(sent) });
        if sent == b"null" {
            // Any page can make its origin this one: where every page may come, keeping it out would only keep files out.
            return if self.open_origins { Ok(OriginGrant::Any) } else { refusal(OriginFault::Null) };
        }
        let Some((text, origin)) = str::from_utf8(sent).ok().and_then(|text| Some((text, Origin::parse(text)?))) else {
            return refusal(OriginFault::Syntax);
        };
        if self.open_origins {
            return Ok(OriginGrant::Any);
        }
        let is_web = origin.default_port().is_some();
        let is_configured = self.origins.iter().any(|rule| rule.is(&origin));
        if is_configured || is_web && Self::is_loopback(origin.host) {
            return Ok(OriginGrant::Echo(text));
        }
        let is_public = self.public_origin.as_ref().is_some_and(|rule| rule.is(&origin));
        if is_public || is_web && self.is_own(origin.host, local) {
            return Ok(OriginGrant::NoCors);
        }
        refusal(OriginFault::NotAllowed)
    }
}

/// What the page is granted. CORS headers are for pages of other origins that were configured, or
/// are of this machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OriginGrant<'a> {
    /// It may send the request; a page of the server's own origin needs no CORS headers to read the
    /// answer.
    NoCors,
    /// It may read the answer: exactly this text is echoed, with `Vary: Origin`.
    Echo(&'a str),
    /// Every page may read the answer, by configuration: `*`, and never with credentials.
    Any,
}

/// Why an Origin is refused; the answer is 403 in any case (2025-11-25, transports: MUST).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OriginFault {
    /// `null`: a page that the browser does not tell the origin of.
    Null,
    /// Not a single serialized origin.
    Syntax,
    /// Not an allowed one.
    NotAllowed,
}

/// A refused Origin. Its text is a sentence for whoever reads the answer or the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct OriginRefusal {
    fault: OriginFault,
    shown: Shown,
}

#[cfg(test)]
impl OriginRefusal {
    /// Why it is refused.
    pub(crate) const fn fault(&self) -> OriginFault {
        self.fault
    }
}

impl fmt::Display for OriginRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.shown;
        match self.fault {
            OriginFault::Null => f.write_str(
                "the Origin \"null\" is never allowed by itself: serve the page by http or https, and allow the origin that it then \
                 has by --allow-origin, or Config::allow_origin",
            ),
            OriginFault::Syntax => write!(
                f,
                "the Origin {shown} is not a scheme, a host and an optional port, which is what --allow-origin, or \
                 Config::allow_origin, admits"
            ),
            OriginFault::NotAllowed => {
                write!(f, "pages of the Origin {shown} may not use this server: ")?;
                match shown.fit_for_a_command() {
                    Some(origin) => {
                        write!(f, "start it with --allow-origin {origin}, or Config::allow_origin(\"{origin}\")")
                    }
                    None => f.write_str("origins are configured by --allow-origin, or Config::allow_origin"),
                }
            }
        }
    }
}

impl core::error::Error for OriginRefusal {}

/// A serialized origin: `scheme "://" host [ ":" port ]` (RFC 6454, section 6.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Origin<'a> {
    scheme: &'a str,
    pub(super) host: UriHost<'a>,
    /// `None` also if it is the scheme's default, and was written though it need not be.
    port: Option<u16>,
}

impl<'a> Origin<'a> {
    /// Reads an origin; strictly, because browsers write it in one way only.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let is_later = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        if !scheme.starts_with(|first: char| first.is_ascii_alphabetic()) || !scheme.bytes().all(is_later) {
            return None;
        }
        let Authority { host, port, port_text, .. } = Authority::parse(rest)?;
        if port_text.is_some_and(|digits| digits.is_empty() || digits.starts_with('0')) {
            return None;
        }
        let origin = Self { scheme, host, port };
        Some(Self { port: port.filter(|port| origin.default_port() != Some(*port)), ..origin })
    }

    /// The port that is left out. `None` for what is not of the web.
    fn default_port(&self) -> Option<u16> {
        if self.scheme.eq_ignore_ascii_case("http") {
            Some(80)
        } else if self.scheme.eq_ignore_ascii_case("https") {
            Some(443)
        } else {
            None
        }
    }
}

/// An origin that was configured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct OriginRule {
    scheme: String,
    host: KeptHost,
    port: Option<u16>,
}

impl OriginRule {
    /// Reads a configured origin; `*` is not one.
    pub(super) fn new(value: &str) -> Result<Self, GuardError> {
        let error = |why| GuardError::new(SETTING, value, why);
        if value == "null" {
            return Err(error("every sandboxed page of every site has this origin: serve the page by http or https"));
        }
        if value.contains('*') {
            return Err(error("there are no wildcards but \"*\" alone, which allows every page: write each origin"));
        }
        Self::read(value).ok_or_else(|| {
            let end = value.find("://").and_then(|scheme| {
                let rest = value.get(scheme + 3..)?;
                Some(scheme + 3 + rest.find(['/', '?', '#'])?)
            });
            match end.and_then(|end| value.get(..end)).filter(|meant| Origin::parse(meant).is_some()) {
                Some(meant) => error("an origin has no path").instead(Some(meant)),
                None => error(FORM),
            }
        })
    }

    /// Keeps an origin.
    pub(super) fn read(text: &str) -> Option<Self> {
        let origin = Origin::parse(text)?;
        Some(Self { scheme: origin.scheme.to_owned(), host: KeptHost::of(origin.host), port: origin.port })
    }

    /// Whether its pages come by TLS.
    pub(super) fn is_secured(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("https")
    }

    /// Whether scheme, host and port are the same (RFC 6454, section 5). A trailing dot makes
    /// another origin.
    fn is(&self, origin: &Origin<'_>) -> bool {
        let same_host = match (&self.host, origin.host) {
            (KeptHost::Name(own), UriHost::Name(name)) => own.eq_ignore_ascii_case(name),
            (KeptHost::Ip(own), UriHost::Ip(address)) => *own == address,
            _ => false,
        };
        same_host && self.port == origin.port && self.scheme.eq_ignore_ascii_case(origin.scheme)
    }
}

const SETTING: &str = "allow_origin";
const FORM: &str = "an origin is a scheme, a host and perhaps a port, such as \"https://app.example\" or \
                    \"http://192.168.1.5:8080\"";
