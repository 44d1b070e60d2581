# The tools of curl.sh, sourced by it: wants, requests, streams. Uses its BASE, TMP, ONLY, HERE and the counts.

# check NAME FUNCTION [ARGUMENT..]: runs it, prints the line. The function fails by `return 1` after setting WHY.
check() {
    local name="curl $1"
    shift
    [[ -z $ONLY || $name == *"$ONLY"* ]] || return 0
    WHY='no reason given'
    if "$@"; then
        PASSED=$((PASSED + 1))
        echo "ok $name"
    else
        FAILED=$((FAILED + 1))
        echo "FAIL $name: ${WHY//$'\n'/ }"
    fi
}

# want WHAT EXPECTED GOT
want() {
    [[ $2 == "$3" ]] && return 0
    WHY="$1: expected '$2', got '${3:0:300}'"
    return 1
}

# want_match WHAT REGEX GOT (extended, case-insensitive)
want_match() {
    grep -qiE -- "$2" <<<"$3" && return 0
    WHY="$1: expected a match of /$2/, got '${3:0:300}'"
    return 1
}

# ask CURL_ARGUMENT..: sets STATUS, HEAD (without CR) and BODY.
ask() {
    STATUS=$(curl -sS --max-time 10 -o "$TMP/body" -D "$TMP/head" -w '%{http_code}' "$@" 2>"$TMP/err") ||
        STATUS="curl failed: $(<"$TMP/err")"
    HEAD=$(tr -d '\r' <"$TMP/head" 2>/dev/null)
    BODY=$(tr -d '\0' <"$TMP/body" 2>/dev/null)
    : >"$TMP/head"
    : >"$TMP/body"
}

# header NAME: its value in HEAD, of the last response there.
header() { grep -i "^$1:" <<<"$HEAD" | tail -1 | cut -d: -f2- | sed 's/^ *//'; }

# field EXPRESSION: a Python expression over `d`, the JSON of BODY (of its last data line when it is an event stream).
field() {
    python3 - "$1" 3<<<"$BODY" <<'PY'
import json, os, sys
text = os.fdopen(3).read()
lines = [line[5:].strip() for line in text.splitlines() if line.startswith("data:")]
try:
    d = json.loads(lines[-1] if lines else text)
    value = eval(sys.argv[1])
    print(value if isinstance(value, str) else json.dumps(value))
except Exception as error:
    print(f"({type(error).__name__}: {error})")
PY
}

# modern METHOD PARAMS [NAME] [CURL_ARGUMENT..]: a request of 2026-07-28; PARAMS is the inside of an object, or empty.
modern() {
    local method=$1 params=$2 name=${3:-}
    shift $(($# > 2 ? 3 : 2))
    local named=()
    [[ -n $name ]] && named=(-H "Mcp-Name: $name")
    ask "$BASE/mcp" -H "$BOTH" -H "$JSON" -H 'MCP-Protocol-Version: 2026-07-28' -H "Mcp-Method: $method" \
        ${named[@]+"${named[@]}"} "$@" \
        -d "{\"jsonrpc\":\"2.0\",\"id\":\"c-1\",\"method\":\"$method\",\"params\":{${params:+$params,}\"_meta\":{$ENVELOPE}}}"
}

# initialize REVISION [CURL_ARGUMENT..]: sets SESSION as well (empty when the server gave none).
initialize() {
    local revision=$1
    shift
    ask "$BASE/mcp" -H "$BOTH" -H "$JSON" "$@" -d "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"$revision\",\"capabilities\":{},\"clientInfo\":{\"name\":\"curl\",\"version\":\"1\"}}}"
    SESSION=$(header mcp-session-id)
}

# older BODY [CURL_ARGUMENT..]: a POST in the session SESSION of 2025-11-25.
older() {
    local body=$1
    shift
    ask "$BASE/mcp" -H "$BOTH" -H "$JSON" -H 'MCP-Protocol-Version: 2025-11-25' \
        ${SESSION:+-H "Mcp-Session-Id: $SESSION"} "$@" --data-binary "$body"
}

call_echo() { echo "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\",\"arguments\":{\"text\":\"$1\"}}}"; }

# open_stream FILE CURL_ARGUMENT..: a GET that stays open, into FILE; its head in FILE.head, its pid in STREAM.
open_stream() {
    local file=$1
    shift
    : >"$file"
    curl -sSN --max-time 60 -o "$file" -D "$file.head" "$@" 2>"$file.err" &
    STREAM=$!
    STREAMS+=("$STREAM")
}

# arrives FILE REGEX: waits until FILE has a match, 5 seconds at most.
arrives() {
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        grep -qE -- "$2" "$1" 2>/dev/null && return 0
        sleep 0.05
    done
    WHY="stream: expected a match of /$2/ within 5 s, got '$(tail -c 300 "$1" | tr '\r\n' '  ')'"
    return 1
}

# ended PID: waits until the process is gone, 5 seconds at most.
ended() {
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.05
    done
    WHY="expected the stream to be ended within 5 s, it is open"
    return 1
}

close_stream() {
    kill "$1" 2>/dev/null
    wait "$1" 2>/dev/null
    return 0
}

# raw REQUESTS COUNT: sends the bytes of the file at once on one connection, prints `STATUS ID` for COUNT responses.
raw() { timeout 15 python3 "$HERE/raw.py" "$BASE" "$1" "$2" 2>&1; }
