"""What .ci/arm/board does with files and processes.

    board.py pack OUT INIT BUSYBOX PROGRAM MODULE..
        an initramfs: /init, /bin/busybox, /board, and the kernel's modules in the order in which they are loaded
    board.py boot NAME MEGABYTES LOG KERNEL_ARGUMENTS QEMU.. -- CLIENT..
        boots it, waits for the first answer, lets CLIENT talk to it (with the URL behind it, and the port of QEMU's monitor; none is well too), asks for the memory

The lines of `boot`: `ok NAME` or `FAIL NAME: why`, those of the client among them; `# ` before what was measured; `N passed, M failed`.
"""

from __future__ import annotations

import collections
import contextlib
import gzip
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import BinaryIO, Iterator

BOOT_SECONDS = 200
"""An emulated board answers within this, on a machine that has a lot of other things to do. It takes 7 to 20 s."""
ASK_SECONDS = 1.0
"""A question to a board that is not there yet: the forwarded port takes every connection."""
CLIENT_SECONDS = 90
"""The client's checks take some 15 s."""
MEMORY_SECONDS = 20
"""The shell on the console answers within this."""
MODERN = "2026-07-28"
PORT = 8000
"""Where the server listens on the board (board-init)."""


# --- the initramfs -------------------------------------------------------------------------------------------------


class Archive:
    """A cpio archive as the kernel reads it ("newc", Documentation/driver-api/early-userspace/buffer-format.rst)."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._number = 0

    def put(self, name: str, mode: int, data: bytes = b"", device: tuple[int, int] = (0, 0)) -> None:
        """A file, a folder or a device, all of them root's."""
        self._number += 1
        path = name.encode() + b"\0"
        fields = (self._number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0)
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + path
        self._out.write(head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4))


def pack(out: str, init: str, busybox: str, program: str, *modules: str) -> None:
    """Write the initramfs, compressed."""
    with gzip.open(out, "wb", 6) as file:
        archive = Archive(file)
        for folder in ("bin", "dev", "modules", "proc", "sys"):
            archive.put(folder, 0o040755)
        archive.put("dev/console", 0o020600, device=(5, 1))
        archive.put("dev/null", 0o020666, device=(1, 3))
        archive.put("init", 0o100755, Path(init).read_bytes())
        archive.put("bin/busybox", 0o100755, Path(busybox).read_bytes())
        archive.put("board", 0o100755, Path(program).read_bytes())
        for number, module in enumerate(modules):
            path = Path(f"{module}.ko")
            archive.put(f"modules/{number:02}-{path.name}", 0o100644, path.read_bytes())
        archive.put("TRAILER!!!", 0)
    print(f"# the initramfs has {os.path.getsize(out)} bytes")


# --- the machine ---------------------------------------------------------------------------------------------------


class Lines:
    """What is printed, and how much of it is well."""

    def __init__(self) -> None:
        self.counts: collections.Counter[str] = collections.Counter()

    def say(self, line: str) -> None:
        """One line."""
        self.counts[line.split(" ", 1)[0]] += 1
        print(line, flush=True)


class Failed(Exception):
    """It is not as it must be."""


def free_port() -> int:
    """A port of this machine's loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Board:
    """A machine that runs, and its console."""

    def __init__(self, log: str, command: list[str]) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.said = b""
        self._log = open(log, "wb")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while piece := self.process.stdout.read1(65536):
            self.said += piece
            self._log.write(piece)
            self._log.flush()

    def end(self) -> None:
        """Pull the plug."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self._log.close()

    def first_answer(self, url: str) -> float:
        """How long it took, in seconds, from the start of the machine to its first answer."""
        while time.monotonic() < self.started + BOOT_SECONDS:
            if self.process.poll() is not None:
                raise Failed(f"it ended: {self.last_words()}")
            try:
                with urllib.request.urlopen(f"{url}/healthz", timeout=ASK_SECONDS) as answer:
                    answer.read()
                    return time.monotonic() - self.started
            except (OSError, urllib.error.URLError):
                time.sleep(0.05)
        raise Failed(f"no answer within {BOOT_SECONDS} s: {self.last_words()}")

    def memory(self) -> dict[str, int]:
        """What the shell on its console says, in kB (and the number of threads)."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        deadline = time.monotonic() + MEMORY_SECONDS
        while b"end of the memory" not in self.said:
            if time.monotonic() > deadline:
                raise Failed(f"the console does not answer: {self.last_words()}")
            time.sleep(0.05)
        told = self.said.decode(errors="replace").partition("memory of process 1")[2]
        return {name: int(number) for name, number in re.findall(r"^([A-Za-z_]+):\s+(\d+)", told, re.MULTILINE)}

    def last_words(self) -> str:
        """The end of what stands on its console."""
        return " | ".join(self.said.decode(errors="replace").split("\n")[-6:]).replace("\r", "")


def alone(url: str) -> None:
    """The server is the first process, and the only one that has memory: the others are the kernel's own."""
    head = {
        "Content-Type": "application/json", "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": MODERN,
        "Mcp-Method": "tools/call", "Mcp-Name": "processes",
    }
    meta = {f"io.modelcontextprotocol/{name}": value for name, value in (("protocolVersion", MODERN), ("clientCapabilities", {}))}
    params = {"name": "processes", "arguments": {"by": "memory", "count": 50}, "_meta": meta}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{url}/mcp", body, head), timeout=BOOT_SECONDS) as answer:
        text = json.load(answer)["result"]["content"][0]["text"]
    with_memory = [line for line in text.splitlines() if re.search(r", memory \d", line)]
    if len(with_memory) != 1 or not with_memory[0].startswith("1 board: "):
        raise Failed(f"nothing but the server runs, as process 1: expected one process with memory, got {with_memory or text}")


@contextlib.contextmanager
def running(log: str, command: list[str]) -> Iterator[Board]:
    """A board, until it is no longer needed."""
    board = Board(log, command)
    try:
        yield board
    finally:
        board.end()


def boot(lines: Lines, name: str, megabytes: str, log: str, kernel: str, *rest: str) -> None:
    """Boot, be answered, let the client do its checks, ask for the memory."""
    machine, client = list(rest[: rest.index("--")]), list(rest[rest.index("--") + 1 :])
    port = free_port()
    # `restrict`: the board reaches nothing; it is reached by the one port.
    net = f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:{PORT}"
    command = [*machine, "-netdev", net, "-append", kernel + (" measured" if client else "")]
    command += ["-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot"]
    # Where somebody may press the machine's power button.
    monitor = free_port()
    command += ["-qmp", f"tcp:127.0.0.1:{monitor},server=on,wait=off"]
    url = f"http://127.0.0.1:{port}"
    with running(log, command) as board:
        seconds = board.first_answer(url)
        lines.say(f"ok {name}: {megabytes} MB, it answers")
        lines.say(f"# {name}: {megabytes} MB, {seconds:.1f} s from the start of the machine to the first answer")
        if client:
            done = subprocess.run([*client, url, str(monitor)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=CLIENT_SECONDS)
            for line in done.stdout.splitlines():
                lines.say(line)
            memory = board.memory()
            lines.say(f"# {name}: {memory['MemTotal']} kB are left by the kernel, of which {memory['MemAvailable']} kB are free")
            # All of an initramfs is dirty, the program's own file too; what it has written is anonymous.
            lines.say(f"# {name}: the server has {memory['Rss']} kB resident, of which {memory['Anonymous']} kB are its data")
            if done.returncode:
                raise Failed(f"the client ends with status {done.returncode}")
            alone(url)
            lines.say(f"ok {name}: nothing else runs")


def main() -> int:
    what, *arguments = sys.argv[1:]
    if what == "pack":
        pack(*arguments)
        return 0
    lines = Lines()
    try:
        boot(lines, *arguments)
    except (Failed, subprocess.TimeoutExpired) as error:
        lines.say(f"FAIL {arguments[0]}: {arguments[1]} MB: {error}")
    lines.say(f"{lines.counts['ok']} passed, {lines.counts['FAIL']} failed")
    return 1 if lines.counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
