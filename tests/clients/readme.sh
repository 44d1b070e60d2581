#!/usr/bin/env bash
# Runs the clients' lines of README.md against the example `board`: `tests/clients/readme.sh SERVER_BINARY_DIR`.
# One line for each check, `ok NAME` or `FAIL NAME: why`; at the end `N passed, M failed`, and the exit status accordingly.
# What it installs (pinned, as README.md says) lies in ${SMOL_MCP_CLIENTS_DIR:-tests/clients/.cache}, as for `run`, whose functions it uses.
set -euo pipefail
: "${1:?usage: tests/clients/readme.sh SERVER_BINARY_DIR}"

# All of `run` but its last line, which runs it.
# shellcheck source=run
source <(sed '$s/^main$//' "$(dirname "$0")/run") "$1"

SNIPPETS=$CACHE/readme
TRY="python3 $HERE/readme.py"

readme_main() {
    trap stop_server EXIT
    trap 'exit 130' INT TERM
    install_python 1
    install_python 2
    install_node
    install_newer_node
    export npm_config_cache=$CACHE/npm npm_config_loglevel=error # what npx gets lies there too
    SMOL_MCP_TOKEN=$(python3 -c 'import secrets; print(secrets.token_hex(16))')
    export SMOL_MCP_TOKEN
    if start_server board; then
        check_snippets
        kill -0 "$SERVER" 2>/dev/null || fail "board is alive after all" "it ended; the end of its log: $(tail -3 "$LOG/board.log" | tr '\n' ' ')"
        stop_server
    fi
    ((FAILED == 0)) || echo "# the logs of the server and the clients are in $LOG"
    echo "$PASSED passed, $FAILED failed"
    ((FAILED == 0 && PASSED > 0))
}

check_snippets() {
    rm -rf "$SNIPPETS"
    $TRY extract "$HERE/../../README.md" "$SNIPPETS" "${URL#http://}" "$SMOL_MCP_TOKEN"
    # Modules are looked for from where a script lies.
    cp "$SNIPPETS"/typescript-*.mjs "$CACHE/node/"

    runs curl 'Memory: ' bash "$SNIPPETS/curl.sh"
    runs python-1 'temperatures|Memory: ' "$CACHE/py1/bin/python" "$SNIPPETS/python-1.py"
    runs python-2 'temperatures|Memory: ' "$CACHE/py2/bin/python" "$SNIPPETS/python-2.py"
    runs typescript-1 'temperatures|Memory: ' "$NODE" "$CACHE/node/typescript-1.mjs"
    runs typescript-2 'temperatures|Memory: ' "$NODE" "$CACHE/node/typescript-2.mjs"
    PATH=$NEWER:$PATH runs inspector '3 of the ' bash "$SNIPPETS/inspector.sh"
    check stdio claude-desktop "its command, mcp-remote" "$SNIPPETS/claude-desktop.json"
    TRY="$CACHE/py1/bin/python $HERE/readme.py" check old-sse old-sse "its transport, by mcp 1.x" "$SNIPPETS/old-sse.json"
    check let-in claude-code "its URL and header" "$SNIPPETS/claude-code.sh"
    check let-in vscode "its URL and header" "$SNIPPETS/vscode.json"
    check let-in cursor "its URL and header" "$SNIPPETS/cursor.json"
}

# runs NAME EXPECTED COMMAND..
runs() {
    local name=$1
    shift
    drive "readme-$name" $TRY runs "README, $name" "$@"
}

# check HOW NAME WHAT FILE
check() {
    drive "readme-$2" $TRY "$1" "README, $2: $3" "$4"
}

readme_main
