"""Checks of streams that break: a proxy stands between the client and the server, and cuts."""

from __future__ import annotations

import contextlib
from typing import Any, AsyncIterator
from urllib.parse import urlsplit

import anyio
import anyio.abc
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
        self._target = (target.hostname or "", target.port or 80)
        self._connections: set[anyio.CancelScope] = set()
        self.base = ""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Proxy]:
        """Listens on a free port of the loopback while inside."""
        async with anyio.create_task_group() as group, await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
            self.base = f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}"
            group.start_soon(self._accept, listener)
            try:
                yield self
            finally:
                group.cancel_scope.cancel()

    async def _accept(self, listener: Any) -> None:
        with contextlib.suppress(anyio.ClosedResourceError):  # its end
            await listener.serve(self._serve)

    def cut(self) -> int:
        """Ends all connections at once; how many there were."""
        cut = list(self._connections)
        for scope in cut:
            scope.cancel()
        return len(cut)

    async def _serve(self, client: anyio.abc.SocketStream) -> None:
        with anyio.CancelScope() as scope, contextlib.suppress(OSError):
            self._connections.add(scope)
            try:
                async with client, await anyio.connect_tcp(*self._target) as server, anyio.create_task_group() as group:
                    group.start_soon(self._pump, client, server, scope)
                    group.start_soon(self._pump, server, client, scope)
            finally:
                self._connections.discard(scope)

    @staticmethod
    async def _pump(source: anyio.abc.SocketStream, sink: anyio.abc.SocketStream, scope: anyio.CancelScope) -> None:
        # The other direction may have ended the connection already, in the middle of anything.
        with contextlib.suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            while True:
                await sink.send(await source.receive())
        scope.cancel()


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
        expect("the answer", [(False, f"computed for {SLOW_SECONDS} s")], answers)
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
