#!/usr/bin/env bash
# Does another build of Cedar decide as we do? Random questions, decided here and by
# @cedar-policy/cedar-wasm from policies, schema and request alone. EXAMPLES names a folder in which `replays` is built.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp tests/wasm/package.json tests/wasm/compare.mjs "$work"
(cd "$work" && npm install --no-audit --no-fund --silent)
replays() {
    if [ -n "${EXAMPLES:-}" ]; then "$EXAMPLES/replays" "$@"; else cargo run --quiet --package terms --example replays -- "$@"; fi
}
replays "${1:-6000}" > "$work/replays.jsonl"
node "$work/compare.mjs" < "$work/replays.jsonl"
