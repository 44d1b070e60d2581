//! Requests as they lie on the wire, of every revision.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// The revision without sessions.
pub(crate) const MODERN: &str = "2026-07-28";

/// A POST with this body, and these header lines beside those that every client sends.
pub(crate) fn post_to(path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\n"
    );
    for (name, value) in headers {
        let _ = write!(request, "{name}: {value}\r\n");
    }
    let _ = write!(request, "Content-Length: {}\r\n\r\n{body}", body.len());
    request
}

/// A GET (or another method without a body).
pub(crate) fn bare(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
    for (name, value) in headers {
        let _ = write!(request, "{name}: {value}\r\n");
    }
    request.push_str("\r\n");
    request
}

/// The GET that opens a 2024-11-05 stream.
pub(crate) fn get_http_sse() -> String {
    bare("GET", "/sse", &[("Accept", "text/event-stream")])
}

/// A JSON-RPC request.
pub(crate) fn request(id: impl Into<Value>, method: &str, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params}).to_string()
}

/// A JSON-RPC notification.
pub(crate) fn notification(method: &str, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string()
}

/// A `tools/call`.
pub(crate) fn call(id: impl Into<Value>, tool: &str, arguments: &Value) -> String {
    request(id, "tools/call", &json!({"name": tool, "arguments": arguments}))
}

/// `notifications/cancelled` for this request.
pub(crate) fn cancelled(id: impl Into<Value>) -> String {
    notification("notifications/cancelled", &json!({"requestId": id.into(), "reason": "a test"}))
}

/// `initialize` for this revision, by a client of this name.
pub(crate) fn initialize(revision: &str, name: &str) -> String {
    let params =
        json!({"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": name, "version": "1.2"}});
    request("init", "initialize", &params)
}

/// A whole request of 2026-07-28 by a client of this name.
pub(crate) fn modern_by(client: &str, id: &str, method: &str, mut params: Value) -> String {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": client, "version": "1.2"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let tool = params["name"].as_str().map(str::to_owned);
    let mut headers = vec![("MCP-Protocol-Version", MODERN), ("Mcp-Method", method)];
    headers.extend(tool.as_deref().map(|tool| ("Mcp-Name", tool)));
    post_to("/mcp", &headers, &request(id, method, &params))
}

/// A whole request of 2026-07-28.
pub(crate) fn modern(id: &str, method: &str, params: Value) -> String {
    modern_by("modern", id, method, params)
}

/// A whole `tools/call` of 2026-07-28.
pub(crate) fn modern_call(id: &str, tool: &str, arguments: &Value) -> String {
    modern(id, "tools/call", json!({"name": tool, "arguments": arguments}))
}

/// The shortest call that shows that the server serves: of `echo`, whose answer is `text`.
pub(crate) fn echo(text: &str) -> String {
    modern_call("echo", "echo", &json!({"text": text}))
}

/// A whole `subscriptions/listen` of 2026-07-28 for changes of the tools.
pub(crate) fn listen(client: &str, id: &str) -> String {
    modern_by(client, id, "subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}))
}
