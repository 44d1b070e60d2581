//! Every limit of the server: its name with its unit, and why this number.


// --- json ---

/// How deep arrays and objects of a received document may nest, in levels. The scanner remembers for each level whether it is an array or an
/// object in one bit of a `u64`; no MCP message comes near, and what reads the document afterwards may recurse this deep on a small stack.
pub const JSON_DEPTH_MAX: usize = 63;

/// How many keys the path of a reported member has at most: the deepest member that the envelope needs is one of `params._meta`.
pub const JSON_PATH_KEYS_MAX: usize = 3;

const _: () = assert!(JSON_DEPTH_MAX < u64::BITS as usize, "one bit a level");
const _: () = assert!(JSON_PATH_KEYS_MAX <= JSON_DEPTH_MAX, "a path is a chain of nested objects");

// --- app ---

/// Bytes of a `String` argument (UTF-8) that says nothing else. A page of text; whoever needs more says so with `#[len(..)]`.
pub const STRING_ARG_BYTES_MAX: usize = 1024;

/// Items of a `Vec` argument that says nothing else: more than a device has pins.
pub const ARRAY_ARG_ITEMS_MAX: usize = 64;

/// Levels of objects and arrays in a tool's arguments, the arguments themselves included. Models lose their way past three; each level costs a
/// stack frame while arguments are checked, and 24 bytes of path.
pub const ARG_DEPTH_MAX: usize = 8;

/// Members of one object in a tool's arguments: one bit each in the set of those seen.
pub const OBJECT_FIELDS_MAX: usize = u64::BITS as usize;

/// Characters of a wrong argument that its refusal repeats: enough to recognise it.
pub const ARG_SHOWN_CHARS_MAX: usize = 60;

/// Bytes of a tool's error message: a paragraph that says what to do better, not a log.
pub const TOOL_ERROR_BYTES_MAX: usize = 1024;

/// Bytes of a tool's name. The specification has 128, but model APIs refuse more than 64.
pub const TOOL_NAME_BYTES_MAX: usize = 64;

const _: () = assert!(ARG_DEPTH_MAX < JSON_DEPTH_MAX, "arguments lie inside a document");
