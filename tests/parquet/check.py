"""Reads exported tables with DuckDB and pandas and holds them against the signed ledger.

Usage: check.py FOLDER [bodies]. Every hash, commitment and root is computed here.
"""
import base64
import hashlib
import hmac
import json
import sys
from pathlib import Path
from urllib.parse import unquote

import duckdb
import pandas
import pyarrow
import pyarrow.dataset

folder = Path(sys.argv[1])
bodies = "bodies" in sys.argv[2:]
manifest = json.loads((folder / "_ledgers/manifest.json").read_text())
assert manifest["format"] == "fairhold-parquet-1", manifest

# DuckDB.
table = f"read_parquet('{folder}/account=*/*/*.parquet', hive_partitioning=true)"
rows, tokens = duckdb.sql(f"SELECT count(*), sum(output_tokens) FROM {table}").fetchall()[0]
assert rows == manifest["records"] > 0, (rows, manifest)
by_type = dict(duckdb.sql(f"SELECT type, count(*) FROM {table} GROUP BY type").fetchall())
assert by_type["intent"] == by_type["completion"], by_type

# pandas, by way of pyarrow, which must be told that folders name texts: it makes categories of them by itself,
# and cannot unify those where one is null, as it is for records of no account.
texts = pyarrow.schema([("account", pyarrow.string()), ("day", pyarrow.string())])
folders = pyarrow.dataset.partitioning(texts, flavor="hive")
frame = pandas.read_parquet(folder, engine="pyarrow", partitioning=folders)
assert len(frame) == rows and frame.output_tokens.sum() == tokens
assert frame.seq.is_unique
# pyarrow by itself, partitions as columns.
source = pyarrow.dataset.dataset(folder, format="parquet", partitioning="hive")
assert source.count_rows() == rows

NODE = b"\x01"


def leaf_hash(leaf):
    return hashlib.sha256(b"\x00" + leaf).digest()


def root(hashes):
    """RFC 6962, section 2.1."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return hashlib.sha256(NODE + root(hashes[:split]) + root(hashes[split:])).digest()


def wrong(record):
    """What of a row contradicts its leaf; nothing if all agrees."""
    if leaf_hash(record.leaf) != record.leaf_hash:
        return "leaf_hash"
    leaf = json.loads(record.leaf)
    told = record.at.value // 1_000_000
    if (leaf["seq"], leaf["at"], leaf["type"]) != (record.seq, told, record.type):
        return "seq, at or type"
    commitment = leaf.get("request") or leaf.get("answer")
    if commitment and bytes.fromhex(commitment) != record.commitment:
        return "commitment"
    if record.type == "completion" and leaf["output_tokens"] != record.output_tokens:
        return "output_tokens"
    if bodies and record.body is not None:
        if hmac.new(record.body_salt, record.body, hashlib.sha256).digest() != record.commitment:
            return "body"
    return None


ledgers = {}
opened = 0
for record in frame.itertuples():
    assert wrong(record) is None, (wrong(record), record)
    account = record.account
    account = "" if account is None or account != account else unquote(str(account))
    ledgers.setdefault(account, {})[record.place] = record.leaf_hash
    opened += bodies and record.body is not None
if bodies:
    ended = by_type["intent"] + by_type["completion"]
    assert opened == ended, f"{opened} bodies of {ended} opened and proven"

# One changed bit of any column that is checked must be noticed.
victim = next(r for r in frame.itertuples() if r.type == "completion")
spoilt = bytearray(victim.leaf)
spoilt[len(spoilt) // 2] ^= 1
assert wrong(victim._replace(leaf=bytes(spoilt))) == "leaf_hash"
assert wrong(victim._replace(output_tokens=victim.output_tokens + 1)) == "output_tokens"
if bodies:
    assert wrong(victim._replace(body=victim.body + b"!")) == "body"

# The ledgers: places are dense, and roots are those under the signed checkpoint.
proven = 0
for checkpoint in sorted((folder / "_ledgers").glob("*.checkpoint")):
    epoch = checkpoint.name.split(".")[0]
    lines = checkpoint.read_text().split("\n")
    size, signed = int(lines[1]), base64.b64decode(lines[2])
    entries = [json.loads(line) for line in (folder / f"_ledgers/{epoch}.entries.jsonl").open()]
    assert len(entries) == size
    assert root([leaf_hash(entry["body"].encode()) for entry in entries]) == signed
    latest = {entry["ledger"]: entry["body"] for entry in entries if entry["ledger"] is not None}
    for name, body in latest.items():
        if name not in ledgers and manifest["account"] is not None:
            continue
        _, size, expected = body.split("\n")[:3]
        places = ledgers[name]
        hashes = [places[n] for n in range(int(size))]
        assert root(hashes) == base64.b64decode(expected), name
        proven += len(hashes)
for name, places in ledgers.items():
    assert sorted(places) == list(range(len(places))), name
print(
    f"{folder.name}: {rows} rows read by DuckDB {duckdb.__version__} and pandas {pandas.__version__};"
    f" {proven} of them under the signed root, {opened} bodies opened"
)
assert proven > 0 or folder.name == "beside", "nothing was sealed"
