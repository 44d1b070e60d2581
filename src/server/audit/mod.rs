//! The audit ring: who did what lately, how it ended, and who was refused. A resource of the server's own, and for the program by
//! [`Handle::audit`](super::Handle::audit).
//!
//! What a server without one does not need is reached by the functions that [`Config::audit`] brings alone.

mod entry;
mod ring;
#[cfg(test)]
mod tests;

pub use entry::{AuditEntry, AuditOutcome};

use std::cell::RefCell;

use self::ring::Ring;
use super::Config;
use super::core::Core;
use super::drive::Outcome;
use super::worker::Worker;
use crate::app::{Application, ContentAnnotations, Identity, Ran, Resource, Schema};
use crate::endpoint::{Cause, Job, Work};
use crate::guard::Household;
use crate::json::Writer;
use crate::limits::{AUDIT_ENTRIES_MAX, AUDIT_ENTRIES_MIN};
use crate::outlet::Out;
use crate::rpc::{self, Request};
use crate::session::Principal;
use crate::tasks::Now;

/// What the ring is read by.
pub(super) const URI: &str = "smol-mcp://audit";

const RESOURCE: Resource = Resource {
    uri: URI,
    name: "audit",
    title: Some("The last calls"),
    description: "The last calls of this server, and who was refused, newest first: when, who, from where, what, how it ended, how long it took.",
    mime: Some("application/json"),
    size: None,
    annotations: ContentAnnotations::NONE,
    icons: &[],
    meta: None,
    arguments: &Schema::Object(&[]),
    scopes: &["audit"],
    completes: false,
};

/// That a server keeps an audit ring, and the code for that.
#[derive(Clone, Copy)]
pub(super) struct AuditSetting {
    pub(super) entries: usize,
    pub(super) resource: &'static Resource,
    ring: fn(usize) -> RefCell<Ring>,
    keep: fn(&RefCell<Ring>, &Kept<'_>, Now),
    before: fn(&RefCell<Ring>, u64) -> Option<AuditEntry>,
    write: fn(&Part, &Request<'_>, &Identity, &mut Writer<'_>),
}

/// A server's audit ring.
pub(super) struct Audit {
    code: AuditSetting,
    ring: RefCell<Ring>,
}

impl Config {
    /// Keeps the last calls, tasks and refusals, so many of them ([`AUDIT_ENTRIES_MIN`] to [`AUDIT_ENTRIES_MAX`]; a quarter is for refusals): when,
    /// on whose behalf, from which address, which tool, resource or prompt, how it ended, and how long it took. Neither arguments nor results
    /// are kept, and no token. In memory alone: none are there after a restart.
    ///
    /// They are read by [`Handle::audit`](super::Handle::audit), and by clients as the resource `smol-mcp://audit`, which is listed beside the
    /// application's. It asks for the scope `audit`: a token without scopes has it, and where no token is asked for, everybody. Completions, and
    /// what is answered without the application's code, are not kept.
    #[must_use]
    pub const fn audit(mut self, entries: usize) -> Self {
        self.audit = Some(AuditSetting {
            entries,
            resource: &RESOURCE,
            ring: |entries| RefCell::new(Ring::new(entries)),
            keep: |ring, kept, now| ring.borrow_mut().keep(kept.entry(now)),
            before: |ring, number| ring.borrow().before(number).cloned(),
            write: Part::write,
        });
        self
    }

    /// Checks how many entries there are, and that the application has no resource of that URI.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub(super) fn check_audit(&self, resources: &[Resource]) -> Result<(), String> {
        let Some(AuditSetting { entries, .. }) = self.audit else { return Ok(()) };
        if !(AUDIT_ENTRIES_MIN..=AUDIT_ENTRIES_MAX).contains(&entries) {
            return Err(format!("audit: expected {AUDIT_ENTRIES_MIN} to {AUDIT_ENTRIES_MAX} entries, got {entries}"));
        }
        match resources.iter().find(|resource| resource.matches(URI)) {
            Some(resource) => {
                Err(format!("audit: {URI} is a resource of the application already, by {:?}", resource.uri))
            }
            None => Ok(()),
        }
    }
}

impl Audit {
    /// An empty ring, where one is kept.
    pub(super) fn new(setting: Option<AuditSetting>) -> Option<Self> {
        setting.map(|code| Self { code, ring: (code.ring)(code.entries) })
    }
}

/// What is kept of a call.
struct Kept<'a> {
    who: &'a str,
    household: Option<Household>,
    method: &'static str,
    target: &'static str,
    outcome: AuditOutcome,
    took_ms: u64,
}

impl Kept<'_> {
    fn entry(&self, now: Now) -> AuditEntry {
        let Kept { who, household, method, target, outcome, took_ms } = *self;
        AuditEntry {
            number: 0,
            unix_s: now.unix_s,
            uptime_ms: now.ms,
            // A name is no longer than this.
            who: heapless::String::try_from(who).unwrap_or_default(),
            household,
            method,
            target,
            outcome,
            took_ms: u32::try_from(took_ms).unwrap_or(u32::MAX),
            times: 1,
        }
    }
}

/// A part of what is read.
enum Part {
    Begin,
    /// And whether it is the first.
    Entry(AuditEntry, bool),
    End,
}

impl Part {
    fn write(&self, request: &Request<'_>, identity: &Identity, w: &mut Writer<'_>) {
        let modern = request.revision.is_modern();
        match self {
            Self::Begin => {
                rpc::begin_result(w, request.id());
                w.str(if modern {
                    r#"{"resultType":"complete","contents":[{"uri":""#
                } else {
                    r#"{"contents":[{"uri":""#
                });
                w.str(URI).str(r#"","mimeType":"application/json","text":"{\"entries\":["#);
            }
            Self::Entry(entry, is_first) => {
                w.str(if *is_first { "" } else { "," }).escaped_fmt(format_args!("{entry}"));
            }
            Self::End => {
                w.str(r#"]}"}]"#);
                if modern {
                    Identity::write_no_caching(w);
                    identity.write_meta(w);
                }
                w.str("}}");
            }
        }
    }
}

impl<A> Core<'_, A> {
    /// The last entries, newest first, up to the capacity that the caller gave the list.
    pub(super) fn list_audit(&self, list: &mut Vec<AuditEntry>) {
        let Some(Audit { code, ring }) = &self.audit else { return };
        let mut number = u64::MAX;
        while list.len() < list.capacity() {
            let Some(entry) = (code.before)(ring, number) else { return };
            number = entry.number;
            list.push(entry);
        }
    }

    fn record(&self, kept: &Kept<'_>) {
        if let Some(Audit { code, ring }) = &self.audit {
            (code.keep)(ring, kept, self.now());
        }
    }
}

impl<A: Application> Core<'_, A> {
    /// A task has ended, or was ended.
    pub(super) fn audit_task(&self, principal: &Principal, tool: usize, outcome: AuditOutcome, begun_ms: u64) {
        self.record(&Kept {
            who: principal.name().unwrap_or_default(),
            household: None,
            method: "task",
            target: A::TOOLS.get(tool).map_or("", |tool| tool.name),
            outcome,
            took_ms: self.now_ms.get().saturating_sub(begun_ms),
        });
    }

    /// What a request asks for, if it is a call, and none of a completion: its method, and what it names.
    pub(super) fn asked(&self, work: Work) -> Option<(&'static str, &'static str)> {
        let catalog = &self.endpoint.catalog;
        Some(match work {
            Work::ToolsCall(at) | Work::TaskOf(at) | Work::TaskLater(at) => ("tools/call", catalog.tools.get(at)?.name),
            Work::Read(at) => ("resources/read", catalog.resources.get(at)?.uri),
            Work::GetPrompt(at) => ("prompts/get", catalog.prompts.get(at)?.name),
            _ => return None,
        })
    }
}

impl<A: Application> Worker<'_, '_, A> {
    /// Keeps on whose behalf it works.
    pub(super) fn audit_principal(&self, principal: &Principal) {
        if self.core.audit.is_some() {
            let mut who = self.slot.who.borrow_mut();
            who.clear();
            // A name is no longer than this.
            let _ = who.push_str(principal.name().unwrap_or_default());
        }
    }

    /// A call is over.
    pub(super) fn audit_call(&self, job: &Job<'_>, ran: Option<Ran>, outcome: Outcome) {
        if self.core.audit.is_none() {
            return;
        }
        let Some((method, target)) = self.core.asked(job.work) else { return };
        let outcome = match (ran, outcome) {
            (Some(Ran::Asked), _) => AuditOutcome::Asked,
            (Some(Ran::Failed | Ran::Broken), _) => AuditOutcome::Failed,
            (Some(Ran::Panicked), _) => AuditOutcome::Panicked,
            (Some(Ran::Finished), _) | (None, Outcome::Sent) => AuditOutcome::Finished,
            (None, Outcome::Late) => AuditOutcome::TimedOut,
            (None, Outcome::Cancelled) => AuditOutcome::Cancelled,
            (None, Outcome::Gone) => AuditOutcome::Abandoned,
        };
        let took_ms = self.core.now_ms.get().saturating_sub(self.slot.begun_ms.get());
        let (who, household) = (job.principal.name().unwrap_or_default(), self.slot.household.get());
        self.core.record(&Kept { who, household, method, target, outcome, took_ms });
    }

    /// A call of a tool is refused, as it comes too often.
    pub(super) fn audit_too_often(&self, job: &Job<'_>) {
        if let Some((method, target)) = self.core.asked(job.work) {
            self.audit_refusal(AuditOutcome::RefusedRate, method, target);
        }
    }

    /// A request is refused, if it is for a reason that is kept.
    pub(super) fn audit_refused(&self, cause: Cause) {
        match cause {
            Cause::Token => self.audit_refusal(AuditOutcome::RefusedCredentials, "", ""),
            Cause::Rate(_) => self.audit_refusal(AuditOutcome::RefusedRate, "", ""),
            Cause::Scope(target) => self.audit_refusal(AuditOutcome::RefusedScope, "", target),
            _ => {}
        }
    }

    fn audit_refusal(&self, outcome: AuditOutcome, method: &'static str, target: &'static str) {
        if self.core.audit.is_some() {
            let (who, household) = (self.slot.who.borrow(), self.slot.household.get());
            self.core.record(&Kept { who: &who, household, method, target, outcome, took_ms: 0 });
        }
    }

    /// Answers a `resources/read` of the ring, newest first. What comes meanwhile is not in it, and what is pushed out meanwhile neither.
    pub(super) async fn read_audit(&self, out: Out<'_>, request: &Request<'_>) {
        let Some(Audit { code, ring }) = &self.core.audit else { return };
        let mut part = Part::Begin;
        loop {
            out.write(|w| (code.write)(&part, request, &self.core.identity, w)).await;
            let (before, is_first) = match &part {
                Part::Begin => (u64::MAX, true),
                Part::Entry(entry, _) => (entry.number, false),
                Part::End => return,
            };
            part = (code.before)(ring, before).map_or(Part::End, |entry| Part::Entry(entry, is_first));
        }
    }
}
