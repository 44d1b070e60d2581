//! The checks of every mode: the twin of ../../python/{checks,features}.py.

use std::pin::Pin;
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CompleteRequestParams, GetPromptRequestParams, LoggingLevel, ReadResourceRequestParams,
    RequestMetaObject, ServerNotification, SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter,
    UnsubscribeRequestParams,
};
use serde_json::{Value, json};

use crate::Verdict;
use crate::client::{Client, Failure, NAME, ROOT, SAID, expect, from, plain};

/// A check, as it is kept in a list.
type Body = for<'a> fn(&'a Client) -> Pin<Box<dyn Future<Output = Verdict> + 'a>>;

/// The oldest revision.
const ALWAYS: &str = "2024-11-05";

/// All of them, each with the revision that has it first.
pub const ALL: &[(&str, &str, Body)] = &[
    ("tools/list", ALWAYS, |client| Box::pin(lists_tools(client))),
    ("echo", ALWAYS, |client| Box::pin(echoes(client))),
    ("wrong arguments, unknown tool", ALWAYS, |client| Box::pin(refuses(client))),
    ("progress in order", ALWAYS, |client| Box::pin(progress(client))),
    ("cancel", ALWAYS, |client| Box::pin(cancels(client))),
    ("content of every kind", ALWAYS, |client| Box::pin(content_kinds(client))),
    ("resources", ALWAYS, |client| Box::pin(resources(client))),
    ("resource not found", ALWAYS, |client| Box::pin(resource_not_found(client))),
    ("prompts", ALWAYS, |client| Box::pin(prompts(client))),
    ("completion", ALWAYS, |client| Box::pin(completes(client))),
    ("list_changed and a subscription", ALWAYS, |client| Box::pin(subscribes(client))),
    ("logs", ALWAYS, |client| Box::pin(logs(client))),
    ("elicitation: accept, decline, cancel", "2025-06-18", |client| Box::pin(elicits(client))),
    ("elicitation: forms", "2025-06-18", |client| Box::pin(elicits_forms(client))),
    ("a call that the user must confirm", "2025-06-18", |client| Box::pin(confirms(client))),
    ("elicitation: URL", "2025-11-25", |client| Box::pin(elicits_url(client))),
    ("a question refused", "2025-06-18", |client| Box::pin(question_refused(client))),
    ("sampling", ALWAYS, |client| Box::pin(samples(client))),
    ("roots", ALWAYS, |client| Box::pin(roots(client))),
    ("several questions, several rounds", "2025-06-18", |client| Box::pin(asks_a_lot(client))),
];

const WATCHED: &str = "test://watched-resource";

async fn lists_tools(client: &Client) -> Verdict {
    let tools = client.service.list_all_tools().await.map_err(|error| error.to_string())?;
    for wanted in ["echo", "add", "notify", "broadcast", "slow_compute", "test_structured_content"] {
        expect(wanted, &json!(1), &json!(tools.iter().filter(|tool| tool.name == wanted).count()))?;
    }
    Ok(())
}

async fn echoes(client: &Client) -> Verdict {
    for text in ["", "hello", "Grüße, 漢字, \u{1F600}", "\"\\ \n\r\n\t \0 \u{2028}", &"0123456789ä".repeat(250)] {
        expect("echo", &json!([false, text]), &json!(client.call("echo", json!({ "text": text })).await?))?;
    }
    expect("add", &json!([false, "-2"]), &json!(client.call("add", json!({ "a": -5, "b": 3 })).await?))
}

async fn refuses(client: &Client) -> Verdict {
    let (is_error, text) = client.call("add", json!({ "a": 1, "b": "x" })).await?;
    expect("a wrong argument is an error that names it", &json!([true, true]), &json!([is_error, text.contains('b')]))?;
    refused("an unknown tool", -32602, client.call_whole("no_such_tool", json!({})).await)
}

/// The request ended in a JSON-RPC error of that code.
fn refused(what: &str, code: i32, came: Result<Value, Failure>) -> Verdict {
    match came {
        Ok(result) => Err(format!("{what}: expected JSON-RPC error {code}, got {result}")),
        Err(failure) => expect(&format!("{what} ({})", failure.why), &json!(code), &json!(failure.code)),
    }
}

async fn progress(client: &Client) -> Verdict {
    client.shared.take_told(); // rmcp gives a token with every request
    client.call("test_tool_with_progress", Value::Null).await?;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let told = client.shared.take_told();
    let values: Vec<&Value> = told.iter().map(|told| &told["params"]["progress"]).collect();
    expect("progress", &json!([0.0, 50.0, 100.0]), &json!(values))
}

async fn cancels(client: &Client) -> Verdict {
    let count = async || client.call("cancelled_count", Value::Null).await.map(|(_, text)| text);
    let before = count().await?;
    // Dropping the call is this client's cancel.
    let late =
        tokio::time::timeout(Duration::from_millis(500), client.call("slow_compute", json!({ "seconds": 30 }))).await;
    expect("the call is still running", &json!(true), &json!(late.is_err()))?;
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if count().await? != before {
            return Ok(());
        }
    }
    Err(format!("cancelled_count is {before} still, 5 s after the cancellation"))
}

async fn content_kinds(client: &Client) -> Verdict {
    for (tool, kinds) in [
        ("test_image_content", json!(["image"])),
        // The oldest revision has no audio: there it comes as a resource.
        ("test_audio_content", json!([if client.revision == ALWAYS { "resource" } else { "audio" }])),
        ("test_embedded_resource", json!(["resource"])),
        ("test_multiple_content_types", json!(["text", "image", "resource"])),
    ] {
        let whole = client.call_whole(tool, Value::Null).await?;
        let came: Vec<&Value> = whole["content"].as_array().into_iter().flatten().map(|block| &block["type"]).collect();
        expect(tool, &kinds, &json!(came))?;
    }
    let weather = client.call_whole("test_structured_content", Value::Null).await?;
    expect(
        "structured",
        &json!({ "temperature": 22.5, "conditions": "partly_cloudy", "humidity": 65 }),
        &weather["structuredContent"],
    )
}

async fn read(client: &Client, uri: &str) -> Result<Value, Failure> {
    plain(client.service.read_resource(ReadResourceRequestParams::new(uri)).await)
}

async fn resources(client: &Client) -> Verdict {
    let resources = client.service.list_all_resources().await.map_err(|error| error.to_string())?;
    expect("resources", &json!(true), &json!(resources.iter().any(|resource| resource.uri == "test://static-text")))?;
    let templates = client.service.list_all_resource_templates().await.map_err(|error| error.to_string())?;
    expect("templates", &json!(["test://template/{id}/data"]), &json!([templates[0].uri_template]))?;
    let text = read(client, "test://static-text").await?;
    expect("text", &json!("This is the content of the static text resource."), &text["contents"][0]["text"])?;
    let blob = read(client, "test://static-binary").await?;
    let begin = blob["contents"][0]["blob"].as_str().and_then(|blob| blob.get(..11));
    expect("blob", &json!(["image/png", "iVBORw0KGgo"]), &json!([blob["contents"][0]["mimeType"], begin]))?;
    let made = read(client, "test://template/a%20b/data").await?;
    let found = made["contents"][0]["text"].as_str().is_some_and(|text| text.contains(r#""id":"a b""#));
    expect(&format!("template ({made})"), &json!(true), &json!(found))
}

async fn resource_not_found(client: &Client) -> Verdict {
    let code = if client.modern { -32602 } else { -32002 };
    refused("an unknown resource", code, read(client, "test://nothing-here").await)
}

async fn prompt(client: &Client, params: Value) -> Result<Value, Failure> {
    plain(client.service.get_prompt(from::<GetPromptRequestParams>(params)?).await)
}

async fn prompts(client: &Client) -> Verdict {
    let prompts = client.service.list_all_prompts().await.map_err(|error| error.to_string())?;
    expect("prompts", &json!(true), &json!(prompts.iter().any(|prompt| prompt.name == "test_simple_prompt")))?;
    let filled =
        prompt(client, json!({ "name": "test_prompt_with_arguments", "arguments": { "arg1": "ä", "arg2": "b" } }))
            .await?;
    expect(
        "arguments",
        &json!("Prompt with arguments: arg1='ä', arg2='b'"),
        &filled["messages"][0]["content"]["text"],
    )?;
    let image = prompt(client, json!({ "name": "test_prompt_with_image" })).await?;
    expect("image", &json!("image/png"), &image["messages"][0]["content"]["mimeType"])?;
    let uri = "test://some/where";
    let embedded = json!({ "name": "test_prompt_with_embedded_resource", "arguments": { "resourceUri": uri } });
    expect("embedded", &json!(uri), &prompt(client, embedded).await?["messages"][0]["content"]["resource"]["uri"])?;
    refused("an unknown prompt", -32602, prompt(client, json!({ "name": "no_such_prompt" })).await)
}

async fn completes(client: &Client) -> Verdict {
    let complete = async |params: Value| plain(client.service.complete(from::<CompleteRequestParams>(params)?).await);
    let prompt = json!({ "type": "ref/prompt", "name": "test_prompt_with_arguments" });
    let came = complete(json!({ "ref": prompt, "argument": { "name": "arg1", "value": "par" } })).await?;
    expect("of a prompt", &json!(["paris", "park", "party"]), &came["completion"]["values"])?;
    let context = json!({ "arguments": { "arg1": "paris" } });
    let came =
        complete(json!({ "ref": prompt, "argument": { "name": "arg2", "value": "te" }, "context": context })).await?;
    expect("with context", &json!(["test"]), &came["completion"]["values"])?;
    let template = json!({ "type": "ref/resource", "uri": "test://template/{id}/data" });
    let came = complete(json!({ "ref": template, "argument": { "name": "id", "value": "12" } })).await?;
    expect("of a template", &json!(["12", "123"]), &came["completion"]["values"])
}

async fn subscribes(client: &Client) -> Verdict {
    let rival = client.rival().await?;
    if client.modern {
        let filter = SubscriptionFilter::builder().tools_list_changed().resource_subscription(WATCHED).build();
        let mut listening = client.service.listen(filter.clone()).await.map_err(|error| error.to_string())?;
        expect("honoured filter", &json!(filter), &json!(listening.acknowledged()))?;
        for tool in ["notify", "test_trigger_resource_update"] {
            rival.call(tool, Value::Null).await?;
            let came = listening.next().await.map_err(|error| error.to_string())?;
            let fits = match &came {
                Some(ServerNotification::ToolListChangedNotification(_)) => tool == "notify",
                Some(ServerNotification::ResourceUpdatedNotification(updated)) => updated.params.uri == WATCHED,
                _ => false,
            };
            expect(&format!("{tool} ({came:?})"), &json!(true), &json!(fits))?;
        }
        listening.cancel().await.map_err(|error| error.to_string())?;
        return rival.close().await;
    }
    has_stream(client, &rival).await?;
    client.service.subscribe(SubscribeRequestParams::new(WATCHED)).await.map_err(|error| error.to_string())?;
    for (tool, method) in [
        ("notify", "notifications/tools/list_changed"),
        ("test_trigger_resource_update", "notifications/resources/updated"),
    ] {
        client.shared.take_told();
        rival.call(tool, Value::Null).await?;
        client.shared.exactly_once(method).await?;
    }
    client.service.unsubscribe(UnsubscribeRequestParams::new(WATCHED)).await.map_err(|error| error.to_string())?;
    rival.call("test_trigger_resource_update", Value::Null).await?;
    client.shared.none("notifications/resources/updated").await?;
    rival.close().await
}

/// The client opens its stream when it likes, and says nothing of it: tries until something comes by it.
pub async fn has_stream(client: &Client, rival: &Client) -> Verdict {
    for _ in 0..50 {
        client.shared.take_told();
        rival.call("notify", Value::Null).await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
        if client.shared.count("notifications/tools/list_changed") > 0 {
            return Ok(());
        }
    }
    Err("no stream of the session brought anything within 5 s".to_owned())
}

async fn logs(client: &Client) -> Verdict {
    if client.modern {
        for (level, some) in [(None, false), (Some(LoggingLevel::Debug), true), (Some(LoggingLevel::Emergency), false)]
        {
            let mut params = CallToolRequestParams::new("test_logging_tool");
            if let Some(level) = level {
                let mut meta = RequestMetaObject::new();
                meta.set_log_level(level);
                params.meta = Some(meta);
            }
            client.shared.take_told();
            plain(client.service.call_tool(params).await)?;
            tokio::time::sleep(Duration::from_millis(100)).await;
            expect(
                &format!("logs at {level:?}"),
                &json!(some),
                &json!(client.shared.count("notifications/message") > 0),
            )?;
        }
        return Ok(());
    }
    for (level, count) in [(LoggingLevel::Error, 0), (LoggingLevel::Debug, 3)] {
        client.service.set_level(SetLevelRequestParams::new(level)).await.map_err(|error| error.to_string())?;
        client.shared.take_told();
        client.call("test_tool_with_logging", Value::Null).await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
        expect(&format!("logs at {level:?}"), &json!(count), &json!(client.shared.count("notifications/message")))?;
    }
    Ok(())
}

async fn elicits(client: &Client) -> Verdict {
    for action in ["accept", "decline", "cancel"] {
        client.shared.answer_with(action);
        client.shared.take_asked();
        let (_, text) = client.call("test_elicitation", json!({ "message": format!("Will you {action}?") })).await?;
        let asked = client.shared.take_asked();
        expect("message of the question", &json!([format!("Will you {action}?")]), &json!([asked[0]["message"]]))?;
        let said = [text.contains(action), text.contains(NAME)];
        expect(&format!("test_elicitation, {action} ({text})"), &json!([true, action == "accept"]), &json!(said))?;
        let (_, text) = client.call("test_input_required_result_elicitation", Value::Null).await?;
        let greeted = text.contains(&format!("Hello, {NAME}!"));
        expect(&format!("greeted after {action} ({text})"), &json!(action == "accept"), &json!(greeted))?;
    }
    client.shared.answer_with("accept");
    Ok(())
}

async fn elicits_forms(client: &Client) -> Verdict {
    client.shared.answer_with("accept");
    for tool in ["test_elicitation_sep1034_defaults", "test_elicitation_sep1330_enums"] {
        let (is_error, text) = client.call(tool, Value::Null).await?;
        expect(&format!("{tool} ({text})"), &json!([false, true]), &json!([is_error, text.contains("accept")]))?;
    }
    Ok(())
}

async fn confirms(client: &Client) -> Verdict {
    // The box is left as it is.
    for action in ["decline", "cancel", "accept"] {
        client.shared.answer_with(action);
        client.shared.take_asked();
        let (is_error, text) = client.call("test_confirm", json!({ "text": "the disk" })).await?;
        let asked = client.shared.take_asked();
        expect("the question", &json!("Erase this?\n{\"text\":\"the disk\"}"), &asked[0]["message"])?;
        let done = [is_error, text.contains("erased the disk")];
        let wanted = [action != "accept", action == "accept"];
        expect(&format!("isError, and what was done, after {action} ({text})"), &json!(wanted), &json!(done))?;
    }
    Ok(())
}

async fn elicits_url(client: &Client) -> Verdict {
    client.shared.answer_with("accept");
    client.shared.take_asked();
    let (_, text) = client.call("test_elicitation_url", Value::Null).await?;
    let asked = client.shared.take_asked();
    expect("mode", &json!("url"), &asked[0]["mode"])?;
    expect(&format!("answer ({text})"), &json!(true), &json!(text.contains("accept")))
}

async fn question_refused(client: &Client) -> Verdict {
    client.shared.answer_with("error");
    let came = client.call("test_elicitation", json!({ "message": "Will you fail?" })).await;
    client.shared.answer_with("accept");
    // In the newest revision the client itself drives the rounds, and gives up.
    let failed = came.as_ref().map_or(client.modern, |(is_error, _)| *is_error);
    expect(&format!("a call whose question was refused fails ({came:?})"), &json!(true), &json!(failed))?;
    expect("echo after that", &json!([false, "on"]), &json!(client.call("echo", json!({ "text": "on" })).await?))
}

async fn samples(client: &Client) -> Verdict {
    client.shared.take_asked();
    let came = client.call("test_sampling", json!({ "prompt": "What is the capital?" })).await?;
    expect("answer", &json!([false, format!("LLM response: {SAID}")]), &json!(came))?;
    expect("maxTokens", &json!(100), &client.shared.take_asked()[0]["maxTokens"])
}

async fn roots(client: &Client) -> Verdict {
    let (is_error, text) = client.call("test_input_required_result_list_roots", Value::Null).await?;
    expect(
        &format!("answer ({text})"),
        &json!([false, true]),
        &json!([is_error, text.contains(ROOT) || text.contains("root")]),
    )
}

async fn asks_a_lot(client: &Client) -> Verdict {
    for (tool, questions) in
        [("test_input_required_result_multiple_inputs", 3), ("test_input_required_result_multi_round", 2)]
    {
        client.shared.take_asked();
        let (is_error, text) = client.call(tool, Value::Null).await?;
        let came = json!([is_error, client.shared.take_asked().len()]);
        expect(&format!("isError and questions of {tool} ({text})"), &json!([false, questions]), &came)?;
    }
    let came = prompt(client, json!({ "name": "test_input_required_result_prompt" })).await?;
    expect(&format!("a prompt that asks ({came})"), &json!(true), &json!(came.to_string().contains(NAME)))
}

/// The server closes the call's stream on purpose; the client comes back for the answer.
pub async fn reconnects(client: &Client) -> Verdict {
    let (is_error, text) = client.call("test_reconnection", Value::Null).await?;
    expect(&format!("isError of test_reconnection ({text})"), &json!(false), &json!(is_error))
}
