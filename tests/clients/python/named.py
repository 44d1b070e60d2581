"""Runs a Python program for which a name is this machine's: `named.py NAME SCRIPT ARGUMENT..`.

Who publishes a server by its name needs a resolver that knows it; here only this program's does.
"""

from __future__ import annotations

import os
import runpy
import socket
import sys
from typing import Any

name, script, *arguments = sys.argv[1:]
resolve = socket.getaddrinfo


def getaddrinfo(host: Any, *rest: Any, **more: Any) -> Any:
    """As ever, but for the one name."""
    return resolve("127.0.0.1" if host in (name, name.encode()) else host, *rest, **more)


socket.getaddrinfo = getaddrinfo
sys.argv = [script, *arguments]
sys.path[0] = os.path.dirname(os.path.abspath(script))
runpy.run_path(script, run_name="__main__")
