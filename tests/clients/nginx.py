"""Two servers with one key behind nginx, which gives each request to the next: what a device can't hold, several can.

`nginx.py NGINX SERVER_BINARY FOLDER DRIVER..`: starts two servers and nginx (nginx.conf) itself, with its files in FOLDER, and
looks by raw requests at what must hold, and at what can't. Each DRIVER is a command line of a published client's, `@` stands for the
URL. In front of it: `BY=next CHECKS=sessions`, each request to the next server, and only those checks (`CHECKS` below) that hold so;
or `BY=hash`, each client to one server, and all checks. `OLDER=2025-03-26` makes a client ask for another revision than its newest.
One line for each check: `ok NAME` or `FAIL NAME: why`.
"""

from __future__ import annotations

import collections
import contextlib
import http.client
import json
import os
import secrets
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Iterator

from vanish import free_port

WAIT_SECONDS = 10.0
"""Whatever is waited for comes within this, or never."""
QUIET_SECONDS = 1.0
"""Nothing more may come for so long once what comes once has come."""
DRIVER_SECONDS = 200
"""A client's driver is ended after this."""

INFO = {"capabilities": {"elicitation": {}}, "clientInfo": {"name": "nginx", "version": "1"}}
BOTH = "application/json, text/event-stream"
MODERN = "2026-07-28"
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "nginx", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
}
HOST = "board.example"

ALL = [
    "negotiated revision", "tools/list", "echo of awkward texts", "add", "call without arguments", "unknown tool", "wrong arguments",
    "tool error", "progress in order", "ping", "calls in parallel", "resources/list, templates", "resources/read, text",
    "resources/read, blob", "resources/read, text and blob", "resource not found", "prompts/list", "prompts/get, every kind",
    "prompts/list, prompts/get", "completion", "content of every kind",
]
"""What any server with the key can do for any client."""
QUESTIONS = [
    "elicitation: accept, decline, cancel", "elicitation: forms", "elicitation: URL", "a question refused", "sampling", "roots",
    "several questions, several rounds",
]
"""What only 2026-07-28 can ask by way of two servers: the answer to an older client's question must reach the server that asked."""
CHECKS = {"sessions": ALL, "stateless": ALL + QUESTIONS}
"""Left out: what another client causes (a server tells its own streams), and `cancel` (one server tells its own count)."""


class CheckFailed(Exception):
    """The servers did something else than they must."""


def expect(what: str, expected: object, got: object) -> None:
    """Fail unless both are the same."""
    if expected != got:
        raise CheckFailed(f"{what}: expected {expected!r}, got {got!r}")


class Server:
    """One that stands behind a proxy."""

    def __init__(self, binary: str, log: Path, token: str | None, *flags: str) -> None:
        self.port = free_port()
        self.command = [binary, "--listen", f"127.0.0.1:{self.port}", *flags]
        self.environment = {**os.environ, "RUST_LOG": "info", **({"SMOL_MCP_TOKEN": token} if token else {})}
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, until it listens."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
            )
        line = self.process.stdout.readline().decode().strip()
        if line != f"listening on http://127.0.0.1:{self.port}/mcp":
            raise SystemExit(f"FAIL nginx: a server starts: it said {line!r}; see {self.log}")

    def stop(self) -> None:
        """End it as systemd would."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


class Door:
    """A way in: a port, what stands before the paths, the host, the token."""

    def __init__(self, port: int, prefix: str = "", host: str | None = None, token: str | None = None) -> None:
        self.port, self.prefix, self.host, self.token = port, prefix, host, token

    def connection(self) -> http.client.HTTPConnection:
        """One that will be opened by the request."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_SECONDS)

    @contextlib.contextmanager
    def open(self, method: str, headers: dict[str, str], message: dict | None = None) -> Iterator[http.client.HTTPResponse]:
        """A request on a connection of its own, and its response."""
        connection = self.connection()
        body = None if message is None else json.dumps(message).encode()
        all_headers = {"Accept": BOTH, "Content-Type": "application/json", **({"Host": self.host} if self.host else {}), **headers}
        if self.token and "Authorization" not in headers:
            all_headers["Authorization"] = f"Bearer {self.token}"
        try:
            connection.request(method, f"{self.prefix}/mcp", body, all_headers)
            yield connection.getresponse()
        finally:
            connection.close()

    def ask(self, method: str, headers: dict[str, str], message: dict | None = None) -> tuple[int, Any, dict]:
        """Status, headers, and the message (the last one of a stream)."""
        with self.open(method, headers, message) as response:
            text = response.read().decode()
            data = [line[5:] for line in text.splitlines() if line.startswith("data:")]
            text = data[-1] if data else text
            return response.status, response.headers, json.loads(text) if text.strip().startswith("{") else {}

    def modern(self, method: str, params: dict, name: str | None = None) -> tuple[int, Any, dict]:
        """A request of 2026-07-28."""
        headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method, **({"Mcp-Name": name} if name else {})}
        return self.ask("POST", headers, {"jsonrpc": "2.0", "id": "m", "method": method, "params": {**params, "_meta": ENVELOPE}})


class Session:
    """A client that introduced itself."""

    def __init__(self, door: Door, revision: str) -> None:
        params = {"protocolVersion": revision, **INFO}
        status, headers, answer = door.ask("POST", {}, {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
        expect("status of initialize", 200, status)
        expect("revision", revision, answer["result"]["protocolVersion"])
        self.door = door
        self.headers = {"Mcp-Session-Id": headers["Mcp-Session-Id"], "MCP-Protocol-Version": revision}

    def send(self, method: str, params: dict, door: Door | None = None, **more: object) -> tuple[int, dict]:
        """A request (or with `id=None` a notification): status and answer."""
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params, **more}
        if message["id"] is None:
            del message["id"]
        status, _, answer = (door or self.door).ask("POST", self.headers, message)
        return status, answer

    def echoes(self, text: str, door: Door | None = None) -> None:
        """A call is answered."""
        status, answer = self.send("tools/call", {"name": "echo", "arguments": {"text": text}}, door)
        expect(f"answer to echo {text!r}", (200, text), (status, answer.get("result", answer).get("content", [{}])[0].get("text")))

    def delete(self, door: Door) -> int:
        """Ended, by way of this door."""
        return door.ask("DELETE", self.headers)[0]


class House:
    """Two servers and nginx before them."""

    def __init__(self, nginx: str, binary: str, folder: Path, token: str | None) -> None:
        self.folder, self.token = folder, token
        flags = ["--key-file", str(folder / "key"), "--allow-host", "boards", "--public-base", f"http://{HOST}/board"]
        self.servers = [Server(binary, folder / f"nginx-{name}.log", token, *flags) for name in "ab"]
        self.ports = [free_port() for _ in range(3)]
        conf = (Path(__file__).parent / "nginx.conf").read_text()
        filled = {"FOLDER": folder, "A": self.servers[0].port, "B": self.servers[1].port}
        filled |= dict(zip(("PORT", "PLAIN", "STICKY"), self.ports))
        for name, value in filled.items():
            conf = conf.replace(f"@{name}@", str(value))
        (folder / "nginx.conf").write_text(conf)
        (folder / "nginx-access.log").write_text("")
        self.nginx = nginx
        self.proxy: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> House:
        for server in self.servers:
            server.start()
        command = [self.nginx, "-p", str(self.folder), "-e", str(self.folder / "nginx-error.log"), "-c", str(self.folder / "nginx.conf")]
        with open(self.folder / "nginx-out.log", "wb") as out:
            self.proxy = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                with self.plain().open("GET", {}) as response:
                    response.read()
                return self
            except OSError:
                if time.monotonic() > deadline or self.proxy.poll() is not None:
                    raise SystemExit(f"FAIL nginx: it starts: see {self.folder}/nginx-error.log and nginx-out.log") from None
                time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        for process in (self.proxy,):
            if process is not None:
                process.terminate()
                process.wait()
        for server in self.servers:
            server.stop()

    def door(self) -> Door:
        """By nginx as README.md has it."""
        return Door(self.ports[0], "/board", HOST, self.token)

    def plain(self) -> Door:
        """By nginx with the least of settings."""
        return Door(self.ports[1], token=self.token)

    def own(self, index: int) -> Door:
        """Past nginx, to one of the servers."""
        return Door(self.servers[index].port, token=self.token)

    def served(self, port: int | None = None) -> list[int]:
        """How many requests each server has answered, of those that came by this port."""
        lines = [line.split() for line in (self.folder / "nginx-access.log").read_text().splitlines()]
        by = collections.Counter(line[1] for line in lines if port is None or line[0] == str(port))
        return [by[f"127.0.0.1:{server.port}"] for server in self.servers]

    def grown(self, before: list[int], at_least: int, port: int) -> list[int]:
        """What `served` has more, once it has so many: nginx writes its log behind the answer."""
        deadline = time.monotonic() + 2
        while True:
            grown = [now - then for now, then in zip(self.served(port), before)]
            if sum(grown) >= at_least or time.monotonic() > deadline:
                return grown
            time.sleep(0.02)


# --- the checks ----------------------------------------------------------------------------------------------------


def one_session(house: House, door: Door, revision: str) -> None:
    """Introduced to one, known to both; calls alternate; the answers are those of one server."""
    before = house.served(door.port)
    session = Session(door, revision)
    expect("status of notifications/initialized", 202, session.send("notifications/initialized", {}, id=None)[0])
    for number in range(8):
        session.echoes(f"number {number} ä")
    status, answer = session.send("tools/list", {})
    expect("tools/list", (200, True), (status, len(answer["result"]["tools"]) > 20))
    grown = house.grown(before, 11, door.port)
    if min(grown) < 4:
        raise CheckFailed(f"each server serves some: they served {grown}")


def stateless(house: House, door: Door) -> None:
    """2026-07-28: no session, and a question whose answer comes to the other server."""
    before = house.served(door.port)
    for number in range(6):
        status, headers, answer = door.modern("tools/call", {"name": "echo", "arguments": {"text": f"{number}"}}, "echo")
        expect(f"answer {number}", (200, f"{number}"), (status, answer["result"]["content"][0]["text"]))
        expect("Mcp-Session-Id", None, headers["Mcp-Session-Id"])
    tool = "test_input_required_result_request_state"
    status, _, asked = door.modern("tools/call", {"name": tool, "arguments": {}}, tool)
    expect("the first pass", (200, "input_required"), (status, asked.get("result", asked).get("resultType")))
    result = asked["result"]
    answers = {key: {"action": "accept", "content": {"ok": True}} for key in result["inputRequests"]}
    retry = {"name": tool, "arguments": {}, "requestState": result["requestState"], "inputResponses": answers}
    status, _, answer = door.modern("tools/call", retry, tool)
    expect("the second pass, at the other server", 200, status)
    if "state-ok" not in json.dumps(answer):
        raise CheckFailed(f"the state that one server signed is read by the other: got {json.dumps(answer)[:300]}")
    expect("requests that each served", [4, 4], house.grown(before, 8, door.port))


def events_pass(house: House, door: Door) -> None:
    """Events come through one by one, and nginx takes the field that told it so for itself."""
    expect("X-Accel-Buffering behind nginx", None, one_by_one(door)["X-Accel-Buffering"])


def one_by_one(door: Door) -> Any:
    """Events of a call come through one by one, as they are written: the proxy is told not to collect them. Returns the headers."""
    session = Session(door, "2025-11-25")
    params = {"name": "test_tool_with_progress", "_meta": {"progressToken": "p"}}
    came = []
    with door.open("POST", session.headers, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}) as response:
        expect("type", "text/event-stream", response.headers["Content-Type"])
        while line := response.readline():
            if line.startswith(b"data:") and line.strip() != b"data:":
                came.append((time.monotonic(), json.loads(line[5:])))
    expect("messages", ["notifications/progress"] * 3 + [None], [message.get("method") for _, message in came])
    gaps = [later - earlier for (earlier, _), (later, _) in zip(came, came[1:])]
    # The tool waits 50 ms behind each: two of them must show, whatever else runs on this machine.
    if sum(gap > 0.02 for gap in gaps) < 2:
        raise CheckFailed(f"events come when they are written, 50 ms apart: they came {[round(gap, 3) for gap in gaps]} s apart")
    return response.headers


def stream_hears_its_server(house: House, door: Door) -> None:
    """A session's stream is one server's, and hears what happens there."""
    session = Session(door, "2025-11-25")
    with door.open("GET", {**session.headers, "Accept": "text/event-stream"}) as response:
        expect("status of the stream", 200, response.status)
        line = response.readline()
        if not line.strip():
            raise CheckFailed(f"something comes at once, so that the client sees the stream: got {line!r}")
        for _ in range(2):  # one comes to this server, one to the other
            expect("status of notify", 200, session.send("tools/call", {"name": "notify", "arguments": {}})[0])
        heard = hear(response)
    expect("list_changed on the stream", 1, heard)


def hear(response: http.client.HTTPResponse) -> int:
    """How often the list of tools changed, until nothing more comes."""
    heard, deadline = 0, time.monotonic() + WAIT_SECONDS
    response.fp.raw._sock.settimeout(QUIET_SECONDS)
    while time.monotonic() < deadline:
        try:
            line = response.readline()
        except TimeoutError:
            break
        if not line:
            raise CheckFailed("the stream stays: it ended")
        heard += line.startswith(b"data:") and b"tools/list_changed" in line
    return heard


def ended_here(house: House, door: Door) -> None:
    """DELETE is known to the server that it came to, and to the other once both began again."""
    session, stays = Session(door, "2025-11-25"), Session(door, "2025-03-26")
    for index in (0, 1):
        session.echoes("known to both", house.own(index))
    expect("status of DELETE at A", 200, session.delete(house.own(0)))
    ping = [session.send("ping", {}, house.own(index))[0] for index in (0, 1)]
    expect("status of ping at A, at B", [404, 200], ping)
    # A tells the key file when it ends, B reads it when it begins.
    for server in house.servers:
        server.stop()
        server.start()
    ping = [session.send("ping", {}, house.own(index))[0] for index in (0, 1)]
    expect("status of ping at A, at B, both begun anew", [404, 404], ping)
    for _ in range(4):
        stays.echoes("and who did not end it goes on")


def left_is_cancelled(door: Door, counted: list[Door]) -> None:
    """A client of 2026-07-28 that closes the connection of its call cancels it: the proxy passes that on, to the server that runs it."""

    def cancelled() -> int:
        answers = [at.modern("tools/call", {"name": "cancelled_count"}, "cancelled_count")[2] for at in counted]
        return sum(int(answer["result"]["content"][0]["text"]) for answer in answers)

    before = cancelled()
    params = {"name": "slow_compute", "arguments": {"seconds": 30}, "_meta": ENVELOPE}
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "slow_compute"}
    with door.open("POST", headers, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}) as response:
        expect("status of the call, which became a stream", 200, response.status)
    deadline = time.monotonic() + WAIT_SECONDS
    while cancelled() == before and time.monotonic() < deadline:
        time.sleep(0.05)
    expect("calls that were cancelled", 1, cancelled() - before)


def one_falls(house: House, door: Door) -> None:
    """A server goes, and its clients go on with the other, by their old ids."""
    session = Session(door, "2025-11-25")
    house.servers[0].stop()
    for number in range(6):
        session.echoes(f"with one, {number}")
    house.servers[0].start()
    session.echoes("it is back", house.own(0))


def levels_are_each_servers_own(house: House, door: Door) -> None:
    """logging/setLevel is live state: the server it came to keeps it, and the session works at both."""
    session = Session(door, "2025-11-25")
    for index in (0, 1):  # a client that wants it everywhere says it everywhere
        expect("logging/setLevel", (200, {}), session_result(session.send("logging/setLevel", {"level": "error"}, house.own(index))))
    for number in range(4):
        session.echoes(f"{number}")


def session_result(answer: tuple[int, dict]) -> tuple[int, object]:
    """Status and result."""
    return answer[0], answer[1].get("result")


def strangers(house: House, door: Door) -> None:
    """Host, Origin and token are asked behind nginx as before it."""
    initialize = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25", **INFO}}
    tries = {
        "the public base's own page": ({"Origin": f"http://{HOST}"}, 200),
        "a page from elsewhere": ({"Origin": "https://evil.example"}, 403),
        "another host": ({"Host": "evil.example"}, 403),
        "no token": ({"Authorization": "Basic x"}, 401),
        "another token": ({"Authorization": "Bearer x"}, 401),
    }
    for who, (headers, status) in tries.items():
        for at in "AB":
            expect(f"status for {who}, {at}", status, door.ask("POST", headers, initialize)[0])


def checks(house: House) -> list[tuple[str, Callable[[], None]]]:
    """All of them, by both ways through nginx where that may matter."""
    listed: list[tuple[str, Callable[[], None]]] = []
    for way, door in (("", house.door()), (", plainest proxy", house.plain())):
        for revision in ("2025-11-25", "2025-06-18", "2025-03-26"):
            listed.append((f"a session of {revision}{way}", lambda r=revision, d=door: one_session(house, d, r)))
        listed.append((f"{MODERN}, a question too{way}", lambda d=door: stateless(house, d)))
        listed.append((f"events one by one{way}", lambda d=door: events_pass(house, d)))
        listed.append((f"a stream hears its server{way}", lambda d=door: stream_hears_its_server(house, d)))
    listed.append(("Host, Origin, token", lambda: strangers(house, house.door())))
    listed.append(("log levels", lambda: levels_are_each_servers_own(house, house.door())))
    listed.append(("a call that its client leaves", lambda: left_is_cancelled(house.door(), [house.own(0), house.own(1)])))
    listed.append(("DELETE", lambda: ended_here(house, house.door())))
    listed.append(("one of them falls", lambda: one_falls(house, house.door())))
    return listed


def drive(house: House, driver: str) -> bool:
    """Run a client's driver, print its lines; whether it failed."""
    words = [word.partition("=") for word in shlex.split(driver)]
    given = {name: value for name, _, value in words if name in ("BY", "CHECKS", "OLDER")}
    sticky = given["BY"] == "hash"
    port = house.ports[2 if sticky else 0]
    url = f"http://127.0.0.1:{port}/board"
    command = [url if name == "@" else name + mark + value for name, mark, value in words if name not in given]
    prefix = f"nginx, {'ip_hash' if sticky else 'round-robin'}, {given.get('OLDER', '')}".rstrip(", ") + ", "
    variables = {"SMOL_MCP_PREFIX": prefix}
    if "CHECKS" in given:
        variables["SMOL_MCP_CHECKS"] = "|".join(CHECKS[given["CHECKS"]])
    if "OLDER" in given:
        variables["SMOL_MCP_OLDER"] = given["OLDER"]
    before = house.served(port)
    failed = run_driver(command, variables, house.folder / "nginx-drivers.err")
    grown = house.grown(before, 6, port)
    if not sticky and min(grown) < 3:
        print(f"FAIL {prefix}{command[1]}: each server serves some: they served {grown}", flush=True)
        failed = True
    return failed


def run_driver(command: list[str], variables: dict[str, str], log: Path) -> bool:
    """Run it, print its lines; whether it failed."""
    with open(log, "ab") as errors:
        try:
            done = subprocess.run(
                command, env={**os.environ, **variables},
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, timeout=DRIVER_SECONDS,
            )
            lines, status = done.stdout.decode().splitlines(), done.returncode
        except subprocess.TimeoutExpired as late:
            lines, status = (late.stdout or b"").decode().splitlines(), f"none within {DRIVER_SECONDS} s"
    failed = False
    for line in lines:
        if line.startswith(("ok ", "FAIL ", "#")):
            print(line, flush=True)
            failed |= line.startswith("FAIL ")
    counted = sum(line.startswith("ok ") for line in lines)
    if (status != 0 and not failed) or counted == 0:
        print(f"FAIL {variables['SMOL_MCP_PREFIX']}{command[1]} ends: exit status {status} after {counted} checks", flush=True)
        failed = True
    return failed


def main() -> int:
    nginx, binary, folder, *drivers = sys.argv[1:]
    place = Path(folder).resolve()
    place.mkdir(parents=True, exist_ok=True)
    (place / "key").unlink(missing_ok=True)
    counts = collections.Counter()
    with House(nginx, binary, place, secrets.token_hex(16)) as house:
        for name, check in checks(house):
            try:
                check()
            except (CheckFailed, OSError, http.client.HTTPException, ValueError, LookupError) as error:
                counts["FAIL"] += 1
                print(f"FAIL nginx: {name}: {type(error).__name__}: {error}", flush=True)
            else:
                counts["ok"] += 1
                print(f"ok nginx: {name}", flush=True)
        print(f"# nginx: A and B served {house.served()} requests", flush=True)
    # The clients' drivers know no token.
    with House(nginx, binary, place, None) as house:
        for driver in drivers:
            counts["FAIL"] += drive(house, driver)
    return 1 if counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
