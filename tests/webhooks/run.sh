#!/usr/bin/env bash
# A receiver that fails at first, two kills of the server in between, and an independent Standard
# Webhooks library that checks every notice. The hour of failing is shortened: the time before the
# second try is 0.2 s instead of 5 s (`first_retry_seconds`), the rest is as it is served.
# Usage: tests/webhooks/run.sh PATH_TO_FAIRHOLD. Any failure fails.
set -euo pipefail
fairhold=$(realpath "${1:?usage: tests/webhooks/run.sh PATH_TO_FAIRHOLD}")
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
finish() { rm -rf "$scratch"; }
trap finish EXIT
python3 -m venv "$scratch/venv"
# The library checks `v1` only; `v1a` is checked by another library's ed25519.
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check standardwebhooks cryptography
"$scratch/venv/bin/python" "$here/run.py" "$fairhold" "$scratch"
