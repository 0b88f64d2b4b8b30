#!/usr/bin/env bash
# Another program opens what we sealed, by docs/sealed-bodies.md alone: after exchanges of three
# subjects, after the erasure of one, and after a rotation of the KEK.
# Usage: tests/sealed/run.sh PATH_TO_FAIRHOLD. Any failure fails.
set -euo pipefail
fairhold=$(realpath "${1:?usage: tests/sealed/run.sh PATH_TO_FAIRHOLD}")
here=$(cd "$(dirname "$0")" && pwd)
for need in python3 curl; do
    command -v "$need" >/dev/null || { echo "sealed test: $need is missing; install it (Debian: python3 python3-venv curl)" >&2; exit 1; }
done
scratch=$(mktemp -d)
server=
finish() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -rf "$scratch"
}
trap finish EXIT

python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check cryptography
python=$scratch/venv/bin/python
data=$scratch/data
cat > "$scratch/serve.toml" <<'TOML'
listen = "127.0.0.1:0"
[[upstream]]
name = "mock"
kind = "mock"
models = ["mock-1"]
TOML
"$fairhold" account create a --data "$data" --json >/dev/null
key=$("$fairhold" key create a --data "$data" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["key"])')

start() {
    coproc SERVER { exec "$fairhold" serve --config "$scratch/serve.toml" --data "$data" --json 2> "$scratch/log"; }
    server=$SERVER_PID
    # The line appears once it listens; a server that died says why.
    read -r told <&"${SERVER[0]}" || { cat "$scratch/log" >&2; exit 1; }
    gateway=$(python3 -c 'import json, sys; print(json.loads(sys.argv[1])["gateway"])' "$told")
}
stop() { kill "$server"; wait "$server" || true; server=; }
opened() { "$python" "$here/open.py" "$data/fairhold.db" "$data/master.key" ada bob > "$scratch/opened"; }
expect() { # expect HOW MANY of ada, of bob, of nobody
    "$python" - "$scratch/opened" "$@" <<'PY'
import collections, json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
count = collections.Counter(row["subject"] for row in rows)
want = dict(zip(("ada", "bob", None), map(int, sys.argv[2:5])))
assert {who: count[who] for who in want} == want and len(rows) == sum(want.values()), (count, want)
for row in rows:
    if row["what"] == "request":
        assert f'text of {row["subject"]} ' in row["body"], row
print("another program opened", dict(count))
PY
}

start
for n in 1 2 3 4; do
    for who in ada bob None; do
        user="\"user\":\"$who\","
        [ "$who" = None ] && user=
        curl -sSf "$gateway/v1/chat/completions" -H "Authorization: Bearer $key" -H 'Content-Type: application/json' \
            -d "{$user\"model\":\"mock-1\",\"messages\":[{\"role\":\"user\",\"content\":\"text of $who $n\"}]}" >/dev/null
    done
done
opened; expect 8 8 8
"$fairhold" erase --account a --subject ada --by dpo --reason "asked to" --data "$data"
opened; expect 0 8 8
stop
cp "$data/master.key" "$scratch/old.key"
"$fairhold" kek rotate --data "$data"
opened; expect 0 8 8
if "$python" "$here/open.py" "$data/fairhold.db" "$scratch/old.key" >/dev/null 2>&1; then
    echo "sealed test: the old KEK still opens keys" >&2
    exit 1
fi
echo "the old KEK opens nothing"
