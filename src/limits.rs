//! Every limit of the server: its name with its unit, and why this number. What the capacities among them add up to is
//! [`MemoryBudget`](crate::MemoryBudget).
//!
//! ```text
//!   here       what comes from outside and goes there, how many of everything, how large, how long
//!   access     tokens, their file, and the application's own check
//!   audit      the ring of the last calls
//!   faults     what goes wrong: accepting, pauses, handlers that do not wait
//!   log        the log, and who is named in it
//!   memory     what the kernel, async-io and the program around a server take beside the pools
//!   oauth      access tokens that others have signed, and their keys
//!   output     answers without limit, and the time that they and the requests may take
//!   resumption what clients that come back are told
//!   rates      how often somebody may do something
//!   slots      what there are thousands of
//!   tasks      calls that outlive their request
//! ```

mod access;
mod audit;
mod confirm;
mod faults;
mod log;
mod memory;
mod oauth;
mod output;
mod rates;
mod resumption;
mod slots;
mod tasks;

pub use access::*;
pub use audit::*;
pub use confirm::*;
pub use faults::*;
pub use log::*;
pub use memory::*;
pub use oauth::*;
pub use output::*;
pub use rates::*;
pub use resumption::*;
pub use slots::*;
pub use tasks::*;

// --- json ---

/// How deep arrays and objects of a received document may nest, in levels. The scanner remembers for each level whether it is an array or an
/// object in one bit of a `u64`; no MCP message comes near, and what reads the document afterwards may recurse this deep on a small stack.
pub const JSON_DEPTH_MAX: usize = 63;
const _: () = assert!(JSON_DEPTH_MAX < u64::BITS as usize, "one bit a level");

/// How many keys the path of a reported member has at most: the deepest member that the envelope needs is one of `params._meta`.
pub const JSON_PATH_KEYS_MAX: usize = 3;
const _: () = assert!(JSON_PATH_KEYS_MAX <= JSON_DEPTH_MAX, "a path is a chain of nested objects");

/// Bytes of a request that the server keeps, to know the like again: all but its id, its name and its arguments. Of 2026-07-28 they have 250 to
/// 500, with icons and extensions of the client twice as many.
pub const KEPT_REQUEST_BYTES_MAX: usize = 1024;

/// Such requests that are kept: one of each of the clients that a device has.
pub const KEPT_REQUESTS: usize = 4;

/// Where all are another client's, one of so many requests takes the place of one.
pub const KEPT_REQUEST_OF: u8 = 8;

// --- http: requests ---

/// Bytes of a request head, whatever the configuration says: the index keeps 16-bit offsets.
pub const HEAD_BYTES_CEILING: usize = 32 * 1024;
const _: () = assert!(HEAD_BYTES_CEILING < u16::MAX as usize, "the index keeps offsets in 16 bits");

/// Bytes of a request head: bearer tokens, and what proxies add.
pub const HEAD_BYTES_MAX: usize = 8 * 1024;
const _: () = assert!(HEAD_BYTES_MAX <= HEAD_BYTES_CEILING, "the head must be indexed");

/// Bytes of a method name: `UNSUBSCRIBE` and `VERSION-CONTROL` are the longest registered ones in use.
pub const METHOD_BYTES_MAX: usize = 32;

/// Bytes of a request target: the longest path, and a session id.
pub const TARGET_BYTES_MAX: usize = 2 * 1024;

/// Header lines in one request, the size of the index. Clients send 7 to 12, a chain of proxies adds a dozen.
pub const HEADERS_MAX: usize = 64;
const _: () = assert!(HEADERS_MAX <= u8::MAX as usize, "the index counts headers in 8 bits");

/// Bytes of a header name: twice the longest that a browser sends, and it must fit the index's 8 bits.
pub const HEADER_NAME_BYTES_MAX: usize = 128;
const _: () = assert!(HEADER_NAME_BYTES_MAX <= u8::MAX as usize, "the index keeps name lengths in 8 bits");

/// Bytes of the last head that a worker keeps, to know its lines again. Heads of clients have 250 to 500, those of browsers 700.
pub const KEPT_HEAD_BYTES_MAX: usize = 768;
const _: () = assert!(KEPT_HEAD_BYTES_MAX <= HEAD_BYTES_MAX, "no head has more");

/// Empty lines skipped before a request line (RFC 9112, 2.2 asks for at least one).
pub const BLANK_LINES_MAX: usize = 4;

/// Bytes of a request body, where the configuration does not say. Messages of common clients have 50 to 4,000.
pub const BODY_BYTES_DEFAULT: usize = 64 * 1024;

/// Digits of a chunk size: 16 hold any 64-bit number, more are padding.
pub const CHUNK_SIZE_DIGITS_MAX: usize = 16;

/// Bytes of chunk extensions in one body (RFC 9112, 7.1.1 asks for a bound). Nobody sends them; all are ignored.
pub const CHUNK_EXTENSION_BYTES_MAX: usize = 1024;

/// Bytes of trailer lines behind one chunked body. All are dropped: none means anything to MCP.
pub const TRAILER_BYTES_MAX: usize = 1024;

/// Bytes of the buffer that a chunked body never fills, so that its framing can still be read in few reads.
pub const CHUNKED_SLACK_BYTES: usize = 64;

// --- http: responses ---

/// Bytes that hold any response head, also a preflight's with all the names that it can grant.
pub const RESPONSE_HEAD_BYTES_MAX: usize = 3 * 1024;

/// `Mcp-Param-*` names granted in one CORS preflight: a tool with more annotated arguments than this is unknown.
pub const PREFLIGHT_PARAM_HEADERS_MAX: usize = 16;

/// Seconds for which a browser may remember a preflight: saves most of them, forgets a changed setting soon.
pub const PREFLIGHT_MAX_AGE_SECONDS: u32 = 600;

/// Seconds that a client is told to wait when the house is full.
pub const RETRY_AFTER_S: u32 = 2;

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

// --- session ---

/// Sessions alive at once, where the configuration does not say.
pub const SESSIONS_DEFAULT: usize = 64;

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

/// Milliseconds without a message, a call or a stream after which a client counts as gone: half an hour, as the official
/// servers have it. Its id brings it back.
pub const SESSION_IDLE_MAX_MS: u64 = 30 * 60 * 1000;

/// The same for a client of which nothing came after `initialize`: a minute.
pub const SESSION_UNPROVED_MAX_MS: u64 = 60 * 1000;

/// Ids ended by DELETE that are remembered: one a minute for an hour, in under a kilobyte.
pub const DELETED_IDS_MAX: usize = 64;

// --- app ---

/// Bytes of a tool's name. The specification has 128, but model APIs refuse more than 64.
pub const TOOL_NAME_BYTES_MAX: usize = 64;

/// Bytes of a tool's error message: a paragraph that says what to do better, not a log.
pub const TOOL_ERROR_BYTES_MAX: usize = 1024;

/// Bytes of a `String` argument (UTF-8) that says nothing else. A page of text; whoever needs more says so with `#[len(..)]`.
pub const STRING_ARG_BYTES_MAX: usize = 1024;

/// Items of a `Vec` argument that says nothing else: more than a device has pins.
pub const ARRAY_ARG_ITEMS_MAX: usize = 64;

/// Members of one object in a tool's arguments: one bit each in the set of those seen.
pub const OBJECT_FIELDS_MAX: usize = u64::BITS as usize;

/// Levels of objects and arrays in a tool's arguments, the arguments themselves included. Models lose their way past three; each level costs a
/// stack frame while arguments are checked, and 24 bytes of path.
pub const ARG_DEPTH_MAX: usize = 8;
const _: () = assert!(ARG_DEPTH_MAX < JSON_DEPTH_MAX, "arguments lie inside a document");

/// Characters of a wrong argument that its refusal repeats: enough to recognise it.
pub const ARG_SHOWN_CHARS_MAX: usize = 60;

// --- app: resources, prompts, completion ---

/// Characters of a number that comes as a text (an argument of a prompt, a variable of a URI): the longest `f64` has 24.
pub const NUMBER_CHARS_MAX: usize = 40;

/// Bytes of the sentence about a prompt's wrong argument; it may list the names of an enum.
pub const REASON_BYTES_MAX: usize = 400;

/// Values of one completion (MCP, "Completion": at most 100).
pub const COMPLETIONS_MAX: usize = 100;

/// Bytes of an argument that is to be completed, and of one that was filled in before: what people type.
pub const COMPLETION_TEXT_BYTES_MAX: usize = 256;

// --- input ---

/// Questions that one call asks at once: as many as the largest tuple has, and two more.
pub const QUESTIONS_MAX: usize = 8;

/// Questions to clients of older revisions that can be open at once, where the configuration does not say.
pub const INPUTS_DEFAULT: usize = 4;

/// The same of a [`Storage`](crate::Storage) that does not say.
pub const INPUTS_STORED: usize = 2;

/// The most of them that a configuration may ask for: as many as there may be calls.
pub const INPUTS_MAX: usize = CALLS_MAX;

/// Bytes of an answer to such a question, as JSON: what a model says in a thousand tokens, and any form.
pub const INPUT_BYTES_MAX: usize = 8 * 1024;

/// Milliseconds that a call waits for such an answer, where the configuration does not say: a user has to see the form, and fill it in.
pub const INPUT_TIMEOUT_MS_DEFAULT: u64 = 300_000;

/// Milliseconds of silence after which a client that ended its direction while it has an answer to give gets a comment: if it is gone, the second
/// one finds that out.
pub const KEEP_ALIVE_OFTEN_MS: u64 = 1_000;

/// Bytes of a `requestState`, before it is written as base64: the answers of earlier rounds and what the call keeps. A few screens of text; it
/// comes back with the next request, whose body must have room for a third more.
pub const REQUEST_STATE_BYTES_MAX: usize = 16 * 1024;

/// Seconds for which a `requestState` is good: longer than a user is away from a form, short enough for what an old log is worth.
pub const REQUEST_STATE_AGE_MAX_S: u64 = 60 * 60;

/// Bytes of what a call keeps by `once` in one pass, as JSON: ids and numbers. Each call has room for it.
pub const ONCE_BYTES_MAX: usize = 512;

/// Questions, and values that it keeps, of one call over all of its rounds: a tool that asks until it likes the answer must come to an end.
pub const KEYS_MAX: usize = 64;

/// Answers that a call can get in one pass.
pub const ANSWERS_MAX: usize = 16;
const _: () = assert!(QUESTIONS_MAX <= ANSWERS_MAX, "what is asked at once comes at once");

/// Bytes of the values that a form is filled in with, as JSON: a screenful. They lie on the stack while the form is written.
pub const FORM_DEFAULTS_BYTES_MAX: usize = 1024;

// --- app: telling ---

/// Progress of one call that is sent without regard to its time: enough for every step of what has few.
pub const PROGRESS_BURST: u32 = 16;

/// Milliseconds between two tellings of a call's progress after that: 20 a second, which looks steady to people.
pub const PROGRESS_INTERVAL_MS: u64 = 50;

// --- mcp ---

/// Items of a list on one page: more than a device has resources; a page of them is some 10 KiB.
pub const PAGE_ITEMS_MAX: usize = 50;

/// Tools on one page. Twice the others', since many clients read the first page only; and hosts stop at about 128 for all of their servers.
pub const PAGE_TOOLS_MAX: usize = 100;

/// Milliseconds for which a client may keep a list (`ttlMs`): long for what hardly changes, short enough without a
/// listener.
pub const LIST_TTL_MS: u32 = 60_000;

/// Messages of an array (2025-03-26) that are taken.
pub const BATCH_MAX: usize = 16;

/// Resources that anybody is subscribed to at once: one bit each in a `u64` of every session and listener.
pub const SUBSCRIBED_URIS_MAX: usize = 64;

/// Bytes of the URI of such a resource. The table of them takes 17 KiB.
pub const SUBSCRIBED_URI_BYTES_MAX: usize = 256;

/// Bytes of the message that acknowledges a `subscriptions/listen`: it names each URI, and goes out in one piece.
pub const ACKNOWLEDGEMENT_BYTES_MAX: usize = 8 * 1024;
const _: () = assert!(ACKNOWLEDGEMENT_BYTES_MAX + 2 * RESPONSE_HEAD_BYTES_MAX + 1024 <= TRANSMIT_BYTES, "it must fit");

// --- server: how many ---

/// Milliseconds between two looks while there are sessions and no connections.
pub const TICK_IDLE_MS: u32 = 30_000;
/// Connections at once, where the configuration does not say: a household's clients, two or three connections each.
pub const CONNECTIONS_DEFAULT: usize = 64;

/// Connections beyond the configured ones, to tell newcomers that the house is full, and for those to wait that have said nothing yet.
pub const REFUSALS_MAX: usize = 4;

/// Calls that run at once, where the configuration does not say.
pub const CALLS_DEFAULT: usize = 8;

/// The most that a configuration may ask for: each has two buffers, and is looked at every tick.
pub const CALLS_MAX: usize = 1024;

/// Connections that calls have to themselves: streams may take all others.
pub const CONNECTIONS_FOR_CALLS_MIN: usize = 2;

/// Request buffers beyond the calls, for what frees others: cancellations, the end of sessions, pings, discovery.
pub const RESERVED_BUFFERS: usize = 1;

/// Streams open at once, where the configuration does not say: half of the connections, so that calls have the rest.
pub const STREAMS_DEFAULT: usize = 32;

/// Clients in one list: sessions and listeners, as many as a configuration can hold.
pub const CLIENTS_LISTED_MAX: usize = 131_072;
/// Commands of the application that wait for the engine.
pub const COMMANDS_MAX: usize = 64;

/// Events sent to one stream in one turn.
pub const EVENTS_PER_TURN: usize = 16;

/// Commands that the bridge from `log` leaves to the application's own: a flood of records must not keep a change from being told.
pub const COMMANDS_BESIDE_LOG: usize = COMMANDS_MAX / 2;

// --- server: how large ---

/// Bytes of a transmit buffer: longer answers are sent in pieces.
pub const TRANSMIT_BYTES: usize = 16 * 1024;

/// Bytes of the ring of events.
pub const RING_BYTES: usize = 32 * 1024;

/// Bytes of one event as it is sent, with its framing.
pub const EVENT_BYTES_MAX: usize = 6 * 1024;
const _: () = assert!(EVENT_BYTES_MAX <= RING_BYTES / 4, "one event must not push out all others");

/// Bytes of the `params` of a message of the application: an event less its framing.
pub const MESSAGE_PARAMS_BYTES_MAX: usize = 5 * 1024;
const _: () = assert!(MESSAGE_PARAMS_BYTES_MAX + 256 <= EVENT_BYTES_MAX, "a message must fit an event");

/// Bytes of a refused connection that are read to its end at most, and of what a stream's client says to nobody: 64 KiB, as slots count them.
pub const LINGER_BYTES_MAX: u16 = u16::MAX;

/// Bytes of a log record's text that clients are told; what is longer is cut.
pub const LOG_RECORD_BYTES_MAX: usize = 1024;

// --- server: how long ---

/// Milliseconds between two looks at all deadlines. Coarse, so that no request arms a timer of its own.
pub const TICK_MS: u32 = 500;

/// Milliseconds for a whole request head to come.
pub const HEAD_TIMEOUT_MS: u64 = 10_000;

/// Milliseconds after which a connection that has not brought a head may make room for another.
pub const HEAD_GRACE_MS: u64 = 1_000;

/// Connections that have said nothing yet are no crowd up to this many: those that a client opens at once.
pub const SILENT_CROWD_MIN: usize = 4;

/// Milliseconds for which a connection whose request was answered has a better claim to its place than one that has brought none yet: a model that
/// works through a task calls as often.
pub const IDLE_KEPT_MS: u64 = 10_000;
const _: () = assert!(IDLE_KEPT_MS < IDLE_TIMEOUT_MS_DEFAULT);

/// Requests of one connection that are answered in a row without a pause, while others wait for the buffer.
pub const PIPELINED_MAX: u32 = 32;
/// Milliseconds that an idle connection is kept, where the configuration does not say.
pub const IDLE_TIMEOUT_MS_DEFAULT: u64 = 60_000;

/// Milliseconds that a request waits for a buffer before it is answered 503.
pub const QUEUE_TIMEOUT_MS: u64 = 5_000;

/// Cancellations that are remembered for calls which wait for a buffer.
pub const EARLY_CANCELS_MAX: usize = 16;
/// Milliseconds that a tool may run, where the configuration does not say.
pub const TOOL_TIMEOUT_MS_DEFAULT: u64 = 300_000;

/// Milliseconds after which a call that has not answered becomes an event stream, so that proxies and clients see life.
pub const EVENTS_AFTER_MS: u64 = 2_000;

/// Milliseconds of silence after which a stream gets a comment. With the tick it stays under 15 s.
pub const KEEP_ALIVE_MS: u64 = 14_000;
const _: () = assert!(KEEP_ALIVE_MS + TICK_MS as u64 <= 15_000, "streams are to show life every 15 s");

/// Milliseconds that clients are told to wait before they reconnect (`retry:`), plus up to half of it.
pub const RETRY_MS: u32 = 2_000;

/// Milliseconds without a message after which a 2024-11-05 stream may make room for another.
pub const SILENT_STREAM_MS: u64 = 30_000;

/// Milliseconds after which the kernel gives up on a peer that acknowledges nothing.
pub const STREAM_USER_TIMEOUT_MS: u32 = 30_000;

/// Milliseconds that a refused connection is read to its end, so that its client can read the refusal.
pub const LINGER_MS: u64 = 1_000;

/// Milliseconds for running calls to end when the server shuts down: it must be gone within 2 s.
pub const SHUTDOWN_GRACE_MS: u64 = 1_200;
