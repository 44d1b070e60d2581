"""What `readme.sh` does with the snippets of README.md. Every check prints `ok NAME` or `FAIL NAME: why`.

    readme.py extract README FOLDER HOST:PORT TOKEN     each snippet under `<!-- readme: NAME -->`, in a file, made out for this server
    readme.py runs NAME EXPECTED COMMAND..              the command ends well, and its output holds EXPECTED (several: `|` between)
    readme.py let-in NAME FILE                          the URL and the header in a client's settings are let in
    readme.py stdio NAME FILE                           the command in a client's settings is a server by stdio
    readme.py old-sse NAME FILE                         the URL and the header, by the transport of 2024-11-05 (wants `mcp` 1.x)
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Callable

SNIPPET = re.compile(r"^<!-- readme: ([a-z0-9-]+) -->\n```([a-z]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SUFFIXES = {"sh": "sh", "json": "json", "python": "py", "ts": "mjs"}
RUN_SECONDS = 240  # npx downloads what it has not got
CALL_SECONDS = 30  # a request to a running server
ENOUGH = ["temperatures", "Memory: "]  # in the list of the tools, and in the answer of `overview`


class CheckFailed(Exception):
    """Something is not as README.md says."""


def expect_in(expected: list[str], output: str) -> None:
    """All of `expected` are in the output."""
    missing = [text for text in expected if text not in output]
    if missing:
        raise CheckFailed(f"expected {missing} in the output, got {output[-600:]!r}")


def extract(readme: str, folder: str, host: str, token: str) -> None:
    """Write the snippets, with this server for `HOST:8000` and this token for `TOKEN`."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, language, text in SNIPPET.findall(Path(readme).read_text()):
        text = text.replace("HOST:8000", host).replace("${input:board-token}", "TOKEN")
        text = re.sub(r"\bTOKEN\b", token, text)
        (Path(folder) / f"{name}.{SUFFIXES[language]}").write_text(text)


def runs(expected: str, *command: str) -> None:
    """The command ends well, and says what is expected."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=RUN_SECONDS)
    sys.stderr.write(done.stderr)
    if done.returncode != 0:
        raise CheckFailed(f"exit status {done.returncode}: {(done.stderr or done.stdout)[-600:]!r}")
    expect_in(expected.split("|"), done.stdout)


def settings(path: str) -> tuple[str, dict[str, str]]:
    """The URL and the headers in a client's settings, or on its command line."""
    text = Path(path).read_text()
    if path.endswith(".sh"):
        words = shlex.split(text)
        header = words[words.index("--header") + 1]
        url = next(word for word in words if word.startswith("http://"))
        return url, dict([header.split(": ", 1)])
    entry = board(text)
    return entry["url"], entry["headers"]


def board(text: str) -> Any:
    """The entry of the server in a client's settings."""
    whole = json.loads(text)
    return (whole.get("mcpServers") or whole["servers"])["board"]


def let_in(path: str) -> None:
    """A first message is answered; without the header it is not."""
    url, headers = settings(path)
    message = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}).encode()
    usual = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    with urllib.request.urlopen(urllib.request.Request(url, message, usual | headers), timeout=CALL_SECONDS) as answer:
        expect_in(['"name":"board"'], answer.read().decode())
    try:
        urllib.request.urlopen(urllib.request.Request(url, message, usual), timeout=CALL_SECONDS).close()
    except urllib.error.HTTPError as refusal:
        if refusal.code == 401:
            return
        raise
    raise CheckFailed("expected 401 without the token, got an answer")


def stdio(path: str) -> None:
    """The tools are listed and called through the command, as the client would do it."""
    entry = board(Path(path).read_text())
    child = subprocess.Popen(
        [entry["command"], *entry["args"]], env=os.environ | entry["env"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    watchdog = threading.Timer(RUN_SECONDS, child.kill)
    watchdog.start()
    try:
        ask(child, 1, "initialize", INITIALIZE)
        tell(child, {"jsonrpc": "2.0", "method": "notifications/initialized"})
        listed = ask(child, 2, "tools/list", {})
        called = ask(child, 3, "tools/call", {"name": "overview", "arguments": {}})
        expect_in(ENOUGH, json.dumps(listed) + json.dumps(called))
        child.stdin.close()
        child.wait(CALL_SECONDS)
    finally:
        watchdog.cancel()
        child.kill()


def ask(child: Any, number: int, method: str, params: dict[str, Any]) -> Any:
    """The result of a request; other messages are passed over."""
    tell(child, {"jsonrpc": "2.0", "id": number, "method": method, "params": params})
    for line in child.stdout:
        message = json.loads(line)
        if message.get("id") == number and "method" not in message:
            if "result" not in message:
                raise CheckFailed(f"{method}: {message}")
            return message["result"]
    raise CheckFailed(f"{method}: the command ended")


def tell(child: Any, message: dict[str, Any]) -> None:
    """One message on a line of its own."""
    child.stdin.write(json.dumps(message) + "\n")
    child.stdin.flush()


def old_sse(path: str) -> None:
    """The tools are listed and called by the transport that the settings name."""
    import anyio
    from mcp import ClientSession
    from mcp.client.sse import sse_client

    entry = board(Path(path).read_text())
    if entry["transport"] != "sse":
        raise CheckFailed(f"expected the transport sse, got {entry['transport']}")

    async def drive() -> str:
        with anyio.fail_after(CALL_SECONDS):
            async with sse_client(entry["url"], entry["headers"]) as (read, write), ClientSession(read, write) as session:
                await session.initialize()
                listed = await session.list_tools()
                return listed.model_dump_json() + (await session.call_tool("overview", {})).model_dump_json()

    expect_in(ENOUGH, anyio.run(drive))


INITIALIZE = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "readme", "version": "1"}}
CHECKS: dict[str, Callable[..., None]] = {"runs": runs, "let-in": let_in, "stdio": stdio, "old-sse": old_sse}


def main() -> int:
    """Run one command."""
    command, *rest = sys.argv[1:]
    if command == "extract":
        extract(*rest)
        return 0
    name, *rest = rest
    try:
        CHECKS[command](*rest)
    except Exception as error:
        print(f"FAIL {name}: {type(error).__name__}: {error}".replace("\n", " "))
        return 1
    print(f"ok {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
