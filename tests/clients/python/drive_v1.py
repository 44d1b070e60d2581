"""Drives a server with the client of Python `mcp` 1.x: `drive_v1.py BASE_URL [ONLY]`, BASE_URL without a path."""

from __future__ import annotations

import contextlib
import sys
from typing import Any, AsyncIterator, Awaitable, Callable

import anyio
import mcp.types as types
from common import OLDER, Answers, CheckFailed, Inbox, Mode, Peer, RpcError, Tap
from mcp import ClientSession, McpError
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamablehttp_client
from mcp.shared._httpx_utils import create_mcp_http_client
from modes import run_modes


def first_text(result: types.CallToolResult) -> tuple[bool, str]:
    """(isError, text of the first content block)."""
    text = next((block.text for block in result.content if isinstance(block, types.TextContent)), "")
    return bool(result.isError), text


class Session(ClientSession):
    """A session that answers the server's questions."""

    def __init__(self, read: Any, write: Any) -> None:
        self.answers = Answers()

        async def elicit(_context: Any, params: Any) -> Any:
            return self.answers.elicited(types, params.model_dump(by_alias=True, mode="json", exclude_none=True))

        async def sample(_context: Any, params: Any) -> Any:
            return self.answers.sampled(types, params.model_dump(by_alias=True, mode="json", exclude_none=True))

        async def roots(_context: Any) -> Any:
            return self.answers.rooted(types)

        super().__init__(read, write, elicitation_callback=elicit, sampling_callback=sample, list_roots_callback=roots)


async def open_peer(session: Session, inbox: Inbox, listening: Callable[[], Any]) -> Peer:
    """Initialize and dress the session as a peer."""
    answer = await session.initialize()

    async def ask(method: str, *args: Any, **named: Any) -> dict[str, Any]:
        try:
            result = await getattr(session, method)(*args, **named)
        except McpError as error:
            raise RpcError(error.error.code, error.error.message) from error
        return result.model_dump(by_alias=True, mode="json", exclude_none=True)

    @contextlib.asynccontextmanager
    async def watching(uri: str) -> AsyncIterator[None]:
        async with listening():
            await ask("subscribe_resource", uri)
            yield
            await ask("unsubscribe_resource", uri)

    async def list_tools() -> list[str]:
        return [tool.name for tool in (await session.list_tools()).tools]

    async def call(name: str, arguments: dict[str, Any] | None, progress: Any = None) -> tuple[bool, str]:
        try:
            return first_text(await session.call_tool(name, arguments, progress_callback=progress))
        except McpError as error:
            raise RpcError(error.error.code, error.error.message) from error

    async def call_then_cancel(name: str, arguments: dict[str, Any], under_way: Callable[[], Awaitable[None]]) -> None:
        # This client has no cancel of its own: an application sends the notification with the request's id.
        request_id = session._request_id
        async with anyio.create_task_group() as group:
            group.start_soon(session.call_tool, name, arguments)
            await anyio.lowlevel.checkpoint()
            await under_way()
            note = types.CancelledNotification(params=types.CancelledNotificationParams(requestId=request_id, reason="test"))
            await session.send_notification(types.ClientNotification(note))
            group.cancel_scope.cancel()

    async def ping() -> None:
        await session.send_ping()

    return Peer(
        answer.protocolVersion, inbox, list_tools, call, call_then_cancel, ping, listening, ask, watching, types, session.answers
    )


@contextlib.asynccontextmanager
async def over_sse(url: str) -> AsyncIterator[Peer]:
    """The transport of 2024-11-05: the stream is there from the start."""
    inbox = Inbox()

    @contextlib.asynccontextmanager
    async def listening() -> AsyncIterator[None]:
        yield None

    async with sse_client(url) as (read, write), Session(Tap(read, inbox), write) as session:
        yield await open_peer(session, inbox, listening)


@contextlib.asynccontextmanager
async def over_http(url: str) -> AsyncIterator[Peer]:
    """Streamable HTTP: the stream is there when the client's GET has been answered."""
    inbox = Inbox()
    answered = anyio.Event()
    statuses: list[int] = []

    async def note(response: Any) -> None:
        if response.request.method == "GET":
            statuses.append(response.status_code)
            answered.set()

    def factory(headers: Any = None, timeout: Any = None, auth: Any = None) -> Any:
        client = create_mcp_http_client(headers=headers, timeout=timeout, auth=auth)
        client.event_hooks = {"request": [], "response": [note]}
        return client

    @contextlib.asynccontextmanager
    async def listening() -> AsyncIterator[None]:
        await answered.wait()
        if statuses[-1] != 200:
            raise CheckFailed(f"GET for the server's stream: expected 200, got {statuses[-1]}")
        yield None

    async with streamablehttp_client(url, httpx_client_factory=factory) as (read, write, _):
        async with Session(Tap(read, inbox), write) as session:
            yield await open_peer(session, inbox, listening)


def main() -> None:
    types.LATEST_PROTOCOL_VERSION = OLDER
    base = sys.argv[1].rstrip("/")
    sse, http = (lambda: over_sse(f"{base}/sse")), (lambda: over_http(f"{base}/mcp"))
    modes = [
        Mode("py1 sse /mcp", lambda: over_sse(f"{base}/mcp"), OLDER, http),
        Mode("py1 sse /sse", sse, OLDER, http),
        Mode("py1 http /mcp", http, OLDER, sse, at=lambda other: over_http(f"{other}/mcp")),
        Mode("py1 http /mcp/", lambda: over_http(f"{base}/mcp/"), OLDER, http),
    ]
    run_modes(modes, base, sys.argv[2] if len(sys.argv) > 2 else None)


if __name__ == "__main__":
    main()
