//! The fields by which a browser learns what a page may read (Fetch standard, "CORS protocol").

use core::fmt::{Result, Write};

use crate::limits::CORS_MAX_AGE_S;

use super::OriginGrant;

/// Writes the CORS fields of a response, each with its CRLF; nothing for a page that needs none.
///
/// They belong on every response to the page, errors too, or it could not read why.
pub(crate) fn write_cors_fields(grant: OriginGrant<'_>, out: &mut impl Write) -> Result {
    if !write_allow_origin(grant, out)? {
        return Ok(());
    }
    out.write_str(
        "Access-Control-Expose-Headers: Mcp-Session-Id, WWW-Authenticate, Retry-After\r\n",
    )
}

/// Writes the fields of the answer (204) to a preflight, each with its CRLF; nothing for a page
/// that is not granted CORS, which its browser takes for a no. It comes before the token is asked
/// for, because preflights carry none.
///
/// `private_network` tells whether the request had `Access-Control-Request-Private-Network: true`.
pub(crate) fn write_preflight_fields(
    grant: OriginGrant<'_>,
    private_network: bool,
    out: &mut impl Write,
) -> Result {
    if !write_allow_origin(grant, out)? {
        return Ok(());
    }
    out.write_str(
        "Access-Control-Allow-Methods: GET, POST, DELETE, OPTIONS\r\n\
         Access-Control-Allow-Headers: Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Session-Id, \
         Mcp-Method, Mcp-Name, Last-Event-ID\r\n",
    )?;
    write!(out, "Access-Control-Max-Age: {CORS_MAX_AGE_S}\r\n")?;
    if private_network {
        out.write_str("Access-Control-Allow-Private-Network: true\r\n")?;
    }
    Ok(())
}

/// Whether there is any CORS for this page.
fn write_allow_origin(
    grant: OriginGrant<'_>,
    out: &mut impl Write,
) -> core::result::Result<bool, core::fmt::Error> {
    match grant {
        OriginGrant::NoCors => return Ok(false),
        // The text was read as an origin, which has no character that could end the line.
        OriginGrant::Echo(origin) => write!(
            out,
            "Access-Control-Allow-Origin: {origin}\r\nVary: Origin\r\n"
        )?,
        OriginGrant::Any => out.write_str("Access-Control-Allow-Origin: *\r\n")?,
    }
    Ok(true)
}
