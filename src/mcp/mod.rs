//! What the Model Context Protocol says, one file a topic. Renders results into an [`Out`]; knows nothing of HTTP but the
//! status that 2026-07-28 asks for.
//!
//! - `discover`: `initialize` and `server/discover`, the two ways to learn what a server offers
//! - `tools`: `tools/list`, `tools/call`
//! - `resources`: `resources/list`, `resources/templates/list`, `resources/read`
//! - `prompts`: `prompts/list`, `prompts/get`
//! - `completion`: `completion/complete`
//! - `input`: `input_required` results, and the `requestState` that goes with them
//! - `scopes`: what is told to somebody who lacks a scope
//! - `pages`: lists in pages, and their cursors
//! - `subscriptions`: `subscriptions/listen`
//! - `tasks`: calls that outlive their request, `tasks/get`, `tasks/update`, `tasks/cancel`
//! - `headers`: the request headers that 2026-07-28 compares with the body

pub(crate) mod completion;
pub(crate) mod discover;
pub(crate) mod headers;
pub(crate) mod input;
pub(crate) mod pages;
pub(crate) mod prompts;
pub(crate) mod resources;
pub(crate) mod scopes;
pub(crate) mod slips;
pub(crate) mod subscriptions;
pub(crate) mod tasks;
pub(crate) mod tools;

#[cfg(test)]
mod tests_input;

use crate::app::Catalog;
use crate::http::Status;
use crate::outlet::Out;
use crate::rpc::{self, Code, Request};
use crate::session::Revision;

/// The methods that this server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Initialize,
    Discover,
    Ping,
    ToolsList,
    ToolsCall,
    ResourcesList,
    TemplatesList,
    ResourcesRead,
    Subscribe,
    Unsubscribe,
    PromptsList,
    PromptsGet,
    Complete,
    SetLevel,
    Listen,
    Task(tasks::Verb),
}

impl Method {
    /// Whether an application serves it.
    pub(crate) fn is_served(self, catalog: &Catalog) -> bool {
        match self {
            Method::ToolsList | Method::ToolsCall => catalog.has_tools(),
            Method::ResourcesList
            | Method::TemplatesList
            | Method::ResourcesRead
            | Method::Subscribe
            | Method::Unsubscribe => catalog.has_resources(),
            Method::PromptsList | Method::PromptsGet => !catalog.prompts.is_empty(),
            Method::Complete => catalog.completes,
            Method::Task(_) => catalog.tasks,
            _ => true,
        }
    }

    /// The method of this name in a revision; `None`: `-32601`.
    pub(crate) fn of(revision: Revision, name: &[u8]) -> Option<Method> {
        Some(match (name, revision.is_modern()) {
            (b"tools/list", _) => Method::ToolsList,
            (b"tools/call", _) => Method::ToolsCall,
            (b"resources/list", _) => Method::ResourcesList,
            (b"resources/templates/list", _) => Method::TemplatesList,
            (b"resources/read", _) => Method::ResourcesRead,
            (b"resources/subscribe", false) => Method::Subscribe,
            (b"resources/unsubscribe", false) => Method::Unsubscribe,
            (b"prompts/list", _) => Method::PromptsList,
            (b"prompts/get", _) => Method::PromptsGet,
            (b"completion/complete", _) => Method::Complete,
            (b"initialize", false) => Method::Initialize,
            (b"ping", false) => Method::Ping,
            (b"logging/setLevel", false) => Method::SetLevel,
            (b"server/discover", true) => Method::Discover,
            (b"subscriptions/listen", true) => Method::Listen,
            (b"tasks/get", true) => Method::Task(tasks::Verb::Get),
            (b"tasks/update", true) => Method::Task(tasks::Verb::Update),
            (b"tasks/cancel", true) => Method::Task(tasks::Verb::Cancel),
            _ => return None,
        })
    }
}

/// Answers with a JSON-RPC error, and with the HTTP status that its revision asks for.
pub(crate) async fn refuse(out: Out<'_>, request: &Request<'_>, code: Code, message: &str) {
    out.set_status(status_of(code, request.revision));
    out.write(|w| rpc::error(w, request.id(), code, message)).await;
}

/// The HTTP status of a JSON-RPC error (2026-07-28; older revisions answer requests with 200).
pub(crate) fn status_of(code: Code, revision: Revision) -> Status {
    match code {
        _ if !revision.is_modern() => Status::OK,
        Code::METHOD_NOT_FOUND => Status::NOT_FOUND,
        Code::PARSE_ERROR
        | Code::INVALID_REQUEST
        | Code::HEADER_MISMATCH
        | Code::MISSING_CAPABILITY
        | Code::UNSUPPORTED_VERSION => Status::BAD_REQUEST,
        _ => Status::OK,
    }
}

/// Answers with the empty result.
pub(crate) async fn empty(out: Out<'_>, request: &Request<'_>) {
    out.write(|w| {
        rpc::begin_result(w, request.id());
        w.str("{}}");
    })
    .await;
}
