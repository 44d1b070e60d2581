"""Two hundred clients in turn on sixteen slots, half of them vanishing without a word.

`vanish.py SERVER_BINARY [--clients N] [--growth-kib N] [--log FILE]`: starts the server itself with few slots, connects clients one
after another by raw sockets, and wants each of them served: an introduction, a stream and one call within 5 s. Then it
looks at what they left behind in the server: memory, file descriptors, and its readiness for the next client.
One line for each check: `ok NAME` or `FAIL NAME: why`.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import select
import signal
import socket
import subprocess
import sys
import time

from vanish_clients import SERVED_SECONDS, Client, OldSse, Refused, Session, Stateless, Unserved

CONNECTIONS, SESSIONS, STREAMS = 16, 16, 12
WARM_UP_CLIENTS = 40
MUTE_MAX = 5
"""How many clients at most sit there with an open stream and do not read: fewer than there are streams."""
SETTLE_SECONDS = 10.0
"""The server has let go of closed connections within this."""
EXIT_SECONDS = 3.0
"""SIGTERM ends the server within this."""
RETRY_SECONDS = 0.25
"""Between two tries of a client that was told 503: shorter than any Retry-After, so that the server is not spared."""

KINDS = {"2024-11-05": OldSse, "2025-11-25": Session, "2026-07-28": Stateless}
ENDINGS = ("drops its sockets", "resets its sockets", "never reads again")


def plan(number: int) -> tuple[str, str]:
    """Revision and ending of a client: every revision in turn, every other round vanishes in one of three ways."""
    revision = list(KINDS)[number % 3]
    turn = number // 3
    return revision, "leaves" if turn % 2 == 0 else ENDINGS[turn // 2 % 3]


class Server:
    """The server under test."""

    def __init__(self, binary: str, log_path: str) -> None:
        self.port = free_port()
        self.log = open(log_path, "w+b")
        flags = ["--connections", str(CONNECTIONS), "--sessions", str(SESSIONS), "--streams", str(STREAMS)]
        self.process = subprocess.Popen(
            [binary, "--listen", f"127.0.0.1:{self.port}", *flags], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log
        )
        ready, _, _ = select.select([self.process.stdout], [], [], 20)
        line = self.process.stdout.readline().decode().strip() if ready else "(nothing within 20 s)"
        if line != f"listening on http://127.0.0.1:{self.port}/mcp":
            self.process.kill()
            raise SystemExit(f"FAIL vanish: start: expected the line `listening on ...`, got {line!r}, exit {self.process.wait()}")

    def memory(self) -> tuple[int, int]:
        """(Rss, Private_Dirty) in KiB."""
        with open(f"/proc/{self.process.pid}/smaps_rollup") as rollup:
            values = {line.split(":")[0]: int(line.split()[1]) for line in rollup if line.endswith("kB\n")}
        return values["Rss"], values["Private_Dirty"]

    def fds(self) -> int:
        """Open file descriptors."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def settle(self, fds: int) -> int:
        """Wait until no more than so many descriptors are open; the number that are."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while (now := self.fds()) > fds and time.monotonic() < deadline:
            time.sleep(0.05)
        return now

    def terminate(self) -> str | None:
        """SIGTERM; why that was not enough, if so."""
        if self.process.poll() is not None:
            return f"it had ended before, with {self.process.returncode}"
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return f"expected an end within {EXIT_SECONDS} s of SIGTERM, it went on"
        return None if code in (0, -signal.SIGTERM) else f"expected an end by SIGTERM, got exit status {code}"


def free_port() -> int:
    """A port that is free now, below the range from which the kernel takes its own."""
    for _ in range(200):
        port = random.randrange(20000, 32768)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SystemExit("FAIL vanish: start: no free port found between 20000 and 32767")


def serve_one(port: int, number: int, refusals: list[str]) -> Client:
    """A client, served; told 503 it tries again until its time is up."""
    deadline = time.monotonic() + SERVED_SECONDS
    while True:
        client = KINDS[plan(number)[0]](port, f"client {number} ä")
        client.deadline = deadline
        try:
            client.serve(number)
            return client
        except Refused as refusal:
            refusals.append(str(refusal))
            client.drop()
            if time.monotonic() + RETRY_SECONDS > deadline:
                raise Unserved(f"locked out: refused for {SERVED_SECONDS} s, at last by {refusal}") from None
            time.sleep(RETRY_SECONDS)
        except OSError as error:
            client.drop()
            raise Unserved(f"{type(error).__name__}: {error}") from None
        except Unserved:
            client.drop()
            raise


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--growth-kib", type=int, default=64)
    parser.add_argument("--log", default=os.devnull, help="where the server's log goes")
    options = parser.parse_args()
    server = Server(options.server, options.log)
    try:
        failed = run(server, options)
    finally:
        server.process.kill()
        server.process.wait()
    sys.exit(1 if failed else 0)


def run(server: Server, options: argparse.Namespace) -> int:
    """All checks; the number that failed."""
    counts = {"ok": 0, "FAIL": 0}

    def line(name: str, reason: str | None) -> None:
        counts["ok" if reason is None else "FAIL"] += 1
        print(f"ok vanish: {name}" if reason is None else f"FAIL vanish: {name}: {reason}", flush=True)

    fds_idle = server.fds()
    print(f"# at the start: Rss, Private_Dirty {server.memory()} KiB, {fds_idle} fds", flush=True)
    mute: collections.deque[Client] = collections.deque()
    outcomes: dict[tuple[str, str], list[str]] = {}
    refusals: list[str] = []
    slowest = 0.0
    warm = (0, 0)
    for number in range(options.clients):
        reasons = outcomes.setdefault(plan(number), [])
        started = time.monotonic()
        try:
            client = serve_one(server.port, number, refusals)
            slowest = max(slowest, time.monotonic() - started)
            end_one(client, plan(number)[1], mute)
        except (Unserved, Refused, OSError, ValueError) as error:
            reasons.append(f"client {number}: {type(error).__name__}: {error}")
        if number + 1 == WARM_UP_CLIENTS:
            hang_up(mute)
            server.settle(fds_idle)
            warm = server.memory()
            print(f"# after {WARM_UP_CLIENTS} clients: Rss, Private_Dirty {warm} KiB, {server.fds()} fds", flush=True)
    for (revision, ending), reasons in sorted(outcomes.items()):
        line(f"each {revision} client that {ending} was served", f"{len(reasons)} were not; {reasons[0]}" if reasons else None)
    hang_up(mute)
    fds = server.settle(fds_idle)
    end = server.memory()
    print(f"# after {options.clients} clients: Rss, Private_Dirty {end} KiB, {fds} fds, slowest client {slowest:.2f} s, {len(refusals)} refusals", flush=True)
    grown = end[1] - warm[1]
    line("Private_Dirty stays", None if grown <= options.growth_kib else f"expected at most {options.growth_kib} KiB more than after {WARM_UP_CLIENTS} clients, got {grown} KiB more")
    line("fds stay", None if fds <= fds_idle else f"expected {fds_idle} as at the start, got {fds} after {SETTLE_SECONDS} s")
    line("SIGTERM ends the server", server.terminate())
    print(f"# {counts['ok']} ok, {counts['FAIL']} FAIL", flush=True)
    return counts["FAIL"]


def end_one(client: Client, ending: str, mute: collections.deque[Client]) -> None:
    """End a served client in its way. Those that fall silent are held open, the oldest of too many is hung up on."""
    if ending == "leaves":
        client.leave()
    elif ending == "drops its sockets":
        client.drop()
    elif ending == "resets its sockets":
        client.reset()
    else:
        mute.append(client)
        if len(mute) > MUTE_MAX:
            mute.popleft().drop()


def hang_up(mute: collections.deque[Client]) -> None:
    """Close those that were held open."""
    while mute:
        mute.popleft().drop()


if __name__ == "__main__":
    main()
