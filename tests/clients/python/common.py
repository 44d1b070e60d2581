"""What the Python drivers and their checks share: the face of a client, its inbox, and the report."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Any, AsyncContextManager, Awaitable, Callable

import anyio

CHECK_SECONDS = 15.0
"""A check that takes longer than this has hung; the slowest good one takes about a second."""
CANCEL_SECONDS = 5.0
"""The server has to notice a cancellation within this."""
QUIET_SECONDS = 0.4
"""How long nothing more may come once a message that must come only once has come. Absence is no event, so this waits."""
STREAM_TRIES = 50
"""How often a stream is tried, every 0.1 s, of a client that opens it when it likes and says nothing of it."""
CLOSE_SECONDS = 5.0
"""A client closes within this, whatever its server does."""

OLDER = os.environ.get("SMOL_MCP_OLDER", "2025-11-25")
"""What a client with sessions asks for: its newest, or one that it is made to ask for."""
MODERN = "2026-07-28"

LIST_CHANGED = "notifications/tools/list_changed"
PROMPTS_CHANGED = "notifications/prompts/list_changed"
UPDATED = "notifications/resources/updated"
MESSAGE = "notifications/message"
SUBSCRIPTION_ID = "io.modelcontextprotocol/subscriptionId"

PREFIX = os.environ.get("SMOL_MCP_PREFIX", "")
"""Stands before every name, so that the lines of two servers can be told apart."""


class CheckFailed(Exception):
    """The server did something else than it must; the message says what was expected and what came."""


class RpcError(Exception):
    """A JSON-RPC error as the client surfaced it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"JSON-RPC error {code}: {message}")
        self.code = code
        self.message = message


def expect(what: str, expected: Any, got: Any) -> None:
    """Fail with both values when they differ."""
    if expected != got:
        raise CheckFailed(f"{what}: expected {short(expected)}, got {short(got)}")


def short(value: Any) -> str:
    """A value as it fits on a line."""
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:200]} ...({len(text)} characters)... {text[-60:]}"


def why(error: BaseException) -> str:
    """An exception, groups opened, on one line."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(why(inner) for inner in error.exceptions)
    text = str(error).replace("\n", " ") or type(error).__name__
    return text if isinstance(error, CheckFailed) else f"{type(error).__name__}: {text}"


class Inbox:
    """Every JSON-RPC message that the transport brought, as a plain dict, before the client could merge or hide any."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self._arrived = anyio.Event()

    def put(self, message: dict[str, Any]) -> None:
        """Record one message and wake who waits."""
        self.messages.append(message)
        self._arrived.set()
        self._arrived = anyio.Event()

    def matching(self, method: str, since: int = 0, data: Any = None) -> list[dict[str, Any]]:
        """The notifications of one method after position `since`; with `data`, only those whose `params.data` equals it."""
        return [
            m
            for m in self.messages[since:]
            if m.get("method") == method and (data is None or (m.get("params") or {}).get("data") == data)
        ]

    async def exactly_once(self, method: str, since: int, data: Any = None) -> dict[str, Any]:
        """Wait for the notification, then see that it does not come again."""
        with anyio.move_on_after(CANCEL_SECONDS):
            while not self.matching(method, since, data):
                await self._arrived.wait()
        found = self.matching(method, since, data)
        if not found:
            since_then = [m.get("method", "an answer") for m in self.messages[since:]]
            raise CheckFailed(f"{method}: expected it within {CANCEL_SECONDS} s, got only {short(since_then)}")
        await anyio.sleep(QUIET_SECONDS)
        found = self.matching(method, since, data)
        expect(f"number of {method}", 1, len(found))
        return found[0]


class Tap:
    """A client's read stream that copies what it brings into an inbox. Everything else is the stream's own."""

    def __init__(self, stream: Any, inbox: Inbox) -> None:
        self._stream = stream
        self._inbox = inbox

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def __aenter__(self) -> Tap:
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> Any:
        return await self._stream.__aexit__(*error)

    def __aiter__(self) -> Tap:
        return self

    async def __anext__(self) -> Any:
        return self._seen(await self._stream.__anext__())

    async def receive(self) -> Any:
        """The next message, recorded on its way."""
        return self._seen(await self._stream.receive())

    def _seen(self, item: Any) -> Any:
        if not isinstance(item, Exception):
            message = getattr(item.message, "root", item.message)
            self._inbox.put(message.model_dump(by_alias=True, mode="json", exclude_none=True))
        return item


@dataclass
class Answers:
    """What the client says to the server's questions, and what it was asked."""

    action: str = "accept"
    """`accept`, `decline` or `cancel`; `error` for a JSON-RPC error in place of an answer."""
    ticked: bool = False
    """What becomes of the boxes of a form."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    """The parameters of each question, as JSON."""

    SAID = "Paris, says the model of the test"
    NAME = "Zoë Äpfel"
    ROOT = {"uri": "file:///home/drive/root", "name": "the root of the test"}

    def elicited(self, types: Any, params: dict[str, Any]) -> Any:
        """The answer to `elicitation/create`."""
        self.asked.append(params)
        if self.action == "error":
            return types.ErrorData(code=-32603, message="the user's screen is broken")
        answer: dict[str, Any] = {"action": self.action}
        if self.action == "accept" and params.get("mode", "form") == "form":
            properties = params["requestedSchema"]["properties"]
            boxes = {name: self.ticked for name, schema in properties.items() if schema.get("type") == "boolean"}
            answer["content"] = {name: filled_in(schema) for name, schema in properties.items()} | boxes
        return types.ElicitResult.model_validate(answer)

    def sampled(self, types: Any, params: dict[str, Any]) -> Any:
        """The answer to `sampling/createMessage`."""
        self.asked.append(params)
        if self.action == "error":
            return types.ErrorData(code=-1, message="the user said no")
        said = {"role": "assistant", "content": {"type": "text", "text": self.SAID}, "model": "test", "stopReason": "endTurn"}
        return types.CreateMessageResult.model_validate(said)

    def rooted(self, types: Any) -> Any:
        """The answer to `roots/list`."""
        self.asked.append({})
        return types.ListRootsResult.model_validate({"roots": [self.ROOT]})


def filled_in(schema: dict[str, Any]) -> Any:
    """A value that the field of a form allows: not its default, where there is a choice."""
    if choices := schema.get("enum") or [one["const"] for one in schema.get("oneOf") or schema.get("anyOf") or ()]:
        return choices[-1]
    match schema["type"]:
        case "array":
            return [filled_in(schema["items"])]
        case "boolean":
            return False
        case "integer" | "number":
            return schema.get("minimum", 41)
        case _:
            return "zoe@example.com" if schema.get("format") == "email" else Answers.NAME


@dataclass
class Peer:
    """One connected client, the same face for every version and transport."""

    revision: str
    inbox: Inbox
    list_tools: Callable[[], Awaitable[list[str]]]
    call: Callable[..., Awaitable[tuple[bool, str]]]
    """`(name, arguments, progress=None)` -> (isError, text of the first content block); raises RpcError."""
    call_then_cancel: Callable[[str, dict[str, Any], Callable[[], Awaitable[None]]], Awaitable[None]]
    """Start a call, await the given function (the call is then under way), cancel as this revision does."""
    ping: Callable[[], Awaitable[None]] | None
    listening: Callable[[], AsyncContextManager[Any]]
    """While inside, the server has a stream on which it can notify this client."""
    ask: Callable[..., Awaitable[dict[str, Any]]]
    """A method of the client by its name, with its arguments -> the result as JSON; raises RpcError."""
    watching: Callable[[str], AsyncContextManager[None]]
    """While inside, the client is subscribed to that resource, as its revision does it."""
    types: Any
    """The module of the client's types."""
    answers: Answers


async def until_it_brings(inbox: Inbox, rival: Peer) -> None:
    """A change has come by the stream, and no other is under way."""
    for _ in range(STREAM_TRIES):
        since = len(inbox.messages)
        await rival.call("notify", None)
        await anyio.sleep(0.1)
        if inbox.matching(LIST_CHANGED, since):
            await anyio.sleep(0.3)
            return
    raise CheckFailed(f"no stream brought anything within {STREAM_TRIES / 10} s")


@dataclass
class Mode:
    """One way to connect: a name, how, and the revision that must come of it."""

    name: str
    connect: Callable[[], AsyncContextManager[Peer]]
    revision: str
    rival: Callable[[], AsyncContextManager[Peer]]
    """The other client that causes changes: of another transport or era where there is one."""
    at: Callable[[str], AsyncContextManager[Peer]] | None = None
    """As `connect`, by way of another base URL: there where a broken stream can be resumed."""
    checks_left_out: tuple[str, ...] = ()
    """Checks that this way to connect cannot do, for a reason of the client's own."""
    asks_for_logs: bool = False
    """Whether the client asks for logs with every request of the stateless revision."""


@dataclass
class Report:
    """Prints the lines and counts them."""

    passed: int = 0
    failed: int = 0
    started: float = field(default_factory=time.monotonic)

    def ok(self, name: str) -> None:
        """A check that held."""
        self.passed += 1
        print(f"ok {PREFIX}{name}", flush=True)

    def fail(self, name: str, reason: str) -> None:
        """A check that did not hold, and why."""
        self.failed += 1
        print(f"FAIL {PREFIX}{name}: {reason}", flush=True)

    async def check(self, name: str, body: Callable[[], Awaitable[None]], seconds: float = CHECK_SECONDS) -> None:
        """Run one check under its time-out and print its line."""
        try:
            with anyio.fail_after(seconds):
                await body()
        except TimeoutError as error:
            self.fail(name, f"no end within {seconds} s ({why(error)})")
        except Exception as error:
            self.fail(name, why(error))
        else:
            self.ok(name)
