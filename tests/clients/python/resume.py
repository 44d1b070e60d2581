"""Checks of streams that break: a proxy stands between the client and the server, and cuts."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, AsyncIterator
from urllib.parse import urlsplit

import anyio
from common import MODERN, UPDATED, CheckFailed, Mode, Peer, expect

SLOW_SECONDS = 5
"""How long the call takes: it is a stream of events from 2 s on, cut at 3 s, fetched after the `retry:` of 2 s."""
CUT_SECONDS = 3.0
RESUME_SECONDS = 25.0
"""A check of this file takes at most this."""


class Proxy:
    """TCP, as it comes, until it is cut."""

    def __init__(self, base: str) -> None:
        target = urlsplit(base)
        self._target = (target.hostname, target.port)
        self._path = target.path.rstrip("/")
        self._ends: set[asyncio.StreamWriter] = set()
        self.base = ""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Proxy]:
        """Listens on a free port of the loopback while inside."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{self._path}"
        try:
            yield self
        finally:
            server.close()
            self.cut()

    def cut(self) -> int:
        """Ends all connections at once; how many ends of such there were."""
        ends = list(self._ends)
        for end in ends:
            end.transport.abort()
        return len(ends)

    async def _serve(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        far_source, far_sink = await asyncio.open_connection(*self._target)
        await asyncio.gather(self._pump(source, far_sink), self._pump(far_source, sink))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        self._ends.add(sink)
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()
        self._ends.discard(sink)


async def cut_call(mode: Mode, base: str) -> None:
    """A call whose stream is cut brings its answer all the same, once."""
    assert mode.at is not None
    async with Proxy(base).running() as proxy, mode.at(proxy.base) as peer, anyio.create_task_group() as group:
        answers: list[Any] = []

        async def call() -> None:
            answers.append(await peer.call("slow_compute", {"seconds": SLOW_SECONDS}))

        group.start_soon(call)
        await anyio.sleep(CUT_SECONDS)
        if not proxy.cut():
            raise CheckFailed("no connection was there to cut")
        expect("answers before the cut", [], answers)
        with anyio.fail_after(RESUME_SECONDS - CUT_SECONDS - 5):
            while not answers:
                await anyio.sleep(0.05)
        [(is_error, text)] = answers
        expect(f"isError and text of the answer ({text!r})", (False, True), (is_error, text.endswith(f" for {SLOW_SECONDS} s")))
        expect("echo on the same session", (False, "same"), await peer.call("echo", {"text": "same"}))


async def missed_event(mode: Mode, base: str) -> None:
    """What happened while the stream of the session was broken is brought once it is back."""
    assert mode.at is not None
    async with Proxy(base).running() as proxy, mode.at(proxy.base) as peer, mode.rival() as rival:
        async with peer.watching("test://watched-resource"):
            since = len(peer.inbox.messages)
            # An event first: its id is what the client resumes from.
            await rival.call("test_trigger_resource_update", None)
            await peer.inbox.exactly_once(UPDATED, since)
            proxy.cut()
            since = len(peer.inbox.messages)
            await rival.call("test_trigger_resource_update", None)
            await peer.inbox.exactly_once(UPDATED, since)


async def server_ends_the_stream(mode: Mode, peer: Peer) -> None:
    """The server closes the call's stream on purpose; the client comes back for the answer."""
    is_error, text = await peer.call("test_reconnection", None)
    expect(f"isError of test_reconnection ({text!r})", False, is_error)


def resumable(mode: Mode) -> bool:
    """Whether streams can be resumed: over Streamable HTTP, before 2026-07-28."""
    return mode.at is not None and mode.revision != MODERN
