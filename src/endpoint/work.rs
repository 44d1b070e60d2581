//! What a request of a known method asks for, and whether its caller may.

use super::Endpoint;
use super::job::{Needed, Work};
use crate::app::Catalog;
use crate::mcp::completion::{self, Subject};
use crate::mcp::pages::{List, Page};
use crate::mcp::{Method, prompts, resources, tools};
use crate::rpc::{Code, Envelope};
use crate::session::{LogLevel, Principal, PrincipalId};

impl Endpoint {
    /// What a request of a known method asks for, if its caller has the scopes for that.
    pub(super) fn work(&self, method: Option<Method>, envelope: &Envelope, doc: &[u8], principal: &Principal) -> Work {
        let (work, needed) = match self.asked(method, envelope, doc, principal.id()) {
            Asked::Of(work) => (work, self.scopes_of(work)),
            Asked::Subscribe(resource) => {
                (Work::Subscribe, self.catalog.resources.get(resource).map(|it| (it.uri, it.scopes)))
            }
        };
        match needed {
            Some(needed) if !principal.has_all(needed.1) => Work::Forbidden(needed),
            _ => work,
        }
    }

    fn scopes_of(&self, work: Work) -> Option<Needed> {
        let Catalog { tools, resources, prompts, audit, .. } = &self.catalog;
        match work {
            Work::ToolsCall(tool) => tools.get(tool).map(|tool| (tool.name, tool.scopes)),
            Work::Read(resource) | Work::Complete(Subject::Resource(resource, _)) => {
                resources.get(resource).map(|resource| (resource.uri, resource.scopes))
            }
            Work::GetPrompt(prompt) | Work::Complete(Subject::Prompt(prompt, _)) => {
                prompts.get(prompt).map(|prompt| (prompt.name, prompt.scopes))
            }
            Work::Audit => audit.map(|audit| (audit.uri, audit.scopes)),
            _ => None,
        }
    }

    // The request names the resource of the last calls.
    fn is_of_audit(&self, envelope: &Envelope, doc: &[u8]) -> bool {
        let uri = Envelope::text(envelope.uri, doc);
        self.catalog.audit.is_some_and(|audit| uri == Some(audit.uri.as_bytes()))
    }

    fn asked(&self, method: Option<Method>, envelope: &Envelope, doc: &[u8], principal: PrincipalId) -> Asked {
        let page = |list| or_refuse(Page::asked(list, &self.key, principal, envelope, doc), Work::List);
        let work = match method.filter(|method| method.is_served(&self.catalog)) {
            Some(Method::Initialize) => Work::Refuse(Code::INVALID_REQUEST, "this session is initialized already"),
            Some(Method::Discover) => Work::Discover,
            Some(Method::Ping) => Work::Ping,
            Some(Method::ToolsList) => page(List::Tools),
            Some(Method::ToolsCall) => or_refuse(tools::find(envelope, doc, &self.catalog), Work::ToolsCall),
            Some(Method::ResourcesList) => page(List::Resources),
            Some(Method::TemplatesList) => page(List::Templates),
            Some(Method::ResourcesRead) if self.is_of_audit(envelope, doc) => Work::Audit,
            Some(Method::Subscribe) if self.is_of_audit(envelope, doc) => {
                Work::Refuse(Code::INVALID_PARAMS, "the last calls can be read, and not subscribed to")
            }
            Some(Method::ResourcesRead) => match resources::find(envelope, doc, self.catalog.resources) {
                Ok(index) => index.map_or(Work::NoResource, Work::Read),
                Err(message) => Work::Refuse(Code::INVALID_PARAMS, message),
            },
            Some(Method::Subscribe) => match resources::find(envelope, doc, self.catalog.resources) {
                Ok(Some(index)) => return Asked::Subscribe(index),
                Ok(None) => Work::NoResource,
                Err(message) => Work::Refuse(Code::INVALID_PARAMS, message),
            },
            Some(Method::Unsubscribe) => {
                or_refuse(resources::find(envelope, doc, self.catalog.resources), |_| Work::Unsubscribe)
            }
            Some(Method::PromptsList) => page(List::Prompts),
            Some(Method::PromptsGet) => or_refuse(prompts::find(envelope, doc, self.catalog.prompts), Work::GetPrompt),
            Some(Method::Complete) => or_refuse(completion::find(envelope, doc, &self.catalog), Work::Complete),
            Some(Method::SetLevel) => match Envelope::text(envelope.level, doc).and_then(LogLevel::parse) {
                Some(_) => Work::SetLevel,
                None => Work::Refuse(
                    Code::INVALID_PARAMS,
                    "params.level must be one of debug, info, notice, warning, error, critical, alert, emergency",
                ),
            },
            Some(Method::Task(verb)) => Work::Task(verb),
            Some(Method::Listen) | None => Work::Refuse(Code::METHOD_NOT_FOUND, "method not found"),
        };
        Asked::Of(work)
    }
}

/// What is asked for.
enum Asked {
    Of(Work),
    /// To subscribe to the resource of this place.
    Subscribe(usize),
}

fn or_refuse<T>(found: Result<T, &'static str>, work: fn(T) -> Work) -> Work {
    found.map_or_else(|message| Work::Refuse(Code::INVALID_PARAMS, message), work)
}
