"""The server behind a proxy, with TLS and below a path, by the very lines that README.md has for it.

`proxy.py nginx|caddy PROGRAM SERVER_BINARY README FOLDER DRIVER..`: starts a server and the proxy, with their files in FOLDER, and looks
by raw requests at what must hold. Of README.md's lines only addresses, ports and the paths of certificates are other ones here. Each
DRIVER is a command line of a published client's, for which `example.org` is this machine (python/named.py); `@` stands for the URL.
One line for each check: `ok NAME` or `FAIL NAME: why`.
"""

from __future__ import annotations

import collections
import contextlib
import datetime
import http.client
import json
import os
import re
import shlex
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Callable, Iterator

from nginx import (
    BOTH, ENVELOPE, INFO, MODERN, WAIT_SECONDS, CheckFailed, Door, Server, Session, expect, left_is_cancelled, one_by_one, run_driver,
)
from vanish import free_port

NAME = "example.org"
"""As in README.md."""
IDLE_SECONDS = 45
"""How long idle streams are held: over two time-outs of the proxy."""
PROXY_SECONDS = 20
"""What nginx waits for a word of the server, in place of its 60 s: more than the 14 s after which the server says something."""
IMPATIENT_SECONDS = 4
"""What it waits by another port, to see that it means it."""
COMMENT_SECONDS = 16
"""The server shows life within this (`KEEP_ALIVE_MS`, and a turn of housekeeping)."""
REQUESTS = 5
"""Of one address in a minute; this machine is not counted."""
RUN_SECONDS = 15
"""The proxy listens within this."""

CHECKS = [
    "negotiated revision", "tools/list", "echo of awkward texts", "progress in order", "list_changed once, caused by another client",
    "broadcast", "calls in parallel", "resources/read, blob", "subscription to a resource", "logs",
    "elicitation: accept, decline, cancel", "sampling", "ping",
]
"""What the clients do: whatever passes through the proxy in a way of its own. (`cancel` supposes that a call which was sent has arrived; a
proxy may not even have connected when its client gives up. See `left_is_cancelled`.)"""


def snippet(readme: Path, name: str) -> str:
    """The lines under `<!-- proxy: NAME -->`."""
    found = re.findall(rf"^<!-- proxy: {name} -->\n```[a-z]+\n(.*?)^```$", readme.read_text(), re.MULTILINE | re.DOTALL)
    expect(f"snippets for {name} in {readme.name}", 1, len(found))
    return found[0]


def replaced(text: str, by: dict[str, str]) -> str:
    """The text with each of these, which stands there, replaced."""
    for before, after in by.items():
        if before not in text:
            raise CheckFailed(f"README.md's lines have {before!r}, which the test replaces")
        text = text.replace(before, after)
    return text


# --- the proxies ---------------------------------------------------------------------------------------------------


class Nginx:
    """nginx with README.md's server, and what a whole configuration needs around it."""

    name = "nginx"
    hides_accel = True

    def __init__(self, program: str, readme: Path, folder: Path, upstream: int) -> None:
        self.port, self.impatient = free_port(), free_port()
        self.trusted = folder / "certificate.pem"
        self_signed(self.trusted, folder / "certificate.key")
        ours = replaced(
            snippet(readme, "nginx"),
            {
                "listen 443 ssl;": f"listen 127.0.0.1:{self.port} ssl;",
                "/etc/ssl/example.org.pem": str(self.trusted),
                "/etc/ssl/example.org.key": str(folder / "certificate.key"),
                "http://127.0.0.1:8000/": f"http://127.0.0.1:{upstream}/",
            },
        )
        temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        # Who asks is told by a field, so that there can be several of them on this machine.
        conf = f"""daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
            events {{}}
            http {{
                {temporary} access_log {folder}/access.log; proxy_read_timeout {PROXY_SECONDS}s;
                set_real_ip_from 127.0.0.1; real_ip_header X-Test-From;
                {ours}
                server {{
                    listen 127.0.0.1:{self.impatient}; proxy_read_timeout {IMPATIENT_SECONDS}s;
                    location / {{ proxy_pass http://127.0.0.1:{upstream}; }}
                }}
            }}"""
        (folder / "nginx.conf").write_text(conf)
        self.command = [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]

    @staticmethod
    def sent_by(address: str) -> dict[str, str]:
        """What makes a request of this machine one of that address."""
        return {"X-Test-From": address}


class Caddy:
    """Caddy with README.md's site, which gets its certificate from Caddy's own authority."""

    name = "caddy"
    hides_accel = False

    def __init__(self, program: str, readme: Path, folder: Path, upstream: int) -> None:
        self.port = free_port()
        self.trusted = folder / "data/pki/authorities/local/root.crt"
        # A proxy before this one is believed, so that there can be several clients on this machine.
        ours = replaced(
            snippet(readme, "caddy"),
            {"reverse_proxy 127.0.0.1:8000 {": f"reverse_proxy 127.0.0.1:{upstream} {{\ntrusted_proxies 127.0.0.1/32"},
        )
        settings = f"""{{
            admin off
            local_certs
            skip_install_trust
            auto_https disable_redirects
            default_bind 127.0.0.1
            https_port {self.port}
            storage file_system {folder}/data
        }}
        """
        (folder / "Caddyfile").write_text(settings + ours)
        self.command = [program, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]

    @staticmethod
    def sent_by(address: str) -> dict[str, str]:
        """What makes a request of this machine one of that address."""
        return {"X-Forwarded-For": address}


def self_signed(certificate: Path, key: Path) -> None:
    """A certificate for the name, as its own authority."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(secret, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key.write_bytes(secret.private_bytes(*form))


class TlsDoor(Door):
    """By TLS and by name, as clients come."""

    def __init__(self, port: int, trusted: Path) -> None:
        super().__init__(port, "/board")
        self.context = ssl.create_default_context(cafile=trusted)

    def connection(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPSConnection(NAME, self.port, timeout=WAIT_SECONDS, context=self.context)
        connection._create_connection = lambda _, *rest, **more: socket.create_connection(("127.0.0.1", self.port), *rest, **more)
        return connection


class House:
    """A server and a proxy before it."""

    def __init__(self, kind: type[Nginx] | type[Caddy], program: str, binary: str, readme: Path, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        upstream = Server(binary, folder / "server.log", None)
        self.proxy = kind(program, readme, folder, upstream.port)
        self.base = f"https://{NAME}:{self.proxy.port}/board"
        upstream.command += ["--public-base", self.base, "--trusted-proxy", "127.0.0.1"]
        upstream.command += ["--requests-per-address", f"{REQUESTS}/60"]
        self.server = upstream

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Both run."""
        self.server.start()
        environment = {**os.environ, "HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}
        with open(self.folder / "proxy.log", "wb") as log:
            process = subprocess.Popen(self.proxy.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        try:
            self.wait(process)
            yield
        finally:
            process.terminate()
            process.wait()
            self.server.stop()

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        """Until the proxy hands out an answer of the server's."""
        deadline = time.monotonic() + RUN_SECONDS
        while True:
            try:
                self.door().ask("GET", {})
                return
            except (OSError, http.client.HTTPException) as error:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise SystemExit(f"FAIL {self.proxy.name} starts: {error}; see {self.folder}/proxy.log") from None
                time.sleep(0.1)

    def door(self) -> TlsDoor:
        """The public one."""
        return TlsDoor(self.proxy.port, self.proxy.trusted)


# --- the checks ----------------------------------------------------------------------------------------------------


def every_revision(house: House) -> None:
    """Sessions and none."""
    for revision in ("2025-11-25", "2025-06-18", "2025-03-26"):
        session = Session(house.door(), revision)
        session.echoes("through the proxy ä")
        expect("status of DELETE", 200, session.delete(house.door()))
    status, _, answer = house.door().modern("tools/call", {"name": "echo", "arguments": {"text": "x"}}, "echo")
    expect("2026-07-28", (200, "x"), (status, answer["result"]["content"][0]["text"]))


def endpoint_event(house: House) -> None:
    """The transport of 2024-11-05 names the place for its messages as clients reach it."""
    with house.door().open("GET", {"Accept": "text/event-stream"}) as stream:
        expect("status of the stream", 200, stream.status)
        event, place = read_event(stream)
        expect("first event", "endpoint", event)
        if not place.startswith("/board/messages?sessionId="):
            raise CheckFailed(f"the endpoint lies below the public base: got {place!r}")
        message = {"jsonrpc": "2.0", "id": 7, "method": "initialize", "params": {"protocolVersion": "2024-11-05", **INFO}}
        connection = house.door().connection()
        with contextlib.closing(connection):
            connection.request("POST", place, json.dumps(message), {"Content-Type": "application/json"})
            expect("status of a message", 202, connection.getresponse().status)
        event, data = read_event(stream)
        answer = json.loads(data)
        expect("answer by the stream", ("message", 7, "2024-11-05"), (event, answer["id"], answer["result"]["protocolVersion"]))


def read_event(stream: http.client.HTTPResponse) -> tuple[str, str]:
    """The next event with data: its name, and the data."""
    event = ""
    while line := stream.readline():
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "event":
            event = value
        elif name == "data" and value:
            return event, value
    raise CheckFailed("the stream stays: it ended")


def events_pass(house: House) -> None:
    """One by one; what told the proxy so is no business of the client's."""
    expect("X-Accel-Buffering", None if house.proxy.hides_accel else "no", one_by_one(house.door())["X-Accel-Buffering"])


def strangers(house: House) -> None:
    """Host and Origin are those of the public base."""
    own = f"https://{NAME}:{house.proxy.port}"
    tries = {
        "the public name": ({}, 200),
        "the public name in capitals": ({"Host": f"{NAME.upper()}:{house.proxy.port}"}, 200),
        "a page of the public base": ({"Origin": own}, 200),
        "a page from elsewhere": ({"Origin": "https://evil.example"}, 403),
        "a page by plain HTTP": ({"Origin": own.replace("https:", "http:")}, 403),
        "a page without an origin": ({"Origin": "null"}, 403),
    }
    initialize = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25", **INFO}}
    for who, (headers, status) in tries.items():
        expect(f"status for {who}", status, house.door().ask("POST", headers, initialize)[0])
    status, headers, _ = house.door().ask("POST", {"Host": "evil.example"}, initialize)
    if isinstance(house.proxy, Caddy):
        # Its answer for a site that it does not have.
        expect("another host gets to the server", None, headers["Mcp-Session-Id"])
    else:
        expect("status for another host", 403, status)


def shares(house: House) -> None:
    """The rate of one address is the client's, and not the proxy's; and no client can be another by saying so."""

    def refused(address: str, **headers: str) -> bool:
        fields = {**house.proxy.sent_by(address), **headers}
        return house.door().ask("POST", fields, {"jsonrpc": "2.0", "id": 1, "method": "ping"})[0] == 429

    expect("refused of 192.0.2.7's", [False] * REQUESTS + [True], [refused("192.0.2.7") for _ in range(REQUESTS + 1)])
    expect("192.0.2.8 is refused too", False, refused("192.0.2.8"))
    expect("192.0.2.7 is refused with Forwarded", True, refused("192.0.2.7", Forwarded="for=192.0.2.9"))
    if not isinstance(house.proxy, Caddy):  # There this very field says who asks.
        expect("192.0.2.7 is refused with X-Forwarded-For", True, refused("192.0.2.7", **{"X-Forwarded-For": "192.0.2.9"}))


class Idle(threading.Thread):
    """A stream on which nothing happens for a long time, and then something."""

    def __init__(self, house: House, name: str, method: str, headers: dict[str, str], message: dict | None) -> None:
        super().__init__(daemon=True)
        self.house, self.label, self.request = house, name, (method, {"Accept": "text/event-stream", **headers}, message)
        self.begin = time.monotonic()
        self.error: str | None = "nothing more comes"
        self.start()

    def run(self) -> None:
        try:
            with self.house.door().open(*self.request) as stream:
                expect("status", 200, stream.status)
                self.hold(stream)
            self.error = None
        except (CheckFailed, OSError, http.client.HTTPException) as error:
            self.error = f"after {time.monotonic() - self.begin:.1f} s: {type(error).__name__}: {error}"

    def hold(self, stream: http.client.HTTPResponse) -> None:
        """Something comes every 16 s, but no event until the list of tools changes at the end."""
        stream.fp.raw._sock.settimeout(COMMENT_SECONDS)
        while line := stream.readline():
            if b"tools/list_changed" in line:
                if time.monotonic() < self.begin + IDLE_SECONDS:
                    raise CheckFailed("nothing happens here: the list of tools changed")
                return
        raise CheckFailed("the stream stays: it ended")

    def outcome(self) -> None:
        """What became of it, at the end."""
        self.join(COMMENT_SECONDS)
        if self.error is not None:
            raise CheckFailed(self.error)


def idle_streams(house: House) -> list[Idle]:
    """One of each kind, from now on."""
    session = Session(house.door(), "2025-11-25")
    listen = {
        "jsonrpc": "2.0", "id": "l", "method": "subscriptions/listen",
        "params": {"notifications": {"toolsListChanged": True}, "_meta": ENVELOPE},
    }
    modern = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "subscriptions/listen", "Accept": BOTH}
    return [
        Idle(house, "2024-11-05", "GET", {}, None),
        Idle(house, "2025-11-25", "GET", session.headers, None),
        Idle(house, MODERN, "POST", modern, listen),
    ]


def impatient(house: House) -> None:
    """With less patience than the server needs, nginx does end a stream: so the time-out that the others outlive is one."""
    door = Door(house.proxy.impatient)
    begin = time.monotonic()
    with door.open("GET", {"Accept": "text/event-stream"}) as stream:
        expect("status", 200, stream.status)
        with contextlib.suppress(http.client.IncompleteRead):
            stream.read()
    if time.monotonic() - begin < IMPATIENT_SECONDS:
        raise CheckFailed(f"the stream lasts for {IMPATIENT_SECONDS} s: it ended after {time.monotonic() - begin:.1f} s")


class Report:
    """The lines."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.counts: collections.Counter[str] = collections.Counter()

    def check(self, name: str, check: Callable[[], None]) -> None:
        """Its line."""
        try:
            check()
        except (CheckFailed, OSError, http.client.HTTPException, ValueError, LookupError) as error:
            self.counts["FAIL"] += 1
            print(f"FAIL {self.prefix}{name}: {type(error).__name__}: {error}", flush=True)
        else:
            print(f"ok {self.prefix}{name}", flush=True)


def main() -> int:
    kind, program, binary, readme, folder, *drivers = sys.argv[1:]
    place = Path(folder).resolve()
    proxies = {"nginx": Nginx, "caddy": Caddy}
    # A second one, where nothing happens.
    house, quiet = (House(proxies[kind], program, binary, Path(readme), place / name) for name in ("house", "quiet"))
    report = Report(f"{kind}, TLS, /board: ")
    with house.running(), quiet.running():
        held = idle_streams(quiet)
        for name, check in (
            ("every revision", every_revision), ("the endpoint of 2024-11-05", endpoint_event), ("events one by one", events_pass),
            ("a call that its client leaves", lambda house: left_is_cancelled(house.door(), [house.door()])),
            ("Host and Origin", strangers), ("shares are the clients'", shares),
        ):
            report.check(name, lambda check=check: check(house))
        if kind == "nginx":
            report.check(f"a stream is ended where nginx waits {IMPATIENT_SECONDS} s", lambda: impatient(house))
        for driver in drivers:
            variables = {"SMOL_MCP_PREFIX": report.prefix, "SMOL_MCP_CHECKS": "|".join(CHECKS), "SSL_CERT_FILE": str(house.proxy.trusted)}
            command = [house.base if word == "@" else word for word in shlex.split(driver)]
            report.counts["FAIL"] += run_driver(command, variables, place / "drivers.err")
        time.sleep(max(0.0, max(idle.begin for idle in held) + IDLE_SECONDS - time.monotonic()))
        Session(quiet.door(), "2025-11-25").send("tools/call", {"name": "notify", "arguments": {}})
        for idle in held:
            report.check(f"a stream of {idle.label} that is idle for {IDLE_SECONDS} s", idle.outcome)
    return 1 if report.counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
