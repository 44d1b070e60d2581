//! The application's own check of who comes in.

use core::fmt::{self, Write};
use core::future::Future;
use core::net::IpAddr;

use crate::limits::DENIAL_BYTES_MAX;
use crate::session::Principal;

/// The head of a request, for the application's own check ([`Server::authorize`](crate::Server::authorize)).
#[derive(Clone, Copy)]
pub struct Visit<'a> {
    method: &'a str,
    path: &'a str,
    peer: Option<IpAddr>,
    headers: &'a dyn Headers,
}

/// The header lines of a request: name as it was sent, value without white space around it.
pub(crate) trait Headers {
    /// The line at this place.
    fn line(&self, at: usize) -> Option<(&str, &[u8])>;

    /// One that the check asked for by its name is there: something was brought to be judged.
    fn found(&self);
}

impl<'a> Visit<'a> {
    pub(crate) const fn new(method: &'a str, path: &'a str, peer: Option<IpAddr>, headers: &'a dyn Headers) -> Self {
        Self { method, path, peer, headers }
    }

    /// The method: `GET`, `POST`, `DELETE`.
    pub const fn method(&self) -> &'a str {
        self.method
    }

    /// The path, without the query: a token in a query is refused before.
    pub const fn path(&self) -> &'a str {
        self.path
    }

    /// The address that the connection came from, where it has any: a proxy's, where one stands between.
    pub const fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    /// The value of a header, whose name may be written in any case. None where it is not there, is there more than once, or is no UTF-8.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut values = self.headers().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        let (_, value) = values.next().filter(|_| values.next().is_none())?;
        self.headers.found();
        core::str::from_utf8(value).ok()
    }

    /// All header lines: names as they were sent, values as bytes.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        let headers = self.headers;
        (0..).map_while(move |at| headers.line(at))
    }

    /// The token that it brings: what follows `Authorization: Bearer`.
    pub fn bearer(&self) -> Option<&'a str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        Some(token.trim_start()).filter(|token| scheme.eq_ignore_ascii_case("bearer") && !token.is_empty())
    }
}

impl fmt::Debug for Visit<'_> {
    /// Without the headers: they have secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, peer, headers: _ } = self;
        f.debug_struct("Visit").field("method", method).field("path", path).field("peer", peer).finish_non_exhaustive()
    }
}

/// Why the application's own check lets somebody not in.
#[derive(Clone, Debug)]
pub struct Denied {
    is_known: bool,
    text: heapless::String<DENIAL_BYTES_MAX>,
}

impl Denied {
    /// It is not known who comes (401): no credentials, or wrong ones. The text is sent, cut to [`DENIAL_BYTES_MAX`] bytes.
    ///
    /// Where the check found a header that it asked for by name, this counts as a wrong token of the peer's address
    /// ([`Config::wrong_tokens_per_address`](crate::Config::wrong_tokens_per_address)), as does [`forbidden`](Self::forbidden).
    pub fn unauthorized(text: impl fmt::Display) -> Self {
        Self::new(false, &text)
    }

    /// It is known who comes, and that one may not (403). The text is sent, cut to [`DENIAL_BYTES_MAX`] bytes.
    pub fn forbidden(text: impl fmt::Display) -> Self {
        Self::new(true, &text)
    }

    fn new(is_known: bool, text: &dyn fmt::Display) -> Self {
        struct Cut(heapless::String<DENIAL_BYTES_MAX>);
        impl Write for Cut {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                text.chars().try_for_each(|letter| self.0.push(letter)).map_err(|_| fmt::Error)
            }
        }
        let mut cut = Cut(heapless::String::new());
        // An error here only means that the text was cut.
        let _ = write!(cut, "{text}");
        Self { is_known, text: cut.0 }
    }

    /// It is known who comes: 403, and not 401.
    pub(crate) const fn is_known(&self) -> bool {
        self.is_known
    }

    /// The text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How an application checks who comes in: [`Server::authorize`](crate::Server::authorize) and
/// [`Server::authorize_async`](crate::Server::authorize_async) make one.
#[doc(hidden)]
#[allow(missing_docs)]
pub trait Check<A> {
    /// There is anything to ask.
    const ASKS: bool;

    fn check(&self, app: &A, visit: &Visit<'_>) -> impl Future<Output = Result<Principal, Denied>>;
}

/// The application has no check of its own.
#[derive(Debug)]
pub struct NoCheck;

/// The application's check is a function.
#[derive(Debug)]
pub struct SyncCheck<F>(pub(crate) F);

/// The application's check is an async function.
#[derive(Debug)]
pub struct AsyncCheck<F>(pub(crate) F);

impl<A> Check<A> for NoCheck {
    const ASKS: bool = false;

    async fn check(&self, _: &A, _: &Visit<'_>) -> Result<Principal, Denied> {
        Err(Denied::unauthorized(""))
    }
}

impl<A, F: Fn(&A, &Visit<'_>) -> Result<Principal, Denied>> Check<A> for SyncCheck<F> {
    const ASKS: bool = true;

    async fn check(&self, app: &A, visit: &Visit<'_>) -> Result<Principal, Denied> {
        (self.0)(app, visit)
    }
}

impl<A, F: AsyncFn(&A, &Visit<'_>) -> Result<Principal, Denied>> Check<A> for AsyncCheck<F> {
    const ASKS: bool = true;

    async fn check(&self, app: &A, visit: &Visit<'_>) -> Result<Principal, Denied> {
        (self.0)(app, visit).await
    }
}
