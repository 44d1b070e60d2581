//! The ladder of checks of a 2026-07-28 request: the first that fails answers.

use super::Endpoint;
use super::answer::{Answer, Body, Data, Sentence};
use super::job::{Job, Work};
use super::message::{Around, Decision};
use crate::app::TaskSupport;
use crate::http::{Known, Status};
use crate::json::{Kind, Text, Value};
use crate::mcp::{Method, headers, subscriptions, tasks};
use crate::rpc::{Code, Envelope, Member};
use crate::session::{LogLevel, Revision};

/// What the envelope names.
const MODERN: &[u8] = Revision::V2026_07_28.as_str().as_bytes();

impl Endpoint {
    #[inline(never)] // what it gives is large, and so is written where it goes
    pub(super) fn modern<'p>(
        &self,
        around: &Around<'_, '_, 'p>,
        envelope: &Envelope,
        doc: &[u8],
    ) -> Result<Decision<'p>, Answer<'static>> {
        let refuse = |code, message: &str| Err(refusal(envelope, doc, code, message));
        if envelope.meta_capabilities.is_none_or(|member| member.kind != Kind::Object) {
            return refuse(
                Code::INVALID_PARAMS,
                "params._meta needs io.modelcontextprotocol/clientCapabilities, an object",
            );
        }
        let Some(version) = envelope.meta_version.and_then(|member| text(member, doc)) else {
            return refuse(
                Code::INVALID_PARAMS,
                "io.modelcontextprotocol/protocolVersion in params._meta must be a string",
            );
        };
        let method = Method::of(Revision::V2026_07_28, envelope.method_name(doc));
        if let Err(message) = self.headers(around, envelope, (version, method), doc) {
            return refuse(Code::HEADER_MISMATCH, message);
        }
        // It is plain, and so is what equals it.
        if version.raw() != MODERN {
            let requested = envelope.meta_version.map_or(crate::json::Span::new(0, 0), |member| member.span);
            let body = Body::Error {
                id: envelope.id.map(|id| id.span),
                code: Code::UNSUPPORTED_VERSION,
                message: "unsupported protocol version in params._meta; older revisions begin with initialize".into(),
                data: Data::Versions { requested },
            };
            return Err(Answer::with(Status::BAD_REQUEST, body));
        }
        let level = envelope.meta_log_level;
        if level.is_some() && Envelope::text(level, doc).and_then(LogLevel::parse).is_none() {
            return refuse(
                Code::INVALID_PARAMS,
                "io.modelcontextprotocol/logLevel in params._meta must be one of debug, info, notice, warning, error, critical, alert, \
                 emergency",
            );
        }
        if method == Some(Method::Listen) {
            if self.catalog.tasks && tasks::are_asked(envelope, doc) && !tasks::is_declared(envelope, doc) {
                return Err(undeclared(envelope, doc));
            }
            return match subscriptions::asked(envelope, doc, &self.catalog) {
                Ok(filter) => Ok(Decision::Listen { filter }),
                Err(message) => Ok(job(around, Work::Refuse(Code::INVALID_PARAMS, message))),
            };
        }
        let mut work = self.work(method, envelope, doc, around.posted.principal);
        if let Work::ToolsCall(index) = work {
            self.params(around, envelope, doc, index)?;
            work = self.as_task(envelope, doc, index)?;
        }
        if matches!(work, Work::Task(_)) && !tasks::is_declared(envelope, doc) {
            return Err(undeclared(envelope, doc));
        }
        Ok(job(around, work))
    }

    /// A tool is never run but as a task.
    pub(super) fn only_as_task(&self, tool: usize) -> bool {
        self.task_of(tool).is_some_and(|task| task.required)
    }

    // Whether a tool runs as a task, where there are tasks.
    fn task_of(&self, tool: usize) -> Option<TaskSupport> {
        self.catalog.tools.get(tool)?.task.filter(|_| self.catalog.tasks)
    }

    // How a tool is called by this client.
    fn as_task(&self, envelope: &Envelope, doc: &[u8], tool: usize) -> Result<Work, Answer<'static>> {
        let Some(task) = self.task_of(tool) else { return Ok(Work::ToolsCall(tool)) };
        match tasks::is_declared(envelope, doc) {
            true if task.later => Ok(Work::TaskLater(tool)),
            true => Ok(Work::TaskOf(tool)),
            false if task.required => Err(undeclared(envelope, doc)),
            false => Ok(Work::ToolsCall(tool)),
        }
    }

    // What gateways may route a call by must be what its arguments say.
    fn params(
        &self,
        around: &Around<'_, '_, '_>,
        envelope: &Envelope,
        doc: &[u8],
        tool: usize,
    ) -> Result<(), Answer<'static>> {
        let Some(tool) = self.catalog.tools.get(tool) else { return Ok(()) };
        let arguments = || envelope.arguments.map(|member| Value::of_span(member.span.of(doc)));
        headers::params_agree(&around.head, tool, arguments)
            .map_err(|wrong| refusal(envelope, doc, Code::HEADER_MISMATCH, Sentence::of(format_args!("{wrong}"))))
    }

    // What gateways route by must be what the body says.
    fn headers(
        &self,
        around: &Around<'_, '_, '_>,
        envelope: &Envelope,
        (version, called): (Text<'_>, Option<Method>),
        doc: &[u8],
    ) -> Result<(), &'static str> {
        let head = around.head;
        let is_older = || {
            let named = head.header(Known::McpProtocolVersion).and_then(Revision::parse);
            named.is_some_and(|revision| !revision.is_modern()) && head.count(Known::McpProtocolVersion) == 1
        };
        if !(self.lenient_version_header && is_older()) {
            let is_plain = version.raw() == MODERN;
            headers::agree(&head, Known::McpProtocolVersion, (version, is_plain), &headers::VERSION)?;
        }
        if let Some(method) = envelope.method.and_then(|member| text(member, doc)) {
            // The names that are known are plain.
            headers::agree(&head, Known::McpMethod, (method, called.is_some()), &headers::METHOD)?;
        }
        let name = match called {
            Some(Method::ToolsCall | Method::PromptsGet) => envelope.name,
            Some(Method::ResourcesRead) => envelope.uri,
            Some(Method::Task(_)) if self.catalog.tasks => {
                return match tasks::asked(envelope, doc) {
                    Some(id) => headers::agree(&head, Known::McpName, (id, false), &headers::TASK),
                    None => Ok(()),
                };
            }
            _ => None,
        };
        match name.and_then(|member| text(member, doc)) {
            Some(name) => headers::agree(&head, Known::McpName, (name, false), &headers::NAME),
            None => Ok(()),
        }
    }
}

/// A request that names 2026-07-28 in its header, and has no envelope.
pub(super) fn no_envelope(envelope: &Envelope, doc: &[u8]) -> Answer<'static> {
    let initialize = envelope.method_name(doc) == b"initialize" && envelope.protocol_version.is_some();
    let (code, message) = if initialize {
        (Code::HEADER_MISMATCH, "header mismatch: MCP-Protocol-Version is 2026-07-28, which has no initialize")
    } else {
        (
            Code::INVALID_PARAMS,
            "a 2026-07-28 request needs params._meta with io.modelcontextprotocol/protocolVersion and io.modelcontextprotocol/clientCapabilities",
        )
    };
    refusal(envelope, doc, code, message)
}

fn job<'p>(around: &Around<'_, '_, 'p>, work: Work) -> Decision<'p> {
    let (revision, principal) = (Revision::V2026_07_28, around.posted.principal);
    Decision::Job(Job { revision, work, principal, session: None })
}

fn undeclared(envelope: &Envelope, doc: &[u8]) -> Answer<'static> {
    let mut answer = refusal(envelope, doc, Code::MISSING_CAPABILITY, tasks::UNDECLARED);
    if let Body::Error { data, .. } = &mut answer.body {
        *data = Data::Tasks;
    }
    answer
}

fn refusal(envelope: &Envelope, doc: &[u8], code: Code, message: impl Into<Sentence>) -> Answer<'static> {
    let id = envelope.id.filter(|_| envelope.id_raw(doc) != b"null").map(|id| id.span);
    Answer::with(Status::BAD_REQUEST, Body::Error { id, code, message: message.into(), data: Data::None })
}

fn text(member: Member, doc: &[u8]) -> Option<Text<'_>> {
    Envelope::text(Some(member), doc).map(Text::new)
}
