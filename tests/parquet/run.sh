#!/usr/bin/env bash
# The exported tables, read by others: DuckDB, pandas and pyarrow, and Spark when
# it is asked for (a Java runtime, and 450 MB to fetch); and held against the
# signed ledger by a Python script that shares no code with ours.
# Usage: tests/parquet/run.sh PATH_TO_FAIRHOLD [--spark]. Any failure fails.
set -euo pipefail
fairhold=$(realpath "${1:?usage: tests/parquet/run.sh PATH_TO_FAIRHOLD [--spark]}")
spark=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
needs=(python3 curl)
if [ "$spark" = --spark ]; then needs+=(java); fi
for need in "${needs[@]}"; do
    command -v "$need" >/dev/null || { echo "parquet test: $need is missing; install it (Debian: python3 python3-venv curl; for Spark default-jre-headless)" >&2; exit 1; }
done
scratch=$(mktemp -d)
server=
finish() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -rf "$scratch"
}
trap finish EXIT

venv=${PARQUET_VENV:-$scratch/venv}
if [ ! -d "$venv" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-compile duckdb pandas pyarrow cryptography
    if [ "$spark" = --spark ]; then "$venv/bin/pip" install --quiet --disable-pip-version-check pyspark; fi
fi

port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'listen = "127.0.0.1:%s"\n[[upstream]]\nname = "mock"\nkind = "mock"\nmodels = ["mock-1"]\n' "$port" > "$scratch/serve.toml"
data="$scratch/data"
keys=()
for account in alpha beta/two gamma; do
    "$fairhold" account create "$account" --data "$data" --json >/dev/null
    keys+=("$("$fairhold" key create "$account" --data "$data" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["key"])')")
done
"$fairhold" serve --config "$scratch/serve.toml" --data "$data" > "$scratch/serve.log" 2>&1 &
server=$!
for _ in $(seq 100); do
    if curl -fsS "http://127.0.0.1:$port/readyz" >/dev/null 2>&1; then break; fi
    kill -0 "$server" 2>/dev/null || { cat "$scratch/serve.log" >&2; exit 1; }
    sleep 0.1
done
for n in $(seq 20); do
    for key in "${keys[@]}"; do
        curl -fsS "http://127.0.0.1:$port/v1/chat/completions" -H "authorization: Bearer $key" -H 'content-type: application/json' \
            -d "{\"model\":\"mock-1\",\"messages\":[{\"role\":\"user\",\"content\":\"question $n\"}]}" >/dev/null
    done
done
# Beside the running server first.
"$fairhold" export parquet "$scratch/beside" --data "$data" --json > "$scratch/beside.json"
sleep 2 # the sealer works every second
kill "$server"; wait "$server" || true; server=
"$fairhold" export parquet "$scratch/tables" --bodies --by auditor --reason "the parquet test" --data "$data" --json > "$scratch/tables.json"
"$fairhold" export parquet "$scratch/one" --account beta/two --data "$data" --json > "$scratch/one.json"
if "$fairhold" export parquet "$scratch/one" --data "$data" 2>/dev/null; then
    echo "parquet test: an export into a used folder must be refused" >&2; exit 1
fi
"$venv/bin/python" "$here/check.py" "$scratch/tables" bodies
"$venv/bin/python" "$here/check.py" "$scratch/beside"
"$venv/bin/python" "$here/check.py" "$scratch/one"
if [ "$spark" = --spark ]; then
    "$venv/bin/python" "$here/spark.py" "$scratch/tables"
else
    echo "parquet test: Spark was not asked for (tests/parquet/run.sh PATH --spark)"
fi
