#!/usr/bin/env bash
# Unmodified client libraries against `fairhold serve`: the Python `openai` and
# `anthropic` SDKs and npm `openai`, installed here into a temporary folder.
# Usage: tests/sdk/run.sh PATH_TO_FAIRHOLD. Any failure fails.
set -euo pipefail
fairhold=$(realpath "${1:?usage: tests/sdk/run.sh PATH_TO_FAIRHOLD}")
here=$(cd "$(dirname "$0")" && pwd)
for need in python3 node npm curl; do
    command -v "$need" >/dev/null || { echo "sdk test: $need is missing; install it (Debian: python3 python3-venv nodejs npm curl)" >&2; exit 1; }
done
scratch=$(mktemp -d)
server=
finish() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -rf "$scratch"
}
trap finish EXIT

python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check openai anthropic
(cd "$scratch" && npm install --silent --no-audit --no-fund openai >/dev/null)
cp "$here/client.mjs" "$scratch/client.mjs"

port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
sed "s/@PORT@/$port/" "$here/serve.toml" > "$scratch/serve.toml"
data="$scratch/data"
key() { # key ACCOUNT [options]: prints the new key
    local account=$1; shift
    "$fairhold" account create "$account" --project sdk --organisation sdk-test --data "$data" "$@" --json >/dev/null
    "$fairhold" key create "$account" --data "$data" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["key"])'
}
FAIRHOLD_KEY=$(key plain)
FAIRHOLD_KEY_TIGHT=$(key tight --requests-per-minute 1)
FAIRHOLD_KEY_SUSPENDED=$(key harvester)
"$fairhold" case observe harvester --clause openai-services/restrictions-e \
    --summary "sdk test" --by alice --data "$data" --json > "$scratch/case.json"
case_id=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["case"])' "$scratch/case.json")
"$fairhold" case emergency "$case_id" --by alice --comment "it cannot wait" --data "$data" --json >/dev/null
"$fairhold" case propose "$case_id" --action suspend --by alice --data "$data" --json >/dev/null
"$fairhold" case approve "$case_id" --by bob --data "$data" --json >/dev/null

"$fairhold" serve --config "$scratch/serve.toml" --data "$data" --enforce > "$scratch/serve.log" 2>&1 &
server=$!
for _ in $(seq 100); do
    if curl -fsS "http://127.0.0.1:$port/readyz" >/dev/null 2>&1; then break; fi
    kill -0 "$server" 2>/dev/null || { cat "$scratch/serve.log" >&2; exit 1; }
    sleep 0.1
done
export FAIRHOLD_KEY FAIRHOLD_KEY_TIGHT FAIRHOLD_KEY_SUSPENDED FAIRHOLD_BASE="http://127.0.0.1:$port"
export FAIRHOLD_CASE=$case_id
"$scratch/venv/bin/python" "$here/client.py" || { tail -n 40 "$scratch/serve.log" >&2; exit 1; }
(cd "$scratch" && node client.mjs) || { tail -n 40 "$scratch/serve.log" >&2; exit 1; }
echo "sdk test: all clients passed"
