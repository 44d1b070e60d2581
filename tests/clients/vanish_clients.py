"""The clients of vanish.py, by raw sockets: a client library would not vanish as rudely as a client does."""

from __future__ import annotations

import json
import socket
import struct
import time

SERVED_SECONDS = 5.0
"""A client that is not served within this has been locked out."""

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
