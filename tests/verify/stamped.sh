#!/usr/bin/env bash
# Exports a case with a timestamp of an authority of one's own (openssl), through a running server; and another that
# rests on a finding of the watch, which must find somebody first: at a level at which it nearly always does.
# Usage: tests/verify/stamped.sh PATH_TO_FAIRHOLD DATA CASE FOLDER; writes case.zip, cited.zip, key and tsa/ there.
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
[detection]
alpha = 0.2
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
# The watch reads what there is; then the log is quiet, and both bundles hold the same findings at every export.
for _ in $(seq 600); do
    # It exits with 1 where somebody was found.
    rc=0
    "$fairhold" findings --data "$data" --json > "$folder/findings.json" 2> "$folder/findings.log" || rc=$?
    [ "$rc" -le 1 ] || { cat "$folder/findings.log" >&2; exit 1; }
    behind=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["behind"])' "$folder/findings.json")
    [ "$behind" -eq 0 ] && break
    sleep 0.2
done
[ "$behind" -eq 0 ] || { echo "the watch is still $behind records behind" >&2; exit 1; }
read -r finding account < <(python3 - "$folder/findings.json" <<'PY'
import json, sys
found = [f for f in json.load(open(sys.argv[1]))["findings"] if f["kind"] == "finding"]
assert found, "the watch found nobody: no case can rest on a finding"
print(found[0]["id"], found[0]["account"])
PY
)
"$fairhold" case propose "$account" --clause demo-terms/no-competing-models --finding "$finding" --action notice \
    --by ann --data "$data" --json > "$folder/cited.json"
cited=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["case"])' "$folder/cited.json")
"$fairhold" export "$cited" --out "$folder/cited.zip" --data "$data" --json > /dev/null
"$fairhold" export "$case" --out "$folder/case.zip" --data "$data" --json > "$folder/told.json"
python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["key"], end="")' "$folder/told.json" > "$folder/key"
