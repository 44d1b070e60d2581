//! Every limit of the server: its name with its unit, and why this number.

// --- guard ---

/// Bytes of a bearer token, configured or sent: room for 2048 random bits in hexadecimal, and
/// little to hash for a stranger.
pub const BEARER_TOKEN_BYTES_MAX: usize = 512;

/// Characters of what a peer sent that a refusal repeats: enough to recognise a name, too few to
/// fill a log.
pub const REFUSED_VALUE_CHARS_MAX: usize = 100;

/// Bytes of the public base URL: its path goes into the `endpoint` event of every 2024-11-05
/// stream.
pub const PUBLIC_BASE_BYTES_MAX: usize = 256;

/// Seconds that a browser may remember a CORS preflight: two hours, the most that Chromium keeps.
pub const CORS_MAX_AGE_S: u32 = 7200;

// --- session ---

/// Characters of a session id on the wire: what a table of listeners has room for (an id of ours
/// has 48).
pub const SESSION_ID_CHARS_MAX: usize = 64;

/// Unix seconds before which the clock can't have been set (November 2023): ids issued earlier have
/// no known age.
pub const CLOCK_SET_MIN_UNIX_S: u64 = 1_700_000_000;

/// Seconds after its issue in which a session that the table forgot is restored: 30 days, so that a
/// client that is used once a week need not begin anew, and an id found in an old log is worth
/// nothing.
pub const SESSION_RESTORE_AGE_MAX_S: u64 = 30 * 24 * 60 * 60;

/// Milliseconds that a session is left alone after its last use before a newcomer may have its
/// slot: longer than the pause between the messages of a handshake on a slow radio link, so that
/// nobody is evicted half-way in; not longer, because a full house is told to retry after this
/// time, and an evicted session is restored when its owner comes back.
pub const SESSION_IDLE_MIN_MS: u64 = 1_000;

/// Ids ended by DELETE that are remembered: one a minute for an hour, in under a kilobyte.
pub const DELETED_IDS_MAX: usize = 64;

/// Bytes of a client's name, and of its version, that are kept for logs and listings: the longest
/// seen in the field is `claude-ai (via mcp-remote 0.15.1)`, whose tail may go.
pub const CLIENT_TEXT_BYTES_MAX: usize = 32;

/// Bytes of one session's slot, all told: what it takes on a 64-bit machine, for the memory budget.
pub const SESSION_SLOT_BYTES_MAX: usize = 160;
