"""What every Python driver does with a client, whatever its version.

A driver gives `run_modes` a list of `Mode`s. A mode opens a `Peer` (one connected client); the checks below are then
done on that one peer, in order, each with a time-out of its own. One line is printed for each check:
`ok NAME` or `FAIL NAME: why`. The process exits with 1 when any failed. SMOL_MCP_CHECKS (names, `|` between) chooses
some checks, for a server that has only some of the tools.
"""

from __future__ import annotations

import os
import sys
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
CLOSE_SECONDS = 5.0
"""A client closes within this, whatever its server does."""

OLDER = "2025-11-25"
MODERN = "2026-07-28"

LIST_CHANGED = "notifications/tools/list_changed"
MESSAGE = "notifications/message"
SUBSCRIPTION_ID = "io.modelcontextprotocol/subscriptionId"

PREFIX = os.environ.get("SMOL_MCP_PREFIX", "")
"""Stands before every name, so that the lines of two servers can be told apart."""

AWKWARD = {
    "plain": "hello",
    "empty": "",
    "unicode": "Grüße, Ωmega, עברית, 漢字, e\u0301",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 \U0001f600\U00010437",
    "quotes": "\"double\" 'single' `back` \\ backslash \\\\ \\n \\u0041 / </script>",
    "newlines": "one\ntwo\r\nthree\rfour\n\nsix\ttab",
    "event stream look-alike": "data: x\n\nevent: endpoint\ndata: /evil\n\n: comment\nid: 7",
    "controls": "nul \x00 bell \x07 esc \x1b del \x7f nel \x85 ls \u2028 ps \u2029 bom \ufeff",
    "json look-alike": '{"jsonrpc":"2.0","id":1,"result":{}}',
    "three thousand bytes": "0123456789ä" * 250 + "end",
    "three thousand escapes": "\"\\\n" * 1000,
}
"""Texts that a framing or an escaping that is nearly right gets wrong."""


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


@dataclass
class Mode:
    """One way to connect: a name, how, and the revision that must come of it."""

    name: str
    connect: Callable[[], AsyncContextManager[Peer]]
    revision: str
    rival: Callable[[], AsyncContextManager[Peer]]
    """The other client that causes changes: of another transport or era where there is one."""


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


# The checks. Each takes the mode and the connected peer.


async def negotiated(mode: Mode, peer: Peer) -> None:
    expect("negotiated revision", mode.revision, peer.revision)


async def lists_tools(mode: Mode, peer: Peer) -> None:
    names = await peer.list_tools()
    expect("duplicate tool names", [], sorted({n for n in names if names.count(n) > 1}))
    wanted = {"echo", "add", "notify", "broadcast", "slow_compute", "cancelled_count", "test_tool_with_progress"}
    expect("tools missing from tools/list", set(), wanted - set(names))


async def echoes(mode: Mode, peer: Peer) -> None:
    for kind, text in AWKWARD.items():
        expect(f"echo of {kind}", (False, text), await peer.call("echo", {"text": text}))


async def adds(mode: Mode, peer: Peer) -> None:
    for a, b in ((1, 2), (-5, 3), (0, 0), (2**31 - 2, 1), (-(2**31) + 1, -1)):
        expect(f"add {a} and {b}", (False, str(a + b)), await peer.call("add", {"a": a, "b": b}))


async def calls_without_arguments(mode: Mode, peer: Peer) -> None:
    expect("test_simple_text", (False, "This is a simple text response for testing."), await peer.call("test_simple_text", None))


async def unknown_tool(mode: Mode, peer: Peer) -> None:
    try:
        came = await peer.call("no_such_tool", {})
    except RpcError as error:
        expect("code of the error for an unknown tool", -32602, error.code)
    else:
        raise CheckFailed(f"unknown tool: expected JSON-RPC error -32602, got the result {short(came)}")


async def wrong_arguments(mode: Mode, peer: Peer) -> None:
    for arguments, field_name in (({"a": "x", "b": 2}, "a"), ({"a": 1}, "b"), ({"a": 1, "b": None}, "b"), ({"a": 1, "b": 1.5}, "b")):
        is_error, text = await peer.call("add", arguments)
        expect(f"isError of add {arguments} (text {short(text)})", True, is_error)
        if field_name not in text:
            raise CheckFailed(f"add {arguments}: expected a text that names the field {field_name!r}, got {short(text)}")
    is_error, _ = await peer.call("echo", {})
    expect("isError of echo without its text", True, is_error)


async def tool_error(mode: Mode, peer: Peer) -> None:
    is_error, text = await peer.call("test_error_handling", None)
    expect("isError of test_error_handling", True, is_error)
    if not text:
        raise CheckFailed("test_error_handling: expected a text that says what went wrong, got none")


async def progress(mode: Mode, peer: Peer) -> None:
    came: list[tuple[float, float | None]] = []
    done = anyio.Event()

    async def note(value: float, total: float | None, message: str | None) -> None:
        came.append((value, total))
        if len(came) >= 3:
            done.set()

    is_error, _ = await peer.call("test_tool_with_progress", None, note)
    with anyio.move_on_after(1):
        await done.wait()
    expect("isError of test_tool_with_progress", False, is_error)
    expect("progress (value, total), in order", [(0, 100), (50, 100), (100, 100)], came)


async def list_changed(mode: Mode, peer: Peer) -> None:
    async with peer.listening() as honoured, mode.rival() as rival:
        since = len(peer.inbox.messages)
        await rival.call("notify", None)
        message = await peer.inbox.exactly_once(LIST_CHANGED, since)
        stamp = ((message.get("params") or {}).get("_meta") or {}).get(SUBSCRIPTION_ID)
        if mode.revision == MODERN and stamp is None:
            raise CheckFailed(f"list_changed on a listen stream: expected a {SUBSCRIPTION_ID} in _meta, got {short(message)}")
        # A stream that is in use has to bring the next one as well.
        since = len(peer.inbox.messages)
        await rival.call("test_trigger_tool_change" if "test_trigger_tool_change" in await rival.list_tools() else "notify", None)
        await peer.inbox.exactly_once(LIST_CHANGED, since)
        if honoured is not None:
            await honoured()


async def broadcast(mode: Mode, peer: Peer) -> None:
    text = f"free message ä \"quoted\"\n{time.monotonic_ns()}"
    async with peer.listening(), mode.rival() as rival:
        since = len(peer.inbox.messages)
        await rival.call("broadcast", {"text": text})
        if mode.revision != MODERN:
            message = await peer.inbox.exactly_once(MESSAGE, since, text)
            expect("level of the broadcast", "info", message["params"].get("level"))
            return
        # A listener of the stateless revision gets only what it asked for: what comes after the broadcast proves it.
        await rival.call("notify", None)
        await peer.inbox.exactly_once(LIST_CHANGED, since)
        expect("notifications/message on a listen stream", [], peer.inbox.matching(MESSAGE, since))


async def cancels(mode: Mode, peer: Peer) -> None:
    before = int((await peer.call("cancelled_count", None))[1])

    async def under_way() -> None:
        for _ in range(2):
            await peer.call("echo", {"text": "the call before this one has reached the server"})

    await peer.call_then_cancel("slow_compute", {"seconds": 30}, under_way)
    count = before
    with anyio.move_on_after(CANCEL_SECONDS):
        while count == before:
            await anyio.sleep(0.05)
            count = int((await peer.call("cancelled_count", None))[1])
    expect(f"cancelled_count within {CANCEL_SECONDS} s of the cancellation", before + 1, count)
    expect("echo after a cancellation", (False, "still here"), await peer.call("echo", {"text": "still here"}))


async def parallel(mode: Mode, peer: Peer) -> None:
    answers: dict[int, Any] = {}

    async def one(number: int) -> None:
        # Every other one is slow, so that answers have to overtake.
        if number % 2:
            is_error, text = await peer.call("slow_compute", {"seconds": 1})
            expect(f"isError of slow_compute (text {short(text)})", False, is_error)
        answers[number] = await peer.call("echo", {"text": f"number {number}"})

    async with anyio.create_task_group() as group:
        for number in range(6):
            group.start_soon(one, number)
    expect("answers of six calls at once", {n: (False, f"number {n}") for n in range(6)}, answers)


async def pings(mode: Mode, peer: Peer) -> None:
    if peer.ping is not None:
        await peer.ping()


CHECKS: list[tuple[str, Callable[[Mode, Peer], Awaitable[None]]]] = [
    ("negotiated revision", negotiated),
    ("tools/list", lists_tools),
    ("echo of awkward texts", echoes),
    ("add", adds),
    ("call without arguments", calls_without_arguments),
    ("unknown tool", unknown_tool),
    ("wrong arguments", wrong_arguments),
    ("tool error", tool_error),
    ("progress in order", progress),
    ("list_changed once, caused by another client", list_changed),
    ("broadcast", broadcast),
    ("cancel", cancels),
    ("calls in parallel", parallel),
]


class Keeper:
    """Holds one client open in a task of its own: a client's context has to be left by the task that entered it."""

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self._closing = anyio.Event()
        self.ready = anyio.Event()
        self.ended = anyio.Event()
        self.peer: Peer | None = None
        self.error: BaseException | None = None

    async def run(self) -> None:
        """Connect, stay until `close`, leave. Never raises: the checks ask `error`."""
        try:
            async with self._mode.connect() as peer:
                self.peer = peer
                self.ready.set()
                await self._closing.wait()
        except Exception as error:
            self.error = error
        finally:
            self.ready.set()
            self.ended.set()

    async def opened(self) -> None:
        """The client is connected, or the check fails with the reason."""
        await self.ready.wait()
        self.raise_error()

    async def close(self) -> None:
        """Leave the client as an application does, and see that it raised nothing."""
        self._closing.set()
        await self.ended.wait()
        self.raise_error()

    def raise_error(self) -> None:
        """Fail with what ended the client, if something did."""
        if self.error is not None:
            raise self.error


async def run_mode(report: Report, mode: Mode) -> None:
    """All checks of one mode: connect, use, close, connect again."""
    checks = [*CHECKS, ("ping", pings)] if mode.revision != MODERN else CHECKS
    if chosen := os.environ.get("SMOL_MCP_CHECKS"):
        checks = [(name, check) for name, check in checks if name in chosen.split("|")]
    keeper = Keeper(mode)
    async with anyio.create_task_group() as group:
        group.start_soon(keeper.run)
        await report.check(f"{mode.name}: connect", keeper.opened)
        for name, check in checks:
            if keeper.peer is None or keeper.ended.is_set():
                report.fail(f"{mode.name}: {name}", f"no connection ({why(keeper.error) if keeper.error else 'timed out'})")
                continue
            peer = keeper.peer
            await report.check(f"{mode.name}: {name}", lambda: check(mode, peer))  # noqa: B023 (awaited at once)
        await report.check(f"{mode.name}: close", keeper.close, CLOSE_SECONDS)
        group.cancel_scope.cancel()
    await report.check(f"{mode.name}: a new client after the close", lambda: once_more(mode))


async def once_more(mode: Mode) -> None:
    """A fresh client of the same mode, one call, closed."""
    async with mode.connect() as peer:
        expect("echo of a new client", (False, "again"), await peer.call("echo", {"text": "again"}))


def run_modes(modes: list[Mode], only: str | None) -> None:
    """Run every mode (or those whose name contains `only`), print the lines, end the process."""
    report = Report()

    async def all_of_them() -> None:
        for mode in modes:
            if only is None or only in mode.name:
                await run_mode(report, mode)

    anyio.run(all_of_them)
    print(f"# {report.passed} ok, {report.failed} FAIL, {time.monotonic() - report.started:.1f} s", flush=True)
    sys.exit(1 if report.failed or not report.passed else 0)
