"""Drives a server with the client of `fastmcp` 4: `drive_fastmcp.py BASE_URL [ONLY]`, BASE_URL without a path.

It is built on `mcp` 2.x, but connects, answers and caches in its own way: its callbacks and its transports are used.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any, AsyncIterator, Awaitable, Callable

import anyio
import mcp_types as types
from common import MODERN, OLDER, Answers, Inbox, Mode, Peer, RpcError, expect, until_it_brings
from drive_v2 import first_text
from fastmcp import Client
from fastmcp.client.transports import SSETransport, StreamableHttpTransport
from mcp.client.subscriptions import listen
from mcp.shared.exceptions import MCPError
from modes import run_modes

OF_THE_WIRE = {"list_resources", "list_resource_templates", "read_resource", "list_prompts", "get_prompt", "complete", "call_tool"}
"""Methods whose `_mcp` twin gives the protocol's result."""


class Told:
    """Puts what the client is notified of into an inbox."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def __call__(self, message: Any) -> None:
        if not isinstance(message, Exception):
            self._inbox.put(message.model_dump(by_alias=True, mode="json", exclude_none=True))


def callbacks(answers: Answers) -> dict[str, Any]:
    """What a client is made with, so that it answers the server's questions."""

    def answered(answer: Any) -> Any:
        if isinstance(answer, types.ErrorData):
            raise RuntimeError(answer.message)
        return answer

    async def elicit(_message: str, _type: Any, params: Any, _context: Any) -> Any:
        return answered(answers.elicited(types, params.model_dump(by_alias=True, mode="json", exclude_none=True)))

    async def sample(_messages: Any, params: Any, _context: Any) -> Any:
        return answered(answers.sampled(types, params.model_dump(by_alias=True, mode="json", exclude_none=True)))

    async def roots(_context: Any) -> Any:
        return answers.rooted(types).roots

    return {"elicitation_handler": elicit, "sampling_handler": sample, "roots": roots}


def peer_of(client: Client[Any], base: str, inbox: Inbox, answers: Answers) -> Peer:
    """Dress a client as a peer."""
    revision = str(client.protocol_version)
    brings = anyio.Event()

    async def ask(method: str, *args: Any, **named: Any) -> dict[str, Any]:
        if method in OF_THE_WIRE:
            method += "_mcp"
        if method == "call_tool_mcp":
            args = (args[0], args[1] or {}, *args[2:])
        try:
            # What it has not, the session below it has.
            result = await getattr(client, method, getattr(client.session, method, None))(*args, **named)
        except MCPError as error:
            raise RpcError(error.error.code, error.error.message) from error
        return result.model_dump(by_alias=True, mode="json", exclude_none=True) if result else {}

    async def list_tools() -> list[str]:
        return [tool.name for tool in await client.list_tools()]

    async def call(name: str, arguments: dict[str, Any] | None, progress: Any = None) -> tuple[bool, str]:
        try:
            return first_text(await client.call_tool_mcp(name, arguments or {}, progress_handler=progress))
        except MCPError as error:
            raise RpcError(error.error.code, error.error.message) from error

    async def call_then_cancel(name: str, arguments: dict[str, Any], under_way: Callable[[], Awaitable[None]]) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool_mcp, name, arguments)
            await under_way()
            group.cancel_scope.cancel()

    async def ping() -> None:
        expect("ping", True, await client.ping())

    @contextlib.asynccontextmanager
    async def listening() -> AsyncIterator[None]:
        if revision == MODERN:
            async with listen(client.session, tools_list_changed=True):
                yield None
            return
        if not brings.is_set():
            async with connected(StreamableHttpTransport, f"{base}/mcp", MODERN, base) as rival:
                await until_it_brings(inbox, rival)
            brings.set()
        yield None

    @contextlib.asynccontextmanager
    async def watching(uri: str) -> AsyncIterator[None]:
        if revision == MODERN:
            async with listen(client.session, resource_subscriptions=[uri]) as subscription:
                expect("honoured resourceSubscriptions", [uri], list(subscription.honored.resource_subscriptions or ()))
                yield
            return
        async with listening():
            await ask("subscribe_resource", uri)
            yield
            await ask("unsubscribe_resource", uri)

    modern = revision == MODERN
    return Peer(
        revision, inbox, list_tools, call, call_then_cancel, None if modern else ping, listening, ask, watching, types, answers
    )


@contextlib.asynccontextmanager
async def connected(transport: Any, url: str, mode: str, base: str) -> AsyncIterator[Peer]:
    """A client in one of its modes; `cache=False`: every list is asked of the server."""
    inbox, answers = Inbox(), Answers()
    async with Client(transport(url), mode=mode, cache=False, message_handler=Told(inbox), **callbacks(answers)) as client:
        yield peer_of(client, base, inbox, answers)


def main() -> None:
    base = sys.argv[1].rstrip("/")

    def by_http(mode: str, at: str = base) -> AsyncIterator[Peer]:
        return connected(StreamableHttpTransport, f"{at}/mcp", mode, base)

    def by_sse(path: str) -> AsyncIterator[Peer]:
        return connected(SSETransport, base + path, "auto", base)

    older, modern = (lambda: by_http("legacy")), (lambda: by_http(MODERN))
    modes = [
        Mode("fastmcp sse /sse", lambda: by_sse("/sse"), OLDER, modern),
        Mode("fastmcp sse /mcp", lambda: by_sse("/mcp"), OLDER, modern),
        Mode("fastmcp legacy", older, OLDER, modern, at=lambda other: by_http("legacy", other)),
        Mode("fastmcp auto", lambda: by_http("auto"), MODERN, older, asks_for_logs=True),
        Mode("fastmcp 2026-07-28", modern, MODERN, older, asks_for_logs=True),
    ]
    run_modes(modes, base, sys.argv[2] if len(sys.argv) > 2 else None)


if __name__ == "__main__":
    main()
