//! Every limit of the server: its name with its unit, and why this number.


// --- json ---

/// How deep arrays and objects of a received document may nest, in levels. The scanner remembers for each level whether it is an array or an
/// object in one bit of a `u64`; no MCP message comes near, and what reads the document afterwards may recurse this deep on a small stack.
pub const JSON_DEPTH_MAX: usize = 63;

/// How many keys the path of a reported member has at most: the deepest member that the envelope needs is one of `params._meta`.
pub const JSON_PATH_KEYS_MAX: usize = 3;

const _: () = assert!(JSON_DEPTH_MAX < u64::BITS as usize, "one bit a level");
const _: () = assert!(JSON_PATH_KEYS_MAX <= JSON_DEPTH_MAX, "a path is a chain of nested objects");
