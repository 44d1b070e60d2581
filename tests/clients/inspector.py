"""Drives a server with the Inspector in its CLI mode: `inspector.py NODE INSPECTOR BASE_URL`.

INSPECTOR is its launcher's `index.js`, BASE_URL is without a path. Every call is a program of its own that connects, asks once
and ends; four run at a time.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import Any, Callable

CALL_SECONDS = 60  # a good one takes 1 s, alone on a machine
CALLS_AT_ONCE = 4

ANY = {
    "http": ["/mcp"],
    "http auto": ["/mcp", "--protocol-era", "auto"],
    "http modern": ["/mcp", "--protocol-era", "modern"],
    "sse /sse": ["/sse"],
    "sse /mcp": ["/mcp", "--transport", "sse"],
}
"""Every way to connect: the path, and the options."""


@dataclass
class Case:
    """One call, and what must come of it."""

    name: str
    arguments: list[str]
    holds: Callable[[Any], bool]
    """Of the object on stdout: `{"result": ..}` or `{"error": ..}`."""
    status: int = 0
    ways: tuple[str, ...] = ("http", "http modern", "sse /sse")


def names(kind: str) -> Callable[[Any], set[str]]:
    """The names in a list."""
    return lambda said: {entry["name"] for entry in said["result"][kind]}


def text(said: Any) -> Any:
    """The text of a tool's answer."""
    return said["result"]["content"][0]["text"]


ARGUMENTS = json.dumps({"text": "Grüße \"x\"\n\U0001f600"})
CASES = [
    Case("tools/list", ["tools/list"], lambda said: {"echo", "add", "test_structured_content"} <= names("tools")(said),
         ways=tuple(ANY)),
    Case("tools/list, --strict", ["tools/list", "--strict"], lambda said: "echo" in names("tools")(said), ways=("http", "http modern")),
    Case("tools/call", ["tools/call", "--tool-name", "add", "--tool-arg", "a=1", "--tool-arg", "b=2"], lambda said: text(said) == "3",
         ways=tuple(ANY)),
    Case("tools/call, text", ["tools/call", "--tool-name", "echo", "--tool-args-json", ARGUMENTS],
         lambda said: text(said) == json.loads(ARGUMENTS)["text"]),
    Case("tools/call, structured", ["tools/call", "--tool-name", "test_structured_content"],
         lambda said: said["result"]["structuredContent"]["humidity"] == 65),
    Case("tools/call, an error of the tool", ["tools/call", "--tool-name", "test_error_handling"],
         lambda said: said["result"]["isError"] is True, status=5),
    Case("tools/call, log", ["tools/call", "--tool-name", "test_tool_with_logging"], lambda said: said["result"]["isError"] is False,
         ways=("http", "sse /sse")),
    Case("tools/call, progress", ["tools/call", "--tool-name", "test_tool_with_progress"], lambda said: text(said) == "done",
         ways=("http", "http modern")),
    Case("tools/call, one that takes its time", ["tools/call", "--tool-name", "slow_compute", "--tool-args-json", '{"seconds":2.5}'],
         lambda said: text(said).endswith(" for 2.5 s"), ways=("http", "http modern")),
    Case("tools/call, 20 of them, 10 at once",
         ["tools/call", "--tool-name", "add", "--tool-args-json", '{"a":1,"b":2}', "--load", "--load-requests", "20"],
         lambda said: said["result"]["ok"] == 20, ways=("http", "http modern")),
    Case("resources/list", ["resources/list"], lambda said: {"static_text", "static_binary"} <= names("resources")(said)),
    Case("resources/templates/list", ["resources/templates/list"], lambda said: names("resourceTemplates")(said) == {"template"}),
    Case("resources/read, text", ["resources/read", "--uri", "test://static-text"],
         lambda said: said["result"]["contents"][0]["text"].startswith("This is the content")),
    Case("resources/read, blob", ["resources/read", "--uri", "test://static-binary"],
         lambda said: said["result"]["contents"][0]["blob"].startswith("iVBOR")),
    Case("resources/read, not found", ["resources/read", "--uri", "test://nothing"],
         lambda said: "not found" in said["error"]["message"], status=1),
    Case("prompts/list", ["prompts/list"], lambda said: "test_simple_prompt" in names("prompts")(said)),
    Case("prompts/get", ["prompts/get", "--prompt-name", "test_prompt_with_arguments", "--prompt-args", "arg1=x", "arg2=y z"],
         lambda said: said["result"]["messages"][0]["content"]["text"] == "Prompt with arguments: arg1='x', arg2='y z'"),
    Case("logging/setLevel", ["logging/setLevel", "--log-level", "debug"], lambda said: said["result"] == {},
         ways=("http", "sse /sse")),
]


def main() -> int:
    """Run all cases in all their ways, say what came of each, in order."""
    node, program, base = sys.argv[1:]
    todo = [(way, case) for way in ANY for case in CASES if way in case.ways]
    failed = 0
    with tempfile.TemporaryDirectory() as home, concurrent.futures.ThreadPoolExecutor(CALLS_AT_ONCE) as pool:
        command = [node, program, "--cli", "--format", "json"]
        whys = pool.map(lambda each: run([*command, base.rstrip("/") + ANY[each[0]][0]], ANY[each[0]][1:], each[1], home), todo)
        for (way, case), why in zip(todo, whys):
            print(f"FAIL inspector {way}: {case.name}: {why}" if why else f"ok inspector {way}: {case.name}", flush=True)
            failed += bool(why)
    return 1 if failed else 0


def run(command: list[str], options: list[str], case: Case, home: str) -> str:
    """One call: nothing, or why it is not what it must be."""
    environment = os.environ | {"HOME": home}  # what it keeps of servers lies there
    try:
        done = subprocess.run([*command, "--method", *case.arguments, *options], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=CALL_SECONDS, env=environment)
    except subprocess.TimeoutExpired:
        return f"no end within {CALL_SECONDS} s"
    said = f"exit status {done.returncode}, {done.stdout[-400:]!r}, {done.stderr[-400:]!r}"
    sys.stderr.write(f"{case.name} {options}: {said}\n")
    if done.returncode != case.status:
        return f"expected the exit status {case.status}, got {said}"
    try:
        return "" if case.holds(json.loads((done.stdout.strip() or done.stderr.strip()).splitlines()[0])) else f"got {said}"
    except (KeyError, IndexError, ValueError, TypeError) as error:
        return f"{type(error).__name__} {error} in {said}"


if __name__ == "__main__":
    sys.exit(main())
