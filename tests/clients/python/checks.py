"""The checks: each takes a mode and its connected peer, and raises when the server does something else than it must."""

from __future__ import annotations

import time
from typing import Awaitable, Callable

import anyio
from common import (
    CANCEL_SECONDS,
    LIST_CHANGED,
    MESSAGE,
    MODERN,
    SUBSCRIPTION_ID,
    CheckFailed,
    Mode,
    Peer,
    RpcError,
    expect,
    short,
)

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
    answers: dict[int, tuple[bool, str]] = {}

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
