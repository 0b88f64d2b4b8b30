"""Alters a bundle: altered.py BUNDLE SEED OUT. SEED is the log's own (`log.seed`).

Writes OUT/flips/found-WHAT.zip (one bit of a file changed), OUT/flips/signed-WHAT.zip (the same, and the log's
operator signs a statement that agrees with it: what refuses it then is the check of that very part), and
OUT/less/WHAT.zip and OUT/less/signed-WHAT.zip (a part left out). Archives are whole; only what they say is not."""
import base64
import hashlib
import json
import random
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

bundle, seed, out = zipfile.ZipFile(sys.argv[1]), Path(sys.argv[2]).read_bytes(), Path(sys.argv[3])
good = {name: bundle.read(name) for name in bundle.namelist()}
dice = random.Random(5)
assert len(seed) == 32, "the seed is not as we write it"


def signature(message):
    with tempfile.TemporaryDirectory() as d:
        Path(d, "key").write_bytes(bytes.fromhex("302e020100300506032b657004220420") + seed)
        Path(d, "message").write_bytes(message)
        command = ["openssl", "pkeyutl", "-sign", "-keyform", "DER", "-inkey", f"{d}/key", "-rawin", "-in", f"{d}/message"]
        return subprocess.run(command, check=True, capture_output=True).stdout


def stated(files):
    """The same with a statement that names these files, under the log's signature."""
    envelope = json.loads(good["statement.dsse.json"])
    payload, kind = json.loads(base64.b64decode(envelope["payload"])), envelope["payloadType"]
    payload["subject"] = [
        {"digest": {"sha256": hashlib.sha256(data).hexdigest()}, "name": name}
        for name, data in sorted(files.items())
        if name != "statement.dsse.json"
    ]
    text = json.dumps(payload, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
    envelope["payload"] = base64.b64encode(text).decode()
    pae = b"DSSEv1 %d %s %d " % (len(kind), kind.encode(), len(text)) + text
    envelope["signatures"][0]["sig"] = base64.b64encode(signature(pae)).decode()
    told = json.dumps(envelope, separators=(",", ":"), sort_keys=True).encode()
    return {**files, "statement.dsse.json": told}


def write(place, files):
    """As we write it: names in order, stored, one date."""
    path = out / place
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files, key=str.encode):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            for field in ("create_system", "create_version", "extract_version", "external_attr"):
                setattr(info, field, getattr(bundle.infolist()[0], field))
            archive.writestr(info, files[name])


def flipped(name, places):
    data = bytearray(good[name])
    data[dice.choice(places)] ^= 1 << dice.randrange(8)
    return {**good, name: bytes(data)}


def some(pattern):
    return dice.choice([name for name in sorted(good) if re.fullmatch(pattern, name)])


def hashes(name):
    """Places within the first hash of a proof, and none of the bits that base64 leaves over at its end."""
    start = good[name].index(b"\n", good[name].index(b"\nindex ") + 1) + 1
    assert good[name][start + 44 : start + 45] == b"\n", "the proof has no hash"
    return range(start, start + 42)


def root(name):
    """Places within the root of a checkpoint, as above."""
    start = good[name].index(b"\n", good[name].index(b"\n") + 1) + 1
    return range(start, start + 42)


def flips():
    entry, proof = some(r"entries/\d+\.json"), some(r"entries/\d+\.tlog-proof")
    body, above = some(r"ledgers/\d+\.body"), some(r"ledgers/\d+\.tlog-proof")
    whole = lambda name: range(len(good[name]))
    yield "entry", flipped(entry, whole(entry)), True
    yield "proof", flipped(proof, hashes(proof)), True
    yield "ledger", flipped(body, whole(body)), True
    yield "ledger-proof", flipped(above, hashes(above)), True
    yield "checkpoint", flipped("checkpoint", root("checkpoint")), True
    # Ledgers that are there as a whole, or their first records.
    for kind, places in (("entries", whole), ("consistency", lambda name: range(42))):
        there = [name for name in sorted(good) if re.fullmatch(rf"ledgers/\d+\.{kind}", name) and good[name].strip()]
        if there:
            name = dice.choice(there)
            yield f"ledger-{kind}", flipped(name, places(name)), True
    yield "statement", flipped("statement.dsse.json", range(20, 400)), False
    yield "vkey", flipped("log.vkey", whole("log.vkey")), False
    if "checkpoint.tsr" in good:
        token = good["checkpoint.tsr"]
        imprint = token.index(hashlib.sha256(good["checkpoint"]).digest())
        signed = [*range(imprint - 24, imprint + 52), *range(len(token) - 250, len(token))]
        yield "timestamp", flipped("checkpoint.tsr", signed), True


write("as-it-is.zip", good)
assert (out / "as-it-is.zip").read_bytes() == Path(sys.argv[1]).read_bytes(), "an archive written otherwise than ours"
for what, files, signable in flips():
    write(f"flips/found-{what}.zip", files)
    if signable:
        write(f"flips/signed-{what}.zip", stated(files))
PARTS = {
    "timestamp": r"checkpoint\.tsr|tsa/.*",
    "rulings": r"rulings/.*",
    "detector": r"detector/.*",
    "witnesses": r"trust\.policy",
    "statement": r"statement\.dsse\.json",
}
for what, pattern in PARTS.items():
    less = {name: data for name, data in good.items() if not re.fullmatch(pattern, name)}
    if len(less) == len(good):
        # Requests under no terms have no rulings; every other part is there.
        assert what == "rulings", f"there is no {what} to leave out"
        print("this case holds no ruling that could be left out")
        continue
    write(f"less/{what}.zip", less)
    if what != "statement":
        write(f"less/signed-{what}.zip", stated(less))
write("same.zip", stated(good))
