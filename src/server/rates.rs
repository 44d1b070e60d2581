//! How often: the settings, and the rim's part in holding peers, principals and tools to their rates.

use super::Config;
use super::conns::ConnRef;
use super::core::Core;
use super::notices::Notice;
use super::stats::Count;
use super::worker::Worker;
use crate::app::Application;
use crate::endpoint::{Job, Moment, Work};
use crate::guard::Peer;
use crate::http;
use crate::limits::RATE_SECONDS_MAX;
use crate::rate::{Limit, Rate};

impl Config {
    /// Requests that one address may send in so many seconds; no limit by default. All of them may come at once, and then one again each
    /// `seconds / requests`. Every request over HTTP is one, but for preflights, `/healthz` and what is not there, and each further request of a
    /// batch; who sends more is told `429` before its token is looked at. Addresses are counted as by
    /// [`connections_per_address`](Self::connections_per_address): this machine is not, and behind a [`trusted_proxy`](Self::trusted_proxy) those
    /// that it names are.
    ///
    /// A client needs some ten requests to begin, and a model's burst of calls is another twenty: 100 in 10 seconds holds off a program that
    /// runs wild, and nobody else.
    #[must_use]
    pub const fn requests_per_address(mut self, requests: u32, seconds: u32) -> Self {
        self.rates.requests_per_address = Some(Rate { count: requests, seconds });
        self
    }

    /// Requests that one principal (the holder of a token, or whom the application's own check named) may send in so many seconds, from wherever;
    /// no limit by default. It is counted as by [`requests_per_address`](Self::requests_per_address), but that only what asks for something
    /// counts: each request of the protocol and each stream that is opened, and not answers, notifications, and the end of a session. Where
    /// everybody may come in, all of them are one principal.
    #[must_use]
    pub const fn requests_per_principal(mut self, requests: u32, seconds: u32) -> Self {
        self.rates.requests_per_principal = Some(Rate { count: requests, seconds });
        self
    }

    /// Wrong tokens that one address may bring in so many seconds: 10 in 60, by default. From then on its requests are told `429`, and no token
    /// of theirs is looked at, also a right one, until there is one left again (after 6 seconds, then). Wrong is a token that is none of the server's,
    /// and whatever the application's own check does not let in, but for those who brought nothing that it asked for
    /// ([`Denied::unauthorized`](crate::Denied::unauthorized)); none at all is not, nor one that has ended.
    /// [`u32::MAX`] tries are no limit. This machine is not counted, nor is a proxy, but whom it names.
    #[must_use]
    pub const fn wrong_tokens_per_address(mut self, tries: u32, seconds: u32) -> Self {
        self.rates.wrong_tokens_per_address = Rate { count: tries, seconds };
        self
    }

    /// Checks the rates.
    ///
    /// # Errors
    /// Which is wrong, and what would be right.
    pub(super) fn check_rates(&self) -> Result<(), String> {
        let rates = &self.rates;
        for (limit, rate) in [
            (Limit::Address, rates.requests_per_address),
            (Limit::Principal, rates.requests_per_principal),
            (Limit::WrongTokens, Some(rates.wrong_tokens_per_address)),
        ] {
            if let Some(Rate { count, seconds }) = rate.filter(|rate| !rate.is_possible()) {
                let name = limit.setting();
                return Err(format!(
                    "{name}: expected at least 1 in 1 to {RATE_SECONDS_MAX} s, got {count} in {seconds} s"
                ));
            }
        }
        Ok(())
    }
}

impl<A: Application> Core<'_, A> {
    /// A call of this tool, which came then, asked its client, and made nothing by [`once`](crate::Call::once).
    pub(super) fn give_back_call(&self, tool: usize, begun_ms: u64) {
        if let Some(rate) = rate_of::<A>(tool) {
            self.endpoint.rates.give_back_call(tool, rate, begun_ms, self.now_ms.get());
        }
    }
}

impl<A: Application> Worker<'_, '_, A> {
    /// Who sent this request, and what is true now for it, which counts for its sender.
    pub(super) fn moment_of(&self, conn: ConnRef, request: http::Request<'_>) -> (Option<Peer>, Moment) {
        let peer = self.core.peer_of(conn, request);
        self.slot.household.set(peer.map(|peer| peer.household));
        self.slot.who.borrow_mut().clear();
        let moment = self.core.moment(conn);
        let counted = self.core.counted_by(conn, peer, request, moment.local.map(|local| local.ip()));
        (peer, Moment { counted, ..moment })
    }

    /// A tool that is called too often is not run.
    pub(super) fn hold_tool(&self, job: &mut Job<'_>) {
        let (Work::ToolsCall(tool) | Work::TaskOf(tool) | Work::TaskLater(tool)) = job.work else { return };
        let Some(rate) = rate_of::<A>(tool) else { return };
        if let Err(limited) = self.core.endpoint.rates.call_of_tool(tool, rate, self.core.now_ms.get()) {
            self.audit_too_often(job);
            job.work = Work::TooOften(limited);
            self.core.tally.refused.tool_rate.add();
            let name = A::TOOLS.get(tool).map_or("", |tool| tool.name);
            self.core.notice(Notice::ToolRate, format_args!("a call of {name} is refused: {limited}"));
        }
    }

    /// Who counts that somebody came too often, and what tells of it.
    pub(super) fn rate_refused(&self, limit: Limit) -> (&Count, Option<Notice>) {
        let refused = &self.core.tally.refused;
        match limit {
            Limit::Address => (&refused.address_rate, Some(Notice::AddressRate)),
            Limit::Principal => (&refused.principal_rate, Some(Notice::PrincipalRate)),
            Limit::WrongTokens => (&refused.wrong_tokens, Some(Notice::WrongTokens)),
            Limit::Tool => (&refused.tool_rate, Some(Notice::ToolRate)),
        }
    }
}

fn rate_of<A: Application>(tool: usize) -> Option<Rate> {
    if A::RATED > 0 { A::TOOLS.get(tool)?.rate } else { None }
}
