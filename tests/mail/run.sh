#!/usr/bin/env bash
# A mail server that others wrote (aiosmtpd) takes every notice: over STARTTLS by an authority of its
# own and with a password; it refuses at first, for a while and for ever; the server is killed twice
# in between. Usage: tests/mail/run.sh PATH_TO_FAIRHOLD. Any failure fails.
set -euo pipefail
fairhold=$(realpath "${1:?usage: tests/mail/run.sh PATH_TO_FAIRHOLD}")
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
finish() { rm -rf "$scratch"; }
trap finish EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check aiosmtpd
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=an authority" \
    -keyout "$scratch/ca.key" -out "$scratch/ca.pem" 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" \
    -keyout "$scratch/server.key" -out "$scratch/server.csr" 2>/dev/null
printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n' > "$scratch/server.ext"
openssl x509 -req -in "$scratch/server.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 2 \
    -extfile "$scratch/server.ext" -out "$scratch/server.pem" 2>/dev/null
"$scratch/venv/bin/python" -W ignore::DeprecationWarning "$here/run.py" "$fairhold" "$scratch"
