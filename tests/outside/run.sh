#!/usr/bin/env bash
# Does a ledger of ours hold for programs that are not ours? Go's sumdb packages, PyPI `sigstore` and
# `cryptography`, and openssl check one of 200,000 entries; then single bits of entries, tiles, checkpoint,
# proofs and timestamp are changed, at least 200 for each of them, and each must refuse every one, as must our
# own verifier. So it is with the ledgers of a data folder, where their export is given.
# OUTSIDE_TOOLS names a folder that keeps the tools (tools.sh) for the next run, EXAMPLES one in which `ledger` is built.
# Usage: tests/outside/run.sh [ENTRIES] [FOLDER written by `fairhold export ledger FOLDER --all`]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
entries=${1:-200000}
export=${2:-}
for need in python3 openssl cargo; do
    command -v "$need" >/dev/null || { echo "outside: $need is missing; install it (Debian: python3 python3-venv openssl)" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

tools=${OUTSIDE_TOOLS:-$work/tools}
bash "$here/tools.sh" "$tools"
. "$tools/env"
# The toolchain's own copy of golang.org/x/mod stands in for the module: nothing is fetched.
toolchain=$(go env GOROOT)
mkdir -p "$work/go/x-mod/sumdb"
cp -r "$toolchain/src/cmd/vendor/golang.org/x/mod/sumdb/tlog" "$toolchain/src/cmd/vendor/golang.org/x/mod/sumdb/note" "$work/go/x-mod/sumdb/"
printf 'module golang.org/x/mod\ngo 1.22\n' > "$work/go/x-mod/go.mod"
printf 'module ledger\ngo 1.22\nrequire golang.org/x/mod v0.0.0\nreplace golang.org/x/mod => ./x-mod\n' > "$work/go/go.mod"
cp "$here/go/main.go" "$work/go/"
(cd "$work/go" && GOFLAGS=-mod=mod go build -o ledger .)

ours=${EXAMPLES:+$EXAMPLES/ledger}
if [ -z "$ours" ]; then
    (cd "$root" && cargo build --quiet --package evidence --example ledger)
    ours="${CARGO_TARGET_DIR:-$root/target}/debug/examples/ledger"
fi
"$here/tsa.sh" "$work/tsa"

say() { # say WHO COMMAND...: its answer, and its failure
    local who=$1 told
    shift
    told=$("$@") || { echo "$who: $told: failed" >&2; return 1; }
    printf '%-8s %s\n' "$who" "$told"
}

# Each first checks the whole as it is, then by the same functions with every flip.
ledger="$work/ledger" flips="$work/flips"
mkdir "$flips"
"$ours" write "$ledger" "$entries"
"$ours" query "$ledger"
openssl ts -reply -config "$work/tsa/tsa.cnf" -queryfile "$ledger/checkpoint.tsq" -out "$work/answer.tsr" 2>/dev/null
"$ours" stamp "$ledger" "$work/answer.tsr" "$work/tsa/ca.pem"
python "$here/flips.py" "$ledger" "$flips"
say go "$work/go/ledger" "$ledger" "$flips/go"
say python python "$here/ledger.py" "$ledger" "$flips/every"
say openssl python "$here/stamp.py" "$ledger" "$work/tsa/ca.pem" "$flips/stamp"
say ours "$ours" check "$ledger" "$flips/ours"
if [ -n "$export" ]; then
    echo "the ledgers of a data folder, as exported:"
    python "$here/flips.py" "$export" "$flips"
    say go "$work/go/ledger" "$export" "$flips/export"
    say python python "$here/ledger.py" "$export" "$flips/export"
    say ours "$ours" check "$export" "$flips/export"
fi
echo "outside: everybody accepts what is whole and refuses every changed bit"
