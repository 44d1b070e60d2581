//! Requests up to their limit.
