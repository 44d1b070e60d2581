"""`confined.py MEMORY_KIB ADDRESS_SPACE_MIB NOTE COMMAND..`: becomes COMMAND, which can't have more memory than this.

By a cgroup (v2's `memory.max`, or v1's) where one can be made; the kernel ends the command where it needs more. That counts more than
what is resident: the kernel's own for it (sockets, tables of pages) as well. In any case under an RLIMIT_AS, which stops a runaway.
The file NOTE then tells the folder of the cgroup, or nothing.
`confined.py peak NOTE PID`: what it had at most, `RESIDENT_KIB CGROUP_KIB` (0 without a cgroup). `confined.py free NOTE`: the cgroup goes.
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
LIMITS = {"memory.max": "memory.peak", "memory.limit_in_bytes": "memory.max_usage_in_bytes"}
"""The file of the limit, in v2 and in v1, and that of the peak."""


def main() -> None:
    if sys.argv[1] == "peak":
        return print(*peak(Path(sys.argv[2]), int(sys.argv[3])))
    if sys.argv[1] == "free":
        return free(Path(sys.argv[2]))
    memory_kib, address_space_mib, note, *command = sys.argv[1:]
    place = confine(int(memory_kib) * 1024)
    Path(note).write_text(str(place or ""))
    most = int(address_space_mib) << 20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    os.execv(command[0], command)


def confine(most: int) -> Path | None:
    """This process, in a cgroup of its own; None where none can be made."""
    for base in (ROOT, ROOT / "unified", ROOT / "memory"):
        place = base / f"smol-mcp-{os.getpid()}"
        with contextlib.suppress(OSError):
            place.mkdir()
            try:
                if not limits(place):
                    (base / "cgroup.subtree_control").write_text("+memory")
                limits(place)[0].write_text(str(most))
                with contextlib.suppress(OSError):
                    (place / "memory.swap.max").write_text("0")
                # Python's own pages are left behind by the exec.
                (place / "cgroup.procs").write_text(str(os.getpid()))
                return place
            except (OSError, IndexError):
                place.rmdir()
    return None


def limits(place: Path) -> list[Path]:
    """The files that limit memory, of which there is one or none."""
    return [place / name for name in LIMITS if (place / name).exists()]


def peak(note: Path, pid: int) -> tuple[int, int]:
    """KiB that were resident at most, and those of the cgroup."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        sys.exit(f"process {pid} is gone")
    resident = int(status.split("VmHWM:")[1].split()[0])
    place = note.read_text()
    for name in LIMITS.values():
        if place and (Path(place) / name).exists():
            return resident, int((Path(place) / name).read_text()) // 1024
    return resident, 0


def free(note: Path) -> None:
    """Take the cgroup away, once its process has ended."""
    if not note.exists() or not (place := note.read_text()):
        return
    for _ in range(100):
        with contextlib.suppress(OSError):
            os.rmdir(place)
            return
        time.sleep(0.05)


if __name__ == "__main__":
    main()
