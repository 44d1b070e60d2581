"""Runs modes: connect, all checks on that one client, close, connect again.

A driver gives `run_modes` a list of `Mode`s. One line is printed for each check: `ok NAME` or `FAIL NAME: why`. The
process exits with 1 when any failed. SMOL_MCP_CHECKS (names, `|` between) chooses some checks, for a server that has
only some of the tools.
"""

from __future__ import annotations

import os
import sys
import time

import anyio
from checks import CHECKS, pings
from common import CHECK_SECONDS, CLOSE_SECONDS, MODERN, Mode, Peer, Report, expect, why
from features import FEATURES
from resume import RESUME_SECONDS, cut_call, missed_event, resumable, server_ends_the_stream


class Keeper:
    """Holds one client open in a task of its own: a client's context has to be left by the task that entered it."""

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self._closing = anyio.Event()
        self.ready = anyio.Event()
        self.ended = anyio.Event()
        self.peer: Peer | None = None
        self.error: BaseException | None = None

    async def run(self) -> None:
        """Connect, stay until `close`, leave. Never raises: the checks ask `error`."""
        try:
            async with self._mode.connect() as peer:
                self.peer = peer
                self.ready.set()
                await self._closing.wait()
        except Exception as error:
            self.error = error
        finally:
            self.ready.set()
            self.ended.set()

    async def opened(self) -> None:
        """The client is connected, or the check fails with the reason."""
        await self.ready.wait()
        self.raise_error()

    async def close(self) -> None:
        """Leave the client as an application does, and see that it raised nothing."""
        self._closing.set()
        await self.ended.wait()
        self.raise_error()

    def raise_error(self) -> None:
        """Fail with what ended the client, if something did."""
        if self.error is not None:
            raise self.error


async def run_mode(report: Report, mode: Mode, base: str) -> None:
    """All checks of one mode: connect, use, close, connect again, be cut."""
    checks = [*CHECKS, *FEATURES]
    if mode.revision != MODERN:
        checks.append(("ping", pings))
    if resumable(mode):
        checks.append(("the server ends the stream of a call", server_ends_the_stream))
    chosen = os.environ.get("SMOL_MCP_CHECKS")
    if chosen:
        checks = [(name, check) for name, check in checks if name in chosen.split("|")]
    checks = [(name, check) for name, check in checks if name not in mode.checks_left_out]
    keeper = Keeper(mode)
    async with anyio.create_task_group() as group:
        group.start_soon(keeper.run)
        await report.check(f"{mode.name}: connect", keeper.opened)
        for name, check in checks:
            if keeper.peer is None or keeper.ended.is_set():
                report.fail(f"{mode.name}: {name}", f"no connection ({why(keeper.error) if keeper.error else 'timed out'})")
                continue
            peer = keeper.peer
            await report.check(f"{mode.name}: {name}", lambda: check(mode, peer))  # noqa: B023 (awaited at once)
        await report.check(f"{mode.name}: close", keeper.close, CLOSE_SECONDS)
        group.cancel_scope.cancel()
    await report.check(f"{mode.name}: a new client after the close", lambda: once_more(mode))
    if resumable(mode) and not chosen:
        await report.check(f"{mode.name}: a call's stream is cut", lambda: cut_call(mode, base), RESUME_SECONDS)
        await report.check(f"{mode.name}: the session's stream is cut", lambda: missed_event(mode, base), CHECK_SECONDS)


async def once_more(mode: Mode) -> None:
    """A fresh client of the same mode, one call, closed."""
    async with mode.connect() as peer:
        expect("echo of a new client", (False, "again"), await peer.call("echo", {"text": "again"}))


def run_modes(modes: list[Mode], base: str, only: str | None) -> None:
    """Run every mode (or those whose name contains `only`), print the lines, end the process."""
    report = Report()

    async def all_of_them() -> None:
        for mode in modes:
            if only is None or only in mode.name:
                await run_mode(report, mode, base)

    anyio.run(all_of_them)
    print(f"# {report.passed} ok, {report.failed} FAIL, {time.monotonic() - report.started:.1f} s", flush=True)
    sys.exit(1 if report.failed or not report.passed else 0)
