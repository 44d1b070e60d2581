//! A request that was decided on: what it asks for.

use crate::mcp::completion::Subject;
use crate::mcp::pages::Page;
use crate::mcp::tasks;
use crate::rate::Limited;
use crate::rpc::Code;
use crate::session::{Principal, Revision, SessionRef};

/// A request that is to be answered.
#[derive(Debug)]
pub(crate) struct Job<'p> {
    pub(crate) revision: Revision,
    pub(crate) work: Work,
    /// On whose behalf it is done.
    pub(crate) principal: &'p Principal,
    /// The session that it belongs to (none in 2026-07-28).
    pub(crate) session: Option<SessionRef>,
}

/// The name of a tool or of a prompt, or the URI of a resource, and the scopes that it asks for.
pub(crate) type Needed = (&'static str, &'static [&'static str]);

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Initialize,
    Discover,
    Ping,
    ToolsCall(usize),
    /// A call that is answered with a task.
    TaskOf(usize),
    /// A call that may become a task.
    TaskLater(usize),
    /// A call of what only runs as a task, which its revision does not have.
    OnlyAsTask,
    /// What is asked of a task.
    Task(tasks::Verb),
    /// A page of the tools, of the resources, of the templates or of the prompts.
    List(Page),
    Read(usize),
    /// The URI is none of ours.
    NoResource,
    Subscribe,
    Unsubscribe,
    GetPrompt(usize),
    Complete(Subject),
    SetLevel,
    /// A call of a tool that was called too often.
    TooOften(Limited),
    /// Its caller lacks some of these scopes.
    Forbidden(Needed),
    /// The last calls, which the server keeps itself.
    Audit,
    /// A JSON-RPC error, as the answer to the request.
    Refuse(Code, &'static str),
}

impl Work {
    /// It runs the application's code, which may take its time.
    pub(crate) const fn is_call(self) -> bool {
        matches!(
            self,
            Self::ToolsCall(_)
                | Self::TaskOf(_)
                | Self::TaskLater(_)
                | Self::Read(_)
                | Self::GetPrompt(_)
                | Self::Complete(_)
        )
    }
}
