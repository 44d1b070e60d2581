//! A client: how it connects, what it answers to the server's questions, and what it was told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rmcp::handler::client::ClientHandler;
use rmcp::model::{
    ClientConfig, CreateMessageRequestParams, CreateMessageResult, ElicitRequestParams, ElicitResult, ErrorCode,
    ErrorData, Implementation, ListRootsResult, LoggingMessageNotificationParam, ProgressNotificationParam,
    ProtocolVersion, ResourceUpdatedNotificationParam,
};
use rmcp::service::{NotificationContext, RequestContext, RunningService, ServiceError};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::{ClientLifecycleMode, ClientServiceExt, RoleClient, ServiceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::Verdict;

/// What the client answers where it is asked for a text.
pub const NAME: &str = "Zoë Äpfel";
/// What its model says.
pub const SAID: &str = "Paris, says the model of the test";
/// Its root.
pub const ROOT: &str = "file:///home/drive/root";
/// A notification arrives within this.
const NOTICE: Duration = Duration::from_secs(5);
/// Nothing more may come for so long once what comes only once has come.
const QUIET: Duration = Duration::from_millis(400);

/// A way to connect, and the revision that must come of it.
pub struct Mode {
    pub name: &'static str,
    pub revision: &'static str,
    lifecycle: Option<ClientLifecycleMode>,
    asks_for: Option<ProtocolVersion>,
}

impl Mode {
    /// All of them.
    pub fn all() -> [Self; 6] {
        let modern = || vec![ProtocolVersion::V_2026_07_28];
        let auto = ClientLifecycleMode::Auto { preferred_versions: modern(), legacy_version: None };
        let discover = ClientLifecycleMode::Discover { preferred_versions: modern() };
        let old = |name, revision, version| Self {
            name,
            revision,
            lifecycle: Some(ClientLifecycleMode::Initialize),
            asks_for: Some(version),
        };
        [
            Self { name: "rmcp serve()", revision: "2025-11-25", lifecycle: None, asks_for: None },
            Self { name: "rmcp Auto", revision: "2026-07-28", lifecycle: Some(auto), asks_for: None },
            Self { name: "rmcp Discover", revision: "2026-07-28", lifecycle: Some(discover), asks_for: None },
            old("rmcp Initialize 2025-06-18", "2025-06-18", ProtocolVersion::V_2025_06_18),
            old("rmcp Initialize 2025-03-26", "2025-03-26", ProtocolVersion::V_2025_03_26),
            old("rmcp Initialize 2024-11-05", "2024-11-05", ProtocolVersion::V_2024_11_05),
        ]
    }

    /// Whether it is the stateless revision.
    pub fn is_modern(&self) -> bool {
        self.revision == "2026-07-28"
    }
}

/// A connected client.
pub struct Client {
    pub service: RunningService<RoleClient, Hands>,
    pub shared: Arc<Shared>,
    pub modern: bool,
    pub revision: &'static str,
    /// Where the server is, without a path.
    pub base: String,
}

impl Client {
    /// Connects, and sees that the revision is the mode's.
    pub async fn connect(mode: &Mode, base: &str) -> Result<Self, String> {
        Self::declaring(mode, base, json!({})).await
    }

    /// The same, with extensions declared.
    pub async fn declaring(mode: &Mode, base: &str, extensions: Value) -> Result<Self, String> {
        let shared = Arc::new(Shared::default());
        let hands = Hands { shared: Arc::clone(&shared), extensions, asks_for: mode.asks_for.clone() };
        let transport = StreamableHttpClientTransport::from_uri(format!("{base}/mcp"));
        let service = match mode.lifecycle.clone() {
            Some(lifecycle) => hands.serve_with_lifecycle(transport, lifecycle).await,
            None => hands.serve(transport).await,
        };
        let service = service.map_err(|error| error.to_string())?;
        let revision = service.peer_info().map(|info| info.protocol_version.to_string());
        expect("negotiated revision", &json!(mode.revision), &json!(revision))?;
        Ok(Self { service, shared, modern: mode.is_modern(), revision: mode.revision, base: base.to_owned() })
    }

    /// Another client, of the other era, that causes changes.
    pub async fn rival(&self) -> Result<Self, String> {
        let modes = Mode::all();
        Box::pin(Self::connect(&modes[usize::from(!self.modern)], &self.base)).await
    }

    /// A tool's result, as JSON; the client answers what it is asked on the way.
    pub async fn call_whole(&self, tool: &str, arguments: Value) -> Result<Value, Failure> {
        let mut params = json!({ "name": tool });
        if !arguments.is_null() {
            params["arguments"] = arguments;
        }
        plain(self.service.call_tool(from(params)?).await)
    }

    /// A tool's result: whether it is an error, and its first text.
    pub async fn call(&self, tool: &str, arguments: Value) -> Result<(bool, String), String> {
        let whole = self.call_whole(tool, arguments).await?;
        let text = whole["content"].as_array().into_iter().flatten().find_map(|block| block["text"].as_str());
        Ok((whole["isError"] == true, text.unwrap_or_default().to_owned()))
    }

    /// Ends the client as an application does.
    pub async fn close(self) -> Verdict {
        self.service.cancel().await.map(drop).map_err(|error| error.to_string())
    }
}

/// What ended a request.
pub struct Failure {
    /// Of the JSON-RPC error, if it was one.
    pub code: Option<i32>,
    pub why: String,
}

impl From<Failure> for String {
    fn from(failure: Failure) -> Self {
        failure.why
    }
}

/// A result as JSON.
pub fn plain(result: Result<impl Serialize, ServiceError>) -> Result<Value, Failure> {
    let code = match &result {
        Err(ServiceError::McpError(error)) => Some(error.code.0),
        _ => None,
    };
    let result = result.map_err(|error| Failure { code, why: error.to_string() })?;
    serde_json::to_value(result).map_err(|error| Failure { code: None, why: error.to_string() })
}

/// Parameters from JSON.
pub fn from<T: DeserializeOwned>(params: Value) -> Result<T, Failure> {
    serde_json::from_value(params.clone()).map_err(|error| Failure { code: None, why: format!("{params}: {error}") })
}

/// Both are the same.
pub fn expect(what: &str, expected: &Value, got: &Value) -> Verdict {
    if expected == got { Ok(()) } else { Err(format!("{what}: expected {expected}, got {got}")) }
}

/// What the client was told and asked, and how it answers.
#[derive(Default)]
pub struct Shared {
    told: Mutex<Vec<Value>>,
    asked: Mutex<Vec<Value>>,
    action: Mutex<Option<&'static str>>,
    arrived: Notify,
}

impl Shared {
    /// `accept` (also without), `decline`, `cancel`, or `error` for a JSON-RPC error.
    pub fn answer_with(&self, action: &'static str) {
        *self.action.lock().unwrap() = Some(action);
    }

    /// Takes what was asked so far.
    pub fn take_asked(&self) -> Vec<Value> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    /// Takes what was told so far.
    pub fn take_told(&self) -> Vec<Value> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }

    /// A notification has come.
    pub fn tell(&self, method: &str, params: impl Serialize) {
        let params = serde_json::to_value(params).unwrap_or_default();
        self.told.lock().unwrap().push(json!({ "method": method, "params": params }));
        self.arrived.notify_waiters();
    }

    /// How many notifications of that method are there.
    pub fn count(&self, method: &str) -> usize {
        self.told.lock().unwrap().iter().filter(|told| told["method"] == method).count()
    }

    /// Waits for a notification of that method, then sees that it does not come again.
    pub async fn exactly_once(&self, method: &str) -> Result<Value, String> {
        let come = async {
            while self.count(method) == 0 {
                let _ = tokio::time::timeout(Duration::from_millis(50), self.arrived.notified()).await;
            }
        };
        if tokio::time::timeout(NOTICE, come).await.is_err() {
            return Err(format!("{method}: expected it within {NOTICE:?}, got only {:?}", self.take_told()));
        }
        tokio::time::sleep(QUIET).await;
        expect(&format!("number of {method}"), &json!(1), &json!(self.count(method)))?;
        Ok(self.take_told().into_iter().find(|told| told["method"] == method).unwrap_or_default())
    }

    /// Sees that no notification of that method comes.
    pub async fn none(&self, method: &str) -> Verdict {
        tokio::time::sleep(QUIET).await;
        expect(&format!("number of {method}"), &json!(0), &json!(self.count(method)))
    }

    fn ask(&self, params: &impl Serialize) -> Result<&'static str, ErrorData> {
        self.asked.lock().unwrap().push(serde_json::to_value(params).unwrap_or_default());
        match self.action.lock().unwrap().unwrap_or("accept") {
            "error" => Err(ErrorData::new(ErrorCode(-1), "the user said no", None)),
            action => Ok(action),
        }
    }
}

/// What rmcp calls.
pub struct Hands {
    shared: Arc<Shared>,
    extensions: Value,
    asks_for: Option<ProtocolVersion>,
}

/// A JSON value as one of rmcp's; the test wrote it, so it fits.
fn made<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

impl ClientHandler for Hands {
    fn get_info(&self) -> ClientConfig {
        let capabilities = json!({
            "elicitation": { "form": {}, "url": {} }, "sampling": {}, "roots": { "listChanged": true }, "extensions": self.extensions,
        });
        let config = ClientConfig::new(made(capabilities).unwrap_or_default(), Implementation::new("drive-rmcp", "1"));
        match &self.asks_for {
            Some(version) => config.with_protocol_version(version.clone()),
            None => config,
        }
    }

    async fn create_message(
        &self,
        params: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        self.shared.ask(&params)?;
        let content = json!({ "type": "text", "text": SAID });
        made(json!({ "role": "assistant", "content": content, "model": "test", "stopReason": "endTurn" }))
    }

    async fn list_roots(&self, _: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        self.shared.ask(&json!({}))?;
        made(json!({ "roots": [{ "uri": ROOT, "name": "root" }] }))
    }

    async fn create_elicitation(
        &self,
        params: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let action = self.shared.ask(&params)?;
        let mut answer = json!({ "action": action });
        let params = serde_json::to_value(&params).unwrap_or_default();
        if let (Some(fields), "accept") = (params["requestedSchema"]["properties"].as_object(), action) {
            answer["content"] = fields.iter().map(|(name, field)| (name.clone(), filled_in(field))).collect();
        }
        made(answer)
    }

    async fn on_progress(&self, params: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        self.shared.tell("notifications/progress", params);
    }

    async fn on_logging_message(&self, params: LoggingMessageNotificationParam, _: NotificationContext<RoleClient>) {
        self.shared.tell("notifications/message", params);
    }

    async fn on_resource_updated(&self, params: ResourceUpdatedNotificationParam, _: NotificationContext<RoleClient>) {
        self.shared.tell("notifications/resources/updated", params);
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.shared.tell("notifications/tools/list_changed", json!({}));
    }

    async fn on_prompt_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.shared.tell("notifications/prompts/list_changed", json!({}));
    }
}

/// A value that the field of a form allows.
fn filled_in(field: &Value) -> Value {
    let choices = ["enum", "oneOf", "anyOf"].iter().find_map(|kind| field[kind].as_array());
    if let Some(last) = choices.and_then(|choices| choices.last()) {
        return last.get("const").unwrap_or(last).clone();
    }
    match field["type"].as_str() {
        Some("array") => json!([filled_in(&field["items"])]),
        Some("boolean") => json!(field["default"] == true),
        Some("integer" | "number") => json!(41),
        _ if field["format"] == "email" => json!("zoe@example.com"),
        _ => json!(NAME),
    }
}
