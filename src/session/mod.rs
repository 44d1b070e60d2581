//! Sessions: ids that cannot be lost, and the table of what is alive.
//!
//! Clients of the revisions up to 2025-11-25 begin with `initialize` and are given a session id.
//! The id itself says what was negotiated and is signed ([`SessionId`]), so a session that the
//! table forgot is restored from it. The table ([`Table`]) has a fixed number of slots and an
//! admission policy that is written at its head.
//!
//! Pure: times are given, random bytes are given, nothing here reads or writes.

mod base64url;
mod id;
mod key;
mod log_level;
mod names;
mod outcome;
mod principal;
mod revision;
mod seen;
mod slot;
mod table;

#[cfg(test)]
mod tests_base64url;
#[cfg(test)]
mod tests_id;
#[cfg(test)]
mod tests_kept_names;
#[cfg(test)]
mod tests_names;
#[cfg(test)]
mod tests_seen;
#[cfg(test)]
mod tests_simulation;
#[cfg(test)]
mod tests_table;

pub(crate) use base64url::{Encoder, decode_in_place};
pub(crate) use id::{IdText, RANDOM_BYTES, SessionFields, SessionId, Transport};
pub(crate) use key::{Key, TAG_BYTES, equal_in_constant_time};
pub use log_level::LogLevel;
pub(crate) use names::{ClientText, Name, NameRef, Names, kept_text};
pub(crate) use outcome::{Admitted, Counts, Ended, Evicted, Expired, RestoreRefusal, SessionRef, Stale, TableFull};
pub use principal::Principal;
pub(crate) use principal::{ANYONE, PrincipalFault, PrincipalId, Subject, is_scope};
pub use revision::Revision;
pub(crate) use seen::Seen;
pub(crate) use slot::{ClientId, Session, Slot};
pub(crate) use table::Table;
