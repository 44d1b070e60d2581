#!/usr/bin/env bash
# Runs the official conformance suite against the example `everything`: `tests/clients/conformance.sh SERVER_BINARY_DIR`.
# Nothing is expected to fail. One line for each scenario, `ok NAME` or `FAIL NAME: why`; at the end `N passed, M failed`,
# and the exit status accordingly. What it installs (pinned) lies in ${SMOL_MCP_CLIENTS_DIR:-tests/clients/.cache}, as for
# `run`, whose functions it uses; each scenario's checks.json lies in `conformance/results` under that.
set -euo pipefail
: "${1:?usage: tests/clients/conformance.sh SERVER_BINARY_DIR}"

# All of `run` but its last line, which runs it.
# shellcheck source=run
source <(sed '$s/^main$//' "$(dirname "$0")/run") "$1"

conformance_main() {
    trap stop_server EXIT
    trap 'exit 130' INT TERM
    install_npm conformance
    install_newer_node
    RESULTS=$CACHE/conformance/results
    rm -rf "$RESULTS"
    # How many scenarios there are: fewer, in a suite that is pinned, would be a run that passes by not running.
    suite conformance 2025-11-25 33 --requirements 2025-11-25
    suite conformance 2026-07-28 50 --requirements 2026-07-28
    suite conformance all 65 --suite all
    suite conformance-before 0.1.16 32 --suite all
    stop_server
    ((FAILED == 0)) || echo "# the checks of each scenario are in $RESULTS, the logs in $LOG"
    echo "$PASSED passed, $FAILED failed"
    ((FAILED == 0 && PASSED > 0))
}

# suite PACKAGE NAME SCENARIOS ARGUMENT..: one run, against a server that has seen no other.
suite() {
    local package=$1 name=$2 scenarios=$3
    shift 3
    stop_server
    start_server everything || return 0
    drive "conformance-$name" python3 "$HERE/conformance.py" "$name" "$scenarios" "$RESULTS/$name" \
        "$NEWER/node" "$CACHE/conformance/node_modules/$package/dist/index.js" server --url "$URL/mcp" "$@"
    kill -0 "$SERVER" 2>/dev/null || fail "everything is alive after conformance $name" "it ended; the end of its log: $(tail -3 "$LOG/everything.log" | tr '\n' ' ')"
}

RESULTS=
conformance_main
