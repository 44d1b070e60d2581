"""Drives a server through mcp-remote, as Claude Desktop does: `drive_remote.py NODE MCP_REMOTE BASE_URL [ONLY]`.

MCP_REMOTE is its `proxy.js`, BASE_URL is without a path. A client of Python `mcp` 1.x speaks to the bridge by stdio.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from typing import Any, AsyncIterator

import anyio
from common import OLDER, Inbox, Mode, Peer, Tap, until_it_brings
from drive_v1 import Session, open_peer, over_http
from mcp.client.stdio import StdioServerParameters, stdio_client
from modes import run_modes

class Bridge:
    """How mcp-remote is started."""

    def __init__(self, node: str, program: str, base: str, folder: str) -> None:
        self._command = [node, program]
        self._base = base
        # What it keeps of a server lies there, not in the home of who runs this.
        self._environment = os.environ | {"MCP_REMOTE_CONFIG_DIR": folder}

    def parameters(self, url: str, *options: str) -> StdioServerParameters:
        """The command for a server at that URL."""
        command, *rest = [*self._command, url, *options]
        return StdioServerParameters(command=command, args=rest, env=self._environment)

    @contextlib.asynccontextmanager
    async def connect(self, url: str, *options: str) -> AsyncIterator[Peer]:
        """A client behind a bridge of its own."""
        inbox = Inbox()
        brings = anyio.Event()

        @contextlib.asynccontextmanager
        async def listening() -> AsyncIterator[None]:
            if not brings.is_set():
                async with over_http(f"{self._base}/mcp") as rival:
                    await until_it_brings(inbox, rival)
                brings.set()
            yield None

        async with stdio_client(self.parameters(url, *options)) as (read, write):
            async with Session(Tap(read, inbox), write) as session:
                yield await open_peer(session, inbox, listening)


def main() -> None:
    node, program, base, *only = sys.argv[1:]
    base = base.rstrip("/")
    with tempfile.TemporaryDirectory() as folder:
        bridge = Bridge(node, program, base, folder)

        def mode(name: str, path: str, *options: str, **more: Any) -> Mode:
            rival = lambda: over_http(f"{base}/mcp")  # noqa: E731
            return Mode(f"mcp-remote{name} {path}", lambda: bridge.connect(base + path, *options), OLDER, rival, **more)

        # In that mode the bridge speaks the stateless revision: its listeners get no free messages, and codes are others. The
        # bridge passes a cancellation on where it means nothing, asks no URLs, gives up when a question is refused, opens its
        # stream for a subscription 2 s later and leaves the one before it open.
        stateless = (
            "broadcast", "cancel", "resource not found", "elicitation: URL", "a question refused", "subscription to a resource",
            "prompts/list_changed",
        )
        modes = [
            mode("", "/mcp"),
            mode(" http-only", "/mcp", "--transport", "http-only"),
            mode(" sse-only", "/mcp", "--transport", "sse-only"),
            mode(" sse-only", "/sse", "--transport", "sse-only"),
            mode(" auto", "/mcp", "--protocol", "auto", checks_left_out=stateless),
        ]
        run_modes(modes, base, only[0] if only else None)


if __name__ == "__main__":
    main()
