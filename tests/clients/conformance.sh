#!/usr/bin/env bash
# Runs the official conformance suite against the example `everything`: `tests/clients/conformance.sh SERVER_BINARY_DIR`.
# Nothing is expected to fail, while 16 other clients have sessions and streams open (crowd.py) and the server may have 8 MB
# (confined.py). One line for each scenario, `ok NAME` or `FAIL NAME: why`; at the end `N passed, M failed`,
# and the exit status accordingly. What it installs (pinned) lies in ${SMOL_MCP_CLIENTS_DIR:-tests/clients/.cache}, as for
# `run`, whose functions it uses; each scenario's checks.json lies in `conformance/results` under that.
set -euo pipefail
: "${1:?usage: tests/clients/conformance.sh SERVER_BINARY_DIR}"

# All of `run` but its last line, which runs it.
# shellcheck source=run
source <(sed '$s/^main$//' "$(dirname "$0")/run") "$1"

readonly CROWD=16
readonly CROWD_SECONDS=60 # until they are there, from a cold start of their interpreter on a busy machine
readonly MEMORY_KIB=8192
readonly ADDRESS_SPACE_MIB=256 # a thread's heap alone reserves 64 to 128, of which it uses little

conformance_main() {
    trap leave EXIT
    trap 'exit 130' INT TERM
    install_python 2
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

leave() {
    end_crowd
    stop_server
    python3 "$HERE/confined.py" free "$NOTE"
}

# suite PACKAGE NAME SCENARIOS ARGUMENT..: one run, against a server that has seen no other.
suite() {
    local package=$1 name=$2 scenarios=$3
    shift 3
    leave
    # A backtrace is written with the debugging symbols of all libraries in memory: more than the server has.
    UNDER=(env -u RUST_BACKTRACE python3 "$HERE/confined.py" "$MEMORY_KIB" "$ADDRESS_SPACE_MIB" "$NOTE")
    start_server everything || return 0
    begin_crowd
    drive "conformance-$name" python3 "$HERE/conformance.py" "$name" "$scenarios" "$RESULTS/$name" \
        "$NEWER/node" "$CACHE/conformance/node_modules/$package/dist/index.js" server --url "$URL/mcp" "$@"
    end_crowd "conformance $name: "
    weigh "conformance $name"
    kill -0 "$SERVER" 2>/dev/null || fail "everything is alive after conformance $name" "it ended; the end of its log: $(tail -3 "$LOG/everything.log" | tr '\n' ' ')"
}

# The other clients: there when this returns.
begin_crowd() {
    local line
    coproc CROWD_OF { exec "$CACHE/py2/bin/python" -W ignore "$HERE/python/crowd.py" "$URL" "$CROWD" 2>"$LOG/crowd.err"; }
    CROWD_PID=$CROWD_OF_PID
    # Bash takes its own ends away when the coprocess ends: copies stay.
    exec {CROWD_OUT}<&"${CROWD_OF[0]}" {CROWD_IN}>&"${CROWD_OF[1]}"
    eval "exec ${CROWD_OF[1]}>&-"
    read -r -t "$CROWD_SECONDS" line <&"$CROWD_OUT" || fail "$CROWD clients come" "they were not there within $CROWD_SECONDS s: $(tail -3 "$LOG/crowd.err" | tr '\n' ' ')"
}

# end_crowd [NAME]: they go; what they say is told, with NAME in front.
end_crowd() {
    [[ -n $CROWD_PID ]] || return 0
    local line
    exec {CROWD_IN}>&-
    if [[ -n ${1:-} ]]; then
        read -r -t "$CROWD_SECONDS" line <&"$CROWD_OUT" || line="FAIL the other clients end: $(tail -3 "$LOG/crowd.err" | tr '\n' ' ')"
        case $line in
            'ok '*) PASSED=$((PASSED + 1)) && echo "ok $1${line#ok }" ;;
            *) fail "$1the other clients" "${line#FAIL }" ;;
        esac
    fi
    kill "$CROWD_PID" 2>/dev/null || true
    wait "$CROWD_PID" 2>/dev/null || true
    exec {CROWD_OUT}<&-
    CROWD_PID=
}

# weigh NAME: what the server had at most.
weigh() {
    local resident cgroup
    read -r resident cgroup < <(python3 "$HERE/confined.py" peak "$NOTE" "$SERVER") || { fail "$1: memory" "the server is gone; did it need more?" && return; }
    echo "# $1: at most $resident kB were resident$( ((cgroup == 0)) || echo ", $cgroup kB with the kernel's own, in a cgroup of $MEMORY_KIB kB")"
    if ((resident <= MEMORY_KIB)); then
        PASSED=$((PASSED + 1))
        echo "ok $1: at most $MEMORY_KIB kB were resident, with $CROWD other clients"
    else
        fail "$1: memory" "at most $MEMORY_KIB kB may be resident, $resident kB were"
    fi
}

RESULTS=
CROWD_PID=
CROWD_IN=
CROWD_OUT=
NOTE=$LOG/conformance.cgroup
: >"$NOTE"
conformance_main
