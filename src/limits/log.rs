//! The limits of the log, and of who is named in it.

/// Milliseconds between two lines of the log about one kind of event that peers can bring about: a line is there when somebody looks, and a
/// flood of them writes 9,000 lines a day at most.
pub const NOTICE_INTERVAL_MS: u64 = 10_000;

/// Addresses in the `Forwarded` or `X-Forwarded-For` of one request that are looked at: a chain of proxies has two or three.
pub const FORWARDED_HOPS_MAX: usize = 32;
