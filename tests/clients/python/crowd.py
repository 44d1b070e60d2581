"""`crowd.py BASE_URL CLIENTS`: so many published clients (Python `mcp` 2.x) that stay: a third by 2024-11-05's streams, a third by sessions
with their stream, a third stateless with a stream that they listen on. Each calls twice a second, until stdin ends.

Prints `# all are there` once they are, and at the end whether each was served all the time: `ok NAME` or `FAIL NAME: why`.
"""

from __future__ import annotations

import sys
from typing import Any

import anyio
from common import MODERN, expect, why
from drive_v2 import by_client, by_session

PAUSE_SECONDS = 0.5
CALL_SECONDS = 10.0
"""A call that takes longer was not served."""


async def stay(number: int, base: str, there: list[int], end: anyio.Event, calls: list[int], failures: list[str]) -> None:
    """One client."""
    ways = [lambda: by_session("sse", f"{base}/mcp"), lambda: by_session("http", f"{base}/mcp"), lambda: by_client("http", f"{base}/mcp", MODERN)]
    try:
        async with ways[number % 3]() as peer, peer.listening():
            there.append(number)
            while not end.is_set():
                with anyio.fail_after(CALL_SECONDS):
                    expect(f"echo of client {number}", (False, f"{number} ä"), await peer.call("echo", {"text": f"{number} ä"}))
                calls.append(number)
                with anyio.move_on_after(PAUSE_SECONDS):
                    await end.wait()
    except Exception as error:
        failures.append(f"client {number}: {why(error)}")


async def crowd(base: str, clients: int) -> None:
    """All of them, until stdin ends."""
    there: list[int] = []
    calls: list[int] = []
    failures: list[str] = []
    end = anyio.Event()
    async with anyio.create_task_group() as group:
        for number in range(clients):
            group.start_soon(stay, number, base, there, end, calls, failures)
        while len(there) + len(failures) < clients:
            await anyio.sleep(0.05)
        print("# all are there", flush=True)
        await anyio.to_thread.run_sync(sys.stdin.read)
        end.set()
    name = f"{clients} clients stay and are served meanwhile"
    print(f"FAIL {name}: {len(failures)} were not; {failures[0]}" if failures else f"ok {name} ({len(calls)} calls)", flush=True)


def main() -> Any:
    anyio.run(crowd, sys.argv[1].rstrip("/"), int(sys.argv[2]))


if __name__ == "__main__":
    main()
