"""Drives a server with the client of Python `mcp` 2.x: `drive_v2.py BASE_URL [ONLY]`, BASE_URL without a path."""

from __future__ import annotations

import contextlib
import sys
from typing import Any, AsyncIterator, Awaitable, Callable

import anyio
import mcp_types as types
from common import MODERN, OLDER, Answers, CheckFailed, Inbox, Mode, Peer, RpcError, Tap, expect
from mcp import Client, ClientSession
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import ToolsListChanged
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.exceptions import MCPError
from modes import run_modes


class Wire:
    """What the test sees of one transport: the messages, and the answers to its GETs."""

    def __init__(self) -> None:
        self.inbox = Inbox()
        self.get_answered = anyio.Event()
        self.get_statuses: list[int] = []

    async def note(self, response: Any) -> None:
        """The response hook of the HTTP client."""
        if response.request.method == "GET":
            self.get_statuses.append(response.status_code)
            self.get_answered.set()

    @contextlib.asynccontextmanager
    async def sse(self, url: str) -> AsyncIterator[Any]:
        """The transport of 2024-11-05, tapped."""
        async with sse_client(url) as (read, write):
            self.get_statuses.append(200)
            self.get_answered.set()
            yield Tap(read, self.inbox), write

    @contextlib.asynccontextmanager
    async def http(self, url: str) -> AsyncIterator[Any]:
        """Streamable HTTP, tapped."""
        async with create_mcp_http_client() as client:
            client.event_hooks = {"request": [], "response": [self.note]}
            async with streamable_http_client(url, http_client=client) as (read, write):
                yield Tap(read, self.inbox), write


def first_text(result: types.CallToolResult) -> tuple[bool, str]:
    """(isError, text of the first content block)."""
    text = next((block.text for block in result.content if isinstance(block, types.TextContent)), "")
    return bool(result.is_error), text


def callbacks(answers: Answers) -> dict[str, Any]:
    """What a client is made with, so that it answers the server's questions."""

    async def elicit(_context: Any, params: Any) -> Any:
        return answers.elicited(types, params.model_dump(by_alias=True, mode="json", exclude_none=True))

    async def sample(_context: Any, params: Any) -> Any:
        return answers.sampled(types, params.model_dump(by_alias=True, mode="json", exclude_none=True))

    async def roots(_context: Any) -> Any:
        return answers.rooted(types)

    return {"elicitation_callback": elicit, "sampling_callback": sample, "list_roots_callback": roots}


def peer_of(client: Any, revision: str, wire: Wire, answers: Answers) -> Peer:
    """Dress a `Client` or a `ClientSession` as a peer: the calls used have the same shape in both."""

    async def ask(method: str, *args: Any, **named: Any) -> dict[str, Any]:
        try:
            result = await getattr(client, method)(*args, **named)
        except MCPError as error:
            raise RpcError(error.error.code, error.error.message) from error
        return result.model_dump(by_alias=True, mode="json", exclude_none=True)

    async def list_tools() -> list[str]:
        return [tool.name for tool in (await client.list_tools()).tools]

    async def call(name: str, arguments: dict[str, Any] | None, progress: Any = None) -> tuple[bool, str]:
        try:
            return first_text(await client.call_tool(name, arguments, progress_callback=progress))
        except MCPError as error:
            raise RpcError(error.error.code, error.error.message) from error

    async def call_then_cancel(name: str, arguments: dict[str, Any], under_way: Callable[[], Awaitable[None]]) -> None:
        # Cancelling the awaiting task is this client's cancel: a notification before 2026-07-28, a closed stream since.
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, name, arguments)
            await under_way()
            group.cancel_scope.cancel()

    async def ping() -> None:
        await client.send_ping()

    @contextlib.asynccontextmanager
    async def get_stream() -> AsyncIterator[None]:
        await wire.get_answered.wait()
        if wire.get_statuses[-1] != 200:
            raise CheckFailed(f"GET for the server's stream: expected 200, got {wire.get_statuses[-1]}")
        yield None

    @contextlib.asynccontextmanager
    async def listen_stream() -> AsyncIterator[Any]:
        async with client.listen(tools_list_changed=True) as subscription:
            expect("honoured toolsListChanged", True, subscription.honored.tools_list_changed)

            async def as_the_application_sees_it() -> None:
                with anyio.fail_after(2):
                    expect("event of the subscription", ToolsListChanged(), await anext(subscription))

            yield as_the_application_sees_it

    @contextlib.asynccontextmanager
    async def watching(uri: str) -> AsyncIterator[None]:
        if revision == MODERN:
            async with client.listen(resource_subscriptions=[uri]) as subscription:
                expect("honoured resourceSubscriptions", [uri], list(subscription.honored.resource_subscriptions or ()))
                yield
            return
        async with get_stream():
            await ask("subscribe_resource", uri)
            yield
            await ask("unsubscribe_resource", uri)

    modern = revision == MODERN
    listening = listen_stream if modern else get_stream
    return Peer(
        revision, wire.inbox, list_tools, call, call_then_cancel, None if modern else ping, listening, ask, watching, types, answers
    )


@contextlib.asynccontextmanager
async def by_session(transport: str, url: str) -> AsyncIterator[Peer]:
    """The lower face: `ClientSession.initialize()` on a transport."""
    wire, answers = Wire(), Answers()
    async with getattr(wire, transport)(url) as (read, write), ClientSession(read, write, **callbacks(answers)) as session:
        answer = await session.initialize()
        yield peer_of(session, answer.protocol_version, wire, answers)


@contextlib.asynccontextmanager
async def by_client(transport: str, url: str, mode: str) -> AsyncIterator[Peer]:
    """The upper face: `Client` in one of its modes. `cache=None`: every list is asked of the server."""
    wire, answers = Wire(), Answers()
    async with Client(getattr(wire, transport)(url), mode=mode, cache=None, **callbacks(answers)) as client:
        yield peer_of(client, client.protocol_version, wire, answers)


def main() -> None:
    base = sys.argv[1].rstrip("/")
    mcp, sse = f"{base}/mcp", f"{base}/sse"
    older, modern = (lambda: by_session("http", mcp)), (lambda: by_client("http", mcp, MODERN))
    modes = [
        Mode("py2 sse /mcp", lambda: by_session("sse", mcp), OLDER, modern),
        Mode("py2 sse /sse", lambda: by_session("sse", sse), OLDER, modern),
        # The stateless probe goes through the old transport first and has to be refused there.
        Mode("py2 Client auto over sse /mcp", lambda: by_client("sse", mcp, "auto"), OLDER, older),
        Mode("py2 http /mcp", older, OLDER, modern, at=lambda other: by_session("http", f"{other}/mcp")),
        Mode("py2 Client legacy", lambda: by_client("http", mcp, "legacy"), OLDER, modern),
        Mode("py2 Client auto", lambda: by_client("http", mcp, "auto"), MODERN, older),
        Mode("py2 Client 2026-07-28", modern, MODERN, older),
        Mode("py2 Client 2026-07-28 /mcp/", lambda: by_client("http", f"{mcp}/", MODERN), MODERN, older),
    ]
    run_modes(modes, base, sys.argv[2] if len(sys.argv) > 2 else None)


if __name__ == "__main__":
    main()
