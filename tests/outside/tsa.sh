#!/usr/bin/env bash
# A timestamp authority of one's own, by openssl: a root, an authority's certificate below it,
# and a configuration for `openssl ts -reply`.
# Usage: tests/outside/tsa.sh FOLDER [rsa|p256|p384]; writes ca.pem, tsa.pem, tsa.key, tsa.cnf there.
set -euo pipefail
folder=${1:?usage: tests/outside/tsa.sh FOLDER [rsa|p256|p384]}
kind=${2:-rsa}
command -v openssl >/dev/null || { echo "tsa.sh: openssl is missing; install it (Debian: openssl)" >&2; exit 1; }
mkdir -p "$folder"
cd "$folder"
case $kind in
    rsa) new=(-newkey rsa:2048) ;;
    p256) new=(-newkey ec -pkeyopt ec_paramgen_curve:P-256) ;;
    p384) new=(-newkey ec -pkeyopt ec_paramgen_curve:P-384) ;;
    *) echo "tsa.sh: $kind is neither rsa, p256 nor p384" >&2; exit 1 ;;
esac
openssl req -x509 "${new[@]}" -nodes -keyout ca.key -out ca.pem -days 3650 -subj "/O=Test/CN=Test Root" \
    -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign" 2>/dev/null
openssl req "${new[@]}" -nodes -keyout tsa.key -out tsa.csr -subj "/O=Test/CN=Test Timestamp Authority" 2>/dev/null
printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n' > ext
openssl x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -extfile ext -out tsa.pem 2>/dev/null
echo 01 > serial
cat > tsa.cnf <<CNF
[tsa]
default_tsa = here
[here]
dir = $PWD
serial = $PWD/serial
crypto_device = builtin
signer_cert = $PWD/tsa.pem
certs = $PWD/ca.pem
signer_key = $PWD/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
CNF
