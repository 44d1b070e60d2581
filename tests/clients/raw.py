"""`raw.py BASE_URL FILE COUNT`: sends FILE's bytes at once on one connection and prints, for each of COUNT responses,
a line `STATUS ID` (the `id` of its JSON, from its last SSE event where it is a stream; `-` without a body)."""

import http.client
import json
import socket
import sys
from urllib.parse import urlsplit


def main() -> None:
    base, file, count = urlsplit(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    with open(file, "rb") as requests:
        data = requests.read()
    methods = [line.split()[0].decode() for line in data.split(b"\r\n") if line.endswith(b" HTTP/1.1") and b"{" not in line]
    with socket.create_connection((base.hostname, base.port), timeout=10) as sock:
        sock.sendall(data)
        stream = sock.makefile("rb")
        for number in range(count):
            method = methods[number] if number < len(methods) else "POST"
            print(*answer(stream, method), flush=True)


class OneStream:
    """http.client wants a socket to make its file of; here all responses share one."""

    def __init__(self, stream) -> None:
        self.stream = stream

    def makefile(self, _mode):
        return Shared(self.stream)


class Shared:
    """The shared file, that one finished response does not close for the next."""

    def __init__(self, stream) -> None:
        self.stream = stream

    def __getattr__(self, name):
        return getattr(self.stream, name)

    def close(self) -> None:
        pass


def answer(stream, method: str) -> tuple:
    """Status and id of the next response."""
    response = http.client.HTTPResponse(OneStream(stream), method=method)
    response.begin()
    text = response.read().decode()
    events = [line[5:] for line in text.splitlines() if line.startswith("data:") and line[5:].strip()]
    try:
        return response.status, json.loads(events[-1] if events else text).get("id", "-")
    except (ValueError, AttributeError):
        return response.status, "-"


main()
