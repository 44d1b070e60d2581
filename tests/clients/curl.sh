#!/usr/bin/env bash
# The wire itself, by curl and by hand: `curl.sh BASE_URL [ONLY]`, BASE_URL without a path.
# One line for each check: `ok NAME` or `FAIL NAME: why`. Exit status 1 when any failed.
set -u
BASE=${1:?usage: curl.sh BASE_URL [ONLY]}
BASE=${BASE%/}
ONLY=${2:-}
HERE=$(cd "$(dirname "$0")" && pwd)
TMP=$(mktemp -d)
STREAMS=()
trap 'for pid in ${STREAMS[@]+"${STREAMS[@]}"}; do kill "$pid" 2>/dev/null; done; rm -rf "$TMP"' EXIT
PASSED=0
FAILED=0
WHY=

BOTH='Accept: application/json, text/event-stream'
JSON='Content-Type: application/json'
ENVELOPE='"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"curl","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}'

# shellcheck source=curl_tools.sh
source "$HERE/curl_tools.sh"

# --- 2024-11-05 by hand --------------------------------------------------------------------------------------------

# Opens the stream at PATH with further curl arguments and introduces itself: sets ENDPOINT and STREAM.
sse_hello() {
    local path=$1 file=$2
    shift 2
    open_stream "$file" "$BASE$path" -H 'Accept: text/event-stream' "$@"
    arrives "$file" '^event: ?endpoint' && arrives "$file" '^data: ?.' || return 1
    want_match 'status line of the stream' '^HTTP/1.1 200' "$(head -1 "$file.head")" || return 1
    want_match 'Content-Type of the stream' '^content-type: text/event-stream' "$(grep -i '^content-type' "$file.head")" || return 1
    want 'first event' 'endpoint' "$(grep -m1 '^event:' "$file" | tr -d '\r' | sed 's/^event: *//')" || return 1
    ENDPOINT=$(grep -m1 '^data:' "$file" | tr -d '\r' | sed 's/^data: *//')
    want_match 'data of the endpoint event (a path, so that any proxy may stand between)' '^/[^/]' "$ENDPOINT" || return 1
    ask "$BASE$ENDPOINT" -H 'Accept: */*' -H "$JSON" -d '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"curl","version":"1"}}}'
    want 'status of a POST to the endpoint' 202 "$STATUS" || return 1
    arrives "$file" '"protocolVersion": ?"2024-11-05"' || return 1
    ask "$BASE$ENDPOINT" -H "$JSON" -d '{"jsonrpc":"2.0","method":"notifications/initialized"}'
    want 'status of a posted notification' 202 "$STATUS"
}

sse_flow() {
    local file="$TMP/sse${1//\//_}"
    sse_hello "$1" "$file" || return 1
    ask "$BASE$ENDPOINT" -H 'Content-Type: application/json; charset=utf-8' -d "$(call_echo 'with a charset')"
    want 'status with a charset in Content-Type' 202 "$STATUS" || return 1
    arrives "$file" 'with a charset' || return 1
    ask "$BASE$ENDPOINT" -H 'Content-Type:' -d "$(call_echo 'without a type')"
    want 'status without a Content-Type' 202 "$STATUS" || return 1
    arrives "$file" 'without a type' || return 1
    close_stream "$STREAM"
}

sse_names_a_revision() {
    # An EventSource that reconnects names the revision that it negotiated on the stream before.
    sse_hello /mcp "$TMP/sse_again" -H 'MCP-Protocol-Version: 2025-11-25' || return 1
    close_stream "$STREAM"
}

sse_discover_refused() {
    # The probe of a newer client goes through this transport too: an error sends it on to initialize.
    local file="$TMP/sse_probe"
    sse_hello /mcp "$file" || return 1
    ask "$BASE$ENDPOINT" -H "$JSON" -d "{\"jsonrpc\":\"2.0\",\"id\":\"probe\",\"method\":\"server/discover\",\"params\":{\"_meta\":{$ENVELOPE}}}"
    want 'status of the posted probe' 202 "$STATUS" || return 1
    arrives "$file" '"id": ?"probe"' || return 1
    want_match 'answer to the probe (an error)' '-3260[01]' "$(grep '"probe"' "$file")" || return 1
    close_stream "$STREAM"
}

sse_ends_with_its_stream() {
    sse_hello /mcp "$TMP/sse_end" || return 1
    close_stream "$STREAM"
    local tries
    for ((tries = 0; tries < 50; tries++)); do
        ask "$BASE$ENDPOINT" -H "$JSON" -d '{"jsonrpc":"2.0","id":2,"method":"ping"}'
        [[ $STATUS == 404 ]] && return 0
        sleep 0.1
    done
    want 'status of a POST for a stream that is closed' 404 "$STATUS"
}

sse_unknown_session() {
    ask "$BASE/messages?sessionId=0123456789abcdef" -H "$JSON" -d '{"jsonrpc":"2.0","id":2,"method":"ping"}'
    want 'status of a POST for a stream that never was' 404 "$STATUS"
}

sse_post_refused() {
    ask "$BASE/sse" -H "$BOTH" -H "$JSON" -d '{"jsonrpc":"2.0","id":2,"method":"ping"}'
    want 'status of POST /sse' 405 "$STATUS" && want_match 'Allow' 'GET' "$(header allow)"
}

# --- answers -------------------------------------------------------------------------------------------------------

echoes_revision() {
    initialize "$1"
    want 'status' 200 "$STATUS" && want 'protocolVersion' "$2" "$(field 'd["result"]["protocolVersion"]')" || return 1
    want_match 'session id' '^[!-~]{0,64}$' "$SESSION"
}

plain_json() {
    want 'status' 200 "$STATUS" && want_match 'Content-Type' '^application/json' "$(header content-type)" &&
        want_match 'Content-Length' '^[0-9]+$' "$(header content-length)" &&
        want 'text' 'hello ä' "$(field 'd["result"]["content"][0]["text"]')"
}

json_answer_older() {
    initialize 2025-11-25
    older "$(call_echo 'hello \u00e4')"
    plain_json
}

json_answer_modern() {
    modern tools/call '"name":"echo","arguments":{"text":"hello \u00e4"}' echo
    plain_json && want 'id' 'c-1' "$(field 'd["id"]')" && want 'resultType' 'complete' "$(field 'd["result"]["resultType"]')" &&
        want 'Mcp-Session-Id' '' "$(header mcp-session-id)"
}

event_stream() {
    want 'status' 200 "$STATUS" && want_match 'Content-Type' '^text/event-stream' "$(header content-type)" &&
        want 'progress' '0 50 100 ' "$(grep -o '"progress":[0-9]*' <<<"$BODY" | cut -d: -f2 | tr '\n' ' ')" &&
        want_match 'last message' '"result"' "$(grep '^data:' <<<"$BODY" | tail -1)"
}

sse_answer_older() {
    initialize 2025-11-25
    older '{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"test_tool_with_progress","_meta":{"progressToken":"t"}}}'
    event_stream
}

sse_answer_modern() {
    modern tools/call '"name":"test_tool_with_progress","arguments":{}' test_tool_with_progress
    want_match 'Content-Type without a token' '^application/json|^text/event-stream' "$(header content-type)" || return 1
    ENVELOPE="\"progressToken\":7,$ENVELOPE" modern tools/call '"name":"test_tool_with_progress"' test_tool_with_progress
    event_stream
}

json_error() { # STATUS CODE, of the answer that is there
    want 'status' "$1" "$STATUS" && want 'error code' "$2" "$(field 'd["error"]["code"]')"
}

discovers() {
    modern server/discover ''
    want 'status' 200 "$STATUS" && want 'supportedVersions' true "$(field '"2026-07-28" in d["result"]["supportedVersions"]')"
}

unknown_method() {
    modern no/such ''
    json_error 404 -32601
}

header_mismatch() {
    modern tools/call '"name":"echo","arguments":{"text":"x"}' add
    json_error 400 -32020
}

unknown_revision() {
    ask "$BASE/mcp" -H "$BOTH" -H "$JSON" -H 'MCP-Protocol-Version: 1999-01-01' -H 'Mcp-Method: tools/list' \
        -d "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/list\",\"params\":{\"_meta\":{${ENVELOPE/2026-07-28/1999-01-01}}}}"
    json_error 400 -32022 && want 'data.requested' 1999-01-01 "$(field 'd["error"]["data"]["requested"]')" &&
        want 'data.supported' true "$(field '"2026-07-28" in d["error"]["data"]["supported"]')"
}

not_json() {
    ask "$BASE/mcp" -H "$BOTH" -H "$JSON" -d 'no json'
    json_error 400 -32700 && want 'id' null "$(field 'd["id"]')"
}

wrong_type() {
    ask "$BASE/mcp" -H "$BOTH" -H 'Content-Type: text/plain' -d "$(call_echo x)"
    want 'status for text/plain' 415 "$STATUS"
}

# --- methods and paths ---------------------------------------------------------------------------------------------

refuses_method() { # METHOD ALLOWED CURL_ARGUMENT..
    local method=$1 allowed=$2
    shift 2
    ask -X "$method" "$BASE/mcp" "$@"
    want "status of $method" 405 "$STATUS" && want_match 'Allow' "$allowed" "$(header allow)"
}

not_found_json() { # PATH [CURL_ARGUMENT..]
    local path=$1
    shift
    ask "$BASE$path" "$@"
    want "status of $path" 404 "$STATUS" && want_match 'Content-Type' '^application/json' "$(header content-type)" &&
        want 'the body is a JSON object' true "$(field 'isinstance(d, dict)')"
}

healthy() {
    ask "$BASE/healthz"
    want 'status' 200 "$STATUS"
}

heads() { # PATH STATUS
    ask -I "$BASE$1"
    want "status of HEAD $1" "$2" "$STATUS" || return 1
    printf 'HEAD %s HTTP/1.1\r\nHost: %s\r\n\r\nGET /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$1" "${BASE#*//}" "${BASE#*//}" >"$TMP/raw"
    want 'statuses of HEAD, then GET /healthz, on one connection' "$2 - 200 -" "$(raw "$TMP/raw" 2 | tr '\n' ' ' | sed 's/ $//')"
}

# --- origins and hosts ---------------------------------------------------------------------------------------------

preflight() {
    ask -X OPTIONS "$BASE/mcp" -H 'Origin: http://localhost:3000' -H 'Access-Control-Request-Method: POST' \
        -H 'Access-Control-Request-Headers: content-type,mcp-protocol-version,mcp-method,mcp-name,mcp-session-id'
    want_match 'status' '^20[04]$' "$STATUS" &&
        want 'Access-Control-Allow-Origin' 'http://localhost:3000' "$(header access-control-allow-origin)" &&
        want_match 'Vary' 'origin' "$(header vary)" || return 1
    local name
    for name in POST GET DELETE; do want_match 'Access-Control-Allow-Methods' "$name" "$(header access-control-allow-methods)" || return 1; done
    for name in content-type accept authorization mcp-session-id mcp-protocol-version mcp-method mcp-name last-event-id; do
        want_match 'Access-Control-Allow-Headers' "(^|[ ,])$name([ ,]|$)" "$(header access-control-allow-headers)" || return 1
    done
}

cors_answer() {
    initialize 2025-11-25 -H 'Origin: http://localhost:3000'
    want 'status' 200 "$STATUS" && want 'Access-Control-Allow-Origin' 'http://localhost:3000' "$(header access-control-allow-origin)" &&
        want_match 'Access-Control-Expose-Headers' 'mcp-session-id' "$(header access-control-expose-headers)"
}

foreign_origin() { # ORIGIN
    ask "$BASE/mcp" -H "$BOTH" -H "$JSON" -H "Origin: $1" -d "$(call_echo x)"
    want "status for Origin $1" 403 "$STATUS" && want_match 'the body names the setting' 'allow[a-z_-]*origin|origins' "$BODY" &&
        want 'Access-Control-Allow-Origin' '' "$(header access-control-allow-origin)" || return 1
    ask "$BASE/mcp" -H 'Accept: text/event-stream' -H "Origin: $1"
    want "status of GET for Origin $1" 403 "$STATUS"
}

foreign_host() {
    ask "$BASE/mcp" -H "$BOTH" -H "$JSON" -H 'Host: evil.example' -d "$(call_echo x)"
    want 'status for Host evil.example' 403 "$STATUS" && want_match 'the body names the setting' 'allow[a-z_-]*host|hosts' "$BODY"
}

# --- framing -------------------------------------------------------------------------------------------------------

LARGE=$(printf '%03000d' 7)

expect_continue() {
    initialize 2025-11-25
    # A server that never says 100 makes curl wait for the whole of this time-out.
    local started=${EPOCHREALTIME/[.,]/}
    older "$(call_echo "$LARGE")" -H 'Expect: 100-continue' --expect100-timeout 4
    local took=$(((${EPOCHREALTIME/[.,]/} - started) / 1000))
    want 'status' 200 "$STATUS" && want_match 'the interim response' '^HTTP/1.1 100' "$HEAD" &&
        want 'text' "$LARGE" "$(field 'd["result"]["content"][0]["text"]')" || return 1
    ((took < 3000)) || { WHY="expected 100 Continue at once, the whole took $took ms"; return 1; }
}

chunked_upload() {
    initialize 2025-11-25
    older "$(call_echo "$LARGE")" -H 'Transfer-Encoding: chunked'
    want 'status' 200 "$STATUS" && want 'text' "$LARGE" "$(field 'd["result"]["content"][0]["text"]')"
}

too_large() {
    printf 'POST /mcp HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{' "${BASE#*//}" >"$TMP/raw"
    want_match 'status of a body of 100 GB' '^413 ' "$(raw "$TMP/raw" 1)"
}

http_1_0() {
    ask --http1.0 "$BASE/healthz"
    want 'status of an HTTP/1.0 request' 200 "$STATUS"
}

reuses_connection() {
    local counts
    counts=$(curl -sS --max-time 10 -o /dev/null -o /dev/null -o /dev/null -w '%{num_connects} ' "$BASE/healthz" "$BASE/nope" "$BASE/healthz" 2>&1)
    want 'new connections for three requests' '1 0 0 ' "$counts"
}

pipelined() {
    initialize 2025-11-25
    : >"$TMP/raw"
    local id body
    for id in 11 12 13 14; do
        body="{\"jsonrpc\":\"2.0\",\"id\":$id,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\",\"arguments\":{\"text\":\"$id\"}}}"
        printf 'POST /mcp HTTP/1.1\r\nHost: %s\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\nMCP-Protocol-Version: 2025-11-25\r\n%sContent-Length: %d\r\n\r\n%s' \
            "${BASE#*//}" "${SESSION:+Mcp-Session-Id: $SESSION$'\r\n'}" ${#body} "$body" >>"$TMP/raw"
    done
    want 'STATUS ID of four pipelined calls' '200 11 200 12 200 13 200 14' "$(raw "$TMP/raw" 4 | tr '\n' ' ' | sed 's/ $//')"
}

# --- sessions ------------------------------------------------------------------------------------------------------

newest_stream_wins() {
    initialize 2025-11-25
    [[ -n $SESSION ]] || return 0 # a server without sessions has no such stream
    older '{"jsonrpc":"2.0","method":"notifications/initialized"}'
    want 'status of notifications/initialized' 202 "$STATUS" || return 1
    local get=("$BASE/mcp" -H 'Accept: text/event-stream' -H "Mcp-Session-Id: $SESSION" -H 'MCP-Protocol-Version: 2025-11-25') first second
    open_stream "$TMP/first" "${get[@]}"
    first=$STREAM
    arrives "$TMP/first.head" '^HTTP/1.1 200' || return 1
    open_stream "$TMP/second" "${get[@]}"
    second=$STREAM
    arrives "$TMP/second.head" '^HTTP/1.1 200' && ended "$first" || return 1
    older '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"notify"}}'
    arrives "$TMP/second" 'tools/list_changed' || return 1
    ask -X DELETE "$BASE/mcp" -H "Mcp-Session-Id: $SESSION" -H 'MCP-Protocol-Version: 2025-11-25'
    want_match 'status of DELETE' '^20[04]$' "$STATUS" && ended "$second" || return 1
    older "$(call_echo x)"
    want 'status for a session that was ended' 404 "$STATUS"
}

cancelled_post_ends() {
    # The clients leave the POST of a call open that they cancelled by a notification: only the server can end it.
    initialize 2025-11-25
    open_stream "$TMP/slow" "$BASE/mcp" -H "$BOTH" -H "$JSON" -H 'MCP-Protocol-Version: 2025-11-25' ${SESSION:+-H "Mcp-Session-Id: $SESSION"} \
        -d '{"jsonrpc":"2.0","id":21,"method":"tools/call","params":{"name":"slow_compute","arguments":{"seconds":30}}}'
    local slow=$STREAM
    older "$(call_echo 'the call before this one has reached the server')"
    older "$(call_echo 'and is under way')"
    older '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":21,"reason":"test"}}'
    want 'status of notifications/cancelled' 202 "$STATUS" && ended "$slow"
}

forged_session() {
    initialize 2025-11-25
    [[ -n $SESSION ]] || return 0
    # One character of a real id, changed, in its middle.
    local at=$((${#SESSION} / 2)) other=A
    [[ ${SESSION:at:1} == A ]] && other=B
    SESSION=${SESSION:0:at}$other${SESSION:at+1}
    older "$(call_echo x)"
    want 'status for a forged session id' 404 "$STATUS" || return 1
    initialize 2025-11-25 -H "Mcp-Session-Id: $SESSION"
    want 'status of initialize with a stale session id' 200 "$STATUS"
}

# -------------------------------------------------------------------------------------------------------------------

check '2024-11-05 by hand at /mcp' sse_flow /mcp
check '2024-11-05 by hand at /sse' sse_flow /sse
check '2024-11-05 stream that names a revision' sse_names_a_revision
check '2024-11-05 refuses server/discover' sse_discover_refused
check '2024-11-05 session ends with its stream' sse_ends_with_its_stream
check '2024-11-05 unknown session' sse_unknown_session
check 'POST /sse' sse_post_refused
for revision in 2024-11-05 2025-03-26 2025-06-18 2025-11-25; do
    check "initialize $revision" echoes_revision $revision $revision
done
check 'initialize of an unknown revision' echoes_revision 1999-01-01 2025-11-25
check 'initialize of 2026-07-28 without an envelope' echoes_revision 2026-07-28 2025-11-25
check 'JSON answer, 2025-11-25' json_answer_older
check 'JSON answer, 2026-07-28' json_answer_modern
check 'SSE answer, 2025-11-25' sse_answer_older
check 'SSE answer, 2026-07-28' sse_answer_modern
check 'server/discover' discovers
check 'unknown method, 2026-07-28' unknown_method
check 'header and body differ' header_mismatch
check 'unknown revision in header and body' unknown_revision
check 'no JSON' not_json
check 'Content-Type text/plain' wrong_type
check 'GET without a session, both types accepted' refuses_method GET POST -H "$BOTH"
check 'GET without a session, anything accepted' refuses_method GET POST
check 'GET of 2026-07-28' refuses_method GET POST -H 'Accept: text/event-stream' -H 'MCP-Protocol-Version: 2026-07-28'
check 'DELETE without a session' refuses_method DELETE POST
check 'PUT' refuses_method PUT POST -H "$JSON" -d '{}'
for path in /.well-known/oauth-protected-resource /.well-known/oauth-protected-resource/mcp \
    /.well-known/oauth-authorization-server /.well-known/openid-configuration /nope; do
    check "404 as JSON on $path" not_found_json $path
done
check '404 as JSON on POST /register' not_found_json /register -H "$JSON" -d '{}'
check 'healthz' healthy
check 'HEAD /healthz' heads /healthz 200
check 'HEAD /mcp' heads /mcp 405
check 'preflight of a loopback origin' preflight
check 'CORS on the answer itself' cors_answer
check 'foreign Origin' foreign_origin 'https://evil.example'
check 'Origin null' foreign_origin null
check 'Origin that only begins like an allowed one' foreign_origin 'http://localhost:3000.evil.example'
check 'foreign Host' foreign_host
check 'Expect: 100-continue' expect_continue
check 'chunked upload' chunked_upload
check 'body of 100 GB' too_large
check 'HTTP/1.0' http_1_0
check 'connection is reused' reuses_connection
check 'pipelined requests' pipelined
check 'newest GET stream wins, DELETE ends the session' newest_stream_wins
check 'POST of a cancelled call ends, 2025-11-25' cancelled_post_ends
check 'forged and stale session ids' forged_session

echo "# $PASSED ok, $FAILED FAIL, $SECONDS s"
[[ $FAILED == 0 && $PASSED -gt 0 ]]
