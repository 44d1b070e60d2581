"""A server that takes access tokens, an authorization server beside it, and the published clients, which find that one by themselves.

`oauth.py SERVER_BINARY FOLDER CLIENT..`: is the authorization server (metadata, registration, code with PKCE, refresh), whose tokens PyJWT signs, starts
the server with its keys, holds tokens of every kind against it, and then runs each CLIENT, a command line with `@` for the URL of the endpoint. A client
prints `ok NAME` or `FAIL NAME: why` for what it sees; what the authorization server saw of it is looked at here.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import http.server
import json
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
from pathlib import Path
from typing import Any, Callable, Iterator

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from vanish import free_port

CLIENT_SECONDS = 60
"""A client is ended after this."""
LOOK_SECONDS = 10.0
"""A file of keys that changed is seen within this."""
SCOPE = "everything:use"
WELL_KNOWN = "/.well-known/oauth-protected-resource"


class CheckFailed(Exception):
    """The server did something else than it must."""


def expect(what: str, expected: object, got: object) -> None:
    """Fail unless both are the same."""
    if expected != got:
        raise CheckFailed(f"{what}: expected {expected!r}, got {got!r}")


def check(name: str, body: Callable[[], None]) -> None:
    """Run one check and print its line."""
    try:
        body()
    except Exception as error:  # noqa: BLE001
        print(f"FAIL {name}: {type(error).__name__}: {error}", flush=True)
    else:
        print(f"ok {name}", flush=True)


class Issuer:
    """An authorization server for one client at a time, who need not sign in."""

    def __init__(self, folder: Path) -> None:
        self.keys = [ed25519.Ed25519PrivateKey.generate()]
        self.jwks = folder / "jwks.json"
        self.seconds = 600
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.codes: dict[str, dict[str, str]] = {}
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                issuer.answer(self, b"")

            def do_POST(self) -> None:
                issuer.answer(self, self.rfile.read(int(self.headers["Content-Length"] or 0)))

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.publish()

    def publish(self, *others: dict[str, Any]) -> None:
        """Puts the file of keys in its place."""
        keys = [self.jwk(number) for number in range(len(self.keys)) if self.keys[number]]
        new = self.jwks.with_suffix(".new")
        new.write_text(json.dumps({"keys": [*others, *keys]}))
        new.chmod(0o644)
        new.rename(self.jwks)

    def jwk(self, number: int) -> dict[str, Any]:
        """A key as it is published."""
        public = OKPAlgorithm.to_jwk(self.keys[number].public_key(), as_dict=True)
        return {**public, "kid": f"k{number}", "use": "sig", "alg": "EdDSA"}

    def token(self, resource: str, **claims: Any) -> str:
        """An access token; a claim that is None is left out."""
        now = int(time.time())
        all_claims = {"iss": self.url, "aud": resource, "sub": "ann", "client_id": "x", "iat": now, "exp": now + self.seconds,
                      "scope": SCOPE, **claims}
        number = len(self.keys) - 1
        return jwt.encode({name: value for name, value in all_claims.items() if value is not None}, self.keys[number],
                          algorithm="EdDSA", headers={"kid": f"k{number}", "typ": "at+jwt"})

    def answer(self, request: http.server.BaseHTTPRequestHandler, body: bytes) -> None:
        """What an authorization server says (RFC 8414, 7591, 6749, 7636, 8707)."""
        url = urllib.parse.urlsplit(request.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        status, headers, answer = 404, {}, {"error": "not_found"}
        if url.path == "/.well-known/oauth-authorization-server":
            status, answer = 200, self.metadata()
        elif url.path == "/register":
            status, answer = 201, {**json.loads(body), "client_id": "the-client", "client_id_issued_at": int(time.time())}
        elif url.path == "/authorize":
            self.seen.append(("authorize", query))
            code = f"code-{len(self.codes)}"
            self.codes[code] = query
            back = urllib.parse.urlencode({"code": code, "state": query.get("state", ""), "iss": self.url})
            status, headers = 302, {"Location": f"{query['redirect_uri']}?{back}"}
        elif url.path == "/token":
            form = dict(urllib.parse.parse_qsl(body.decode()))
            self.seen.append(("token", form))
            status, answer = self.grant(form)
        data = json.dumps(answer).encode()
        request.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(data))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(data)

    def metadata(self) -> dict[str, Any]:
        """RFC 8414."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "registration_endpoint": f"{self.url}/register",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "scopes_supported": [SCOPE],
            "authorization_response_iss_parameter_supported": True,
        }

    def grant(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """A token for a code, or for a refresh token."""
        if form["grant_type"] == "authorization_code":
            asked = self.codes.pop(form["code"])
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
                return 400, {"error": "invalid_grant"}
        token = self.token(form["resource"])
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": self.seconds, "scope": SCOPE, "refresh_token": "again"}


class House:
    """The server."""

    def __init__(self, binary: str, folder: Path, issuer: Issuer) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.resource = f"{self.url}/mcp"
        flags = ["--listen", f"127.0.0.1:{self.port}", "--public-base", self.url, "--oauth-issuer", issuer.url, "--oauth-jwks", str(issuer.jwks),
                 "--oauth-scope", SCOPE]
        self.log = (folder / "server.log").open("w")
        self.process = subprocess.Popen([binary, *flags], stdout=subprocess.PIPE, stderr=self.log, text=True)
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            raise SystemExit(f"FAIL the server starts: it said {line!r}")

    def stop(self) -> None:
        """Ends it."""
        self.process.terminate()
        expect("the exit status", 0, self.process.wait(10))

    def get(self, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """A request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, body

    def status(self, token: str) -> int:
        """What a token is worth: 405 lets in (there is no stream to GET), 401 does not."""
        return self.get("/mcp", {"Authorization": f"Bearer {token}"})[0]


def parameters(challenge: str) -> dict[str, str]:
    """Those of a challenge."""
    return dict(re.findall(r'(\w+)="([^"]*)"', challenge))


def look_at_metadata(house: House, issuer: Issuer) -> None:
    """The way from a refusal to the authorization server."""
    status, headers, _ = house.get("/mcp")
    challenge = parameters(headers["www-authenticate"])
    expect("the challenge", (401, {"scope": SCOPE, "resource_metadata": f"{house.url}{WELL_KNOWN}/mcp"}), (status, challenge))
    for path in (f"{WELL_KNOWN}/mcp", WELL_KNOWN):
        status, headers, body = house.get(path, {"Origin": "https://app.example"})
        document = json.loads(body)
        expect("its status and CORS", (200, "*"), (status, headers["access-control-allow-origin"]))
        expect("the resource", house.resource, document["resource"])
        expect("its authorization server", [issuer.url], document["authorization_servers"])
    expect("the server's own", 404, house.get("/.well-known/oauth-authorization-server")[0])


def look_at_tokens(house: House, issuer: Issuer) -> None:
    """Tokens that another library signed."""
    now = int(time.time())
    good = {"iss": issuer.url, "aud": house.resource, "sub": "ann", "exp": now + 600}
    public = issuer.keys[0].public_key().public_bytes_raw()
    other = ed25519.Ed25519PrivateKey.generate()
    # Whatever a library would not sign is signed by hand.
    forged = jwt.api_jws.PyJWS()
    table: list[tuple[str, str, int]] = [
        ("a good one", issuer.token(house.resource), 405),
        ("for several", issuer.token([house.resource, "x"]), 405),  # type: ignore[arg-type]
        ("for another", issuer.token("https://other.example/mcp"), 401),
        ("for nobody", issuer.token(None), 401),  # type: ignore[arg-type]
        ("of another", issuer.token(house.resource, iss="https://other.example"), 401),
        ("ended", issuer.token(house.resource, exp=now - 100), 401),
        ("without an end", issuer.token(house.resource, exp=None), 401),
        ("not good yet", issuer.token(house.resource, nbf=now + 100), 401),
        ("of nobody", issuer.token(house.resource, sub=None, client_id=None), 401),
        ("unsigned", jwt.encode(good, None, algorithm="none"), 401),  # type: ignore[arg-type]
        ("by another key", jwt.encode(good, other, algorithm="EdDSA", headers={"kid": "k0"}), 401),
        ("by an unknown key", jwt.encode(good, other, algorithm="EdDSA", headers={"kid": "k9"}), 401),
        ("without a key's name", jwt.encode(good, issuer.keys[0], algorithm="EdDSA"), 405),
        ("by the public key as a secret", jwt.encode(good, public, algorithm="HS256", headers={"kid": "k0"}), 401),
        ("critical", forged.encode(json.dumps(good).encode(), issuer.keys[0], algorithm="EdDSA", headers={"crit": ["x"], "x": 1}), 401),
        ("an id token", jwt.encode(good, issuer.keys[0], algorithm="EdDSA", headers={"typ": "id+jwt"}), 401),
    ]
    for name, token, expected in table:
        expect(name, expected, house.status(token))


def look_at_keys(house: House, issuer: Issuer) -> None:
    """Keys that change while the server runs."""
    def until(status: int, token: str, what: str) -> None:
        end = time.monotonic() + LOOK_SECONDS
        while house.status(token) != status:
            if time.monotonic() > end:
                raise CheckFailed(f"{what}: not within {LOOK_SECONDS} s")
            time.sleep(0.1)

    first = issuer.token(house.resource)
    issuer.keys.append(ed25519.Ed25519PrivateKey.generate())
    # Keys of other kinds, which are of no use in a default build, stand beside.
    rsa_key = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048).public_key(), as_dict=True)
    ec_key = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True)
    issuer.publish({**rsa_key, "kid": "r"}, {**ec_key, "kid": "e"})
    second = issuer.token(house.resource)
    until(405, second, "the new key is taken")
    expect("the old one", 405, house.status(first))
    issuer.jwks.write_text("{")
    house.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    expect("with a broken file", (405, 405), (house.status(first), house.status(second)))
    issuer.keys[0] = None  # type: ignore[call-overload]
    issuer.publish()
    house.process.send_signal(signal.SIGHUP)
    until(401, first, "the old key is no longer good")
    expect("the new one", 405, house.status(second))


def run_client(command: str, house: House, issuer: Issuer) -> None:
    """One client, and what the authorization server saw of it."""
    issuer.seen.clear()
    arguments = [house.resource if word == "@" else word for word in shlex.split(command)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=CLIENT_SECONDS, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith(("ok ", "FAIL "))]
    print("\n".join(lines), flush=True)
    name = lines[0].split(",")[0].split(" ", 1)[1] if lines else arguments[-1]

    def saw() -> None:
        if done.returncode != 0 or not lines:
            raise CheckFailed(f"exit status {done.returncode}: {done.stderr[-1500:]}")
        authorized = next(asked for what, asked in issuer.seen if what == "authorize")
        expect("the resource", house.resource, authorized.get("resource"))
        expect("the scope", SCOPE, authorized.get("scope"))
        tokens = [asked for what, asked in issuer.seen if what == "token"]
        expect("the resource of all tokens", {house.resource}, {asked.get("resource") for asked in tokens})

    check(f"{name}, what its authorization server saw", saw)


@contextlib.contextmanager
def running(binary: str, folder: Path, issuer: Issuer) -> Iterator[House]:
    """The server, as long as it is needed."""
    house = House(binary, folder, issuer)
    try:
        yield house
    finally:
        house.stop()


def main() -> None:
    """All of it."""
    binary, folder, *clients = sys.argv[1:]
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    issuer = Issuer(place)
    with running(binary, place, issuer) as house:
        check("oauth, from a refusal to the authorization server", lambda: look_at_metadata(house, issuer))
        check("oauth, tokens of PyJWT", lambda: look_at_tokens(house, issuer))
        check("oauth, keys that change", lambda: look_at_keys(house, issuer))
        for client in clients:
            try:
                run_client(client, house, issuer)
            except subprocess.TimeoutExpired:
                print(f"FAIL oauth, {client[:80]}: no end within {CLIENT_SECONDS} s", flush=True)


main()
