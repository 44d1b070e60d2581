"""More checks, of what a server may offer beyond tools: resources, prompts, completion, subscriptions, logs, questions."""

from __future__ import annotations

import base64
from typing import Any, Awaitable, Callable

import anyio
from common import (
    MESSAGE,
    MODERN,
    PROMPTS_CHANGED,
    QUIET_SECONDS,
    UPDATED,
    CheckFailed,
    Mode,
    Peer,
    RpcError,
    expect,
    short,
)

WATCHED = "test://watched-resource"
LOG_LEVEL = "io.modelcontextprotocol/logLevel"
PNG = b"\x89PNG\r\n\x1a\n"


async def refused(what: str, code: int, call: Awaitable[Any]) -> RpcError:
    """The call ends in a JSON-RPC error of that code."""
    try:
        came = await call
    except RpcError as error:
        expect(f"code of the error for {what} ({error.message})", code, error.code)
        return error
    raise CheckFailed(f"{what}: expected JSON-RPC error {code}, got the result {short(came)}")


# --- resources -----------------------------------------------------------------------------------------------------


async def lists_resources(mode: Mode, peer: Peer) -> None:
    resources = {r["uri"]: r for r in (await peer.ask("list_resources"))["resources"]}
    wanted = {"test://static-text", "test://static-binary", WATCHED}
    expect("resources missing from resources/list", set(), wanted - set(resources))
    text = resources["test://static-text"]
    expect("mimeType, title, annotations", ("text/plain", "Static text"), (text["mimeType"], text.get("title")))
    expect("annotations", {"audience": ["user", "assistant"], "priority": 0.5}, text["annotations"])
    expect("size of the picture", 69, resources["test://static-binary"]["size"])
    templates = (await peer.ask("list_resource_templates"))["resourceTemplates"]
    expect("templates", ["test://template/{id}/data"], [t["uriTemplate"] for t in templates])


async def reads_text(mode: Mode, peer: Peer) -> None:
    [content] = (await peer.ask("read_resource", "test://static-text"))["contents"]
    expect("uri", "test://static-text", content["uri"])
    expect("text", "This is the content of the static text resource.", content["text"])
    [content] = (await peer.ask("read_resource", "test://template/a%20b%2Fc/data"))["contents"]
    expect("uri of a template's resource", "test://template/a%20b%2Fc/data", content["uri"])
    if '"a b/c"' not in content["text"]:
        raise CheckFailed(f"a variable of a template: expected it decoded, 'a b/c', got {content['text']}")


async def reads_blob(mode: Mode, peer: Peer) -> None:
    [content] = (await peer.ask("read_resource", "test://static-binary"))["contents"]
    blob = base64.b64decode(content["blob"], validate=True)
    expect("picture: mimeType, length, begin", ("image/png", 69, PNG), (content["mimeType"], len(blob), blob[:8]))


async def resource_not_found(mode: Mode, peer: Peer) -> None:
    code = -32602 if mode.revision == MODERN else -32002
    for uri in ("test://nothing-here", "test://template/1/other", "file:///etc/passwd"):
        await refused(uri, code, peer.ask("read_resource", uri))


# --- prompts and completion ----------------------------------------------------------------------------------------


async def lists_prompts(mode: Mode, peer: Peer) -> None:
    prompts = {p["name"]: p for p in (await peer.ask("list_prompts"))["prompts"]}
    wanted = {"test_simple_prompt", "test_prompt_with_arguments", "test_prompt_with_embedded_resource", "test_prompt_with_image"}
    expect("prompts missing from prompts/list", set(), wanted - set(prompts))
    arguments = prompts["test_prompt_with_arguments"]["arguments"]
    expect("arguments", [("arg1", True), ("arg2", True)], [(a["name"], a.get("required")) for a in arguments])


async def gets_prompts(mode: Mode, peer: Peer) -> None:
    async def contents(name: str, arguments: dict[str, str] | None = None) -> list[dict[str, Any]]:
        return [m["content"] for m in (await peer.ask("get_prompt", name, arguments))["messages"]]

    [simple] = await contents("test_simple_prompt")
    expect("simple prompt", {"type": "text", "text": "This is a simple prompt for testing."}, simple)
    [filled] = await contents("test_prompt_with_arguments", {"arg1": "grün \"x\"", "arg2": ""})
    expect("prompt with arguments", "Prompt with arguments: arg1='grün \"x\"', arg2=''", filled["text"])
    embedded, _ = await contents("test_prompt_with_embedded_resource", {"resourceUri": "test://some/where"})
    expect("embedded resource", ("resource", "test://some/where"), (embedded["type"], embedded["resource"]["uri"]))
    image, _ = await contents("test_prompt_with_image")
    expect("image", ("image", "image/png", PNG), (image["type"], image["mimeType"], base64.b64decode(image["data"])[:8]))
    await refused("an unknown prompt", -32602, peer.ask("get_prompt", "no_such_prompt"))
    missing = await refused("a missing argument", -32602, peer.ask("get_prompt", "test_prompt_with_arguments", {"arg1": "x"}))
    if "arg2" not in missing.message:
        raise CheckFailed(f"a missing argument: expected a message that names arg2, got {missing.message!r}")


async def completes(mode: Mode, peer: Peer) -> None:
    prompt = peer.types.PromptReference(type="ref/prompt", name="test_prompt_with_arguments")
    template = peer.types.ResourceTemplateReference(type="ref/resource", uri="test://template/{id}/data")

    async def values(*asked: Any) -> list[str]:
        return (await peer.ask("complete", *asked))["completion"]["values"]

    expect("completion of 'par'", ["paris", "park", "party"], await values(prompt, {"name": "arg1", "value": "par"}))
    with_context = await values(prompt, {"name": "arg2", "value": "te"}, {"arg1": "paris"})
    expect("completion with context", ["test"], with_context)
    expect("completion of nothing", [], await values(prompt, {"name": "arg1", "value": "zzz"}))
    expect("completion of a template", ["12", "123"], await values(template, {"name": "id", "value": "12"}))
    await refused("completion of an unknown prompt", -32602, peer.ask(
        "complete", peer.types.PromptReference(type="ref/prompt", name="no_such_prompt"), {"name": "a", "value": ""}))


# --- what a tool answers with --------------------------------------------------------------------------------------


async def content_kinds(mode: Mode, peer: Peer) -> None:
    async def content(name: str) -> list[dict[str, Any]]:
        return (await peer.ask("call_tool", name, None))["content"]

    [image] = await content("test_image_content")
    expect("image", ("image", "image/png", PNG), (image["type"], image["mimeType"], base64.b64decode(image["data"])[:8]))
    [audio] = await content("test_audio_content")
    expect("audio", ("audio", "audio/wav", b"RIFF"), (audio["type"], audio["mimeType"], base64.b64decode(audio["data"])[:4]))
    [embedded] = await content("test_embedded_resource")
    expect("resource", "This is an embedded resource content.", embedded["resource"]["text"])
    expect("mixed", ["text", "image", "resource"], [c["type"] for c in await content("test_multiple_content_types")])
    weather = await peer.ask("call_tool", "test_structured_content", None)
    expect("structured", {"temperature": 22.5, "conditions": "partly_cloudy", "humidity": 65}, weather["structuredContent"])


# --- subscriptions -------------------------------------------------------------------------------------------------


async def subscribes(mode: Mode, peer: Peer) -> None:
    async with mode.rival() as rival:
        async with peer.watching(WATCHED):
            since = len(peer.inbox.messages)
            await rival.call("test_trigger_resource_update", None)
            message = await peer.inbox.exactly_once(UPDATED, since)
            expect("uri of the update", WATCHED, message["params"]["uri"])
        since = len(peer.inbox.messages)
        await rival.call("test_trigger_resource_update", None)
        await anyio.sleep(QUIET_SECONDS)
        expect("updates after the end of the subscription", [], peer.inbox.matching(UPDATED, since))


async def prompts_changed(mode: Mode, peer: Peer) -> None:
    if mode.revision == MODERN:
        return  # a listener gets what it asked for; that of these clients asks for the tools
    async with peer.listening(), mode.rival() as rival:
        since = len(peer.inbox.messages)
        await rival.call("test_trigger_prompt_change", None)
        await peer.inbox.exactly_once(PROMPTS_CHANGED, since)


# --- logs ----------------------------------------------------------------------------------------------------------


async def logs(mode: Mode, peer: Peer) -> None:
    async def of_a_call(tool: str, **more: Any) -> list[str]:
        since = len(peer.inbox.messages)
        came = await peer.ask("call_tool", tool, None, **more)
        expect(f"isError of {tool}", False, came.get("isError", False))
        await anyio.sleep(0.1)
        return [m["params"]["level"] for m in peer.inbox.matching(MESSAGE, since)]

    if mode.revision == MODERN:
        if not mode.asks_for_logs:
            expect("logs that nobody asked for", [], await of_a_call("test_logging_tool"))
        levels = await of_a_call("test_logging_tool", meta={LOG_LEVEL: "debug"})
        if not levels:
            raise CheckFailed(f"logs of a call that asked for them by {LOG_LEVEL}: expected some, got none")
        expect("logs of too low a level", [], await of_a_call("test_logging_tool", meta={LOG_LEVEL: "emergency"}))
        return
    await peer.ask("set_logging_level", "error")
    expect("info logs at level error", [], await of_a_call("test_tool_with_logging"))
    await peer.ask("set_logging_level", "debug")
    expect("logs at level debug", ["info"] * 3, await of_a_call("test_tool_with_logging"))


# --- questions of the server ---------------------------------------------------------------------------------------


async def elicits(mode: Mode, peer: Peer) -> None:
    for action in ("accept", "decline", "cancel"):
        peer.answers.action = action
        since = len(peer.answers.asked)
        _, text = await peer.call("test_elicitation", {"message": f"Who is it that will {action}?"})
        [asked] = peer.answers.asked[since:]
        expect("message of the question", f"Who is it that will {action}?", asked["message"])
        if action not in text or (peer.answers.NAME in text) != (action == "accept"):
            raise CheckFailed(f"test_elicitation, {action}: expected a text that says so and what was answered, got {text!r}")
        is_error, text = await peer.call("test_input_required_result_elicitation", None)
        expect(f"Hello, after {action} ({text!r})", action == "accept", f"Hello, {peer.answers.NAME}!" in text)
    peer.answers.action = "accept"


async def elicits_forms(mode: Mode, peer: Peer) -> None:
    since = len(peer.answers.asked)
    is_error, text = await peer.call("test_elicitation_sep1034_defaults", None)
    [asked] = peer.answers.asked[since:]
    defaults = {name: field.get("default") for name, field in asked["requestedSchema"]["properties"].items()}
    expect("defaults", {"name": "John Doe", "age": 30, "score": 95.5, "status": "active", "verified": True}, defaults)
    expect("isError and action", (False, True), (is_error, "accept" in text))
    is_error, text = await peer.call("test_elicitation_sep1330_enums", None)
    expect(f"isError and action of the enums ({text!r})", (False, True), (is_error, "accept" in text))


async def confirms(mode: Mode, peer: Peer) -> None:
    for action, ticked in (("decline", False), ("cancel", False), ("accept", False), ("accept", True)):
        peer.answers.action, peer.answers.ticked = action, ticked
        since = len(peer.answers.asked)
        is_error, text = await peer.call("test_confirm", {"text": "the disk"})
        [asked] = peer.answers.asked[since:]
        expect(f"the tool and its arguments in {asked['message']!r}", (True, True), (asked["message"].startswith("Erase this?\n"), "the disk" in asked["message"]))
        expect(f"isError, and what was done, after {action}, {ticked} ({text!r})", (not ticked, ticked), (is_error, "erased the disk" in text))
    peer.answers.action, peer.answers.ticked = "accept", False


async def elicits_url(mode: Mode, peer: Peer) -> None:
    for action in ("accept", "decline"):
        peer.answers.action = action
        since = len(peer.answers.asked)
        _, text = await peer.call("test_elicitation_url", None)
        peer.answers.action = "accept"
        [asked] = peer.answers.asked[since:]
        expect("mode of the question", "url", asked.get("mode"))
        if not asked["url"].startswith("https://") or action not in text:
            raise CheckFailed(f"URL elicitation, {action}: asked {short(asked)}, got {text!r}")


async def question_refused(mode: Mode, peer: Peer) -> None:
    peer.answers.action = "error"
    try:
        with anyio.fail_after(5):
            is_error, text = await peer.call("test_elicitation", {"message": "Will you fail?"})
    except RpcError:
        expect("JSON-RPC error, in a revision in which the client itself drives the rounds", MODERN, mode.revision)
    else:
        expect(f"isError of a call whose question was refused ({text!r})", True, is_error)
    finally:
        peer.answers.action = "accept"
    expect("echo after that", (False, "on we go"), await peer.call("echo", {"text": "on we go"}))


async def samples(mode: Mode, peer: Peer) -> None:
    since = len(peer.answers.asked)
    is_error, text = await peer.call("test_sampling", {"prompt": "What is the \"capital\" of Fränce?"})
    [asked] = peer.answers.asked[since:]
    expect("maxTokens", 100, asked["maxTokens"])
    content = asked["messages"][0]["content"]
    content = content[0] if isinstance(content, list) else content
    expect("the prompt", "What is the \"capital\" of Fränce?", content["text"])
    expect("isError and text", (False, f"LLM response: {peer.answers.SAID}"), (is_error, text))


async def lists_roots(mode: Mode, peer: Peer) -> None:
    is_error, text = await peer.call("test_input_required_result_list_roots", None)
    if is_error or not (peer.answers.ROOT["uri"] in text or peer.answers.ROOT["name"] in text):
        raise CheckFailed(f"roots: expected a text that names the client's, got {text!r}")


async def asks_a_lot(mode: Mode, peer: Peer) -> None:
    for tool, questions in (("test_input_required_result_multiple_inputs", 3), ("test_input_required_result_multi_round", 2)):
        since = len(peer.answers.asked)
        is_error, text = await peer.call(tool, None)
        expect(f"isError of {tool} ({text!r})", False, is_error)
        expect(f"questions of {tool}", questions, len(peer.answers.asked[since:]))
    if mode.revision == MODERN:
        is_error, text = await peer.call("test_input_required_result_request_state", None)
        expect("requestState", (False, True), (is_error, "state-ok" in text))
    prompt = await peer.ask("get_prompt", "test_input_required_result_prompt")
    if peer.answers.NAME not in str(prompt["messages"]):
        raise CheckFailed(f"a prompt that asks: expected the answer in it, got {short(prompt)}")


FEATURES: list[tuple[str, Callable[[Mode, Peer], Awaitable[None]]]] = [
    ("resources/list, templates", lists_resources),
    ("resources/read, text", reads_text),
    ("resources/read, blob", reads_blob),
    ("resource not found", resource_not_found),
    ("prompts/list", lists_prompts),
    ("prompts/get, every kind", gets_prompts),
    ("completion", completes),
    ("content of every kind", content_kinds),
    ("subscription to a resource", subscribes),
    ("prompts/list_changed", prompts_changed),
    ("logs", logs),
    ("elicitation: accept, decline, cancel", elicits),
    ("elicitation: forms", elicits_forms),
    ("a call that the user must confirm", confirms),
    ("elicitation: URL", elicits_url),
    ("a question refused", question_refused),
    ("sampling", samples),
    ("roots", lists_roots),
    ("several questions, several rounds", asks_a_lot),
]
