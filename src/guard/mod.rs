//! Who may come in: Host, Origin and token of a request, asked from its head alone, before its body
//! is waited for.
//!
//! - [`Guard::host`] holds off DNS rebinding: a page of somebody else's whose name suddenly leads
//!   here still sends that name. What a server on a local network is rightly called is allowed
//!   without configuration: loopback, the machine's own name (also with `.local`), the address that
//!   the connection came to; further names are configured.
//! - [`Guard::origin`] holds off pages of other sites (MCP, "Security Warning" of the transports:
//!   MUST), and says which pages are given CORS headers.
//! - [`Guard::bearer`] asks for a token, where one is configured, and says whose it is. Who has none may be let in by the application's own
//!   check, which the rim asks.
//!
//! All refusals are sentences that name the setting that would admit, and repeat at most
//! [`REFUSED_VALUE_CHARS_MAX`](crate::limits::REFUSED_VALUE_CHARS_MAX) printable characters of what
//! the peer sent. Nothing allocates after [`Guard::new`], but for
//! other tokens, and another name of the machine, that take the place of the first.

mod authority;
mod bearer;
mod error;
mod forwarded;
mod host;
mod network;
mod origin;
mod public_base;
mod shown;
mod token;
mod token_file;

#[cfg(test)]
mod tests_bearer;
#[cfg(test)]
mod tests_config;
#[cfg(test)]
mod tests_forwarded;
#[cfg(test)]
mod tests_host;
#[cfg(test)]
mod tests_origin;
#[cfg(test)]
mod tests_token_file;
#[cfg(test)]
mod tests_tokens;

use core::cell::{Cell, RefCell};
use core::net::{IpAddr, SocketAddr};
use std::rc::Rc;

pub(crate) use bearer::{BearerRefusal, FormerTokens};
pub(crate) use error::GuardError;
pub(crate) use forwarded::{Sender, sender};
pub(crate) use network::{Household, Network, Peer, Standing, is_on_link};
pub(crate) use origin::{OriginGrant, OriginRefusal};
pub(crate) use public_base::PublicBase;
pub use token::Token;
pub(crate) use token_file::TokenFile;

use authority::{UriHost, same_name};
use host::{HostRule, LastHost};
use origin::OriginRule;
use token::Tokens;

use crate::oauth::Protected;

/// What the guard is built from; see the settings of the same names.
#[derive(Clone, Default)]
pub(crate) struct GuardOptions<'a> {
    /// Names the server is called by, beside its own: `name` with any port, or `name:port`.
    pub(crate) allow_hosts: Vec<String>,
    /// Origins of the pages that may use the server, beside its own and those of this machine; `*`
    /// for all.
    pub(crate) allow_origins: Vec<String>,
    /// The bearer tokens of which a request must bring one.
    pub(crate) tokens: Vec<Token>,
    /// Those of a file; an empty one lets nobody in. Without tokens, and where the application asks nobody, everybody may come in.
    pub(crate) file_tokens: Option<Vec<Token>>,
    /// The application has its own check.
    pub(crate) is_checked: bool,
    /// Access tokens of an authorization server let in.
    pub(crate) oauth: Option<Rc<Protected>>,
    /// The URL by which these know the server, where it is no public base.
    pub(crate) resource: Option<&'a PublicBase>,
    /// The machine's own name, as the system tells it; one that can't be a name in a URL is
    /// ignored.
    pub(crate) host_name: Option<String>,
    /// The URL by which the server is reached from outside.
    pub(crate) public_base: Option<&'a PublicBase>,
}

/// The rules of who may come in, built once at the start.
#[derive(Debug)]
pub(crate) struct Guard {
    hosts: Vec<HostRule>,
    /// What need not be judged again, as long as the server is called the same.
    last_host: RefCell<LastHost>,
    origins: Vec<OriginRule>,
    /// `*` is among the origins.
    open_origins: bool,
    /// The machine's name, as it was last told, and what it is called by that.
    own_names: RefCell<(String, Vec<String>)>,
    public_origin: Option<OriginRule>,
    tokens: RefCell<Tokens>,
    /// Not everybody may come in.
    asks: Cell<bool>,
    is_checked: bool,
    oauth: Option<Rc<Protected>>,
}

impl Guard {
    /// Checks the settings and builds the guard. The error says which value is wrong, and what
    /// would be right.
    pub(crate) fn new(options: &GuardOptions<'_>) -> Result<Self, GuardError> {
        let public_base = options.public_base;
        let mut hosts = options.allow_hosts.iter().map(|host| HostRule::new(host)).collect::<Result<Vec<_>, _>>()?;
        hosts.extend(public_base.into_iter().chain(options.resource).filter_map(HostRule::of_public_base));
        let tokens = Tokens::new(&options.tokens, options.file_tokens.as_deref().unwrap_or_default())?;
        let (open, named): (Vec<_>, Vec<_>) = options.allow_origins.iter().partition(|origin| *origin == "*");
        Ok(Self {
            hosts,
            last_host: RefCell::default(),
            origins: named.into_iter().map(|origin| OriginRule::new(origin)).collect::<Result<_, _>>()?,
            open_origins: !open.is_empty(),
            own_names: RefCell::new(own_names(options.host_name.as_deref().unwrap_or_default())),
            public_origin: public_base.and_then(|base| OriginRule::read(base.origin())),
            asks: Cell::new(
                options.file_tokens.is_some() || options.is_checked || options.oauth.is_some() || !tokens.is_empty(),
            ),
            tokens: RefCell::new(tokens),
            is_checked: options.is_checked,
            oauth: options.oauth.clone(),
        })
    }

    /// The machine's name is this. Where it was another one, the guard goes by the new one from here on; true then.
    pub(crate) fn rename(&self, host_name: &str) -> bool {
        let is_new = self.own_names.borrow().0 != host_name;
        if is_new {
            self.own_names.replace(own_names(host_name));
            self.last_host.take();
        }
        is_new
    }

    /// Whether everybody may come in, because no token is configured, and the application has no check.
    pub(crate) fn is_open(&self) -> bool {
        !self.asks.get()
    }

    /// Whether every page may use the server.
    pub(crate) fn is_open_to_pages(&self) -> bool {
        self.open_origins
    }

    /// Whether the application's own check decides on those who have no token of the configured ones.
    pub(crate) fn is_checked(&self) -> bool {
        self.is_checked
    }

    /// Whether a proxy that ends TLS stands in front, by the URL under which the server is published.
    pub(crate) fn is_behind_tls(&self) -> bool {
        self.public_origin.as_ref().is_some_and(OriginRule::is_secured)
    }

    /// What makes it ask for access tokens, if it does.
    pub(crate) fn oauth(&self) -> Option<&Protected> {
        self.oauth.as_deref()
    }

    /// Whether the host is the machine itself as seen from itself.
    fn is_loopback(host: UriHost<'_>) -> bool {
        match host {
            UriHost::Name(name) => same_name(name, "localhost"),
            UriHost::Ip(address) => address.is_loopback(),
        }
    }

    /// Whether the host is this machine's own name, or the address that this connection came to.
    /// The latter is asked of the connection and not of the machine's interfaces, so that it stays
    /// true when addresses change.
    fn is_own(&self, host: UriHost<'_>, local: Option<SocketAddr>) -> bool {
        match host {
            UriHost::Name(name) => self.own_names.borrow().1.iter().any(|own| same_name(name, own)),
            UriHost::Ip(address) => local.is_some_and(|local| canonical(local) == address),
        }
    }
}

/// Whether these tokens can be a server's.
///
/// # Errors
/// Which is wrong, and why.
pub(crate) fn check_tokens(tokens: &[Token]) -> Result<(), GuardError> {
    Tokens::new(tokens, &[]).map(drop)
}

/// The address without its port; an IPv4 address that an IPv6 socket shows as `::ffff:a.b.c.d` is
/// the IPv4 address.
fn canonical(address: SocketAddr) -> IpAddr {
    address.ip().to_canonical()
}

/// The machine's name, and the names by which it knows itself, and its neighbours know it: that name, the first
/// part of it, and that part with `.local` (which is what mDNS responders publish).
fn own_names(host_name: &str) -> (String, Vec<String>) {
    let name = host_name.strip_suffix('.').unwrap_or(host_name);
    // A machine without a name is called "localhost" or "(none)".
    let usable = matches!(UriHost::parse(name), Some(UriHost::Name(_))) && !same_name(name, "localhost");
    let (short, _) = name.split_once('.').unwrap_or((name, ""));
    if !usable || short.is_empty() || name.contains(['(', '[']) {
        return (host_name.to_owned(), Vec::new());
    }
    let mut names = vec![name.to_owned(), short.to_owned(), format!("{short}.local")];
    names.dedup();
    (host_name.to_owned(), names)
}
