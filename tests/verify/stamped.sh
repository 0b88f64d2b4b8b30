#!/usr/bin/env bash
# Exports a case with a timestamp of an authority of one's own (openssl), through a running server.
# Usage: tests/verify/stamped.sh PATH_TO_FAIRHOLD DATA CASE FOLDER; writes case.zip, key and tsa/ there.
set -euo pipefail
usage="usage: tests/verify/stamped.sh PATH_TO_FAIRHOLD DATA CASE FOLDER"
fairhold=$(realpath "${1:?$usage}") data=$(realpath "${2:?$usage}") case=${3:?$usage} folder=${4:?$usage}
here=$(cd "$(dirname "$0")" && pwd)
bash "$here/../outside/tsa.sh" "$folder/tsa" p256
cat > "$folder/serve.toml" <<TOML
listen = "127.0.0.1:0"
[evidence]
tsa_command = ["openssl", "ts", "-reply", "-config", "$folder/tsa/tsa.cnf", "-queryfile", "/dev/stdin"]
tsa_chain = "$folder/tsa/ca.pem"
[[upstream]]
name = "mock"
kind = "mock"
models = ["mock-1"]
TOML
coproc SERVER { exec "$fairhold" serve --config "$folder/serve.toml" --data "$data" --json 2> "$folder/log"; }
server=$SERVER_PID
trap 'kill "$server" 2>/dev/null; wait "$server" || true' EXIT
# The line appears once it listens; a server that died says why.
read -r _ <&"${SERVER[0]}" || { cat "$folder/log" >&2; exit 1; }
"$fairhold" export "$case" --out "$folder/case.zip" --data "$data" --json > "$folder/told.json"
python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["key"], end="")' "$folder/told.json" > "$folder/key"
