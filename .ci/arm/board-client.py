"""Python's newest published client talks to the emulated board: `board-client.py BASE_URL MONITOR`,
the latter the port at which QEMU takes orders (QMP).

Three of them at once: by the transport of 2024-11-05, by 2025-11-25 with a session, and by 2026-07-28. Each lists the tools and calls
some; all hold their event streams while something happens on the board; and lines of the GPIO chip, which the machine plays and the kernel
drives, are set, read, and waited for. One line for each check: `ok NAME` or `FAIL NAME: why`.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/clients/python"))

import anyio
from common import MESSAGE, MODERN, OLDER, CheckFailed, Mode, Peer, Report, expect
from drive_v2 import by_client, by_session
from modes import Keeper

SLOW_SECONDS = 40.0
"""A check on an emulated processor; the slowest takes some 5 s."""
CALLS = {
    "overview": "Memory: ",
    "host": "Linux kernel: ",
    "memory": "available",
    "network": "10.0.2.15",
    "processes": "board",
    "temperatures": "",
}
"""Tools, and what is in their answers on this machine."""


async def tools(peer: Peer) -> None:
    """The list, and some calls."""
    listed = await peer.list_tools()
    missing = set(CALLS) - set(listed)
    if missing:
        raise CheckFailed(f"tools/list: expected {sorted(missing)} too, got {listed}")
    for name, text in CALLS.items():
        failed, answer = await peer.call(name, {})
        if failed or text not in answer:
            raise CheckFailed(f"{name}: expected {text!r} in the answer, got {answer[-300:]!r}")


async def events(older: dict[str, Peer], modern: Peer) -> None:
    """All streams are held while one client sets an LED: the others are told so, once, and their answers come all the same."""
    _, leds = await modern.call("leds", {})
    led = re.search(r"^(\S*(?:ACT|capslock))\b", leds, re.MULTILINE)
    if led is None:
        raise CheckFailed(f"leds: expected one of this machine's, got {leds!r}")
    async with contextlib.AsyncExitStack() as stack:
        for peer in older.values():
            await stack.enter_async_context(peer.listening())
        await stack.enter_async_context(modern.watching("board://server/stats"))
        since = {name: len(peer.inbox.messages) for name, peer in older.items()}
        failed, said = await modern.call("set_led", {"name": led[1], "on": True})
        expect("set_led fails", False, failed)
        for name, peer in older.items():
            await peer.inbox.exactly_once(MESSAGE, since[name], said)
        await tools(modern)


def press(monitor: int) -> None:
    """Press the machine's power button, for a tenth of a second."""
    with socket.create_connection(("127.0.0.1", monitor), SLOW_SECONDS) as orders, orders.makefile("r") as said:
        said.readline()  # who it is
        for order in ("qmp_capabilities", "system_powerdown"):
            orders.sendall(json.dumps({"execute": order}).encode())
            while "return" not in (answer := json.loads(said.readline())):
                if "error" in answer:
                    raise CheckFailed(f"{order}: {answer}")


async def lines(peer: Peer, monitor: int | None) -> None:
    """The kernel's character device: an output keeps what it is set to; an input tells that its button is pressed."""
    for state in ("active", "inactive"):
        for name, arguments in (("gpio_write", {"name": "relay", "state": state}), ("gpio_read", {"name": "relay"})):
            said = await peer.call(name, arguments)
            expect(f"{name} {state}", (False, f"relay: {state}"), said)
    expect("gpio_read button", (False, "button: inactive"), await peer.call("gpio_read", {"name": "button"}))
    if monitor is None:
        return
    told: list[tuple[bool, str]] = []

    async def wait() -> None:
        told.append(await peer.call("gpio_wait", {"name": "button", "timeout_seconds": 30}))

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        while not told:
            await anyio.sleep(1.0)
            await anyio.to_thread.run_sync(press, monitor)
    failed, text = told[0]
    if failed or not text.startswith("button became active after "):
        raise CheckFailed(f"gpio_wait: {text}")


async def main(base: str, monitor: int) -> int:
    report = Report()
    mcp = f"{base}/mcp"
    nobody = contextlib.nullcontext
    modes = [
        Mode("2024-11-05's transport", lambda: by_session("sse", mcp), OLDER, nobody),
        Mode(OLDER, lambda: by_session("http", mcp), OLDER, nobody),
        Mode(MODERN, lambda: by_client("http", mcp, MODERN), MODERN, nobody),
    ]
    keepers = [(mode.name, Keeper(mode)) for mode in modes]
    async with anyio.create_task_group() as group:
        for name, keeper in keepers:
            group.start_soon(keeper.run)
            await report.check(f"{name}: connect", keeper.opened, SLOW_SECONDS)
        peers = {name: keeper.peer for name, keeper in keepers if keeper.peer is not None}
        for name, peer in peers.items():
            await report.check(f"{name}: tools", lambda peer=peer: tools(peer), SLOW_SECONDS)
        if len(peers) == len(modes):
            modern = peers.pop(MODERN)
            await report.check("event streams", lambda: events(peers, modern), SLOW_SECONDS)
            # The emulated Pi has no button.
            button = monitor if "ACT" not in (await modern.call("leds", {}))[1] else None
            await report.check("GPIO lines", lambda: lines(modern, button), SLOW_SECONDS)
        for name, keeper in keepers:
            await report.check(f"{name}: close", keeper.close, SLOW_SECONDS)
        group.cancel_scope.cancel()
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(anyio.run(main, sys.argv[1].rstrip("/"), int(sys.argv[2])))
