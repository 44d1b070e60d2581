"""`conformance.py NAME SCENARIOS FOLDER COMMAND..`: runs the conformance suite by COMMAND, with `-o FOLDER`, and says of each
scenario `ok NAME` or `FAIL NAME: why`.

The suite's exit status and its summary pass over what it does not score; here a scenario holds only if none of its checks
failed and one at least succeeded. A skipped check is none that succeeded, but where upstream says what it is for.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

RUN_SECONDS = 240  # a good run takes 15 s; a scenario that hangs is given up by the suite after 30 s
LINE_CHARACTERS_MAX = 600  # of what a check says

SKIPPED = {
    "tasks-status-notifications": "the suite has not written it yet",
    "sep-2640-skills-directory": "the server has no skills",
    "sep-2640-skills-enumeration": "the server has no skills",
    "sep-2640-skills-manifest": "the server has no skills",
}
"""The scenarios that may skip their checks, and why."""

FOLDER = re.compile(r"server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z")
SUMMARY = re.compile(r"^[✓✗] (\S+): \d+ passed, \d+ failed", re.MULTILINE)


def main() -> int:
    """Run, read, say."""
    name, scenarios, folder, *command = sys.argv[1:]
    try:
        done = subprocess.run([*command, "-o", folder], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired as late:
        sys.stderr.write((late.stdout or b"").decode())
        print(f"FAIL {name}: the suite ends: no end within {RUN_SECONDS} s")
        return 1
    sys.stderr.write(done.stdout + done.stderr)
    results = {scenario_of(path): json.loads(path.read_text()) for path in sorted(Path(folder).glob("*/checks.json"))}
    failed = [say(name, scenario, wrong(scenario, checks)) for scenario, checks in results.items()]
    summed = sorted(SUMMARY.findall(done.stdout))
    missing = [] if summed == sorted(results) else [f"the summary has {len(summed)}: {sorted({*summed} ^ {*results})}"]
    if len(results) != int(scenarios):
        missing.append(f"expected {scenarios}, got {len(results)}")
    failed.append(say(name, f"all {scenarios} scenarios ran", "; ".join(missing)))
    failed.append(say(name, "exit status", "" if done.returncode == 0 else f"expected 0, got {done.returncode}: {done.stderr[-300:]!r}"))
    kinds = [check["status"] for checks in results.values() for check in checks]
    print(f"# {name}: {', '.join(f'{kinds.count(kind)} {kind}' for kind in sorted({*kinds}))}")
    return 1 if any(failed) else 0


def scenario_of(path: Path) -> str:
    """The scenario, from the name of the folder that its checks lie in."""
    found = FOLDER.fullmatch(path.parent.name)
    return found[1] if found else path.parent.name


def wrong(scenario: str, checks: list[dict[str, Any]]) -> str:
    """What is wrong with a scenario; nothing when it holds. Warnings are printed."""
    failures = [said(check) for check in checks if check["status"] not in ("SUCCESS", "INFO", "WARNING", "SKIPPED")]
    for check in checks:
        if check["status"] == "WARNING":
            print(f"# {scenario}: warning: {said(check)}")
    skipped = [said(check) for check in checks if check["status"] == "SKIPPED"]
    if scenario in SKIPPED:
        return "; ".join(failures)
    if not any(check["status"] == "SUCCESS" for check in checks):
        failures.append("no check of it succeeded")
    return "; ".join(failures + [f"skipped {check}" for check in skipped])


def said(check: dict[str, Any]) -> str:
    """A check and its message, on a line."""
    return f"{check['id']}: {check.get('errorMessage') or check.get('description')}".replace("\n", " ")[:LINE_CHARACTERS_MAX]


def say(name: str, scenario: str, why: str) -> bool:
    """Print the line of a scenario; whether it failed."""
    print(f"FAIL conformance {name}: {scenario}: {why}" if why else f"ok conformance {name}: {scenario}", flush=True)
    return bool(why)


if __name__ == "__main__":
    sys.exit(main())
