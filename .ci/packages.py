"""A published client (the Python SDK, 1.x) at an installed package: `packages.py URL TOKEN [NAME COMMAND]..`.

It opens one session, lists the tools and calls one; then, for each COMMAND, runs that in a shell and calls again, in the same session. A line for each
check: `ok NAME` or `FAIL NAME: why`; what the call said is below the first.
"""

import asyncio
import subprocess
import sys
import time

import httpx
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

AGAIN_SECONDS = 20
"""For so long a call is tried again: a service comes back within seconds."""
CALL_SECONDS = 10


async def main(url: str, token: str, commands: list[tuple[str, str]]) -> int:
    failed = 0
    http = httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=httpx.Timeout(CALL_SECONDS, read=300))
    async with http, streamable_http_client(url, http_client=http) as (read, write, session_id):
        async with ClientSession(read, write) as session:
            await session.initialize()
            named = session_id()
            names = [tool.name for tool in (await session.list_tools()).tools]
            said = await overview(session)
            failed += report("a client lists tools and calls one", None if "set_led" in names and said else f"{names}: {said!r}")
            print("".join(f"# {line}\n" for line in said.splitlines()[:3]), end="")
            for name, command in commands:
                ran = await asyncio.to_thread(subprocess.run, command, shell=True, capture_output=True, text=True)
                why = await again(session, session_id, named)
                if ran.returncode:
                    why = f"exit status {ran.returncode} of {command}: {ran.stdout[-300:]}{ran.stderr[-300:]}"
                failed += report(f"the client goes on with its session: {name}", why)
    return failed


async def overview(session: ClientSession) -> str:
    return (await session.call_tool("overview", {})).content[0].text


async def again(session: ClientSession, session_id, named: str) -> str | None:
    """A call in the same session, until it is answered; else why not."""
    deadline = time.monotonic() + AGAIN_SECONDS
    why = "no time"
    while time.monotonic() < deadline:
        try:
            await asyncio.wait_for(overview(session), CALL_SECONDS)
            return None if session_id() == named else f"the session is another one: {session_id()!r}, was {named!r}"
        except Exception as error:  # whatever a client makes of it: it is tried again
            why = repr(error)
            await asyncio.sleep(0.5)
    return why


def report(name: str, why: str | None) -> bool:
    print(f"FAIL {name}: {why}" if why else f"ok {name}", flush=True)
    return why is not None


if __name__ == "__main__":
    pairs = sys.argv[3:]
    sys.exit(bool(asyncio.run(main(sys.argv[1], sys.argv[2], list(zip(pairs[::2], pairs[1::2]))))))
