"""Two hundred clients in turn on sixteen slots, half of them vanishing without a word.

`vanish.py SERVER_BINARY [--clients N] [--growth-kib N] [--log FILE]`: starts the server itself with few slots, connects clients one
after another by raw sockets, and wants each of them served: an introduction, a stream and one call within 5 s. Then it
looks at what they left behind in the server: memory, file descriptors, and its readiness for the next client.
One line for each check: `ok NAME` or `FAIL NAME: why`.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import time

CONNECTIONS, SESSIONS, STREAMS = 16, 16, 12
SERVED_SECONDS = 5.0
"""A client that is not served within this has been locked out."""
WARM_UP_CLIENTS = 40
MUTE_MAX = 5
"""How many clients at most sit there with an open stream and do not read: fewer than there are streams."""
SETTLE_SECONDS = 10.0
"""The server has let go of closed connections within this."""
EXIT_SECONDS = 3.0
"""SIGTERM ends the server within this."""
RETRY_SECONDS = 0.25
"""Between two tries of a client that was told 503: shorter than any Retry-After, so that the server is not spared."""

ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "vanish", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
INFO = {"capabilities": {}, "clientInfo": {"name": "vanish", "version": "1"}}
BOTH = "application/json, text/event-stream"


class Refused(Exception):
    """The server said 503: a client may try again."""


class Unserved(Exception):
    """The server did something else than it must."""


class Wire:
    """One connection: requests out, responses and events in, until `deadline` (monotonic seconds)."""

    def __init__(self, port: int, deadline: float) -> None:
        self.port = port
        self.deadline = deadline
        self.rest = b""
        self.chunks: bytes | None = None
        """Of a chunked stream, what has come and is not yet in `rest`; None while nothing is decoded."""
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=self.left())

    def left(self) -> float:
        """Seconds that are left, never none: a socket takes 0 for non-blocking."""
        return max(0.001, self.deadline - time.monotonic())

    def send(self, method: str, path: str, headers: dict[str, str], message: dict | None = None) -> None:
        """One request."""
        body = b"" if message is None else json.dumps(message).encode()
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *(f"{k}: {v}" for k, v in headers.items())]
        if message is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        self.sock.settimeout(self.left())
        self.sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def until(self, mark: bytes, what: str) -> bytes:
        """What comes up to and with the mark."""
        while mark not in self.rest:
            self.more(what)
        head, _, self.rest = self.rest.partition(mark)
        return head

    def more(self, what: str) -> None:
        """Some more bytes."""
        self.sock.settimeout(self.left())
        try:
            came = self.sock.recv(65536)
        except TimeoutError:
            raise Unserved(f"{what}: nothing within {SERVED_SECONDS} s, got so far {self.rest[-200:]!r}") from None
        if not came:
            raise Unserved(f"{what}: the server closed the connection, got so far {self.rest[-200:]!r}")
        if self.chunks is None:
            self.rest += came
        else:
            self.chunks += came
            self.unchunk()

    def unchunk(self) -> None:
        """Move the chunks that are whole to `rest`."""
        while b"\r\n" in self.chunks:
            line, _, behind = self.chunks.partition(b"\r\n")
            size = int(line.split(b";")[0], 16)
            if len(behind) < size + 2:
                return
            self.rest += behind[:size]
            self.chunks = behind[size + 2 :]

    def stream(self, what: str) -> tuple[int, dict[str, str]]:
        """Status and headers of a response that is a stream; what follows is read by `event`."""
        status, headers = self.head(what)
        if "chunked" in headers.get("transfer-encoding", ""):
            self.chunks, self.rest = self.rest, b""
            self.unchunk()
        return status, headers

    def head(self, what: str) -> tuple[int, dict[str, str]]:
        """Status and headers (lower case) of the next response."""
        lines = self.until(b"\r\n\r\n", what).decode("latin-1").split("\r\n")
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        status = int(lines[0].split()[1])
        if status == 503:
            raise Refused(f"{what}: 503, Retry-After {headers.get('retry-after')!r}")
        return status, headers

    def response(self, what: str, wanted: int) -> tuple[dict[str, str], dict]:
        """Headers and JSON of the next response (of its last event, where it is a stream)."""
        status, headers = self.head(what)
        body = self.body(headers, what)
        if status != wanted:
            raise Unserved(f"{what}: expected status {wanted}, got {status} {body[:200]!r}")
        events = [line[5:] for line in body.splitlines() if line.startswith(b"data:")]
        text = events[-1] if events else body
        return headers, json.loads(text) if text.strip().startswith(b"{") else {}

    def body(self, headers: dict[str, str], what: str) -> bytes:
        """The body by its framing."""
        if "chunked" in headers.get("transfer-encoding", ""):
            body = b""
            while size := int(self.until(b"\r\n", what).split(b";")[0], 16):
                body += self.exactly(size, what)
                self.until(b"\r\n", what)
            self.until(b"\r\n", what)
            return body
        return self.exactly(int(headers.get("content-length", "0")), what)

    def exactly(self, size: int, what: str) -> bytes:
        """So many bytes."""
        while len(self.rest) < size:
            self.more(what)
        body, self.rest = self.rest[:size], self.rest[size:]
        return body

    def event(self, mark: str, what: str) -> str:
        """The rest of the line behind the mark, of a stream."""
        self.until(mark.encode(), what)
        return self.until(b"\n", what).decode().strip()

    def close(self) -> None:
        """A polite end, or what a process that died leaves: FIN (RST where something was unread)."""
        self.sock.close()

    def reset(self) -> None:
        """RST at once, as from a client whose power was cut and came back."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Client:
    """One client of some revision: `serve` has it introduced, streaming and answered; the rest are ways to end."""

    def __init__(self, port: int, text: str) -> None:
        self.port = port
        self.text = text
        self.wires: list[Wire] = []
        self.deadline = time.monotonic() + SERVED_SECONDS

    def wire(self) -> Wire:
        """A new connection of this client."""
        wire = Wire(self.port, self.deadline)
        self.wires.append(wire)
        return wire

    def call(self, number: int) -> dict:
        """The one call that everyone makes; some make it `notify`, which writes to every stream there is."""
        if number % 10 == 0:
            return {"name": "notify", "arguments": {}}
        return {"name": "echo", "arguments": {"text": self.text}}

    def answered(self, result: dict, number: int) -> None:
        """The answer is the one to this client's call."""
        text = result.get("result", {}).get("content", [{}])[0].get("text")
        if number % 10 and text != self.text:
            raise Unserved(f"tools/call: expected {self.text!r}, got {json.dumps(result)[:200]}")

    def say_goodbye(self) -> None:
        """What this revision sends before it closes."""

    def leave(self) -> None:
        """Say goodbye and close."""
        self.deadline = time.monotonic() + SERVED_SECONDS
        for wire in self.wires:
            wire.deadline = self.deadline
        self.say_goodbye()
        self.drop()

    def drop(self) -> None:
        """Close every socket without a word."""
        for wire in self.wires:
            wire.close()

    def reset(self) -> None:
        """Reset every socket."""
        for wire in self.wires:
            wire.reset()


class OldSse(Client):
    """2024-11-05: the stream first, then posts."""

    def serve(self, number: int) -> None:
        """Stream, endpoint, initialize, one call."""
        stream = self.wire()
        stream.send("GET", "/mcp", {"Accept": "text/event-stream"})
        status, _ = stream.stream("GET /mcp")
        if status != 200:
            raise Unserved(f"GET /mcp: expected status 200, got {status}")
        stream.until(b"event: endpoint", "endpoint event")
        endpoint = stream.event("data: ", "endpoint event")
        post = self.wire()
        self.post(post, endpoint, {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2024-11-05", **INFO}})
        stream.event("data: ", "answer to initialize")
        self.post(post, endpoint, {"jsonrpc": "2.0", "method": "notifications/initialized"})
        self.post(post, endpoint, {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": self.call(number)})
        while True:  # a list_changed that another client caused may come first
            message = json.loads(stream.event("data: ", "answer to tools/call"))
            if message.get("id") == 2:
                return self.answered(message, number)

    def post(self, wire: Wire, endpoint: str, message: dict) -> None:
        """One message to the endpoint."""
        wire.send("POST", endpoint, {"Accept": "*/*"}, message)
        wire.response(f"POST of {message['method']}", 202)


class Session(Client):
    """2025-11-25: initialize, a GET stream, calls, DELETE."""

    def serve(self, number: int) -> None:
        """Initialize, stream, one call."""
        post = self.wire()
        post.send("POST", "/mcp", {"Accept": BOTH}, {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25", **INFO}})
        headers, _ = post.response("initialize", 200)
        self.headers = {"Accept": BOTH, "MCP-Protocol-Version": "2025-11-25"}
        if session := headers.get("mcp-session-id"):
            self.headers["Mcp-Session-Id"] = session
        post.send("POST", "/mcp", self.headers, {"jsonrpc": "2.0", "method": "notifications/initialized"})
        post.response("notifications/initialized", 202)
        stream = self.wire()
        stream.send("GET", "/mcp", {**self.headers, "Accept": "text/event-stream"})
        status, _ = stream.stream("GET /mcp")
        if status != 200:
            raise Unserved(f"GET /mcp with a session: expected status 200, got {status}")
        post.send("POST", "/mcp", self.headers, {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": self.call(number)})
        self.answered(post.response("tools/call", 200)[1], number)

    def say_goodbye(self) -> None:
        self.wires[0].send("DELETE", "/mcp", self.headers)
        status, headers = self.wires[0].head("DELETE")
        if status not in (200, 204):
            raise Unserved(f"DELETE: expected status 200 or 204, got {status}")


class Stateless(Client):
    """2026-07-28: discover, listen, calls."""

    def serve(self, number: int) -> None:
        """Discover, listen, one call."""
        post = self.wire()
        self.request(post, "server/discover", {}, 1)
        found = post.response("server/discover", 200)[1]
        if "2026-07-28" not in found.get("result", {}).get("supportedVersions", []):
            raise Unserved(f"server/discover: expected 2026-07-28 among supportedVersions, got {json.dumps(found)[:200]}")
        stream = self.wire()
        self.request(stream, "subscriptions/listen", {"notifications": {"toolsListChanged": True}}, "listen-1")
        status, headers = stream.stream("subscriptions/listen")
        if status != 200 or not headers.get("content-type", "").startswith("text/event-stream"):
            raise Unserved(f"subscriptions/listen: expected an event stream, got {status} {headers.get('content-type')}")
        first = json.loads(stream.event("data: ", "acknowledgement"))
        if first.get("method") != "notifications/subscriptions/acknowledged":
            raise Unserved(f"subscriptions/listen: expected the acknowledgement first, got {json.dumps(first)[:200]}")
        self.request(post, "tools/call", self.call(number), 2)
        self.answered(post.response("tools/call", 200)[1], number)

    def request(self, wire: Wire, method: str, params: dict, request_id: object) -> None:
        """One request with its envelope and the headers that repeat it."""
        headers = {"Accept": BOTH, "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method}
        if "name" in params:
            headers["Mcp-Name"] = params["name"]
        wire.send("POST", "/mcp", headers, {"jsonrpc": "2.0", "id": request_id, "method": method, "params": {**params, "_meta": ENVELOPE}})


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
