#!/usr/bin/env bash
# Every fuzz target for some seconds, on stable: stable.sh [SECONDS] [TARGET..]
# The compiler's own passes count coverage as cargo-fuzz has them do; only the sanitizers need nightly.
# Findings, and what was learned, stay in fuzz/artifacts and fuzz/corpus. The first build takes minutes.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-30}
shift || true
triple=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
 -Cllvm-args=-sanitizer-coverage-trace-compares"
export RUSTFLAGS=${RUSTFLAGS//$'\n'/} CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true CARGO_PROFILE_RELEASE_OPT_LEVEL=1
# With a target named, build scripts are compiled without any of it.
cargo build --release --target "$triple"
if [ $# -eq 0 ]; then
    set -- fuzz_targets/*.rs
    set -- "${@##*/}"
    set -- "${@%.rs}"
fi
failed=0
for target in "$@"; do
    seeds=()
    [ -d "seeds/$target" ] && seeds=("seeds/$target")
    mkdir -p "corpus/$target" artifacts
    told=$("${CARGO_TARGET_DIR:-target}/$triple/release/$target" "corpus/$target" "${seeds[@]}" -max_total_time="$seconds" \
        -max_len=4096 -artifact_prefix="artifacts/$target-" 2>&1) && rc=0 || rc=$?
    [ "$rc" -eq 0 ] || { failed=1; printf '%s\n' "$told" >&2; }
    echo "$target: exit $rc, $(grep -o '#[0-9]*.DONE.*' <<<"$told" | tr '\t' ' ')"
done
exit "$failed"
