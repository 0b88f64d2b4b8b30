"""Opens every body of a SQLite store with its KEK, by docs/sealed-bodies.md alone.

Usage: open.py DATABASE KEK-FILE. Prints one JSON object a line: exchange, body, plaintext
(latin-1), subject digest; fails when a commitment does not fit. Needs `cryptography`.
"""

import hashlib
import hmac
import json
import sqlite3
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def hkdf(key: bytes, *info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"".join(info)).derive(key)


def unwrap(kek: bytes, row: sqlite3.Row) -> bytes:
    account, month = row["account"].encode(), row["month"].encode()
    under = hkdf(kek, b"fairhold account-month v2\0", account, b"\0", month)
    assert row["kek"] == hkdf(kek, b"fairhold kek id"), "another KEK wraps this key"
    data = b"".join((
        b"fairhold wrapped key\0", account, b"\0", month, b"\0",
        bytes([row["format"]]), row["subject"], row["kek"],
    ))
    wrapped = row["wrapped"]
    return AESGCM(under).decrypt(wrapped[:12], wrapped[12:], data)


def main(database: str, kek_file: str) -> None:
    kek = open(kek_file, "rb").read()
    assert len(kek) == 32, "the KEK file is not raw"
    store = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    store.row_factory = sqlite3.Row
    keys = {
        row["id"]: (row, unwrap(kek, row))
        for row in store.execute("SELECT * FROM subject_keys WHERE destroyed_at = 0")
    }
    house = next(key for row, key in keys.values() if row["account"] == "")
    named = set(sys.argv[3:])
    rows = store.execute(
        "SELECT j.account, j.exchange, j.leaf, b.what, b.bytes, b.key_id FROM bodies b"
        " JOIN journal j ON j.seq = b.seq ORDER BY b.seq"
    )
    for row in rows:
        of, key = keys[row["key_id"]]
        account, exchange, what = (row[n].encode() for n in ("account", "exchange", "what"))
        sealed = row["bytes"]
        assert of["account"] == row["account"] and sealed[0] == of["format"] == 2
        record = hkdf(key, b"fairhold record v2\0", exchange, b"\0", what)
        opened = AESGCM(record).decrypt(sealed[1:13], sealed[13:], b"\0".join((account, exchange, what)))
        salt, body = opened[:32], opened[32:]
        commitment = hmac.new(salt, body, hashlib.sha256).hexdigest()
        assert json.loads(row["leaf"])[what.decode()] == commitment, "the log commits to another body"
        digests = hkdf(house, b"fairhold subject digest\0", account)
        subject = [
            name for name in named
            if hmac.new(digests, name.encode(), hashlib.sha256).digest() == of["subject"]
        ]
        print(json.dumps({
            "exchange": row["exchange"],
            "what": row["what"],
            "subject": subject[0] if subject else None,
            "body": body.decode("latin-1"),
        }))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
