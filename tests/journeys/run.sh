#!/usr/bin/env bash
# People's journeys through the console and the portal, in a real browser, against a real server.
# Leaves screenshots and report.json in target/journeys/.
set -euo pipefail
cd "$(dirname "$0")/../.."
binary=$(realpath "${1:-target/debug/fairhold}")
if ! command -v chromium >/dev/null; then
    sudo=
    [ "$(id -u)" -eq 0 ] || sudo=sudo
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends chromium
fi
kept=target/journeys
rm -rf "$kept"
mkdir -p "$kept"
modules=target/journeys-modules
if [ ! -d "$modules/node_modules/playwright-core" ]; then
    mkdir -p "$modules"
    cp tests/journeys/package.json tests/journeys/package-lock.json "$modules"
    npm ci --prefix "$modules" --no-audit --no-fund --silent
fi
data=$(mktemp -d)
server=
issuer=
finish() {
    [ -z "$issuer" ] || kill "$issuer" 2>/dev/null || true
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" 2>/dev/null || true
    rm -rf "$data"
}
trap finish EXIT
node tests/journeys/issuer.mjs "$data/issuer" &
issuer=$!
for _ in $(seq 100); do
    [ -s "$data/issuer" ] && break
    sleep 0.1
done
cat > "$data/fairhold.toml" <<'TOML'
listen = "127.0.0.1:0"
[[upstream]]
name = "mock"
kind = "mock"
models = ["mock-1"]
[notices]
undo_seconds = 2
[terms]
documents = ["openai/services"]
TOML
cat >> "$data/fairhold.toml" <<TOML
[console.oidc]
issuer = "$(cat "$data/issuer")"
called = "Example"
client_id = "fairhold"
TOML
"$binary" serve --config "$data/fairhold.toml" --data "$data/house" --enforce --json > "$data/serve.json" 2> "$kept/server.log" &
server=$!
for _ in $(seq 100); do
    [ -s "$data/serve.json" ] && break
    kill -0 "$server" || { cat "$kept/server.log" >&2; exit 1; }
    sleep 0.1
done
NODE_PATH="$PWD/$modules/node_modules" node tests/journeys/journeys.mjs "$binary" "$data" "$kept" "$PWD/$modules/node_modules"
