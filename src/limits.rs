//! Every limit of the server: its name with its unit, and why this number.


// --- json ---

/// How deep arrays and objects of a received document may nest, in levels. The scanner remembers for each level whether it is an array or an
/// object in one bit of a `u64`; no MCP message comes near, and what reads the document afterwards may recurse this deep on a small stack.
pub const JSON_DEPTH_MAX: usize = 63;

/// How many keys the path of a reported member has at most: the deepest member that the envelope needs is one of `params._meta`.
pub const JSON_PATH_KEYS_MAX: usize = 3;

const _: () = assert!(JSON_DEPTH_MAX < u64::BITS as usize, "one bit a level");
const _: () = assert!(JSON_PATH_KEYS_MAX <= JSON_DEPTH_MAX, "a path is a chain of nested objects");
// --- http ---

/// Header lines in one request, the size of the index. Clients send 7 to 12, a chain of proxies adds a dozen.
pub const HEADERS_MAX: usize = 64;
/// Bytes of a request head, whatever the configuration says: the index keeps 16-bit offsets.
pub const HEAD_BYTES_CEILING: usize = 32 * 1024;
/// Bytes of a method name: `UNSUBSCRIBE` and `VERSION-CONTROL` are the longest registered ones in use.
pub const METHOD_BYTES_MAX: usize = 32;
/// Bytes of a header name: twice the longest that a browser sends, and it must fit the index's 8 bits.
pub const HEADER_NAME_BYTES_MAX: usize = 128;
/// Empty lines skipped before a request line (RFC 9112, 2.2 asks for at least one).
pub const BLANK_LINES_MAX: usize = 4;
/// Digits of a chunk size: 16 hold any 64-bit number, more are padding.
pub const CHUNK_SIZE_DIGITS_MAX: usize = 16;
/// Bytes of chunk extensions in one body (RFC 9112, 7.1.1 asks for a bound). Nobody sends them; all are ignored.
pub const CHUNK_EXTENSION_BYTES_MAX: usize = 1024;
/// Bytes of trailer lines behind one chunked body. All are dropped: none means anything to MCP.
pub const TRAILER_BYTES_MAX: usize = 1024;
/// Bytes of the buffer that a chunked body never fills, so that its framing can still be read in few reads.
pub const CHUNKED_SLACK_BYTES: usize = 64;
/// `Mcp-Param-*` names granted in one CORS preflight: a tool with more annotated arguments than this is unknown.
pub const PREFLIGHT_PARAM_HEADERS_MAX: usize = 16;
/// Seconds for which a browser may remember a preflight: saves most of them, forgets a changed setting soon.
pub const PREFLIGHT_MAX_AGE_SECONDS: u32 = 600;
/// Bytes that hold any response head but a preflight's, with an origin, a session id and a challenge of usual length.
pub const RESPONSE_HEAD_BYTES_MAX: usize = 1024;

const _: () = assert!(HEADERS_MAX <= u8::MAX as usize, "the index counts headers in 8 bits");
const _: () = assert!(HEADER_NAME_BYTES_MAX <= u8::MAX as usize, "the index keeps name lengths in 8 bits");
const _: () = assert!(HEAD_BYTES_CEILING < u16::MAX as usize, "the index keeps offsets in 16 bits");
// --- guard ---

/// Bytes of a bearer token, configured or sent: room for 2048 random bits in hexadecimal, and little to hash for a stranger.
pub const BEARER_TOKEN_BYTES_MAX: usize = 512;

/// Characters of what a peer sent that a refusal repeats: enough to recognise a name, too few to fill a log.
pub const REFUSED_VALUE_CHARS_MAX: usize = 100;

/// Bytes of the public base URL: its path goes into the `endpoint` event of every 2024-11-05 stream.
pub const PUBLIC_BASE_BYTES_MAX: usize = 256;

/// Seconds that a browser may remember a CORS preflight: two hours, the most that Chromium keeps.
pub const CORS_MAX_AGE_S: u32 = 7200;

// --- session ---

/// Characters of a session id on the wire: what a table of listeners has room for (an id of ours has 48).
pub const SESSION_ID_CHARS_MAX: usize = 64;

/// Unix seconds before which the clock can't have been set (November 2023): ids issued earlier have no known age.
pub const CLOCK_SET_MIN_UNIX_S: u64 = 1_700_000_000;

/// Seconds after its issue in which a session that the table forgot is restored: 30 days, so that a client that is used
/// once a week need not begin anew, and an id found in an old log is worth nothing.
pub const SESSION_RESTORE_AGE_MAX_S: u64 = 30 * 24 * 60 * 60;

/// Milliseconds that a session is left alone after its last use before a newcomer may have its slot: longer than the pause
/// between the messages of a handshake on a slow radio link, so that nobody is evicted half-way in; not longer, because a
/// full house is told to retry after this time, and an evicted session is restored when its owner comes back.
pub const SESSION_IDLE_MIN_MS: u64 = 1_000;

/// Ids ended by DELETE that are remembered: one a minute for an hour, in under a kilobyte.
pub const DELETED_IDS_MAX: usize = 64;

/// Bytes of a client's name, and of its version, that are kept for logs and listings: the longest seen in the field is
/// `claude-ai (via mcp-remote 0.15.1)`, whose tail may go.
pub const CLIENT_TEXT_BYTES_MAX: usize = 32;

/// Bytes of one session's slot, all told.
pub const SESSION_SLOT_BYTES_MAX: usize = 192;
