//! Tasks (the extension `io.modelcontextprotocol/tasks`), which the stateless revision has.

use std::pin::Pin;
use std::time::Duration;

use rmcp::model::{CallToolRequestParams, CallToolResponse, CancelTaskParams, GetTaskParams, UpdateTaskParams};
use serde_json::{Value, json};

use crate::Verdict;
use crate::client::{Client, Failure, Mode, NAME, expect, from, plain};

/// A check, as it is kept in a list.
pub type Body = for<'a> fn(&'a Client) -> Pin<Box<dyn Future<Output = Verdict> + 'a>>;

/// All of them.
pub const ALL: &[(&str, Body)] = &[
    ("tasks: completes", |client| Box::pin(completes(client))),
    ("tasks: cancelled", |client| Box::pin(cancelled(client))),
    ("tasks: fails", |client| Box::pin(fails(client))),
    ("tasks: asks", |client| Box::pin(asks(client))),
    ("tasks: an unknown id", |client| Box::pin(unknown(client))),
];

/// The check with a client that declares the extension.
pub async fn with(mode: &Mode, base: &str, body: Body) -> Verdict {
    let client = Client::declaring(mode, base, json!({ "io.modelcontextprotocol/tasks": {} })).await?;
    body(&client).await?;
    client.close().await
}

/// Calls a tool that becomes a task: its id.
async fn started(client: &Client, tool: &str, arguments: Value) -> Result<String, String> {
    let params: CallToolRequestParams = from(json!({ "name": tool, "arguments": arguments }))?;
    match client.service.peer().call_tool_once(params).await.map_err(|error| error.to_string())? {
        CallToolResponse::Task(created) => Ok(created.task.task_id),
        other => Err(format!("{tool}: expected a task, got {other:?}")),
    }
}

async fn get(client: &Client, id: &str) -> Result<Value, Failure> {
    plain(client.service.get_task(from::<GetTaskParams>(json!({ "taskId": id }))?).await)
}

/// Asks until the task has that status: the last answer.
async fn until(client: &Client, id: &str, status: &str) -> Result<Value, String> {
    let mut last = Value::Null;
    for _ in 0..100 {
        last = get(client, id).await?;
        if last["status"] == status {
            return Ok(last);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(format!("no status {status:?} within 10 s, but {last}"))
}

async fn completes(client: &Client) -> Verdict {
    let id = started(client, "slow_compute", json!({ "seconds": 0.5 })).await?;
    let done = until(client, &id, "completed").await?;
    let said = done["result"]["content"][0]["text"].as_str().is_some_and(|text| text.ends_with(" for 0.5 s"));
    expect(&format!("the result ({done})"), &json!(true), &json!(said))
}

async fn cancelled(client: &Client) -> Verdict {
    let id = started(client, "slow_compute", json!({ "seconds": 30 })).await?;
    let cancel: CancelTaskParams = from(json!({ "taskId": id }))?;
    client.service.cancel_task(cancel).await.map_err(|error| error.to_string())?;
    until(client, &id, "cancelled").await.map(drop)
}

async fn fails(client: &Client) -> Verdict {
    let id = started(client, "failing_job", json!({})).await?;
    let done = until(client, &id, "completed").await?;
    expect("a tool's error is a result", &json!(true), &done["result"]["isError"])?;
    let id = started(client, "protocol_error_job", json!({})).await?;
    let done = until(client, &id, "failed").await?;
    expect(&format!("a JSON-RPC error ({done})"), &json!(true), &json!(done["error"]["code"].is_i64()))
}

async fn asks(client: &Client) -> Verdict {
    let id = started(client, "confirm_delete", json!({ "filename": "old.txt" })).await?;
    let waiting = until(client, &id, "input_required").await?;
    let key = waiting["inputRequests"].as_object().and_then(|asked| asked.keys().next()).cloned().unwrap_or_default();
    let answer = json!({ "action": "accept", "content": { "confirm": true, "name": NAME } });
    let update: UpdateTaskParams = from(json!({ "taskId": id, "inputResponses": { key: answer } }))?;
    client.service.update_task(update).await.map_err(|error| error.to_string())?;
    until(client, &id, "completed").await.map(drop)
}

async fn unknown(client: &Client) -> Verdict {
    match get(client, "no-such-task").await {
        Ok(came) => Err(format!("expected JSON-RPC error -32602, got {came}")),
        Err(failure) => expect(&failure.why, &json!(-32602), &json!(failure.code)),
    }
}
