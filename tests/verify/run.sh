#!/usr/bin/env bash
# Does a bundle's own VERIFY.md do what it says? Its commands are taken out of it and run as they stand, with the
# network off: each must accept the bundle, and refuse it with one bit changed, even where the log's operator signs
# what was changed. Then parts are left out: what is not there is unproven to our verifier too, never a pass.
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
refuses() { # refuses WHICH BUNDLE
    local told
    if told=$(by "$1" "$2"); then echo "$1 accepts $2: $told" >&2; exit 1; fi
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
echo "VERIFY.md's commands refuse $refused altered bundles"

exits() { # exits CODE ARGS...: what `fairhold verify` must exit with
    local want=$1 rc=0
    shift
    "$fairhold" verify "$@" --key "$key" > "$work/told" 2>&1 || rc=$?
    [ "$rc" -eq "$want" ] || { echo "verify $*: exit $rc, not $want" >&2; cat "$work/told" >&2; exit 1; }
}
exits 0 "$bundle" --tsa "$TSA" --ask timestamp,rulings,detector
exits 0 "$work/same.zip" --tsa "$TSA" --ask timestamp,rulings,detector
for altered in flips/*.zip; do exits 1 "$work/$altered"; done
for less in less/signed-*.zip; do
    part=${less#less/signed-} part=${part%.zip}
    exits 1 "less/$part.zip"
    exits 3 "$less" --ask "$part"
    # Those two are asked for without being named.
    case $part in rulings | detector) exits 3 "$less" ;; esac
done
exits 1 less/statement.zip
echo "a part left out is unproven (3), or the bundle fails (1), never a pass"
