//! How often somebody may do something: what a rate is, who is held to which, and what is told to those who come too often. Pure: the time is
//! the caller's.

mod bucket;
mod limited;
#[cfg(test)]
mod tests;

pub(crate) use bucket::{Bucket, Buckets};
pub(crate) use limited::{Limit, Limited};

use core::cell::RefCell;

use crate::limits::{
    RATE_SECONDS_MAX, RATED_ADDRESSES_MAX, RATED_PRINCIPALS_MAX, WRONG_TOKENS_DEFAULT, WRONG_TOKENS_SECONDS_DEFAULT,
};

/// So many times in so much time. They may come all at once; then one comes back each `seconds / count` (a token bucket).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How often, at least once.
    pub count: u32,
    /// In how many seconds, 1 to [`RATE_SECONDS_MAX`].
    pub seconds: u32,
}

impl Rate {
    /// Whether its numbers can be those of a rate.
    pub(crate) const fn is_possible(self) -> bool {
        self.count > 0 && self.seconds > 0 && self.seconds <= RATE_SECONDS_MAX
    }

    /// Microseconds until one comes back.
    const fn interval_us(self) -> u64 {
        // A rate that is not possible is refused at start; one of more than a million a second never limits.
        self.seconds as u64 * 1_000_000 / if self.count == 0 { 1 } else { self.count as u64 }
    }
}

/// The rates that a server is set up with; see the settings of the same names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateLimits {
    pub(crate) requests_per_address: Option<Rate>,
    pub(crate) requests_per_principal: Option<Rate>,
    pub(crate) wrong_tokens_per_address: Rate,
}

impl RateLimits {
    /// Requests are not limited, wrong tokens are.
    pub(crate) const DEFAULT: Self = Self {
        requests_per_address: None,
        requests_per_principal: None,
        wrong_tokens_per_address: Rate { count: WRONG_TOKENS_DEFAULT, seconds: WRONG_TOKENS_SECONDS_DEFAULT },
    };

    /// How many buckets a server of these has; those of its tools come to them.
    pub(crate) const fn buckets(&self) -> usize {
        RATED_ADDRESSES_MAX + self.addresses() + self.principals()
    }

    const fn addresses(&self) -> usize {
        if self.requests_per_address.is_some() { RATED_ADDRESSES_MAX } else { 0 }
    }

    const fn principals(&self) -> usize {
        if self.requests_per_principal.is_some() { RATED_PRINCIPALS_MAX } else { 0 }
    }
}

/// Who has come how often. Keys are of the caller's making: what counts as one has one.
#[derive(Debug)]
pub(crate) struct Rates {
    limits: RateLimits,
    addresses: RefCell<Buckets>,
    wrong_tokens: RefCell<Buckets>,
    principals: RefCell<Buckets>,
    tools: RefCell<Buckets>,
}

impl Rates {
    /// Nobody has come yet. `tools`: how many tools have a rate of their own.
    pub(crate) fn new(limits: RateLimits, tools: usize) -> Self {
        let buckets = |room| RefCell::new(Buckets::new(room));
        Self {
            limits,
            addresses: buckets(limits.addresses()),
            wrong_tokens: buckets(RATED_ADDRESSES_MAX),
            principals: buckets(limits.principals()),
            tools: buckets(tools),
        }
    }

    /// A request comes from this address.
    ///
    /// # Errors
    /// They come too often.
    pub(crate) fn request_of_address(&self, address: u64, now_ms: u64) -> Result<(), Limited> {
        take(&self.addresses, self.limits.requests_per_address, Limit::Address, address, now_ms)
    }

    /// A request comes from this principal.
    ///
    /// # Errors
    /// They come too often.
    pub(crate) fn request_of_principal(&self, principal: u64, now_ms: u64) -> Result<(), Limited> {
        take(&self.principals, self.limits.requests_per_principal, Limit::Principal, principal, now_ms)
    }

    /// Whether a token that comes from this address is looked at.
    ///
    /// # Errors
    /// It has brought too many wrong ones.
    pub(crate) fn may_try(&self, address: u64, now_ms: u64) -> Result<(), Limited> {
        let rate = self.limits.wrong_tokens_per_address;
        let free = self.wrong_tokens.borrow().look(rate, address, now_ms);
        free.map_err(|wait_s| Limited { limit: Limit::WrongTokens, rate, wait_s })
    }

    /// A wrong token came from this address.
    pub(crate) fn wrong_token(&self, address: u64, now_ms: u64) {
        // Whoever has none left was not let try; several may have been asked about at once.
        let _ = self.wrong_tokens.borrow_mut().take(self.limits.wrong_tokens_per_address, address, now_ms);
    }

    /// The tool at this place of the list is called.
    ///
    /// # Errors
    /// It is called too often.
    pub(crate) fn call_of_tool(&self, tool: usize, rate: Rate, now_ms: u64) -> Result<(), Limited> {
        take(&self.tools, Some(rate), Limit::Tool, tool as u64, now_ms)
    }

    /// It was called at this time, and asked without having made anything: that call comes again, and counts then.
    pub(crate) fn give_back_call(&self, tool: usize, rate: Rate, taken_ms: u64, now_ms: u64) {
        self.tools.borrow_mut().give_back(rate, tool as u64, taken_ms, now_ms);
    }
}

fn take(buckets: &RefCell<Buckets>, rate: Option<Rate>, limit: Limit, key: u64, now_ms: u64) -> Result<(), Limited> {
    let Some(rate) = rate else { return Ok(()) };
    buckets.borrow_mut().take(rate, key, now_ms).map_err(|wait_s| Limited { limit, rate, wait_s })
}
