//! The Host field: is the server called by one of its names?

use core::fmt;
use core::net::{IpAddr, SocketAddr};

use super::authority::{Authority, UriHost, same_name};
use super::shown::Shown;
use super::{Guard, GuardError, PublicBase};
use crate::limits::HOST_KEPT_BYTES_MAX;

impl Guard {
    /// Whether a request may be meant for this server, by its Host field and, where the target is
    /// in absolute form, by the authority of that (RFC 9112, section 3.2.2; both are checked,
    /// though the field says nothing then).
    ///
    /// With or without a port, these are its names: `localhost`, 127.0.0.0/8, `[::1]`, the
    /// machine's own name, that name with `.local`, the address that the connection came to
    /// (`local`), the host of the public base, and what is configured.
    ///
    /// A request of HTTP/1.0 may have no Host. No browser sends such a one, so there is no page to
    /// be feared; it is admitted from this machine only, where scripts and health checks live. That
    /// there is exactly one in HTTP/1.1 is the decoder's to check.
    pub(crate) fn host(
        &self,
        host: Option<&str>,
        authority_of_absolute_form: Option<&str>,
        local: Option<SocketAddr>,
    ) -> Result<(), HostRefusal> {
        let from_this_machine = local.is_some_and(|local| super::canonical(local).is_loopback());
        if host.is_none() && authority_of_absolute_form.is_none() && !from_this_machine {
            return Err(HostRefusal { fault: HostFault::Missing, shown: Shown::EMPTY });
        }
        host.into_iter().chain(authority_of_absolute_form).try_for_each(|text| self.one_host(text, local))
    }

    /// Whether a request that has this Host, and no target in absolute form, is called as the last one was that was admitted.
    pub(crate) fn is_last_host(&self, host: Option<&[u8]>, local: Option<SocketAddr>) -> bool {
        host.is_some_and(|host| self.last_host.borrow().is(host, local))
    }

    fn one_host(&self, text: &str, local: Option<SocketAddr>) -> Result<(), HostRefusal> {
        if self.last_host.borrow().is(text.as_bytes(), local) {
            return Ok(());
        }
        let refusal = |fault, shown: &str| Err(HostRefusal { fault, shown: Shown::new(shown.as_bytes()) });
        let Some(authority) = Authority::parse(text) else {
            return refusal(HostFault::Syntax, text);
        };
        let host = authority.host;
        let allowed = Self::is_loopback(host)
            || self.is_own(host, local)
            || self.hosts.iter().any(|rule| rule.admits(&authority));
        // Without the port: that is what one would configure.
        if !allowed {
            return refusal(HostFault::NotAllowed, authority.host_text);
        }
        self.last_host.borrow_mut().keep(text, local);
        Ok(())
    }
}

/// The Host that was admitted last: clients say the same in each request.
#[derive(Clone, Debug, Default)]
pub(super) struct LastHost {
    /// Empty: none, which no Host is.
    text: heapless::String<HOST_KEPT_BYTES_MAX>,
    local: Option<SocketAddr>,
}

impl LastHost {
    fn is(&self, text: &[u8], local: Option<SocketAddr>) -> bool {
        !text.is_empty() && self.text.as_bytes() == text && self.local == local
    }

    fn keep(&mut self, text: &str, local: Option<SocketAddr>) {
        // One that is longer is judged anew each time.
        self.text = text.try_into().unwrap_or_default();
        self.local = local;
    }
}

/// Why a Host is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum HostFault {
    /// There is none.
    Missing,
    /// It is not a host with an optional port.
    Syntax,
    /// It is not a name of this server.
    NotAllowed,
}

/// A refused Host. Its text is a sentence for whoever reads the answer or the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct HostRefusal {
    fault: HostFault,
    shown: Shown,
}

impl HostRefusal {
    /// Why it is refused.
    #[cfg(test)]
    pub(crate) const fn fault(&self) -> HostFault {
        self.fault
    }

    /// The status of the answer: 400 for what is not a Host (RFC 9112, section 3.2: MUST), 403 for
    /// one that is not ours.
    pub(crate) const fn status(&self) -> u16 {
        match self.fault {
            HostFault::Missing | HostFault::Syntax => 400,
            HostFault::NotAllowed => 403,
        }
    }
}

impl fmt::Display for HostRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.shown;
        match self.fault {
            HostFault::Missing => f.write_str("the request has no Host field"),
            HostFault::Syntax => write!(f, "the Host {shown} is not a name or address with an optional port"),
            HostFault::NotAllowed => {
                write!(f, "the Host {shown} is not one of this server's names: ")?;
                match shown.fit_for_a_command() {
                    Some(host) => {
                        let host = host.trim_matches(['[', ']']);
                        write!(f, "start it with --allow-host {host}, or Config::allow_host(\"{host}\")")
                    }
                    None => f.write_str("its names are configured by --allow-host, or Config::allow_host"),
                }
            }
        }
    }
}

impl core::error::Error for HostRefusal {}

/// A host that is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum KeptHost {
    Name(String),
    Ip(IpAddr),
}

impl KeptHost {
    pub(super) fn of(host: UriHost<'_>) -> Self {
        match host {
            UriHost::Name(name) => Self::Name(name.to_owned()),
            UriHost::Ip(address) => Self::Ip(address),
        }
    }
}

/// A name that was configured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct HostRule {
    host: KeptHost,
    /// `None`: any.
    port: Option<u16>,
}

impl HostRule {
    /// Reads a configured name: a host in any of its forms (an IPv6 address also without brackets),
    /// and perhaps a port.
    pub(super) fn new(value: &str) -> Result<Self, GuardError> {
        let error = |why| GuardError::new(SETTING, value, why);
        if let Ok(address) = value.parse::<IpAddr>() {
            return Ok(Self { host: KeptHost::Ip(address.to_canonical()), port: None });
        }
        if value.contains('*') {
            return Err(error("there are no wildcards, because they would admit pages of strangers: write each name"));
        }
        if let Some((_, rest)) = value.split_once("://") {
            let meant = rest.split(['/', '?', '#']).next().filter(|host| Authority::parse(host).is_some());
            return Err(error("a host has no scheme and no path").instead(meant));
        }
        match Authority::parse(value) {
            // A port 0 is nobody's, and an empty one probably forgotten.
            Some(Authority { port_text: Some(""), .. } | Authority { port: Some(0), .. }) => {
                Err(error("the port is a number from 1 to 65535"))
            }
            Some(Authority { host: UriHost::Name(name), .. }) if name.trim_matches('.').is_empty() => Err(error(FORM)),
            Some(Authority { host, port, .. }) => Ok(Self { host: KeptHost::of(host), port }),
            None => Err(error(FORM)),
        }
    }

    /// The host of the public base. Any port goes, because some proxies put their own there, and
    /// some none.
    pub(super) fn of_public_base(base: &PublicBase) -> Option<Self> {
        Some(Self { host: KeptHost::of(UriHost::parse(base.host())?), port: None })
    }

    fn admits(&self, authority: &Authority<'_>) -> bool {
        let same_host = match (&self.host, authority.host) {
            (KeptHost::Name(own), UriHost::Name(name)) => same_name(own, name),
            (KeptHost::Ip(own), UriHost::Ip(address)) => *own == address,
            _ => false,
        };
        // Which default port was left out can't be told: TLS may end before this server.
        let same_port = |port| authority.port.map_or(port == 80 || port == 443, |sent| sent == port);
        same_host && self.port.is_none_or(same_port)
    }
}

const SETTING: &str = "allow_host";
const FORM: &str = "a host is a name or an address, such as \"device.lan\", \"device.lan:8080\" or \"192.168.1.5\"";
