#!/usr/bin/env bash
# Does a bundle's own VERIFY.md do what it says? Its commands are taken out of it and run as they stand, with the
# network off: each must accept the bundle, and refuse it with one bit changed, even where the log's operator signs
# what was changed. Then `fairhold verify` and `fairhold replay` must exit as docs/bundle.md says on each altered
# bundle, also where parts are left out: what is not there is unproven, never a pass.
# Usage: tests/verify/run.sh PATH_TO_FAIRHOLD BUNDLE KEY TSA_ROOT.pem LOG_SEED
# OUTSIDE_TOOLS names a folder that keeps Go for the next run (tests/outside/tools.sh).
set -euo pipefail
usage="usage: tests/verify/run.sh PATH_TO_FAIRHOLD BUNDLE KEY TSA_ROOT.pem LOG_SEED"
fairhold=$(realpath "${1:?$usage}") bundle=$(realpath "${2:?$usage}") key=${3:?$usage}
export TSA
TSA=$(realpath "${4:?$usage}")
seed=$(realpath "${5:?$usage}")
here=$(cd "$(dirname "$0")" && pwd)
for need in python3 openssl unzip; do
    command -v "$need" >/dev/null || { echo "verify test: $need is missing; install it (Debian: python3 openssl unzip)" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
tools=${OUTSIDE_TOOLS:-$work/tools}
bash "$here/../outside/tools.sh" "$tools"
. "$tools/env"
offline=()
for way in "unshare -n" "unshare -rn"; do
    if $way true 2>/dev/null; then read -ra offline <<< "$way"; break; fi
done
[ "${#offline[@]}" -gt 0 ] || echo "verify test: the network cannot be switched off here: it stays on"

# The programs, and the lines that run them, as VERIFY.md has them.
cd "$work"
python3 - "$bundle" <<'PY'
import re, sys, zipfile
text = zipfile.ZipFile(sys.argv[1]).read("VERIFY.md").decode()
blocks = {kind: re.findall(rf"^```{kind}\n(.*?)^```$", text, re.M | re.S) for kind in ("python", "go", "sh")}
assert all(len(found) == 1 for found in blocks.values()), {kind: len(found) for kind, found in blocks.items()}
open("verify.py", "w").write(blocks["python"][0])
open("verify.go", "w").write(blocks["go"][0])
open("timestamp", "w").write("set -e\n" + blocks["sh"][0])
for name, start in (("by-python", "python3 verify.py"), ("by-go", "go run verify.go")):
    line, = set(re.findall(rf"`({start} [^`]*)`", text))
    command = line.replace("case-....evidence.zip", '"$BUNDLE"').replace("'NAME+HASH+KEY'", '"$KEY"')
    assert command != line and "NAME" not in command, line
    open(name, "w").write(command + "\n")
PY
export KEY=$key BUNDLE
by() { # by WHICH BUNDLE: its answer
    BUNDLE=$2 "${offline[@]}" bash "$1" 2>&1
}
accepts() { # accepts WHICH BUNDLE
    local told
    told=$(by "$1" "$2") || { echo "$1 refuses $2: $told" >&2; exit 1; }
    echo "$1: ${told:0:120}"
}
refused=0
refuses() { # refuses WHICH BUNDLE: VERIFY.md says that it exits with 1 then
    local told rc=0
    told=$(by "$1" "$2") || rc=$?
    # `go run` exits with 1 whatever the program did, and tells how that ended; a program that stumbles says 2.
    if [ "$1" = by-go ] && [ "$rc" -ne 0 ]; then rc=${told##*exit status }; fi
    [ "$rc" = 1 ] || { echo "$1 exits with $rc, not 1, on $2: $told" >&2; exit 1; }
    refused=$((refused + 1))
}
for which in by-python by-go timestamp; do accepts "$which" "$bundle"; done

python3 "$here/altered.py" "$bundle" "$seed" "$work"
# What the operator signs anew is still what its commands accept, as long as nothing else is changed.
accepts by-python "$work/same.zip"
for altered in flips/*.zip; do
    case $altered in
        flips/signed-timestamp.zip) refuses timestamp "$work/$altered" ;;
        *) refuses by-python "$work/$altered"; refuses by-go "$work/$altered" ;;
    esac
    case $altered in *-timestamp.zip | *-checkpoint.zip) refuses timestamp "$work/$altered" ;; esac
done
# What is left out: the statement names every file; and what hangs in the air without it does so under any statement.
for what in entries ledgers findings disclosure; do
    altered=less/found-$what.zip
    [ -e "$altered" ] || continue
    refuses by-python "$work/$altered"; refuses by-go "$work/$altered"
done
for what in ledgers ledger-proof consistency entries entry steps checkpoint; do
    refuses by-python "$work/less/signed-$what.zip"
done
for altered in none/*.zip; do refuses by-python "$work/$altered"; refuses by-go "$work/$altered"; done
echo "VERIFY.md's commands refuse $refused altered bundles"

exits() { # exits CODE COMMAND ARGS...: what `fairhold COMMAND` must exit with
    local want=$1 rc=0
    shift
    "$fairhold" "$@" --key "$key" > "$work/told" 2>&1 || rc=$?
    [ "$rc" -eq "$want" ] || { echo "$*: exit $rc, not $want" >&2; cat "$work/told" >&2; exit 1; }
}
exits 0 verify "$bundle" --tsa "$TSA" --ask timestamp,rulings,detector
exits 0 replay "$bundle" --tsa "$TSA" --ask timestamp,rulings,detector
codes=(0 0 0 0)
while read -r altered verify replay ask; do
    args=("$work/$altered")
    [ "$ask" = - ] || args+=(--ask "$ask")
    exits "$verify" verify "${args[@]}"
    exits "$replay" replay "${args[@]}"
    codes[verify]=$((codes[verify] + 1)) codes[replay]=$((codes[replay] + 1))
done < expected
echo "verify and replay of $(wc -l < expected) bundles: ${codes[0]} exit with 0, ${codes[1]} with 1, ${codes[2]} with 2, ${codes[3]} with 3"
echo "a part left out is unproven (3), or the bundle fails (1), never a pass"
