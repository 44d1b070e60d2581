//! HTTP/1.1 (RFC 9110, RFC 9112), pure: bytes in, decisions out; no socket, no clock, no allocation.
//!
//! ```text
//!   bytes -> Decoder (scan, kept -> index -> parse -> framing -> chunked) -> Request (typed questions)
//!                     \-> Refusal (status, sentence, close)               ResponseHead -> bytes
//! ```
//! What is absent: a lenient mode. A request whose framing is in doubt is refused, the connection is closed,
//! and nothing behind it is ever looked at (RFC 9112, 6.3 and 11.2).

mod accept;
mod chunked;
mod class;
mod date;
mod decode;
mod framing;
mod head;
mod index;
mod kept;
mod known;
mod parse;
mod refusal;
mod request;
mod response;
mod status;

pub(crate) use accept::{Accept, Media};
pub(crate) use date::{HttpDate, iso_time};
pub(crate) use decode::{Decoder, Limits, Step};
pub(crate) use known::Known;
pub(crate) use refusal::Refusal;
pub(crate) use request::{Method, Request};
pub(crate) use response::{CONTINUE, Challenge, Cors, Framing, LAST_CHUNK, Preflight, ProtectedResource, ResponseHead};
pub(crate) use status::Status;

#[cfg(test)]
mod tests_chunked;
#[cfg(test)]
mod tests_class;
#[cfg(test)]
mod tests_date;
#[cfg(test)]
mod tests_decoder;
#[cfg(test)]
mod tests_framing;
#[cfg(test)]
mod tests_harness;
#[cfg(test)]
mod tests_head;
#[cfg(test)]
mod tests_kept;
#[cfg(test)]
mod tests_limits;
#[cfg(test)]
mod tests_parse;
#[cfg(test)]
mod tests_random;
#[cfg(test)]
mod tests_request;
#[cfg(test)]
mod tests_response;
#[cfg(test)]
mod tests_wire;
