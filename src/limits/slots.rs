//! The limits of what there are thousands of: what a client costs while nothing happens.

/// Bytes of the process's memory that an idle client takes, with an open stream or a connection that is kept: the promise. The slots of a
/// connection, a stream, the stream's rest and a session count, whether or not this client has each of them.
pub const IDLE_CLIENT_BYTES_MAX: usize = 256;
const _: () = assert!(IDLE_CLIENT_BYTES <= IDLE_CLIENT_BYTES_MAX, "an idle client takes too much");

// On a 64-bit machine, where all of them are largest.
const IDLE_CLIENT_BYTES: usize = CONNECTION_SLOT_BYTES_MAX
    + STREAM_SLOT_BYTES_MAX
    + REST_BYTES_MAX
    + SESSION_SLOT_BYTES_MAX
    + WAKER_BYTES.div_ceil(CONNECTIONS_PER_WAKER)
    + QUEUED_BYTES;

/// Bytes of a waker: 48 of the heap, and 16 in the table of wakers.
pub const WAKER_BYTES: usize = 64;

/// Connections that are woken together, where it isn't the kernel that tells of them: those that the application brought. Each of them is asked
/// whether it was the one, which may be a call of the system.
pub const CONNECTIONS_PER_WAKER: usize = 16;

/// Bytes of a connection in the queue of those that wait for a buffer.
pub const QUEUED_BYTES: usize = size_of::<u32>();

/// Bytes of a socket as a connection has it: its file, what is known of it, and the place of its slot.
pub const SOCKET_BYTES_MAX: usize = 16;

/// Bytes of a connection's slot.
pub const CONNECTION_SLOT_BYTES_MAX: usize = 40;

/// Bytes of a stream's slot.
pub const STREAM_SLOT_BYTES_MAX: usize = 56;

/// Bytes of what the stream of a `subscriptions/listen`, or of a call that was resumed, has beside its slot.
pub const REST_BYTES_MAX: usize = 72;

/// Bytes of one session's slot.
pub const SESSION_SLOT_BYTES_MAX: usize = 72;

/// Session ids that are kept as verified, 82 bytes each: as many as there are connections by default. The others are verified anew, which takes as
/// long as half a call.
pub const SEEN_IDS: usize = 64;

/// Places of sessions that are kept by a byte of their ids, two bytes each: of four times as many as there are by default. Who is not where its hint says
/// is looked for among all.
pub const SESSION_HINTS: usize = 256;

/// Connections, streams, and sessions at once, whatever the configuration says: slots keep places of each other in 16 bits.
pub const PLACES_MAX: usize = u16::MAX as usize;

/// Connections at once, whatever the configuration says: those for refusals have places, too.
pub const CONNECTIONS_MAX: usize = PLACES_MAX - super::REFUSALS_MAX;

/// Bytes of the id of a `subscriptions/listen` request, as JSON: it is kept for as long as the stream is open. Clients send numbers, or a UUID in
/// quotes, which has 38.
pub const LISTENER_ID_BYTES_MAX: usize = 48;
const _: () =
    assert!(super::REQUEST_TAIL_CHARS_MAX <= LISTENER_ID_BYTES_MAX, "that of a call is kept in the same place");

/// Addresses of this machine that are remembered as those which peers connected to; for what is more, the system is asked.
pub const LOCAL_ADDRESSES_MAX: usize = 16;

/// Bytes of a client's name, and of its version, that are kept for logs and listings: the longest seen in the field is
/// `claude-ai (via mcp-remote 0.15.1)`, whose tail may go.
pub const CLIENT_TEXT_BYTES_MAX: usize = 32;

/// Names of clients that are kept at once, each with its version, once for all who have it: there are fewer kinds of clients than clients. One
/// more is listed without a name until another is gone.
pub const CLIENT_NAMES_MAX: usize = 64;

/// Bytes of a name's place.
pub const NAME_BYTES_MAX: usize = 72;
