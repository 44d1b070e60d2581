//! What is told to somebody who lacks a scope: in the body of a 403, or where the answer was begun.

use core::fmt;

use crate::json::Writer;
use crate::outlet::Out;
use crate::rpc::{self, Code, Request};
use crate::session::Principal;

/// That a principal has not all of the scopes that are asked for; its text says which.
pub(crate) struct Lack<'a> {
    /// What is asked for.
    pub(crate) needed: &'a [&'a str],
    /// Who asks.
    pub(crate) principal: &'a Principal,
}

impl fmt::Display for Lack<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("insufficient scope: this needs")?;
        let missing = self.needed.iter().filter(|scope| !self.principal.has_scope(scope));
        for (at, scope) in missing.enumerate() {
            write!(f, "{} {scope:?}", if at == 0 { "" } else { "," })?;
        }
        f.write_str(", which you have not been given")
    }
}

/// Writes the JSON-RPC error.
pub(crate) fn write(w: &mut Writer<'_>, id: &[u8], message: fmt::Arguments<'_>, needed: &[&str]) {
    rpc::error_fmt(w, id, Code::REFUSED, message, |w| {
        w.str(r#","data":{"error":"insufficient_scope","scopes":["#);
        for (at, scope) in needed.iter().enumerate() {
            w.str(if at == 0 { "" } else { "," }).string(scope);
        }
        w.str("]}");
    });
}

/// Answers with that error.
pub(crate) async fn refuse(out: Out<'_>, request: &Request<'_>, needed: &[&str], principal: &Principal) {
    let lack = Lack { needed, principal };
    out.write(|w| write(w, request.id(), format_args!("{lack}"), needed)).await;
}
